"""A few real steps of a run on a handful of its pictures, for `--dry-run`: nothing is written and nothing is kept."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from lightning_fabric import Fabric
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
from adapt.training.estimate import Step
from adapt.training.objective import Objective
from adapt.training.precision import use_bf16
from adapt.training.run_damsm import check_sentence_dims, check_word_dim, trains_text_encoder, uses_damsm
from adapt.training.step import Networks, TrainingStep
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


def rehearse(config: RunConfig, networks: Networks, entries: Sequence[ManifestEntry], *, fabric: Fabric) -> Rehearsal:
    """Put a run together from `entries`, a handful of its training pictures with captions.

    Raises:
        AdaptError: what the run itself would be refused for: unusable pictures, weights or sizes.
    """
    image_px = int(networks.generator.config.image_px)  # type: ignore[union-attr, arg-type]
    if trains_text_encoder(config):
        check_sentence_dims(config.text, DamsmConfig.feature_dim, networks)
        check_word_dim(config.text, DamsmConfig.feature_dim, networks)
        encoder: TextEncoder = StandInEncoder(DamsmConfig.feature_dim, DamsmConfig.feature_dim)
    else:
        encoder = build_text_encoder(config.text)
        check_sentence_dims(config.text, encoder.sentence_dim, networks)
        check_word_dim(config.text, encoder.word_dim, networks)
    pictures = load_pictures(entries, round(image_px * config.data.margin))
    texts = TextFeatureCache(encoder, keep_words=bool(networks.generator.uses_words) or config.loss.reads_words)
    damsm = _untrained_damsm(config, encoder).to(fabric.device) if uses_damsm(config) else None
    layout = layout_term(config, pictures, networks.noise_dim)
    features = comparison_features(config, pictures, image_px, damsm=damsm, device=fabric.device)
    objective = Objective(
        loss=config.loss,
        augmentation=Augmentation(config.train.augment),
        features=features,
        damsm=damsm,
        bf16=use_bf16(config.train.precision, fabric.device),
        extra_weights=layout.weights if layout else {},
    )
    players = TrainingStep(
        fabric,
        networks,
        objective,
        train=config.train,
        optim=config.optim,
        extra_terms=layout,
        choose_noise=layout.noise if layout else None,
    )

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
        players(batches.batch(0, device=fabric.device), 0, images_seen=size)

    return Rehearsal(judges=(features, damsm), step=step)


def _untrained_damsm(config: RunConfig, encoder: TextEncoder) -> Damsm:
    """The judge that the run will train, with random heads."""
    image = encoders.image_encoder("efficientnet_lite0", input_px=config.loss.feature_px)
    heads = heads_for(
        encoder, image, feature_dim=DamsmConfig.feature_dim, text_heads=not isinstance(encoder, StandInEncoder)
    )
    return Damsm(encoder, image, heads)
