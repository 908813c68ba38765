"""What adaptation takes over from its base."""

from pathlib import Path

import torch

from adapt.config import NetworkConfig, RunConfig
from adapt.fewshot.source import Source
from adapt.models.factory import build_discriminator, build_generator
from adapt.models.text_cache import TextFeatureCache
from adapt.training.inference import LoadedGenerator


class NoEncoder:
    """Reads nothing: these tests draw nothing."""

    name, word_dim, sentence_dim, max_words = "none", 1, 384, 1


def source(generator: NetworkConfig, discriminator: NetworkConfig) -> Source:
    loaded = LoadedGenerator(
        folder=Path("base"),
        network=build_generator(generator).eval().requires_grad_(False),
        config=RunConfig(model=generator, discriminator=discriminator),
        encoder=TextFeatureCache(NoEncoder()),  # type: ignore[arg-type]
        metadata={},
        device=torch.device("cpu"),
    )
    return Source(loaded=loaded, discriminator=build_discriminator(discriminator), sha256="")


def test_frozen_random_mixing_stays_frozen_in_adaptation() -> None:
    model = NetworkConfig(name="ssa_gan", options={"image_px": 32, "widths": [4, 4, 4, 4]})
    small = {"image_px": 32, "backbone_px": 64, "head_width": 4, "pixel_width": 2, "mixing": True}
    base = source(model, NetworkConfig(name="projected", options=small))
    judge = base.fresh_discriminator()
    learning = {name for name, parameter in judge.named_parameters() if parameter.requires_grad}
    assert learning == {name for name, parameter in base.discriminator.named_parameters() if parameter.requires_grad}
    assert learning and not [name for name in learning if name.startswith(("mixing.", "backbone."))]
    assert all(parameter.requires_grad for parameter in base.fresh_generator().parameters())
