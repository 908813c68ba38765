"""Which pictures a few-shot adaptation learns from: seeded, spread over categories and products."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from adapt.errors import TrainingError
from catalog.records import ManifestEntry


@dataclass(frozen=True, kw_only=True)
class SupportSet:
    """The shots, and those of them kept out of training to choose the checkpoint."""

    train: tuple[ManifestEntry, ...]
    held_out: tuple[ManifestEntry, ...]
    requested: int

    @property
    def shots(self) -> tuple[ManifestEntry, ...]:
        """All pictures the adaptation may look at."""
        return self.train + self.held_out


def choose_support_set(
    entries: Sequence[ManifestEntry], *, shots: int, seed: int, held_out_share: float = 0.2
) -> SupportSet:
    """Take `shots` pictures in turn from every category, and within one from every product.

    Pictures with the same content count once. When there are fewer than `shots`, all are taken. A fifth, at least
    two, is held out; with fewer than five shots nothing is, since every picture is needed to learn from.

    Raises:
        TrainingError: `shots` is below 2, or there are fewer than two pictures with a caption.
    """
    if shots < 2:
        raise TrainingError(f"--shots {shots}: two pictures are the least to learn from; try --shots 50")
    usable = list({entry.sha256: entry for entry in entries if entry.captions}.values())
    if len(usable) < 2:
        raise TrainingError(f"{len(usable)} pictures with captions; ingest a catalogue first: adapt ingest DUMP")
    rng = np.random.default_rng([seed, 3])
    by_category: dict[str, dict[str, list[ManifestEntry]]] = defaultdict(lambda: defaultdict(list))
    for position in rng.permutation(len(usable)):
        entry = usable[position]
        by_category[entry.category][entry.product].append(entry)
    queues = [_in_turn(list(products.values())) for products in by_category.values()]
    chosen = _in_turn([queues[i] for i in rng.permutation(len(queues))])[:shots]
    kept = max(2, round(len(chosen) * held_out_share)) if len(chosen) >= 5 else 0
    held = set(rng.choice(len(chosen), size=kept, replace=False).tolist()) if kept else set()
    return SupportSet(
        train=tuple(entry for i, entry in enumerate(chosen) if i not in held),
        held_out=tuple(entry for i, entry in enumerate(chosen) if i in held),
        requested=shots,
    )


def _in_turn(groups: Sequence[Sequence[ManifestEntry]]) -> list[ManifestEntry]:
    """First of every group, then second of every group, and so on."""
    longest = max((len(group) for group in groups), default=0)
    return [group[i] for i in range(longest) for group in groups if i < len(group)]
