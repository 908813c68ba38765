"""Stage 4 of 9. Reads CUB, COCO or a frozen dataset. Writes a run folder. Next: finetune."""

import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from numpy.typing import NDArray

from adapt.config import RunConfig, apply_settings, from_dict, read_preset, to_dict
from adapt.data.batches import PictureBatches
from adapt.data.pictures import readable_pictures
from adapt.data.prefetch import Prefetch
from adapt.data.sources import read_dataset
from adapt.errors import TrainingError
from adapt.models.damsm import Damsm
from adapt.models.factory import build_discriminator, build_generator, build_text_encoder
from adapt.models.text_cache import TextFeatureCache
from adapt.training.assembly import (
    cached_texts,
    check_comparison,
    comparison_features,
    fixed_samples,
    layout_term,
    replay_prompts,
    text_cache_file,
)
from adapt.training.checkpoint import read_json, write_json
from adapt.training.choices import check_choices
from adapt.training.damsm import DamsmConfig
from adapt.training.diffaugment import Augmentation
from adapt.training.distributed import equal_shares, make_fabric
from adapt.training.ema import MovingAverage
from adapt.training.features import ComparisonFeatures
from adapt.training.growth import grow_from
from adapt.training.inference import GENERATOR_FILE, save_generator
from adapt.training.layout import LayoutTerm
from adapt.training.loop import FitResult, fit
from adapt.training.objective import Objective
from adapt.training.precision import use_bf16
from adapt.training.run_damsm import DamsmStage, check_sentence_dims, check_word_dim, trains_text_encoder
from adapt.training.run_folder import choose_run_folder, run_lock
from adapt.training.step import Networks
from catalog.records import ManifestEntry

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, kw_only=True)
class PretrainRequest:
    """What the command line asked for."""

    dataset: str
    """`cub`, `coco` or `folder` (a frozen dataset)."""
    data_dir: Path
    runs: Path
    """Folder that holds run folders."""
    preset: str = "projected_64"
    settings: Sequence[str] = ()
    """`section.field=value` overrides."""
    cache: Path | None = None
    """Where decoded pictures and text features are kept between runs."""
    grow: Path | None = None
    """Run whose weights start this one wherever names and shapes agree."""
    new: bool = False
    """Start afresh beside a finished or unfinished run of the same config."""
    devices: int = 1
    nodes: int = 1


def resolve_config(request: PretrainRequest) -> RunConfig:
    """Preset plus overrides as a checked config."""
    config = from_dict(RunConfig, apply_settings(read_preset("pretrain", request.preset), request.settings))
    check_choices(config.train, config.text)
    return config


def run_folder(request: PretrainRequest, config: RunConfig) -> Path:
    """The folder of this config; with `--new` another one beside it (see `choose_run_folder`)."""
    digest = config.digest(request.dataset, str(request.data_dir.resolve()), str(request.grow or ""))
    base = request.runs / f"pretrain-{request.dataset}-{config.model.name}-{digest}"
    return choose_run_folder(base, new=request.new)


def pretrain(request: PretrainRequest, *, progress: Progress | None = None) -> dict[str, Any]:
    """Train a generator, or go on with the unfinished run of the same config.

    Returns:
        run, steps, images_seen, seconds, images_per_second, metrics;
        `already_finished` says that nothing was left to do.

    Raises:
        AdaptError: unusable data, preset or checkpoint; one line that says what to do.
    """
    config = resolve_config(request)
    folder = run_folder(request, config)
    if (folder / "summary.json").is_file():
        return read_json(folder / "summary.json") | {"already_finished": True}
    fabric = make_fabric(request.devices, request.nodes)
    networks = build_networks(config, request.grow)  # what does not fit together is refused before a folder is made
    entries = read_dataset(request.dataset, request.data_dir)
    with run_lock(folder, active=fabric.is_global_zero):
        write_json(
            folder / "config.json",
            {
                "config": to_dict(config),
                "command": shlex.join(sys.argv),
                "new": request.new,
                "dataset": request.dataset,
                "pictures": len(entries),
                "torch": torch.__version__,
            },
        )
        result = train_from_entries(
            fabric,
            config,
            networks,
            entries,
            folder,
            cache=request.cache,
            grow=request.grow,
            dataset=request.dataset,
            progress=progress,
        )
        summary = result.summary(folder.name)
        if fabric.is_global_zero:
            write_json(folder / "summary.json", summary)
    return summary | {"already_finished": False}


def train_from_entries(
    fabric: Fabric,
    config: RunConfig,
    networks: Networks,
    entries: Sequence[ManifestEntry],
    folder: Path,
    *,
    cache: Path | None,
    grow: Path | None,
    dataset: str,
    progress: Progress | None,
) -> FitResult:
    """Put together what the networks need from config and data, and train them."""
    train_entries = [entry for entry in entries if entry.split == "train"][: config.data.limit or None]
    _require_two(train_entries, of=len(entries), limit=config.data.limit)
    check_comparison(config.loss, train_entries)
    image_px = int(networks.generator.config.image_px)  # type: ignore[union-attr, arg-type]
    if trains_text_encoder(config):  # its width is known before the training that would be in vain
        check_sentence_dims(config.text, DamsmConfig.feature_dim, networks)
        check_word_dim(config.text, DamsmConfig.feature_dim, networks)
    side_px = round(image_px * config.data.margin)
    with fabric.rank_zero_first():  # the others map what the first has decoded
        decoded = readable_pictures(train_entries, side_px, cache=cache, progress=progress)
    train_entries, pictures = decoded.entries, decoded.pictures
    _require_two(train_entries, of=len(entries), limit=config.data.limit)
    entries = [entry for entry in entries if str(entry.image) not in decoded.left_out]
    stage = DamsmStage(
        config=config,
        entries=entries,
        folder=folder,
        image_px=image_px,
        fabric=fabric,
        grow=grow,
        cache=cache,
        progress=progress,
    )
    config = replace(config, text=stage.text_config())
    encoder = build_text_encoder(config.text)
    check_sentence_dims(config.text, encoder.sentence_dim, networks)
    check_word_dim(config.text, encoder.word_dim, networks)
    words = bool(networks.generator.uses_words) or config.loss.reads_words
    texts = cached_texts(config, encoder, train_entries, cache, progress, words=words)
    batches = _batches(fabric, config, train_entries, pictures, texts, image_px)
    if cache is not None:
        texts.save(text_cache_file(config, cache, words=words))
    damsm = stage.model(config.text, texts)
    layout = layout_term(config, pictures, networks.noise_dim)
    features = comparison_features(config, pictures, image_px, damsm=damsm, device=fabric.device)
    objective = _objective(fabric, config, features, damsm, layout)

    def save_average(average: MovingAverage, step: int, images_seen: int) -> None:
        save_generator(
            folder / GENERATOR_FILE,
            average.module,
            config,
            step=step,
            images_seen=images_seen,
            dataset=dataset,
            prompts=replay_prompts(entries),
        )

    with Prefetch(batches, ahead=config.data.ahead, stop=config.train.steps) as coming:
        return fit(
            fabric,
            networks,
            objective,
            coming,
            train=config.train,
            optim=config.optim,
            folder=folder,
            samples=fixed_samples(entries, texts, networks.noise_dim, config.train.seed),
            extra_terms=layout,
            choose_noise=layout.noise if layout else None,
            save_average=save_average,
            progress=progress,
        )


def _batches(
    fabric: Fabric,
    config: RunConfig,
    entries: Sequence[ManifestEntry],
    pictures: NDArray[np.uint8],
    texts: TextFeatureCache,
    image_px: int,
) -> PictureBatches:
    """This process's share of every batch."""
    return PictureBatches(
        entries,
        pictures,
        texts,
        image_px=image_px,
        batch_size=equal_shares(
            config.data.batch_size,
            len(entries),
            processes=fabric.world_size,
            accumulate=config.train.accumulate,
        ),
        share=(fabric.global_rank, fabric.world_size),
        flip=config.data.flip,
        augment=config.data.augment,
        human_share=config.data.human_share,
        counterfactual_share=config.loss.counterfactual_share,
        pairs=config.data.pairs,
        seed=config.train.seed,
    )


def _objective(
    fabric: Fabric,
    config: RunConfig,
    features: ComparisonFeatures | None,
    damsm: Damsm | None,
    layout: LayoutTerm | None,
) -> Objective:
    return Objective(
        loss=config.loss,
        augmentation=Augmentation(config.train.augment),
        features=features,
        damsm=damsm,
        bf16=use_bf16(config.train.precision, fabric.device),
        extra_weights=layout.weights if layout else {},
    )


def _require_two(entries: Sequence[ManifestEntry], *, of: int, limit: int) -> None:
    if len(entries) < 2:
        raise TrainingError(
            f"{len(entries)} of the {of} pictures with captions are for training; two are the least: "
            "give a larger dataset with --data-dir" + (", or --set data.limit=0" if limit == 1 else "")
        )


def build_networks(config: RunConfig, grow: Path | None) -> Networks:
    """Both networks with the weights that a fresh run starts from."""
    torch.manual_seed(config.train.seed)  # initial weights; everything later is drawn from (seed, step)
    generator, discriminator = build_generator(config.model), build_discriminator(config.discriminator)
    if grow is not None:
        grow_from(grow, generator, discriminator)
    for network in (generator, discriminator):
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    noise_dim = int(generator.config.noise_dim)  # type: ignore[union-attr, arg-type]
    return Networks(generator=generator, discriminator=discriminator, noise_dim=noise_dim)
