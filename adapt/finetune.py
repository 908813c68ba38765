"""Stage 5 of 9. Reads a base and a frozen dataset. Writes an adapted run with its adapter and card. Next: generate.

The text encoder stays frozen: MiniLM has read the words of any catalogue already. What follows new words is the
generator's side of the text: its mapping and its conditional affine layers are trained whole, and the discriminator's
text projections with them.
"""

import hashlib
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from numpy.typing import NDArray
from torch import nn

from adapt.config import RunConfig, apply_settings, from_dict, read_preset, to_dict, without_later_fields
from adapt.data.batches import Batch, PictureBatches
from adapt.data.pictures import load_pictures
from adapt.data.prefetch import Batches
from adapt.errors import ConfigError
from adapt.fewshot.card import write_card
from adapt.fewshot.config import FinetuneConfig
from adapt.fewshot.feedback import APPROVED_SHARE, BatchesWithRejected, FeedbackPictures, choose_feedback
from adapt.fewshot.lora import METHODS, adapt_generator, freeze_lower_half, merged_copy, save_adapter, trainable_share
from adapt.fewshot.selection import CheckpointJudge, Judgement, choose
from adapt.fewshot.source import Source, load_source, source_distance
from adapt.fewshot.support_set import SupportSet, choose_support_set
from adapt.fewshot.terms import AdaptationTerms
from adapt.training.assembly import check_comparison, comparison_features, fixed_samples, layout_term
from adapt.training.checkpoint import read_json, write_json
from adapt.training.choices import check_choices
from adapt.training.diffaugment import Augmentation
from adapt.training.distributed import equal_shares
from adapt.training.ema import MovingAverage
from adapt.training.inference import GENERATOR_FILE, save_generator
from adapt.training.loop import FitResult, fit
from adapt.training.objective import ExtraTerms, Objective
from adapt.training.precision import use_bf16
from adapt.training.run_folder import choose_run_folder, run_lock
from adapt.training.step import Networks
from catalog.feedback_folder import Feedback
from catalog.manifest import Manifest
from catalog.records import ManifestEntry

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, kw_only=True)
class FinetuneRequest:
    """What the command line asked for."""

    manifest: Manifest
    base: Path
    """Run folder or shipped base to start from."""
    runs: Path
    shots: int = 50
    seed: int = 0
    preset: str = "default"
    settings: Sequence[str] = ()
    cache: Path | None = None
    new: bool = False
    feedback: Feedback | None = None
    """Decisions to learn from besides the shots."""


@dataclass(frozen=True, kw_only=True)
class FinetunePlan:
    """Everything decided before the first step; what `--dry-run` prints."""

    config: FinetuneConfig
    support: SupportSet
    folder: Path
    base: Path
    feedback: FeedbackPictures | None = None
    """What the decisions add; None where the request gave none."""


def plan(request: FinetuneRequest) -> FinetunePlan:
    """Resolve config, shots and run folder.

    Raises:
        AdaptError: unknown preset or key, or no usable shots.
    """
    values = apply_settings(read_preset("finetune", request.preset), request.settings)
    config = from_dict(FinetuneConfig, apply_settings(values, [f"train.seed={request.seed}"]))
    if config.fewshot.method not in METHODS:
        raise ConfigError(f"fewshot.method='{config.fewshot.method}'; allowed are {', '.join(METHODS)}")
    check_choices(config.train)
    # Every product may give a shot; evaluation leaves the shots out, so nothing is scored on what it learned from.
    support = choose_support_set(
        request.manifest.entries, shots=request.shots, seed=request.seed, held_out_share=config.fewshot.held_out_share
    )
    feedback = None
    if request.feedback is not None:
        size = min(config.data.batch_size, len(support.train))
        feedback = choose_feedback(request.feedback, request.manifest.entries, batch_size=size)
    text = (
        f"{without_later_fields(to_dict(config))}{request.base.resolve()}{request.manifest.content_hash}{request.shots}"
        f"{request.feedback.content_hash if request.feedback else ''}"
    )
    folder = request.runs / f"finetune-{request.shots}shots-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    folder = choose_run_folder(folder, new=request.new, suffix="-v")
    return FinetunePlan(config=config, support=support, folder=folder, base=request.base, feedback=feedback)


def finetune(request: FinetuneRequest, *, progress: Progress | None = None) -> dict[str, Any]:
    """Adapt a base to the shots, or go on with the unfinished adaptation of the same request.

    Returns:
        run, steps, images_seen, seconds, images_per_second, metrics, shots;
        `already_finished` says that nothing was left to do.

    Raises:
        AdaptError: unusable data, base or preset; one line that says what to do.
    """
    chosen = plan(request)
    folder, config = chosen.folder, chosen.config
    if (folder / "summary.json").is_file():
        return read_json(folder / "summary.json") | {"already_finished": True}
    fabric = Fabric(devices=1, accelerator="auto")
    source = load_source(request.base, fabric.device)
    with run_lock(folder):
        write_json(
            folder / "config.json",
            {
                "config": to_dict(config),
                "command": shlex.join(sys.argv),
                "new": request.new,
                "base": str(request.base),
                "base_sha256": source.sha256,
                "dataset": request.manifest.name,
                "dataset_hash": request.manifest.content_hash,
                "shots": [entry.sha256 for entry in chosen.support.train],
                "held_out": [entry.sha256 for entry in chosen.support.held_out],
                **_feedback_record(chosen.feedback),
            },
        )
        adaptation = _Adaptation(fabric, request, chosen, source, progress)
        result = adaptation.run()
        summary = result.summary(folder.name)
        summary["metrics"] |= {f"selected_{name}": value for name, value in asdict(adaptation.chosen).items()}
        summary |= {
            "shots": len(chosen.support.shots),
            "shots_requested": request.shots,
            "distance_to_base": round(adaptation.distance, 3),
        }
        if chosen.feedback is not None:
            summary |= {"approved": len(chosen.feedback.approved), "rejected": len(chosen.feedback.rejected)}
        write_card(folder, source, chosen.support, config, summary)
        write_json(folder / "summary.json", summary)
    return summary | {"already_finished": False}


def _feedback_record(feedback: FeedbackPictures | None) -> dict[str, Any]:
    """What config.json says of the decisions; nothing in a run without."""
    if feedback is None:
        return {}
    return {
        "feedback_hash": feedback.feedback.content_hash,
        "approved": [entry.sha256 for entry in feedback.approved],
        "rejected": [entry.sha256 for entry in feedback.rejected],
    }


class _Adaptation:
    """Holds what the training loop's callbacks share: the source, the judge and the best checkpoint so far."""

    def __init__(
        self, fabric: Fabric, request: FinetuneRequest, chosen: FinetunePlan, source: Source, progress: Progress | None
    ) -> None:
        self._fabric, self._request, self._plan, self._source = fabric, request, chosen, source
        self._progress = progress
        self._config = chosen.config
        self._run_config: RunConfig = replace(
            source.config,
            data=self._config.data,
            loss=self._config.loss,
            optim=self._config.optim,
            train=self._config.train,
        )
        self._judge = CheckpointJudge(
            chosen.support,
            source.encoder,
            image_px=source.image_px,
            noise_dim=source.noise_dim,
            seed=self._config.train.seed,
        )
        self.distance = 0.0
        """Of the shots to what the base draws; known once the run has begun."""
        self._record = chosen.folder / "selection.json"
        self._judgements: list[Judgement] = []
        if self._record.is_file():
            self._judgements = [Judgement(**values) for values in read_json(self._record)["judgements"]]

    def run(self) -> FitResult:
        """Train, keeping the best checkpoint as the run's generator."""
        config, source, support, feedback = self._config, self._source, self._plan.support, self._plan.feedback
        torch.manual_seed(config.train.seed)  # the low-rank updates' start
        generator = adapt_generator(
            source.fresh_generator(), method=config.fewshot.method, rank=config.fewshot.rank, alpha=config.fewshot.alpha
        )
        discriminator = source.fresh_discriminator()
        freeze_lower_half(discriminator)
        entries = list(support.train)
        check_comparison(config.loss, entries)
        pictures = load_pictures(entries, round(source.image_px * config.data.margin), cache=self._request.cache)
        batches = self._batches(entries, pictures)
        self.distance = source_distance(source, pictures)
        terms = AdaptationTerms(source, config.fewshot, distance=self.distance, seed=config.train.seed)
        layout = layout_term(self._run_config, pictures, source.noise_dim)
        objective = Objective(
            loss=config.loss,
            augmentation=Augmentation(config.train.augment, probability=0.2, adapt_images=config.fewshot.adapt_images),
            features=comparison_features(self._run_config, pictures, source.image_px, device=self._fabric.device),
            bf16=use_bf16(config.train.precision, self._fabric.device),
            extra_weights=terms.weights | (layout.weights if layout else {}),
            rejected_share=feedback.rejected_share(batches.batch_size) if feedback else 0.0,
        )
        return fit(
            self._fabric,
            Networks(generator=generator, discriminator=discriminator, noise_dim=source.noise_dim, freeze_norms=True),
            objective,
            batches,
            train=config.train,
            optim=config.optim,
            folder=self._plan.folder,
            samples=fixed_samples(support.shots, source.encoder, source.noise_dim, config.train.seed),
            extra_terms=_both(terms, layout) if layout else terms,
            choose_noise=layout.noise if layout else None,
            watcher=self._watch,
            progress=self._progress,
        )

    def _batches(self, photos: Sequence[ManifestEntry], pictures: NDArray[np.uint8]) -> Batches[Batch]:
        """The shots, with approved pictures among them and rejected ones beside them where there is feedback."""
        config, source, feedback = self._config, self._source, self._plan.feedback
        size = equal_shares(config.data.batch_size, len(photos), processes=1, accumulate=config.train.accumulate)
        approved = list(feedback.approved) if feedback else []
        if approved:
            pictures = np.concatenate([pictures, load_pictures(approved, pictures.shape[1])])
        batches = PictureBatches(
            [*photos, *approved],
            pictures,
            source.encoder,
            image_px=source.image_px,
            batch_size=size,
            flip=config.data.flip,
            augment=config.data.augment,
            human_share=0.0,
            counterfactual_share=config.loss.counterfactual_share,
            pairs=config.data.pairs,
            seed=config.train.seed,
            guests=len(approved),
            guest_share=APPROVED_SHARE,
        )
        extra = feedback.extra_fakes(size) if feedback else 0
        if feedback is None or not extra:
            return batches
        return BatchesWithRejected(
            batches,
            load_pictures(feedback.rejected, source.image_px),
            [entry.captions[0].text for entry in feedback.rejected],
            source.encoder,
            count=extra,
            seed=config.train.seed,
        )

    def _watch(self, step: int, average: MovingAverage) -> bool:
        """Judge a checkpoint, keep it if it is the one to choose so far, and say whether to go on."""
        judgement = self._judge(step, average.module)
        self._judgements.append(judgement)
        if self.chosen is judgement:
            self._keep(average.module, judgement)
        write_json(
            self._record, {"chosen": self.chosen.step, "judgements": [asdict(each) for each in self._judgements]}
        )
        patience = self._config.fewshot.patience
        since = sum(each.step > self.chosen.step for each in self._judgements)
        return not patience or since < patience

    @property
    def chosen(self) -> Judgement:
        """The checkpoint whose generator the run keeps."""
        return choose(self._judgements, copy_limit=self._config.fewshot.copy_limit)

    def _keep(self, network: nn.Module, judgement: Judgement) -> None:
        learning, total = trainable_share(network)
        save_generator(
            self._plan.folder / GENERATOR_FILE,
            merged_copy(network),
            self._run_config,
            step=judgement.step,
            base=self._source.name,
            base_sha256=self._source.sha256,
            dataset=self._request.manifest.name,
            dataset_hash=self._request.manifest.content_hash,
            parameters=total,
            learned=learning,
            prompts=self._source.prompts,
        )
        if self._config.fewshot.method == "lora":
            save_adapter(network, self._plan.folder / "adapter")


def _both(first: ExtraTerms, second: ExtraTerms) -> ExtraTerms:
    """The terms of both, as one callable for the loop."""
    return lambda *arguments: first(*arguments) | second(*arguments)
