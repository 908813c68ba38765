"""Captions for bird classes nobody described: written from the class name and the class attributes.

CUB-200-2011 gives, for each class, how many percent of the annotators saw each attribute value. The strongest value of
each group becomes a fact if enough of them agreed; ten fixed sentence plans put the facts into words. The words state
nothing else, so a class with few agreed facts gets short sentences.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from adapt.errors import AdaptError
from catalog.records import Caption

MIN_AGREEMENT_PERCENT = 30.0
"""A value fewer annotators agreed on is not stated."""

_COLOUR_WORDS = {"rufous": "reddish brown", "buff": "tan", "iridescent": "shiny"}
_SIZE_WORDS = {
    "very_small": "tiny",
    "small": "small",
    "medium": "medium sized",
    "large": "large",
    "very_large": "very large",
}
_BILL_LENGTH_WORDS = {"shorter_than_head": "short", "longer_than_head": "long"}
_PARTS = {  # attribute group: (fact, words after the colour, singular)
    "has_crown_color": ("crown", "crown", True),
    "has_throat_color": ("throat", "throat", True),
    "has_breast_color": ("breast", "breast", True),
    "has_belly_color": ("belly", "belly", True),
    "has_back_color": ("back", "back", True),
    "has_nape_color": ("nape", "nape", True),
    "has_upper_tail_color": ("tail", "tail", True),
    "has_bill_color": ("bill", "bill", True),
    "has_wing_color": ("wings", "wings", False),
    "has_leg_color": ("legs", "legs", False),
    "has_eye_color": ("eyes", "eyes", False),
}
_PLANS: tuple[tuple[str, tuple[str, ...]], ...] = (  # how the sentence begins, and the parts it names
    ("this bird", ("crown", "belly", "wings")),
    ("a {size} {colour} bird", ("bill", "legs")),
    ("a {colour} bird", ("breast", "wings")),
    ("{article} {name}", ("crown", "throat", "back")),
    ("this {size} bird", ("wings", "belly", "bill_length")),
    ("the {name}, a {size} bird", ("breast", "tail")),
    ("this {name}", ("belly", "eyes", "bill")),
    ("a bird", ("nape", "back", "belly")),
    ("this is a {colour} bird", ("throat", "tail")),
    ("this {size} {colour} bird", ("crown", "breast", "legs")),
)


def read_class_facts(root: Path, class_count: int) -> list[dict[str, str]]:
    """Read `attributes/` of CUB-200-2011.

    Args:
        root: Folder of the dataset.
        class_count: Number of lines of classes.txt, which the strength table must have too.

    Returns:
        For each class, in the order of classes.txt, fact name → plain English words.

    Raises:
        AdaptError: A file is missing or does not have one row a class and one column an attribute.
    """
    # The official archive keeps attributes.txt one folder up from the dataset's own.
    names_file = next(
        (
            p
            for p in (root / "attributes" / "attributes.txt", root / "attributes.txt", root.parent / "attributes.txt")
            if p.is_file()
        ),
        None,
    )
    strengths_file = root / "attributes" / "class_attribute_labels_continuous.txt"
    if names_file is None or not strengths_file.is_file():
        raise AdaptError(
            f"{root}: some classes have no captions (text/CLASS/NAME.txt is missing or empty) and no attributes/ to "
            "make them of (attributes.txt and class_attribute_labels_continuous.txt); unpack all of CUB-200-2011 and "
            "Reed's text/ there"
        )
    names = [line.split(maxsplit=1)[1] for line in _lines(names_file)]
    try:
        rows = [[float(value) for value in line.split()] for line in _lines(strengths_file)]
    except ValueError as error:
        raise AdaptError(f"{strengths_file}: {error}; expected percentages separated by blanks") from None
    if len(rows) != class_count or any(len(row) != len(names) for row in rows):
        raise AdaptError(
            f"{strengths_file}: {len(rows)} rows for {class_count} classes and {len(names)} attributes; "
            "take attributes.txt, classes.txt and this file from one CUB-200-2011 archive"
        )
    return [_facts(dict(zip(names, row, strict=True))) for row in rows]


def class_captions(class_name: str, facts: Mapping[str, str]) -> tuple[Caption, ...]:
    """Write ten sentences about a class; the same input always gives the same sentences."""
    name = plain_name(class_name)
    article = "an" if name[0] in "aeiou" else "a"
    captions = []
    for number, (opening, parts) in enumerate(_PLANS):
        start = opening.format(size=facts.get("size", ""), colour=facts.get("colour", ""), name=name, article=article)
        phrases = [_phrase(part, facts[part]) for part in parts if part in facts]
        # A plan whose parts nobody agreed on would say nothing: it then names the class.
        if not phrases and "{name}" not in opening:
            start += f", {article} {name}"
        verb = " has " if opening.startswith("this ") and "this is" not in opening else " with "
        text = _tidy(start + (verb + _joined(phrases) if phrases else "") + ".")
        stated = {key: facts[key] for key in parts if key in facts}
        for key in ("size", "colour"):
            if f"{{{key}}}" in opening and key in facts:
                stated[key] = facts[key]
        if name in text:
            stated["class"] = name
        captions.append(
            Caption(
                id=None,
                text=text,
                lang="en",
                template=f"class_attributes/{number}",
                facts=stated,
                origin="class_attributes",
            )
        )
    return tuple(captions)


def plain_name(class_name: str) -> str:
    """`084.Red_legged_Kittiwake` → `red legged kittiwake`."""
    return class_name.split(".", 1)[-1].replace("_", " ").lower()


def _lines(path: Path) -> list[str]:
    return [line.strip() for line in path.read_text("utf-8").splitlines() if line.strip()]


def _facts(strengths: Mapping[str, float]) -> dict[str, str]:
    """Strongest value of each group, if enough annotators agreed on it."""
    strongest: dict[str, tuple[float, str]] = {}
    for name, percent in strengths.items():
        group, _, value = name.partition("::")
        if percent >= MIN_AGREEMENT_PERCENT and percent > strongest.get(group, (0.0, ""))[0]:
            strongest[group] = (percent, value)
    facts = {}
    for group, (_, value) in strongest.items():
        if group in _PARTS:
            facts[_PARTS[group][0]] = _COLOUR_WORDS.get(value, value)
        elif group == "has_primary_color":
            facts["colour"] = _COLOUR_WORDS.get(value, value)
        elif group == "has_size":
            facts["size"] = _SIZE_WORDS[value.split("_(")[0]]
        elif group == "has_bill_length" and value in _BILL_LENGTH_WORDS:
            facts["bill_length"] = _BILL_LENGTH_WORDS[value]
    return facts


def _phrase(part: str, value: str) -> str:
    if part == "bill_length":
        return f"a {value} bill"
    _, noun, singular = next(words for words in _PARTS.values() if words[0] == part)
    article = ("an " if value[0] in "aeiou" else "a ") if singular else ""
    return f"{article}{value} {noun}"


def _joined(phrases: Sequence[str]) -> str:
    return phrases[0] if len(phrases) == 1 else f"{', '.join(phrases[:-1])} and {phrases[-1]}"


def _tidy(text: str) -> str:
    """Close the gaps that absent facts leave and fix the article before a vowel."""
    text = " ".join(text.split())
    for vowel in "aeiou":
        text = text.replace(f" a {vowel}", f" an {vowel}")
        if text.startswith(f"a {vowel}"):
            text = f"an {text[2:]}"
    return text
