"""No number that a config field cannot take gets past it."""

import dataclasses
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapt.config import (
    DataConfig,
    LossConfig,
    OptimConfig,
    RunConfig,
    TrainConfig,
    apply_settings,
    from_dict,
    read_preset,
)
from adapt.damsm_options import DamsmOptions
from adapt.errors import ConfigError
from adapt.fewshot.config import FewShotConfig
from adapt.pretrain import PretrainRequest, resolve_config
from adapt.ranges import SIDE_PX, Range, check_range

SECTIONS = {
    "data": DataConfig,
    "loss": LossConfig,
    "optim": OptimConfig,
    "train": TrainConfig,
    "damsm": DamsmOptions,
    "fewshot": FewShotConfig,
}
NUMBERS = [
    (section, field.name)
    for section, kind in SECTIONS.items()
    for field in dataclasses.fields(kind)
    if type(field.default) in (int, float)
]


@pytest.mark.parametrize(("section", "name"), NUMBERS)
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1])
def test_every_number_of_a_config_refuses_what_it_cannot_be(section: str, name: str, value: float) -> None:
    with pytest.raises(
        ConfigError, match=rf"^{section}\.{name}={value}; (it|allowed) .*: --set {section}\.{name}=[\d.e…-]+$"
    ):
        SECTIONS[section](**{name: value})


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("optim.generator_lr=0", "optim.generator_lr=0.0; it is above 0: --set optim.generator_lr=0.0002"),
        ("optim.beta2=1.0", "optim.beta2=1.0; it is at least 0 and below 1: --set optim.beta2=0.9"),
        ("loss.fake_to_fake_temperature=0", "it is above 0: --set loss.fake_to_fake_temp"),
        ("loss.counterfactual_share=3", "it is at least 0 and at most 1"),
        ("loss.adversarial_branches=5", "allowed are 2, 1: --set loss.adversarial_branches=2"),
        ("data.batch_size=0", "data.batch_size=0; it is at least 1: --set data.batch_size=24"),
        ("model.image_px=48", "model.image_px=48; it is a power of two from 8 to 1024: --set model.image_px=64"),
        ("model.image_px=0", "model.image_px=0; it is a power of two"),
        ("model.noise_dim=0", "model.noise_dim=0; it is at least 1"),
        ("model.widths=[64, 0, 8, 8]", "model.widths=.*; it is at least 1"),
        ('train.augment=["warp"]', "train.augment has 'warp'; allowed are color, translation, cutout: --set"),
        ("train.augment=cutout", r"train.augment='cutout' is one value, not a list: --set 'train.augment=\[\"cut"),
        ("train.precision=fp8", "train.precision='fp8'; allowed are auto, bf16, fp32: --set train.precision=auto"),
        ('loss.features=["pixels"]', r"loss.features=.*'pixels' is unknown; choose from efficientnet_lite0, .*: --set"),
        ("text.encoder=bert", "text.encoder='bert'; allowed are .*open_clip.*: --set text.encoder=transformers"),
        ("text=3", "text=3 is a value, not a section: --set text.FIELD=VALUE"),
        ("model=3", "model=3 names no network: --set model.name=ssa_gan"),
        ("model.name=3", "names no network"),
    ],
)
def test_setting_out_of_range_names_the_field_and_what_to_type(setting: str, message: str, tmp_path: Path) -> None:
    request = PretrainRequest(dataset="cub", data_dir=tmp_path, runs=tmp_path, preset="debug", settings=[setting])
    with pytest.raises(ConfigError, match=message) as caught:
        resolve_config(request)
    assert "\n" not in str(caught.value)


def test_defaults_and_edges_are_allowed() -> None:
    for kind in SECTIONS.values():
        assert kind() == replace(kind())
    config: Any = from_dict(RunConfig, apply_settings(read_preset("pretrain", "debug"), ["train.sample_every=0"]))
    assert config.train.sample_every == 0
    assert FewShotConfig(held_out_share=0.0).held_out_share == 0 and DataConfig(margin=1).margin == 1


def test_range_says_what_it_allows() -> None:
    assert str(Range(low=2)) == "at least 2" and str(Range(above=True, high=1, below=True)) == "above 0 and below 1"
    assert SIDE_PX.holds(64) and not SIDE_PX.holds(96)
    with pytest.raises(ConfigError, match=r"--set loss\.x_share=…$"):
        check_range("loss.x_share", 2.0, example=7)
    check_range("model.name", "ssa_gan")
    check_range("data.flip", True)
