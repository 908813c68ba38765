from pathlib import Path

import pytest

from adapt.models.tokenizer import BytePairTokenizer
from adapt.weights import WeightsError

CAPTIONS = ["a small red bird with a black beak", "a red bird sits on a branch", "赤い鳥が枝にとまっている"] * 20


@pytest.fixture(scope="module")
def tokenizer() -> BytePairTokenizer:
    return BytePairTokenizer.train(CAPTIONS, vocabulary=400)


@pytest.mark.parametrize("text", ["a small red bird", "赤い鳥", "🐦🔥👍🏽", "über naïve", "\u202eevil\x07"])
def test_tokenizer_gives_every_text_back(tokenizer: BytePairTokenizer, text: str) -> None:
    (ids,) = tokenizer.encode([text], max_words=100)
    assert tokenizer.decode(ids) == text
    assert 0 not in ids


def test_tokenizer_merges_frequent_words(tokenizer: BytePairTokenizer) -> None:
    (ids,) = tokenizer.encode(["a red bird"], max_words=100)
    assert len(ids) == 3
    assert len(tokenizer) <= 400


def test_tokenizer_reads_case_and_width_as_one(tokenizer: BytePairTokenizer) -> None:
    plain, loud, wide = tokenizer.encode(["a red bird", "A RED Bird", "a red bird"], max_words=100)
    assert plain == loud == wide


def test_tokenizer_gives_at_least_one_and_at_most_max_words(tokenizer: BytePairTokenizer) -> None:
    empty, blank, long, broken = tokenizer.encode(["", "  ", "bird " * 10_000, "\ud83d"], max_words=32)
    assert empty == [0]
    assert blank
    assert len(long) == 32
    assert broken


def test_tokenizer_training_repeats() -> None:
    first, second = (BytePairTokenizer.train(CAPTIONS, vocabulary=400) for _ in range(2))
    assert first.encode(CAPTIONS, max_words=50) == second.encode(CAPTIONS, max_words=50)


def test_tokenizer_survives_save_and_load(tokenizer: BytePairTokenizer, tmp_path: Path) -> None:
    tokenizer.save(tmp_path / "tokenizer.json")
    loaded = BytePairTokenizer.load(tmp_path / "tokenizer.json")
    assert loaded.encode(CAPTIONS, max_words=50) == tokenizer.encode(CAPTIONS, max_words=50)


def test_tokenizer_trains_on_nothing() -> None:
    assert BytePairTokenizer.train([]).encode(["a"], max_words=5)[0]


def test_tokenizer_refuses_a_vocabulary_below_the_bytes() -> None:
    with pytest.raises(ValueError, match="at least 257"):
        BytePairTokenizer.train(CAPTIONS, vocabulary=100)


@pytest.mark.parametrize("content", [b"{}", b"\xff\xfe", b"not json"])
def test_tokenizer_refuses_a_damaged_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "tokenizer.json").write_bytes(content)
    with pytest.raises(WeightsError, match="cannot read tokenizer"):
        BytePairTokenizer.load(tmp_path / "tokenizer.json")
