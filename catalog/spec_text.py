"""Visual facts that running English text states about a product, read so that nothing is claimed that is not written.

Only three forms are trusted: an adjective run right before the product's noun or a visible part ("a dark red apple",
"a greenish yellow shell"), "<product> is (usually) <adjectives>", and "<part or product> is made of <material>".
Comparisons, alternatives ("yellow or orange"), denials and parts that do not show (pulp, core) give nothing.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache

from catalog import grammar
from catalog.glossary import Glossary, Match

ADJECTIVE_KINDS = ("colour", "material", "pattern", "finish", "shape", "size")
_SALES_TALK = frozenset({"transparent", "natural", "plain"})
"""Concepts whose words ("clear taste", "natural fit", "plain") mean something else in running text."""
_SHADES = frozenset("light dark pale bright deep soft pastel vivid slightly".split())
_FILLERS = frozenset(
    "coloured colored colour color patterned shaped shape rather very quite all fully completely solid".split()
)
_DOUBTS = frozenset(
    "than like unlike compared versus or not never without no other another instead previous vary varies may "
    "that close closer similar reminiscent".split()
)
_ISH = re.compile(r"^(?:redd|pink|orang|brown|yellow|green|blu|purpl|gre[ye]|black|whit|gold)e?n?ish$")
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?|[.,;:!?()|/-]")
_TABLES = frozenset("table tables desk desks counter counters bench benches stand stands".split())
_COPULA = frozenset({"is", "are"})
_ADVERBS = frozenset("usually mostly typically often normally".split())


@dataclass(frozen=True)
class _Token:
    text: str
    start: int
    end: int
    match: Match | None


def colour_phrase(text: str, glossary: Glossary) -> str | None:
    """Return a colour of one or more words in its general form, or None when `text` is not only a colour.

    "Gray" → "grey", "dark violet" → "dark purple", "greenish yellow" and "tan-brown" stay as they are.
    """
    exact = glossary.concept(text, "colour")
    if exact is not None:
        return exact
    tokens = _tokens(text, glossary)
    if not tokens or not all(_is_colour(token) or token.text == "-" for token in tokens):
        return None
    return _colour_of(tokens)


def visual_facts(text: str, nouns: Collection[str], glossary: Glossary, *, name: str = "") -> dict[str, str]:
    """Return fact name → value for what `text` states about the product itself.

    Args:
        text: English description.
        nouns: What the product is, singular or plural, lower case ("bell pepper"); the last word of each counts.
        glossary: Knows colours, materials, shapes and parts.
        name: Proper name of the product; colours inside it ("Golden Delicious", "Pink Lady") state nothing.
    """
    if name and nouns:
        text = re.sub(re.escape(name), next(iter(sorted(nouns))).split()[-1], text, flags=re.IGNORECASE)
    heads = {form for noun in nouns for form in _forms(noun.split()[-1])} if nouns else set()
    facts: dict[str, str] = {}
    for sentence in re.split(r"(?<=[.!?])\s+|\n+|\s[|]\s", text):
        tokens = _tokens(sentence, glossary)
        for name, value in (*_attributive(tokens, heads), *_predicative(tokens, heads), *_made_of(tokens, heads)):
            facts.setdefault(name, value)
    return facts


def _forms(word: str) -> set[str]:
    return {word, grammar.plural(word), grammar.singular(word)}


# All variants of a product share its text.
@lru_cache(maxsize=4096)
def _tokens(text: str, glossary: Glossary) -> list[_Token]:
    parse = glossary.parse(text)
    tokens: list[_Token] = []
    by_start = {match.start: match for match in parse.matches if match.is_a(*ADJECTIVE_KINDS, "part", "category")}
    position = 0
    while position < len(parse.text):
        if position in by_start:
            match = by_start[position]
            tokens.append(_Token(match.text, match.start, match.end, match))
            position = match.end
            continue
        found = _WORD.search(parse.text, position)
        if found is None:
            break
        if found.start() != position:
            position = found.start()
            continue
        tokens.append(_Token(found.group(), found.start(), found.end(), None))
        position = found.end()
    return tokens


def _is_colour(token: _Token) -> bool:
    named = token.match is not None and token.match.stated and token.match.is_a("colour")
    return named or token.text in _SHADES or _ISH.match(token.text) is not None


def _told(match: Match | None, kind: str) -> str | None:
    """Concept of a stated match in `kind`, unless running text uses the word for something else."""
    concept = match.concept(kind) if match is not None and match.stated else None
    return None if concept in _SALES_TALK else concept


def _colour_of(tokens: list[_Token]) -> str | None:
    """Join a colour run; None without a colour word proper ("light")."""
    if not any(token.match is not None and token.match.is_a("colour") for token in tokens):
        return None
    parts = []
    for token in tokens:
        concept = token.match.concept("colour") if token.match is not None else None
        # In a compound the writer's own words stay: "tan-brown" is no "light brown-brown".
        parts.append(
            concept if concept is not None and " " not in concept and len(token.text.split()) == 1 else token.text
        )
    return re.sub(r" - ", "-", " ".join(parts))


def _run_before(tokens: list[_Token], head: int, *, skip: int) -> tuple[int, list[_Token]]:
    """Collect the adjective run that ends right before `head`; returns where it starts and its tokens."""
    run: list[_Token] = []
    index = head - 1
    while index >= 0:
        token = tokens[index]
        adjective = token.match is not None and token.match.stated and token.match.is_a(*ADJECTIVE_KINDS)
        known = adjective or _is_colour(token) or token.text in _FILLERS or token.text in ("and", "-")
        if known:
            run.insert(0, token)
        elif skip > 0 and not run and token.match is None and token.text.isalpha() and token.text not in _DOUBTS:
            skip -= 1
        else:
            break
        index -= 1
    return index + 1, run


def _doubtful(tokens: list[_Token], start: int, head: int) -> bool:
    around = [token.text for token in tokens[max(0, start - 3) : start]] + [
        token.text for token in tokens[head + 1 : head + 3] if token.text != "that"
    ]
    return any(word in _DOUBTS for word in around) or any(token.text in _DOUBTS for token in tokens[start:head])


def _attributive(tokens: list[_Token], heads: set[str]) -> Iterator[tuple[str, str]]:
    for index, token in enumerate(tokens):
        is_head = token.text.split()[-1] in heads
        part = _part_of(token, heads)
        if not is_head and part is None:
            continue
        start, run = _run_before(tokens, index, skip=0)
        if is_head and not run:
            start, run = _run_before(tokens, index, skip=1)
            run = [
                found
                for found in run
                if found.match is not None and found.match.is_a("shape", "size") and not _is_colour(found)
            ]
        if not run or _doubtful(tokens, start, index):
            continue
        if not is_head and tokens[index + 1 : index + 2] and tokens[index + 1].text in ("color", "colour"):
            continue  # "light green base colour" is no base
        yield from _facts_of_run(run, None if is_head else part)
    yield from _colour_of_head(tokens, heads)


def _part_of(token: _Token, heads: set[str]) -> str | None:
    """Return the part a word names; the top of anything but a table is no table top, and an inside hardly shows."""
    part = token.match.concept("part") if token.match is not None else None
    if part == "inside" or (token.text == "top" and not heads & _TABLES):
        return None
    return part


def _colour_of_head(tokens: list[_Token], heads: set[str]) -> Iterator[tuple[str, str]]:
    """Read "the orange red color of the carrot"."""
    for index, token in enumerate(tokens):
        following = [after.text for after in tokens[index + 1 : index + 4]]
        if token.text in ("color", "colour") and following[:1] == ["of"] and set(following[1:]) & heads:
            start, run = _run_before(tokens, index, skip=0)
            if run and not _doubtful(tokens, start, index):
                yield from _facts_of_run(run, None)


def _predicative(tokens: list[_Token], heads: set[str]) -> Iterator[tuple[str, str]]:
    """Read "<product> is usually <adjectives>" where the adjectives end the clause."""
    subject = next((token for token in tokens if token.text not in ("the", "a", "an")), None)
    if subject is None or subject.text.split()[-1] not in heads:
        return
    for index, token in enumerate(tokens):
        if token.text not in _COPULA:
            continue
        begin = index + 1
        while begin < len(tokens) and tokens[begin].text in _ADVERBS:
            begin += 1
        end = begin
        while end < len(tokens) and (
            _is_colour(tokens[end]) or tokens[end].text == "-" or _told(tokens[end].match, "shape")
        ):
            end += 1
        closed = end == len(tokens) or tokens[end].text in (".", ",", ";", "!", "with")
        if end > begin and closed and not _doubtful(tokens, begin, end):
            yield from _facts_of_run(tokens[begin:end], None)
            return


def _made_of(tokens: list[_Token], heads: set[str]) -> Iterator[tuple[str, str]]:
    """Read "<product or part> is made of <material>"."""
    for index in range(len(tokens) - 2):
        if [token.text for token in tokens[index : index + 2]] not in (["made", "of"], ["made", "from"]):
            continue
        before = index - 1 if index and tokens[index - 1].text not in _COPULA else index - 2
        if before < 0:
            continue
        material = _told(tokens[index + 2].match, "material")
        if material is None:
            continue
        subject = tokens[before]
        part = _part_of(subject, heads)
        after = tokens[index + 3].text if index + 3 < len(tokens) else "."
        if after in _DOUBTS:
            continue
        if subject.text.split()[-1] in heads:
            yield "material", material
        elif part is not None:
            yield f"{part} material", material


def _facts_of_run(run: list[_Token], part: str | None) -> Iterator[tuple[str, str]]:
    """Turn an adjective run into facts; of a part only colour and material are told, of a skin only its colour."""
    prefix = "" if part is None else f"{part} "
    colours = _last_colour_run(run)
    # "orange juice" is named after the fruit; only with another colour word, or on a part, is it surely a colour.
    fruit = part is None and len(colours) == 1 and colours[0].match is not None and colours[0].match.is_a("category")
    value = _colour_of(colours) if colours and not fruit else None
    if value is not None and value not in _SALES_TALK:
        yield f"{prefix}colour", value
    for token in run:
        if token in colours:
            continue
        kinds = ADJECTIVE_KINDS[1:] if part is None else () if part == "skin" else ("material",)
        for kind in kinds:
            concept = _told(token.match, kind)
            if concept is not None:
                yield f"{prefix}{kind}", concept
                break


def _last_colour_run(run: list[_Token]) -> list[_Token]:
    """Return the colour words that stand together nearest to the noun, without a dash at either end."""
    found: list[_Token] = []
    for token in reversed(run):
        if _is_colour(token) or (token.text == "-" and found):
            found.insert(0, token)
        elif found:
            break
    while found and found[0].text == "-":
        found.pop(0)
    return found
