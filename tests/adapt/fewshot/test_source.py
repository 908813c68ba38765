"""What adaptation takes over from its base, and how far a copy that has not moved is from it."""

from pathlib import Path

import pytest
import torch
from letter_batches import LetterEncoder

from adapt.config import NetworkConfig, RunConfig
from adapt.data.batches import Batch
from adapt.fewshot.config import FewShotConfig
from adapt.fewshot.source import Source
from adapt.fewshot.terms import AdaptationTerms
from adapt.models.factory import build_discriminator, build_generator
from adapt.models.text_cache import TextFeatureCache
from adapt.training.inference import LoadedGenerator
from adapt.training.step import freeze_batch_norms


def source(generator: NetworkConfig, discriminator: NetworkConfig) -> Source:
    loaded = LoadedGenerator(
        folder=Path("base"),
        network=build_generator(generator).eval().requires_grad_(False),
        config=RunConfig(model=generator, discriminator=discriminator),
        encoder=TextFeatureCache(LetterEncoder()),  # type: ignore[arg-type]
        metadata={"prompts": ["a red mug", "a blue jug"]},
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


@pytest.mark.parametrize("reading", ["adain", "modulated"])
def test_unchanged_copy_is_at_no_distance_from_a_base_of_style_blocks(reading: str) -> None:
    small = {"image_px": 32, "width": 4, "sentence_dim": 26}
    styled = {"word_dim": 4, "residual_blocks": 1, "style_blocks": True, "style_reading": reading}
    base = source(
        NetworkConfig(name="attn_gan", options={**small, **styled}), NetworkConfig(name="attn_gan", options=small)
    )
    learner = base.fresh_generator().train()  # as a step has it: styles are mixed, norms are frozen
    freeze_batch_norms(learner)
    config = FewShotConfig(reconstruction_weight=0.0, consistency_weight=1.0, replay_weight=1.0)
    terms = AdaptationTerms(base, config, distance=0.0, seed=0)
    texts = base.encoder.encode(["a red mug", "a tall jug", "a bowl", "a pan"] * 2)
    batch = Batch(images=torch.zeros(4, 3, 32, 32), texts=texts, mismatched=None, ids=torch.arange(4))
    noise = base.loaded.noise(4, seed=0)
    found = terms(learner, batch, noise, torch.zeros(4, 3, 32, 32), torch.Generator().manual_seed(0))
    assert set(found) == {"g_consistency", "g_replay"}
    assert all(float(value.detach()) < 1e-6 for value in found.values())
    assert learner.trunk.styles.training  # type: ignore[union-attr]
