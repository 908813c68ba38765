"""DAMSM pretraining: teach text and image features to match, before any generator is trained.

Paper: Xu et al. 2018, "AttnGAN", arXiv 1711.10485; paraphrase term of Ye et al. 2021, arXiv 2107.02423 (NT-Xent between
the sentence codes of two captions of one picture, temperature 0.5, weight 1).

Differs from the papers: the image network is frozen and runs once over the dataset, so that a step touches only the
heads (and the lstm); an extra term makes the own caption beat itself with one colour changed.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from adapt.data.pictures import load_pictures
from adapt.errors import TrainingError
from adapt.losses.damsm import sentence_scores
from adapt.models import encoders
from adapt.models.damsm import Damsm, heads_for
from adapt.models.interfaces import ImageEncoder, TextEncoder
from adapt.models.text_cache import TextFeatureCache
from adapt.models.text_encoder import LSTMTextEncoder, LSTMTextEncoderConfig
from adapt.models.tokenizer import BytePairTokenizer
from adapt.training.damsm_config import DamsmConfig
from adapt.training.damsm_progress import SAVE_EVERY, DamsmCheckpoint
from adapt.training.damsm_terms import DamsmTerms
from adapt.training.loop import deferred_interrupt
from adapt.training.picture_table import PictureTable
from catalog.records import ManifestEntry

Progress = Callable[[str, int, int], None]


def train_damsm(
    entries: Sequence[ManifestEntry],
    config: DamsmConfig,
    *,
    text_encoder: TextEncoder | None = None,
    cache: Path | None = None,
    checkpoint: Path | None = None,
    device: torch.device | str = "cpu",
    progress: Progress | None = None,
) -> Damsm:
    """Train on the `train` entries and report on the held-out ones.

    Args:
        entries: pictures with captions. Without a `test` split a share of the groups is held out.
        config: what to train.
        text_encoder: frozen encoder to put heads over instead of the packaged one; not for an lstm.
        cache: folder for decoded pictures and text features.
        checkpoint: file to go on from where it is there, and to save the state to; the caller deletes it in the end.
        device: where to train.
        progress: called with (what, done, total).

    Returns:
        The frozen model; `.report` holds losses and held-out accuracies, `.save(folder)` keeps it.

    Raises:
        TrainingError: fewer than two pictures with captions to train on.
        CheckpointError: the checkpoint is damaged or of another training.
        KeyboardInterrupt: passed on after the state was saved, where there is a checkpoint.
    """
    captioned = [entry for entry in entries if entry.captions]
    training, held_out = _split(captioned, config)
    if len(training) < 2:
        raise TrainingError(
            f"DAMSM pretraining has {len(training)} pictures with captions; it takes 2 or more: run adapt captions"
        )
    ordered = training + held_out
    captions = [[caption.text for caption in entry.captions][: config.captions_per_picture] for entry in ordered]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        text = _text_side(config, captions[: len(training)]) if text_encoder is None else text_encoder
        image = _image_side(config, text)
        heads = heads_for(
            text,
            image,
            feature_dim=config.feature_dim,
            thumbnail_px=config.thumbnail_px,
            text_heads=config.text_encoder != "lstm",
        )
        pictures = load_pictures(ordered, config.image_px, cache=cache, progress=progress)
        if isinstance(image, nn.Module):
            image.to(device)
        table = PictureTable.compute(image, heads, pictures, device=device, progress=progress)
        ids = torch.tensor([entry.product_id for entry in ordered])
        losses = DamsmTerms(config, text, heads.to(device), table, captions, ids, len(training), device)
        losses.encode_captions(cache, progress)
        means = _fit(losses, checkpoint, progress)
        scores = _score(losses, np.arange(len(training), len(ordered)))
    model = Damsm(text, image, heads).cpu()
    model.report = {"config": asdict(config), "pictures": len(training), "losses": means, **scores}
    return model


def _fit(losses: DamsmTerms, path: Path | None, progress: Progress | None) -> dict[str, float]:
    """Train, going on from the checkpoint at `path`; return each term's mean over the last tenth of the steps."""
    config, modules = losses.config, losses.trained
    modules.to(losses.device).train()
    optimizer = torch.optim.AdamW(
        modules.parameters(), lr=config.learning_rate, betas=(0.5, 0.999), weight_decay=config.weight_decay
    )
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, config.steps, eta_min=config.learning_rate / 10)
    rng = np.random.default_rng([config.seed, 1])
    checkpoint = DamsmCheckpoint(path=path, modules=modules, optimizer=optimizer, schedule=schedule, rng=rng)
    position = checkpoint.load()
    size = min(config.batch_size, losses.training)
    reported = max(config.steps // 10, 1)
    with deferred_interrupt() as interrupted:
        while position.step < config.steps:
            if len(position.order) < size:
                position.order = rng.permutation(losses.training)
            chosen, position.order = position.order[:size], position.order[size:]
            terms = losses(chosen, rng)
            loss = sum((losses.weight(name) * value for name, value in terms.items()), torch.zeros(()))
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            if isinstance(losses.text, LSTMTextEncoder):
                nn.utils.clip_grad_norm_(losses.text.parameters(), 0.25)
            optimizer.step()
            schedule.step()
            position.step += 1
            if position.step > config.steps - reported:
                position.history.append({name: float(value.detach()) for name, value in terms.items()})
            if progress is not None:
                progress("DAMSM", position.step, config.steps)
            if position.step % SAVE_EVERY == 0 or interrupted():
                checkpoint.save(position)
                if interrupted():
                    raise KeyboardInterrupt
    modules.eval()
    names = position.history[-1]
    return {name: float(np.mean([terms[name] for terms in position.history])) for name in names}


@torch.no_grad()
def _score(losses: DamsmTerms, rows: np.ndarray, *, candidates: int = 100) -> dict[str, Any]:
    """Return R-precision and colour choice on `rows`.

    `r_precision`: share of pictures whose own caption scores best among itself and captions of other products,
    `candidates` in all. `colour_choice`: share of captions that score better than with one colour changed.
    """
    losses.trained.to(losses.device).eval()
    rng = np.random.default_rng([losses.config.seed, 2])
    hits, wins = [], []
    if len(rows):
        pooled = torch.cat([losses.pooled(part) for part in np.array_split(rows, -(-len(rows) // 64))])
        first = sentence_scores(losses.sentences([losses.captions[i][0] for i in rows]), pooled)
        for position, i in enumerate(rows):
            others = [int(j) for j in rng.permutation(len(rows)) if losses.ids[rows[j]] != losses.ids[i]]
            if others:
                hits.append(bool(first[position, position] > first[position, others[: candidates - 1]].max()))
            if losses.changed[i]:
                twins = losses.sentences([*losses.changed[i].values(), *losses.changed[i]])
                right, wrong = sentence_scores(twins, pooled[position : position + 1])[0].chunk(2)
                wins.extend((right > wrong).tolist())
    return {
        "r_precision": {"value": float(np.mean(hits)) if hits else None, "n": len(hits), "candidates": candidates},
        "colour_choice": {"value": float(np.mean(wins)) if wins else None, "n": len(wins), "chance": 0.5},
    }


def _split(entries: Sequence[ManifestEntry], config: DamsmConfig) -> tuple[list[ManifestEntry], list[ManifestEntry]]:
    """Split by the entries' own marks, else by seeded groups; a group never lies on both sides."""
    held_out = {entry.group for entry in entries if entry.split == "test"}
    if not held_out:
        groups = sorted({entry.group for entry in entries})
        count = round(config.held_out_share * len(groups))
        held_out = set(np.random.default_rng([config.seed, 0]).permutation(groups)[:count].tolist())
    training = [entry for entry in entries if entry.group not in held_out]
    return training, [entry for entry in entries if entry.group in held_out]


def _text_side(config: DamsmConfig, captions: Sequence[Sequence[str]]) -> TextEncoder:
    if config.text_encoder != "lstm":
        return encoders.text_encoder(config.text_encoder, path=config.text_path)
    tokenizer = BytePairTokenizer.train((text for own in captions for text in own), vocabulary=config.vocabulary)
    return LSTMTextEncoder(tokenizer, LSTMTextEncoderConfig(hidden_dim=config.feature_dim // 2))


def _image_side(config: DamsmConfig, text: TextEncoder) -> ImageEncoder:
    """The frozen image encoder; one CLIP serves both sides where both name the same weights."""
    encoder = text.encoder if isinstance(text, TextFeatureCache) else text
    if config.image_encoder == "open_clip":
        text_path = config.text_path if config.text_encoder == "open_clip" else ""
        same = config.text_encoder == "open_clip" and config.image_path in ("", text_path)
        if same and isinstance(encoder, ImageEncoder):
            return encoder
        return encoders.image_encoder("open_clip", path=config.image_path or text_path)
    return encoders.image_encoder(config.image_encoder, path=config.image_path, input_px=config.input_px)
