"""SSA-GAN at the paper's size: parameters counted without memory for them."""

import pytest
import torch

from adapt.config import NetworkConfig
from adapt.errors import ConfigError
from adapt.models.factory import build_discriminator, build_generator

PAPER = {
    "image_px": 256,
    "widths": [512, 512, 512, 512, 256, 128, 64],
    "sentence_dim": 256,
    "condition_dim": 256,
    "noise_in_condition": False,
    "mapping": False,
}


def test_ssa_gan_at_256_px_has_the_published_numbers_of_parameters() -> None:
    with torch.device("meta"):
        generator = build_generator(NetworkConfig(name="ssa_gan", options=PAPER))
        judge = build_discriminator(
            NetworkConfig(name="ssa_gan", options={"image_px": 256, "width": 64, "sentence_dim": 256})
        )
    assert sum(p.numel() for p in generator.parameters()) == 29_494_273
    ours = sum(p.numel() for p in judge.parameters())
    # The published one has two more shortcut convolutions, 1024 to 1024 channels, where a plain sum does.
    published = ours + 2 * (1024 * 1024 + 1024)
    assert (ours, published) == (78_280_326, 80_379_526)


def test_without_a_mapping_the_condition_is_as_long_as_the_sentence() -> None:
    message = r"model.mapping=false hands over 256 numbers a sentence, but model.condition_dim=128: --set"
    with pytest.raises(ConfigError, match=message):
        build_generator(NetworkConfig(name="ssa_gan", options=PAPER | {"condition_dim": 128}))
