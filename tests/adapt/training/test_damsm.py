import os
import signal
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from adapt.errors import TrainingError
from adapt.models.damsm import Damsm
from adapt.training.damsm import DamsmConfig, train_damsm
from catalog.records import Caption, ManifestEntry

COLOURS = {"red": (220, 30, 30), "green": (30, 180, 40), "blue": (30, 50, 220), "black": (20, 20, 20)}
TINY = {
    "text_encoder": "lstm",
    "image_px": 32,
    "input_px": 32,
    "feature_dim": 32,
    "batch_size": 8,
    "vocabulary": 300,
    "held_out_share": 0.25,
}


def _captions(texts: Sequence[str]) -> tuple[Caption, ...]:
    return tuple(Caption(id=None, text=text, lang="en", template="test", facts={}) for text in texts)


@pytest.fixture(scope="module")
def entries(tmp_path_factory: pytest.TempPathFactory) -> list[ManifestEntry]:
    """Discs and squares in four colours, eight variants each."""
    folder = tmp_path_factory.mktemp("shapes")
    rng = np.random.default_rng(0)
    result = []
    for product, (colour, shape) in enumerate((c, s) for c in COLOURS for s in ("disc", "square")):
        for variant in range(4):
            y, x = np.mgrid[0:32, 0:32] - 16
            inside = (x**2 + y**2 < 100) if shape == "disc" else (np.maximum(abs(x), abs(y)) < 10)
            pixels = np.where(inside[..., None], COLOURS[colour], 255) + rng.integers(-9, 10, (32, 32, 3))
            path = folder / f"{colour}-{shape}-{variant}.png"
            Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(path)
            result.append(
                ManifestEntry(
                    image=path,
                    sha256=path.stem,
                    product=f"test/{product}",
                    product_id=product,
                    category=shape,
                    split="train",
                    captions=_captions([f"a {colour} {shape}", f"{shape} in {colour}"]),
                    group=path.stem,
                )
            )
    return result


def test_train_damsm_learns_which_caption_belongs_to_a_picture(entries: list[ManifestEntry], tmp_path: Path) -> None:
    model = train_damsm(entries, DamsmConfig(**TINY, steps=40), cache=tmp_path / "cache")
    report = model.report
    assert report["r_precision"]["n"] == 8
    assert report["r_precision"]["value"] >= 0.6  # chance is one in eight
    assert report["colour_choice"]["value"] > 0.75  # chance is one half
    model.save(tmp_path / "damsm")
    loaded = Damsm.load(tmp_path / "damsm")
    texts = ["a red disc", "a blue square"]
    assert torch.equal(loaded.encode(texts).sentence, model.encode(texts).sentence)


def test_train_damsm_repeats_with_its_seed(entries: list[ManifestEntry]) -> None:
    before = torch.random.get_rng_state()
    first, second, other = (
        train_damsm(entries, DamsmConfig(**TINY, steps=3, seed=seed)).heads.state_dict() for seed in (0, 0, 1)
    )
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not torch.equal(first["regions.weight"], other["regions.weight"])
    assert torch.equal(torch.random.get_rng_state(), before)


def test_train_damsm_goes_on_after_an_interrupt_as_if_there_had_been_none(
    entries: list[ManifestEntry], tmp_path: Path
) -> None:
    def interrupt(what: str, done: int, total: int) -> None:
        if what == "DAMSM" and done == 3:
            os.kill(os.getpid(), signal.SIGINT)

    whole = train_damsm(entries, DamsmConfig(**TINY, steps=6))
    file = tmp_path / "training.safetensors"
    with pytest.raises(KeyboardInterrupt):
        train_damsm(entries, DamsmConfig(**TINY, steps=6), checkpoint=file, progress=interrupt)
    done: list[int] = []
    resumed = train_damsm(
        entries,
        DamsmConfig(**TINY, steps=6),
        checkpoint=file,
        progress=lambda what, number, _: done.append(number) if what == "DAMSM" else None,
    )
    assert done == [4, 5, 6]
    for ours, theirs in zip(resumed.parameters(), whole.parameters(), strict=True):
        assert torch.equal(ours, theirs)
    assert resumed.report == whole.report


def test_train_damsm_trains_heads_over_a_frozen_transformer(entries: list[ManifestEntry], tmp_path: Path) -> None:
    settings = {**TINY, "text_encoder": "transformers"}
    stages: list[str] = []
    model = train_damsm(
        entries[:8], DamsmConfig(**settings, steps=5), cache=tmp_path, progress=lambda what, *_: stages.append(what)
    )
    assert model.encode(["a red disc"]).sentence.shape == (1, 32)
    assert {"decoding pictures", "picture features", "text features", "DAMSM"} <= set(stages)
    again = train_damsm(entries[:8], DamsmConfig(**settings, steps=5), cache=tmp_path)
    assert torch.equal(again.heads.words.weight, model.heads.words.weight)
    model.save(tmp_path / "damsm")
    assert Damsm.load(tmp_path / "damsm", text_encoder=model.text_encoder).max_words == 32


def test_train_damsm_takes_the_given_test_split(entries: list[ManifestEntry]) -> None:
    from dataclasses import replace

    marked = [replace(entry, split="test" if i % 2 else "train") for i, entry in enumerate(entries)]
    model = train_damsm(marked, DamsmConfig(**TINY, steps=2, word_weight=0.0, colour_weight=0.0))
    assert model.report["r_precision"]["n"] == len(entries) // 2
    assert model.report["pictures"] == len(entries) // 2
    assert model.report["colour_choice"]["n"] == len(entries)  # two captions a picture, measured though not trained


def test_train_damsm_refuses_a_single_picture(entries: list[ManifestEntry]) -> None:
    with pytest.raises(TrainingError, match="has 1 pictures with captions; it takes 2 or more"):
        train_damsm(entries[:1], DamsmConfig(**TINY))


def test_damsm_config_refuses_impossible_values() -> None:
    with pytest.raises(ValueError, match="it takes damsm, lstm, open_clip, transformers"):
        DamsmConfig(text_encoder="bag")
    with pytest.raises(ValueError, match="even"):
        DamsmConfig(text_encoder="lstm", feature_dim=33)
