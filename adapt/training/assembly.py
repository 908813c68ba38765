"""Pieces that every run is put together from: caption features, feature spaces, fixed samples, replay prompts."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from adapt.config import LossConfig, RunConfig
from adapt.data.identities import check_mask
from adapt.data.pictures import centre_crop, to_model
from adapt.models.damsm import Damsm
from adapt.models.interfaces import TextEncoder
from adapt.models.text_cache import TextFeatureCache
from adapt.training.features import ComparisonFeatures, check_available
from adapt.training.inference import TRAINED_ENCODERS
from adapt.training.layout import LayoutCodes, LayoutTerm
from adapt.training.loop import Samples
from adapt.training.step import step_generator
from catalog.records import ManifestEntry

Progress = Callable[[str, int, int], None]
SAMPLE_COUNT = 32


def replay_prompts(entries: Sequence[ManifestEntry], count: int = 64) -> list[str]:
    """Prompts that adaptation replays to remember the source: captions of our own making, never people's."""
    own = sorted({c.text for entry in entries if entry.split == "train" for c in entry.captions if c.origin != "human"})
    return own[:: max(1, len(own) // count)][:count]


def check_comparison(loss: LossConfig, entries: Sequence[ManifestEntry]) -> None:
    """Check what the two losses need of the data and of this machine, before the long stages of a run.

    Raises:
        ConfigError: the mask leaves no negatives, or a feature network has no weights here.
    """
    if loss.fake_to_fake_weight or loss.fake_to_real_weight:
        check_mask(loss.mask, entries)
        check_available(loss.features, loss.feature_paths)


def comparison_features(
    config: RunConfig,
    pictures: NDArray[np.uint8],
    image_px: int,
    *,
    damsm: Damsm | None = None,
    device: torch.device | str = "cpu",
) -> ComparisonFeatures | None:
    """The feature spaces of the two losses, centred on real pictures; None when neither loss is on."""
    if not (config.loss.fake_to_fake_weight or config.loss.fake_to_real_weight):
        return None
    features = ComparisonFeatures(
        config.loss.features,
        feature_px=config.loss.feature_px,
        centred=config.loss.centred,
        paths=config.loss.feature_paths,
        damsm=damsm,
    )
    spread = pictures[:: max(1, len(pictures) // 256)][:256]
    features.centre_on(to_model(centre_crop(spread, image_px)))
    return features.to(device)


def text_cache_file(config: RunConfig, cache: Path, *, words: bool) -> Path:
    """Where caption features of this encoder are kept between runs; a trained one is known by its weights.

    Features with and without `words` lie in files of their own.
    """
    which = config.text.path.replace("/", "_")[-40:] or "packaged"
    if config.text.encoder in TRAINED_ENCODERS:
        digest = hashlib.sha256()
        for file in sorted(Path(config.text.path).glob("*.safetensors")):
            digest.update(file.read_bytes())
        which = digest.hexdigest()[:12]
    return cache / f"{'texts' if words else 'sentences'}-{config.text.encoder}-{which}.safetensors"


def cached_texts(
    config: RunConfig,
    encoder: TextEncoder,
    entries: Sequence[ManifestEntry],
    cache: Path | None,
    progress: Progress | None,
    *,
    words: bool = False,
) -> TextFeatureCache:
    """Features of every caption: read from the cache where they are known, else encoded once.

    Args:
        config: of the run.
        encoder: its frozen text encoder.
        entries: hold the captions.
        cache: folder of features that earlier runs left.
        progress: told after every few hundred captions.
        words: keep word features too, which take some twenty times the memory of sentences.
    """
    file = text_cache_file(config, cache, words=words) if cache is not None else None
    known = file is not None and file.is_file()
    texts = (
        TextFeatureCache.load(file, encoder, keep_words=words)
        if known and file
        else TextFeatureCache(encoder, keep_words=words)
    )
    captions = sorted({caption.text for entry in entries for caption in entry.captions})
    for start in range(0, len(captions), 512):
        texts.add(captions[start : start + 512])
        if progress is not None:
            progress("reading captions", min(start + 512, len(captions)), len(captions))
    return texts


def layout_term(config: RunConfig, pictures: NDArray[np.uint8], noise_dim: int) -> LayoutTerm | None:
    """Layout codes fitted to the training pictures; None when the term is off."""
    if not config.loss.layout_weight:
        return None
    codes = LayoutCodes(pictures, min(config.loss.layout_dims, noise_dim))
    return LayoutTerm(codes, weight=config.loss.layout_weight, share=config.loss.layout_share)


def fixed_samples(entries: Sequence[ManifestEntry], texts: TextFeatureCache, noise_dim: int, seed: int) -> Samples:
    """Captions of held-out pictures (else of training ones), drawn twice each with the same two noises for all."""
    chosen = [entry for entry in entries if entry.split == "test"] or list(entries)
    chosen = chosen[:: max(1, len(chosen) // (SAMPLE_COUNT // 2))][: SAMPLE_COUNT // 2]
    captions = [entry.captions[0].text for entry in chosen for _ in range(2)]
    noise = torch.randn(2, noise_dim, generator=step_generator(seed, 0, 15)).repeat(len(chosen), 1)
    return Samples(captions=captions, texts=texts.encode(captions), noise=noise)
