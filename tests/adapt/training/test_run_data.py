"""What a run does with its pictures: damaged ones are left out, reading ahead and augmentation keep runs exact."""

from pathlib import Path

import pytest
import torch
from frozen_tiles import TINY, frozen_tiles
from safetensors.torch import load_file

from adapt.config import RunConfig, from_dict, read_preset
from adapt.errors import ConfigError
from adapt.pretrain import PretrainRequest, pretrain


def request(dataset: Path, root: Path, *more: str) -> PretrainRequest:
    settings = (*TINY, "train.steps=2", "train.checkpoint_every=2", *more)
    return PretrainRequest(
        dataset="folder", data_dir=dataset, runs=root, preset="debug", settings=settings, cache=root / "cache"
    )


def trained(dataset: Path, root: Path, *more: str) -> dict[str, torch.Tensor]:
    return load_file(root / pretrain(request(dataset, root, *more))["run"] / "checkpoint.safetensors")


def test_run_leaves_out_a_damaged_picture(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    dataset = frozen_tiles(tmp_path)
    victim = sorted(path for path in dataset.rglob("*.png"))[0]
    victim.write_bytes(victim.read_bytes()[:40])
    result = pretrain(request(dataset, tmp_path / "runs"))
    assert result["steps"] == 2
    assert f"the first is {victim}" in caplog.text and "left out" in caplog.text


def test_reading_ahead_and_resuming_change_no_weight(tmp_path: Path) -> None:
    dataset = frozen_tiles(tmp_path)
    settings = ("data.augment=['affine','resize']",)
    without = trained(dataset, tmp_path / "a", *settings, "data.ahead=0")
    ahead = trained(dataset, tmp_path / "b", *settings, "data.ahead=3")
    assert without.keys() == ahead.keys()
    assert not [name for name in ahead if not torch.equal(without[name], ahead[name])]
    plain = trained(dataset, tmp_path / "c")
    assert [name for name in ahead if not torch.equal(plain[name], ahead[name])]


def test_reading_ahead_does_not_rename_a_run_and_augmentation_does() -> None:
    values = read_preset("pretrain", "debug")
    names = {
        from_dict(RunConfig, values | {"data": values["data"] | more}).digest()
        for more in ({}, {"ahead": 0}, {"augment": []}, {"augment": ["affine"]})
    }
    assert len(names) == 2
    with pytest.raises(ConfigError, match=r"data.ahead=-1; it is at least 0 and at most 16"):
        from_dict(RunConfig, values | {"data": {"ahead": -1}})
