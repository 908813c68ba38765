"""Who looks at the pictures of one evaluation."""

from dataclasses import dataclass
from pathlib import Path

from adapt.metrics.features import DEFAULT_JUDGE, TRAINING_FEATURES, Extractor, LiteFeatures, load_extractor
from adapt.metrics.perceptual import StageDistance
from adapt.models.image_encoder import EfficientNetLite
from adapt.registry import canonical


@dataclass(frozen=True, kw_only=True)
class Judges:
    """The networks that look at pictures."""

    held_out: Extractor
    """The judge: no loss, discriminator or selection used it."""
    training: Extractor | None = None
    """Features that training used; its figures stand beside the judge's, marked."""
    distance: StageDistance | None = None
    """Says how far apart two pictures look; without it nothing is said about distances."""


def load_judges(name: str = DEFAULT_JUDGE, *, path: Path | None = None, training: bool = True) -> Judges:
    """Load the judge by name, from `path` if given, and the features of training beside it unless they are the same.

    Distances are always those of the default judge's network, whichever judge is named.

    Raises:
        AdaptError: unknown name, or no weights.
    """
    beside = training and canonical(name) != TRAINING_FEATURES
    judge = load_extractor(name, path=path)
    default = isinstance(judge, LiteFeatures) and judge.name == DEFAULT_JUDGE
    network = judge.network if default else EfficientNetLite(DEFAULT_JUDGE, input_px=128)  # type: ignore[attr-defined]
    return Judges(
        held_out=judge,
        training=load_extractor(TRAINING_FEATURES) if beside else None,
        distance=StageDistance(network),
    )


def in_turn(judges: Judges) -> list[tuple[Extractor, str]]:
    """Each extractor with what its figures' names end in."""
    beside = [(judges.training, f"_{judges.training.name}")] if judges.training is not None else []
    return [(judges.held_out, ""), *beside]
