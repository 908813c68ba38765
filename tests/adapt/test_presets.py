"""Which preset a command means, and that every preset builds a pair of networks that fit each other."""

from pathlib import Path

import pytest
import torch

from adapt.config import RunConfig, apply_settings, from_dict, preset_names, read_preset
from adapt.errors import ConfigError
from adapt.models.factory import build_discriminator, build_generator
from adapt.presets import choose_preset


@pytest.mark.parametrize(
    ("name", "model", "expected"),
    [
        (None, None, "projected_64"),
        (None, "ssa-gan", "projected_64"),
        (None, "attn-gan", "attn_gan_64"),
        ("debug", None, "debug"),
        ("debug", "ssa_gan", "debug"),
        ("debug", "attn-gan", "debug_attn_gan"),
        ("attn-gan-256", "Attn-GAN", "attn-gan-256"),
        ("attn_gan_style_64", None, "attn_gan_style_64"),
        ("projected_32", "third_gan", "projected_32"),
    ],
)
def test_model_and_preset_choose_together(name: str | None, model: str | None, expected: str) -> None:
    assert choose_preset("pretrain", name, model) == expected


def test_preset_of_another_model_is_refused_with_the_models_own() -> None:
    message = r"preset ssa_gan_64 trains ssa_gan, not attn_gan: presets of attn_gan are .*debug_attn_gan; try --preset"
    with pytest.raises(ConfigError, match=message):
        choose_preset("pretrain", "ssa_gan_64", "attn-gan")


def test_preset_file_keeps_its_model(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text('[model]\nname = "attn-gan"\n', encoding="utf-8")
    assert choose_preset("pretrain", str(path), "attn-gan") == str(path)
    with pytest.raises(ConfigError, match=r"trains attn_gan, not ssa_gan"):
        choose_preset("pretrain", str(path), "ssa-gan")


PAPER = [name for name in preset_names("pretrain") if name.startswith(("paper", "ssa_gan", "attn_gan", "debug_attn"))]


STYLED = [(name, ["model.style_blocks=true"]) for name in PAPER if "attn_gan" in name]


@pytest.mark.parametrize(("name", "settings"), [(name, []) for name in PAPER] + STYLED)
def test_paper_presets_build_networks_that_fit(name: str, settings: list[str]) -> None:
    config = from_dict(RunConfig, apply_settings(read_preset("pretrain", name), settings))
    with torch.device("meta"):
        generator, judge = build_generator(config.model), build_discriminator(config.discriminator)
    ours, theirs = generator.config, judge.config
    assert (ours.image_px, ours.sentence_dim) == (theirs.image_px, theirs.sentence_dim)
    assert getattr(ours, "stages", 1) == getattr(theirs, "stages", 1)


def test_paper_presets_have_the_published_sizes() -> None:
    counts = {}
    for name in ("ssa_gan_256", "attn_gan_256"):
        config = from_dict(RunConfig, read_preset("pretrain", name))
        with torch.device("meta"):
            networks = build_generator(config.model), build_discriminator(config.discriminator)
        counts[name] = tuple(round(sum(p.numel() for p in network.parameters()) / 1e6, 1) for network in networks)
    assert counts == {"ssa_gan_256": (29.5, 78.3), "attn_gan_256": (7.1, 97.6)}
