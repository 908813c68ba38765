"""Config section `[damsm]`: DAMSM pretraining inside a run whose text encoder or losses need it."""

from dataclasses import dataclass

from adapt.errors import ConfigError
from adapt.ranges import COUNT, check_ranges

IMAGE_ENCODERS = ("efficientnet_lite0", "efficientnet_lite1", "inception_v3", "open_clip")
"""Frozen image encoders that DAMSM's heads can stand on."""


@dataclass(frozen=True, kw_only=True)
class DamsmOptions:
    """What a run may choose; the sizes follow from the run itself."""

    steps: int = 1000
    """Optimiser steps (paper: 200 epochs on CUB, 37 000 steps)."""
    batch_size: int = 48
    """Pictures a step, two captions each."""
    captions_per_picture: int = 10
    """At most this many captions of a picture are used."""
    word_weight: float = 1.0
    """Weight of the two word losses; 0 leaves them out and saves most of the time. Over a frozen text encoder they
    train nothing that a run uses unless `loss.damsm_word_weight` is on, and are left out otherwise."""

    image_encoder: str = "efficientnet_lite0"
    """Frozen image encoder under the heads: efficientnet_lite0, efficientnet_lite1, inception_v3 or open_clip."""
    image_path: str = ""
    """Its weights file or folder, or a model id; empty looks for it (see adapt doctor)."""

    def __post_init__(self) -> None:
        """Check ranges."""
        check_ranges("damsm", self, captions_per_picture=COUNT)
        if self.image_encoder not in IMAGE_ENCODERS:
            raise ConfigError(
                f"damsm.image_encoder='{self.image_encoder}'; allowed are {', '.join(IMAGE_ENCODERS)}: "
                "--set damsm.image_encoder=efficientnet_lite0"
            )
