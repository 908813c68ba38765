"""Does the picture's colour follow the text's? One colour word is changed, the noise is kept, the colour is measured.

Prompts. Held-out captions that name exactly one colour, so that it must be the main one; captions that say it of a
small part (bill, legs, eyes, …) or use a colour word we do not measure (olive, tan, …) are left out, those that say it
of a part such as the crown or throat come last, when the others do not suffice. Every mention of the colour is changed
to another, drawn evenly from `TARGETS`. The prompts depend on the data and the seed only, never on the generator, so
that two generators answer the same questions.

Figures, each a share of all prompts:
    colour_moved      the dominant colour after the change is the new one and before it was not
    colour_gained     of all colours, the share of the new one grew most (a weaker question, stated beside)
    colour_agreement  the dominant colour of the unchanged prompt's picture is the one it names

Chance is measured on the same pictures: the targets (named colours) are dealt to the other prompts, and the figure is
averaged over all ways to do so. A generator that ignores the text scores zero on `colour_moved`; one that changes
colours without regard to which word was written scores chance. A prompt whose picture had the new colour already cannot
be moved to it and counts as missed.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from adapt.data.colour_words import COLOURS, colours_in, replace_colour
from adapt.metrics.colour import colour_shares
from adapt.metrics.interval import wilson
from adapt.metrics.report import Metric
from catalog.records import ManifestEntry

TARGETS = ("black", "white", "grey", "brown", "red", "yellow", "blue")
"""Colours the measure was checked for on photographs; too few birds are green, orange, purple or pink all over."""
JUDGE = "dominant colour"
"""Extractor name of these figures: a rule, not a network."""

_SMALL_PARTS = re.compile(
    r"\b(bills?|beaks?|eye(ring|brow)?s?|legs?|foot|feet|tars[ui]s?|thighs?|claws?|toes?|tips?|tipped|superciliary|malar|"
    r"stripes?|spots?|(wing)?bars?|streaks?|patch(es)?|speckles?|specks?|ring|line)\b"
)
_MIDDLING_PARTS = re.compile(
    r"\b(crown|throat|neck|nape|tail|re[ct]trices|head|face|cheeks?|forehead|chin|abdomen|vent|rump)\b"
)
_OTHER_COLOURS = re.compile(
    r"\b(olive|tan|cream|creamy|buff|rufous|beige|gold|silver|maroon|burgundy|crimson|scarlet|teal|turquoise|"
    r"aqua|cyan|rust|rusty|copper|bronze|chestnut|navy|magenta|lavender|iridescent|colorful|"
    r"multicolored|multi-colored|reddish|brownish|blackish|whitish|yellowish|bluish|greenish|orangish|pinkish)\b"
)
_WORDS_TO_PART = 3


@dataclass(frozen=True, kw_only=True)
class ColourPrompt:
    """One question."""

    text: str
    changed: str
    """`text` with every mention of `old` replaced by `new`."""
    old: str
    new: str


def colour_prompts(
    entries: Sequence[ManifestEntry], *, count: int, seed: int, targets: Sequence[str] = TARGETS
) -> list[ColourPrompt]:
    """Choose up to `count` prompts: one a picture before a second of any, targets as evenly as the captions allow."""
    rng = np.random.default_rng(seed)
    order = [entries[index] for index in rng.permutation(len(entries))]
    texts: list[str] = []
    for rank in (0, 1):
        usable = [[c.text for c in entry.captions if main_colour_rank(c.text) == rank] for entry in order]
        usable = [[own[i] for i in rng.permutation(len(own))] for own in usable]
        turns = range(max((len(own) for own in usable), default=0))
        texts += [own[turn] for turn in turns for own in usable if turn < len(own)]
    used = dict.fromkeys(targets, 0)
    prompts = []
    for text in list(dict.fromkeys(texts))[:count]:
        (old,) = colours_in(text)
        free = [target for target in targets if target != old]
        fewest = min(used[target] for target in free)
        new = str(rng.choice([target for target in free if used[target] == fewest]))
        used[new] += 1
        prompts.append(ColourPrompt(text=text, changed=replace_colour(text, old, new), old=old, new=new))
    return prompts


def main_colour_rank(text: str) -> int | None:
    """How surely a caption's one colour is that of the whole product or animal.

    Returns:
        0 when it is said of the whole or a large part, 1 of a part such as the crown, None when the caption names no or
        several colours, or its colour belongs to a small part.
    """
    if len(colours_in(text)) != 1 or _OTHER_COLOURS.search(text.lower()):
        return None
    words = re.findall(r"[a-z-]+", text.lower())
    rank = 1
    for position, word in enumerate(words):
        if not colours_in(word):
            continue
        parts = words[position + 1 : position + 1 + _WORDS_TO_PART]
        if {"is", "are", "being", "colored"} & set(words[max(0, position - 2) : position]):
            parts += words[max(0, position - 2 - _WORDS_TO_PART) : position]
        said_of = " ".join(parts)
        if _SMALL_PARTS.search(said_of):
            return None
        if not _MIDDLING_PARTS.search(said_of):
            rank = 0
    return rank


def recolour(
    before: Float[Tensor, "N 3 H W"], after: Float[Tensor, "N 3 H W"], prompts: Sequence[ColourPrompt], *, seed: int
) -> dict[str, Metric]:
    """Figures for the pictures of the unchanged and the changed prompts, drawn with the same noise.

    Raises:
        ValueError: not one picture of each kind a prompt, or fewer than two prompts.
    """
    if not len(before) == len(after) == len(prompts) or len(prompts) < 2:
        raise ValueError(
            f"{len(before)} and {len(after)} pictures for {len(prompts)} prompts; expected equal, 2 or more"
        )
    shares_before, shares_after = colour_shares(before).cpu(), colour_shares(after).cpu()
    first, last = _one_hot(shares_before), _one_hot(shares_after)
    new = torch.tensor([COLOURS.index(prompt.new) for prompt in prompts])
    old = torch.tensor([COLOURS.index(prompt.old) for prompt in prompts])
    already = int(first[torch.arange(len(new)), new].sum())
    note = f"{already} pictures had the new colour before" if already else ""
    return {
        "colour_moved": _share(last & ~first, new, seed=seed, note=note),
        "colour_gained": _share(
            _one_hot(shares_after - shares_before) & (before != after).flatten(1).any(1)[:, None].cpu(), new, seed=seed
        ),
        "colour_agreement": _share(first, old, seed=seed),
    }


def agreement(images: Float[Tensor, "N 3 H W"], colours: Sequence[str], *, seed: int) -> Metric:
    """How often the dominant colour is the named one; on photographs, the ceiling of the test."""
    wanted = torch.tensor([COLOURS.index(colour) for colour in colours])
    return _share(_one_hot(colour_shares(images).cpu()), wanted, seed=seed)


def _one_hot(scores: Float[Tensor, "N K"]) -> Bool[Tensor, "N K"]:
    """True at the highest score of each row, the first of equal ones."""
    return torch.nn.functional.one_hot(scores.argmax(dim=1), scores.shape[1]).bool()


def _share(hits: Bool[Tensor, "N K"], wanted: Tensor, *, seed: int, note: str = "") -> Metric:
    """How often a picture hits its own wanted colour; chance is how often it hits that of another prompt."""
    n = len(wanted)
    table = hits[:, wanted]  # (picture, prompt whose colour is asked)
    own = int(table.diagonal().sum())
    low, high = wilson(own, n)
    chance = float(table.sum() - own) / (n * (n - 1))
    return Metric(value=own / n, n=n, extractor=JUDGE, seed=seed, low=low, high=high, chance=chance, note=note)
