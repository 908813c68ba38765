"""Config section `[damsm]`: DAMSM pretraining inside a run whose text encoder or losses need it."""

from dataclasses import dataclass

from adapt.ranges import COUNT, check_ranges


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

    def __post_init__(self) -> None:
        """Check ranges."""
        check_ranges("damsm", self, captions_per_picture=COUNT)
