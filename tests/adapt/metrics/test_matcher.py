"""The matcher of R-precision: n-grams, learning, false negatives, its file."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from adapt.metrics.matcher import (
    Matcher,
    MatcherConfig,
    hashed_ngrams,
    keep_matcher,
    matcher_file,
    read_matcher,
    train_matcher,
)

SMALL = MatcherConfig(buckets=512, dim=16, hidden=32, steps=150, batch=48, dropout=0.1)
COLOURS = ("red", "blue", "green", "black", "white", "yellow")


def _lesson(count: int, seed: int) -> tuple[torch.Tensor, list[list[str]], torch.Tensor]:
    """Features that hold the colour of a bird, and captions that say it."""
    generator = torch.Generator().manual_seed(seed)
    kind = torch.arange(count) % len(COLOURS)
    features = torch.nn.functional.one_hot(kind, 12).float() + 0.2 * torch.randn(count, 12, generator=generator)
    texts = [[f"a {COLOURS[k]} bird", f"this small bird is {COLOURS[k]}"] for k in kind.tolist()]
    return features, texts, kind


def test_hashed_ngrams_are_the_same_in_every_process() -> None:
    here = hashed_ngrams("A red bird", 8192).tolist()
    code = "from adapt.metrics.matcher import hashed_ngrams; print(hashed_ngrams('A red bird', 8192).tolist())"
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert there.stdout.strip() == str(here)


@pytest.mark.parametrize("text", ["", "!!!", "🙂", "赤いマグカップ", "red " * 10_000, "half a pair \ud83d"])
def test_hashed_ngrams_take_any_text(text: str) -> None:
    grams = hashed_ngrams(text, 64)
    assert len(grams) > 0 and grams.min() >= 0 and grams.max() < 64


def test_matcher_reads_new_pictures_and_new_wordings() -> None:
    matcher = train_matcher(*_lesson(96, seed=0), SMALL)
    features, _, kind = _lesson(60, seed=1)
    texts = matcher.texts([f"one {colour} small bird" for colour in COLOURS])
    assert ((matcher.pictures(features) @ texts.T).argmax(dim=1) == kind).float().mean() > 0.9


def test_matcher_codes_are_unit_and_do_not_depend_on_the_batch() -> None:
    matcher = train_matcher(*_lesson(24, seed=0), SMALL)
    texts = ["a red bird", "", "blue"]
    codes = matcher.texts(texts)
    assert torch.allclose(codes.norm(dim=1), torch.ones(3), atol=1e-5)
    assert torch.allclose(codes, torch.cat([matcher.texts([text]) for text in texts]), atol=1e-6)


def test_training_is_the_same_each_time_and_leaves_the_random_state_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    one = train_matcher(*_lesson(24, seed=0), SMALL)
    assert torch.equal(torch.rand(3), expected)
    other = train_matcher(*_lesson(24, seed=0), SMALL)
    assert all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))


def test_pictures_of_one_product_are_no_negatives() -> None:
    """All of one product: nothing can be learned, and nothing becomes NaN."""
    features, texts, _ = _lesson(24, seed=0)
    matcher = train_matcher(features, texts, torch.zeros(24, dtype=torch.long), SMALL)
    assert matcher.pictures(features).isfinite().all()


def test_matcher_file_tells_judges_data_and_recipes_apart(tmp_path: Path) -> None:
    kinds = [("a", "x", SMALL), ("b", "x", SMALL), ("a", "y", SMALL), ("a", "x", MatcherConfig())]
    files = {matcher_file(tmp_path, judge=judge, digest=digest, config=config) for judge, digest, config in kinds}
    assert len(files) == 4


def test_matcher_is_read_as_it_was_kept_and_a_damaged_file_is_none(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file, matcher = tmp_path / "cache" / "matcher.safetensors", train_matcher(*_lesson(24, seed=0), SMALL)
    assert read_matcher(file, 12, SMALL) is None and not caplog.messages
    keep_matcher(file, matcher)
    read = read_matcher(file, 12, SMALL)
    assert isinstance(read, Matcher) and torch.equal(read.texts(["a red bird"]), matcher.texts(["a red bird"]))
    file.write_bytes(b"junk")
    assert read_matcher(file, 12, SMALL) is None and "trained again" in caplog.messages[-1]


def test_a_folder_that_cannot_be_written_costs_no_figures(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    keep_matcher(tmp_path / "cache" / "matcher.safetensors", train_matcher(*_lesson(24, seed=0), SMALL))
    assert "trains its matcher again: cannot write" in caplog.messages[-1]


def test_training_refuses_numbers_that_do_not_match() -> None:
    features, texts, kind = _lesson(4, seed=0)
    with pytest.raises(ValueError, match="expected equal, 2 or more"):
        train_matcher(features, texts[:3], kind, SMALL)
