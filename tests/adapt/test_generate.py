"""Candidates are drawn once, and again when what lies there is not theirs."""

import json
from pathlib import Path
from typing import Any

import pytest

from adapt.config import RunConfig, from_dict, read_preset
from adapt.generate import Prompt, generate
from adapt.models.factory import build_generator
from adapt.training.inference import GENERATOR_FILE, load_generator, save_generator


@pytest.fixture(scope="module")
def generator(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("run")
    config = from_dict(RunConfig, read_preset("pretrain", "debug"))
    save_generator(folder / GENERATOR_FILE, build_generator(config.model), config)
    return load_generator(folder)


def test_generate_draws_anew_when_a_caption_number_means_another_text(generator: Any, tmp_path: Path) -> None:
    first = generate(generator, [Prompt(product_id=1, caption_id=1, text="a red mug")], tmp_path, per_caption=1)
    drawn = first[0].image.stat().st_mtime_ns
    again = generate(generator, [Prompt(product_id=1, caption_id=1, text="a red mug")], tmp_path, per_caption=1)
    assert again == first and again[0].image.stat().st_mtime_ns == drawn
    other = generate(generator, [Prompt(product_id=1, caption_id=1, text="a blue bowl")], tmp_path, per_caption=1)
    assert other[0].prompt == "a blue bowl"
    assert json.loads(next(tmp_path.glob("*.json")).read_text())["prompt"] == "a blue bowl"
    assert not list(tmp_path.glob(".*"))
