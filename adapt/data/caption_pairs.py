"""Which captions of a picture make a pair for the fake-to-fake loss.

Two captions of one picture may say different things: one names the colour, the other does not. Drawing both alike then
teaches the generator to ignore the colour. Captions with equal fact sets are true paraphrases.
"""

import logging
from collections.abc import Sequence

import numpy as np

from adapt.errors import ConfigError
from catalog.pairs import relation
from catalog.records import Caption, ManifestEntry

_LOG = logging.getLogger(__name__)


def pair_any(captions: Sequence[Caption], rng: np.random.Generator) -> tuple[int, int]:
    """Draw two captions, different ones where there are two (Ye et al. draw with replacement).

    Returns:
        Their places in `captions`.
    """
    first, second = rng.choice(len(captions), size=2, replace=len(captions) < 2)
    return int(first), int(second)


def pair_same_facts(captions: Sequence[Caption], rng: np.random.Generator) -> tuple[int, int]:
    """Draw a caption and another wording of the same facts; the caption twice where there is none.

    Returns:
        Their places in `captions`.
    """
    first = int(rng.integers(len(captions)))
    others = paraphrases(captions, first)
    return first, int(rng.choice(others)) if others else first


def paraphrases(captions: Sequence[Caption], place: int) -> list[int]:
    """Places of the other wordings of what the caption at `place` states; a caption without facts has none."""
    own = captions[place]
    return [
        other
        for other, caption in enumerate(captions)
        if caption.text != own.text and relation(own, caption) == "paraphrase"
    ]


PAIRINGS = {"any": pair_any, "same_facts": pair_same_facts}


def check_pairable(entries: Sequence[ManifestEntry]) -> None:
    """Check that captions with equal facts are there, and say how many pictures lack them.

    Raises:
        ConfigError: no picture has two, as where people wrote all captions.
    """
    told = {tuple(caption.text for caption in entry.captions): entry.captions for entry in entries}
    paired = {
        texts: any(paraphrases(captions, place) for place in range(len(captions))) for texts, captions in told.items()
    }
    with_pair = sum(paired[tuple(caption.text for caption in entry.captions)] for entry in entries)
    if not with_pair:
        raise ConfigError(
            f"data.pairs=same_facts, but none of {len(entries)} pictures has two captions of equal facts; people's "
            "captions state none: --set data.pairs=any"
        )
    if with_pair < len(entries):
        _LOG.warning(
            "%d of %d pictures have no two captions of equal facts; both of their drawings show one caption",
            len(entries) - with_pair,
            len(entries),
        )
