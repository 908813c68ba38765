from collections.abc import Sequence
from pathlib import Path

import pytest
import torch

from adapt.models.interfaces import TextFeatures
from adapt.models.text_cache import TextFeatureCache
from adapt.weights import WeightsError


class LetterEncoder:
    """One word a letter; its feature is the letter's code, so that every value can be checked."""

    name, word_dim, sentence_dim, max_words = "letters", 2, 3, 8

    def __init__(self) -> None:
        self.encoded: list[str] = []

    def encode(self, texts: Sequence[str], device: torch.device | str = "cpu") -> TextFeatures:
        self.encoded.extend(texts)
        rows = [[ord(letter) % 256 for letter in text[: self.max_words]] or [0] for text in texts]
        mask = torch.zeros(len(rows), max(map(len, rows)), dtype=torch.bool)
        words = torch.zeros(*mask.shape, self.word_dim)
        for i, row in enumerate(rows):
            mask[i, : len(row)] = True
            words[i, : len(row)] = torch.tensor(row, dtype=torch.float32)[:, None]
        sentence = torch.tensor([[len(text) % 100, row[0], 1.0] for text, row in zip(texts, rows, strict=True)])
        return TextFeatures(words=words, sentence=sentence, mask=mask)


TEXTS = ["bird", "a red bird", "", "鳥", "bird"]


def test_cache_encodes_each_text_once() -> None:
    encoder = LetterEncoder()
    cache = TextFeatureCache(encoder, TEXTS, batch_size=2)
    cache.encode(TEXTS)
    cache.add(["bird", "new"])
    assert len(cache) == 5
    assert sorted(encoder.encoded) == sorted({*TEXTS, "new"})


def test_cache_matches_the_encoder() -> None:
    cache = TextFeatureCache(LetterEncoder(), ["first"], batch_size=2)
    found, expected = cache.encode(TEXTS), LetterEncoder().encode(TEXTS)
    assert torch.equal(found.words, expected.words)
    assert torch.equal(found.sentence, expected.sentence)
    assert torch.equal(found.mask, expected.mask)
    assert found.words.dtype == torch.float32


def test_cache_gathers_a_single_row() -> None:
    cache = TextFeatureCache(LetterEncoder(), TEXTS)
    features = cache.gather(cache.rows([""]))
    assert features.words.shape == (1, 1, 2) and features.mask.all()


def test_cache_without_words_gives_words_of_length_zero() -> None:
    features = TextFeatureCache(LetterEncoder(), TEXTS, keep_words=False).encode(TEXTS)
    assert features.words.shape == (5, 0, 2) and features.sentence.shape == (5, 3)


@pytest.mark.parametrize("keep_words", [True, False])
def test_cache_survives_save_and_load(tmp_path: Path, keep_words: bool) -> None:
    cache = TextFeatureCache(LetterEncoder(), TEXTS, keep_words=keep_words)
    cache.save(tmp_path / "texts.safetensors")
    encoder = LetterEncoder()
    loaded = TextFeatureCache.load(tmp_path / "texts.safetensors", encoder, keep_words=keep_words)
    assert torch.equal(loaded.encode(TEXTS).sentence, cache.encode(TEXTS).sentence)
    assert torch.equal(loaded.encode(TEXTS).words, cache.encode(TEXTS).words)
    assert encoder.encoded == []
    assert loaded.encode(["more"]).sentence.shape == (1, 3)


def test_cache_refuses_features_of_another_encoder(tmp_path: Path) -> None:
    TextFeatureCache(LetterEncoder(), TEXTS).save(tmp_path / "texts.safetensors")
    other = LetterEncoder()
    other.name = "other"
    with pytest.raises(WeightsError, match="delete the file"):
        TextFeatureCache.load(tmp_path / "texts.safetensors", other)


def test_cache_refuses_a_damaged_file(tmp_path: Path) -> None:
    (tmp_path / "texts.safetensors").write_bytes(b"damaged")
    with pytest.raises(WeightsError, match="cannot read text features"):
        TextFeatureCache.load(tmp_path / "texts.safetensors", LetterEncoder())


def test_cache_refuses_features_that_are_not_finite(tmp_path: Path) -> None:
    class Broken(LetterEncoder):
        def encode(self, texts: Sequence[str], device: torch.device | str = "cpu") -> TextFeatures:
            features = super().encode(texts, device)
            features.sentence[:, 0] = torch.tensor([float("nan") if "x" in text else 1.0 for text in texts])
            return features

    with pytest.raises(WeightsError, match="text encoder letters gives NaN or infinity for 'x-ray fish'; leave that"):
        TextFeatureCache(Broken(), ["bird", "x-ray fish"])
    path = tmp_path / "texts.safetensors"
    cache = TextFeatureCache(LetterEncoder(), TEXTS)
    cache._words[0, 0] = float("inf")
    cache.save(path)
    with pytest.raises(WeightsError, match=r"hold NaN or infinity in 'words'; delete the file"):
        TextFeatureCache.load(path, LetterEncoder())
    cache = TextFeatureCache(LetterEncoder(), TEXTS)
    cache._sentences = cache._sentences[:-1]
    cache.save(path)
    with pytest.raises(WeightsError, match="do not fit their 4 texts; delete the file"):
        TextFeatureCache.load(path, LetterEncoder())
