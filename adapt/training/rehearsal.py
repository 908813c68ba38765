"""A few real steps of a run on a handful of its pictures, for `--dry-run`: nothing is written and nothing is kept."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn

from adapt.config import RunConfig
from adapt.data.batches import PictureBatches
from adapt.data.pictures import load_pictures
from adapt.models import encoders
from adapt.models.damsm import Damsm, heads_for
from adapt.models.factory import build_text_encoder
from adapt.models.interfaces import TextEncoder, TextFeatures
from adapt.models.text_cache import TextFeatureCache
from adapt.training.assembly import comparison_features, layout_term
from adapt.training.damsm_config import DamsmConfig
from adapt.training.diffaugment import Augmentation
from adapt.training.ema import MovingAverage
from adapt.training.estimate import Step
from adapt.training.loop import Networks, step_generator
from adapt.training.objective import Objective, weighted_sum
from adapt.training.precision import use_bf16
from adapt.training.run_damsm import check_sentence_dims, trains_text_encoder, uses_damsm
from catalog.records import ManifestEntry


@dataclass
class StandInEncoder:
    """Random features of an encoder that the run has yet to train: of the right sizes, which is all that costs."""

    word_dim: int
    sentence_dim: int
    max_words: int = 20
    name: str = "stand_in"

    def encode(self, texts: Sequence[str], device: torch.device | str = "cpu") -> TextFeatures:
        """Return noise; every text is `max_words` long."""
        count, rng = len(texts), torch.Generator().manual_seed(0)
        return TextFeatures(
            words=torch.randn(count, self.max_words, self.word_dim, generator=rng).to(device),
            sentence=torch.randn(count, self.sentence_dim, generator=rng).to(device),
            mask=torch.ones(count, self.max_words, dtype=torch.bool, device=device),
        )


@dataclass(frozen=True, kw_only=True)
class Rehearsal:
    """What can be known of a run before it starts."""

    judges: tuple[nn.Module | None, ...]
    """Frozen networks that losses look through."""
    step: Step


def rehearse(
    config: RunConfig, networks: Networks, entries: Sequence[ManifestEntry], *, device: torch.device
) -> Rehearsal:
    """Put a run together from `entries`, a handful of its training pictures with captions.

    Raises:
        AdaptError: what the run itself would be refused for: unusable pictures, weights or sizes.
    """
    image_px = int(networks.generator.config.image_px)  # type: ignore[union-attr, arg-type]
    if trains_text_encoder(config):
        check_sentence_dims(config.text, DamsmConfig.feature_dim, networks)
        encoder: TextEncoder = StandInEncoder(DamsmConfig.feature_dim, DamsmConfig.feature_dim)
    else:
        encoder = build_text_encoder(config.text)
        check_sentence_dims(config.text, encoder.sentence_dim, networks)
    pictures = load_pictures(entries, round(image_px * config.data.margin))
    texts = TextFeatureCache(encoder, keep_words=False)
    damsm = _untrained_damsm(config, encoder).to(device) if uses_damsm(config) else None
    layout = layout_term(config, pictures, networks.noise_dim)
    features = comparison_features(config, pictures, image_px, damsm=damsm, device=device)
    objective = Objective(
        loss=config.loss,
        augmentation=Augmentation(config.train.augment),
        features=features,
        damsm=damsm,
        bf16=use_bf16(config.train.precision, device),
        extra_weights=layout.weights if layout else {},
    )
    for network in (networks.generator, networks.discriminator):
        network.to(device).train()
    judging = [p for p in networks.discriminator.parameters() if p.requires_grad]
    betas = (config.optim.beta1, config.optim.beta2)
    optimizers = [
        torch.optim.Adam([p for p in network.parameters() if p.requires_grad], lr=1e-4, betas=betas)
        for network in (networks.generator, networks.discriminator)
    ]
    average = MovingAverage(networks.generator, half_life_images=config.optim.ema_half_life_images)

    def step(size: int) -> None:
        batches = PictureBatches(
            entries,
            pictures,
            texts,
            image_px=image_px,
            batch_size=size,
            flip=config.data.flip,
            augment=config.data.augment,
            human_share=0.0,
            counterfactual_share=config.loss.counterfactual_share,
            seed=config.train.seed,
        )
        batch = batches.batch(0, device=device)
        noise = torch.randn(size, networks.noise_dim, generator=step_generator(config.train.seed, 0, 0)).to(device)
        rng = step_generator(config.train.seed, 0, 1)
        fakes = objective.draw(networks.generator, batch, noise)
        d_terms = objective.discriminator_terms(networks.discriminator, batch, fakes[:size].detach(), rng)
        optimizers[1].zero_grad(set_to_none=True)
        weighted_sum(d_terms, objective.discriminator_weights()).backward()
        optimizers[1].step()
        for parameter in judging:
            parameter.requires_grad_(False)
        g_terms = objective.generator_terms(fakes, networks.discriminator, batch, rng)
        if layout is not None:
            g_terms |= layout(networks.generator, batch, noise, fakes[:size], rng)
        optimizers[0].zero_grad(set_to_none=True)
        weighted_sum(g_terms, objective.generator_weights()).backward()
        optimizers[0].step()
        for parameter in judging:
            parameter.requires_grad_(True)
        average.update(networks.generator, batch_images=size, images_seen=size)

    return Rehearsal(judges=(features, damsm), step=step)


def _untrained_damsm(config: RunConfig, encoder: TextEncoder) -> Damsm:
    """The judge that the run will train, with random heads."""
    image = encoders.image_encoder("efficientnet_lite0", input_px=config.loss.feature_px)
    heads = heads_for(
        encoder, image, feature_dim=DamsmConfig.feature_dim, text_heads=not isinstance(encoder, StandInEncoder)
    )
    return Damsm(encoder, image, heads)
