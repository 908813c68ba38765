"""Batches over captions that stand for themselves: a text's features are the counts of its letters."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from adapt.data.batches import PictureBatches
from adapt.models.interfaces import TextFeatures
from adapt.models.text_cache import TextFeatureCache
from catalog.records import Caption, ManifestEntry


class LetterEncoder:
    """A real, tiny encoder: counts of letters. Deterministic and needs no weights."""

    name, word_dim, sentence_dim, max_words = "letters", 4, 26, 8

    def encode(self, texts: list[str], device: str = "cpu") -> TextFeatures:
        counts = torch.tensor([[float(text.lower().count(chr(97 + i))) for i in range(26)] for text in texts])
        words = torch.zeros(len(texts), 1, 4)
        return TextFeatures(words=words, sentence=counts, mask=torch.ones(len(texts), 1, dtype=torch.bool))


def entry(number: int, *texts: str, origin: str = "template") -> ManifestEntry:
    captions = tuple(Caption(None, text, "en", "t", {}, origin) for text in texts)
    return ManifestEntry(Path("x.png"), str(number), f"s/{number}", number, "c", "train", captions, str(number))


def batches(entries: list[ManifestEntry], *, keep_words: bool = False, **changes: object) -> PictureBatches:
    pictures = np.random.default_rng(0).integers(0, 256, (len(entries), 10, 10, 3), dtype=np.uint8)
    options = {
        "image_px": 8, "batch_size": 4, "flip": True, "human_share": 0.0, "counterfactual_share": 0.0, "seed": 5,
    } | changes  # fmt: skip
    return PictureBatches(entries, pictures, TextFeatureCache(LetterEncoder(), keep_words=keep_words), **options)


def same(a: Tensor, b: Tensor) -> bool:
    return bool(torch.equal(a, b))
