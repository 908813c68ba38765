"""Glossary: company jargon and Japanese terms → concepts with general English and Japanese words.

A row of the CSV is `term,lang,concept,en,ja,kind,status`. `en` and `ja` hold general words for the concept, `|` between
alternatives; one row of a concept is enough to carry them. Rows with status `off` are ignored. A workspace's own
`glossary.csv` is read after the one that ships and wins term by term.

Matching is longest first on NFKC text. A term counts only between word borders: in Latin script no letter or digit may
touch it; in Japanese, where no spaces are, a change of script or another known term must stand on either side, so that
`ランプ` (lamp) is not found in `トランプ` (playing cards).

Two sorts of terms are never found in running text. Those of another language (`rot`, lang `de`) are English words too
often: `in_english` puts their English in their place where the text is known to be foreign or a bare value. And a
`tone` is a colour only as a value of a colour: WH, walnut.
"""

import csv
import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from catalog import grammar
from catalog.errors import CatalogError
from catalog.phrases import say

SHIPPED = Path(__file__).parent / "data" / "glossary.csv"
OWN_NAME = "glossary.csv"
"""File in a workspace that adds to or overrides the shipped glossary."""
COLUMNS = ("term", "lang", "concept", "en", "ja", "kind", "status")
KINDS = (
    "colour", "material", "pattern", "finish", "shape", "size", "style", "part", "category",
    "group", "brand", "ban", "glue", "likeness", "absence", "tone",
)  # fmt: skip
"""What a term is. `group`: an umbrella category ("furniture"); `ban`: never in a caption; `glue`: Japanese suffixes
such as 製; `likeness`: makes the term before it an imitation ("marble look"); `absence`: denies it ("蓋なし"); `tone`:
a colour in a column of colours and nowhere else ("WH", "walnut")."""
_LANGUAGES = ("en", "ja")
"""Languages of captions; terms of others are only ever read through `in_english`."""
_FOREIGN_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_MOST_WORDS = 3
"""Words of the longest foreign term."""
_ENDINGS = ("en", "er", "es", "em", "e", "n", "s")
"""What German, French and Spanish adjectives and plurals end in."""
_LATIN_WORD = re.compile(r"[a-z0-9]+")
_PARTICLES = "のとがでにをはやも"
_FUNCTION_WORDS = frozenset("する した ある です ます から まで など こと もの この その より たい でき ない".split())
_DENIALS = re.compile(r"(?:\b(?:without|no|not|non)[\s-]+(?:an?\s+)?)$")
_DENIAL_CHARS = 20
"""How far before a term a denial is looked for; looking from the start took quadratic time."""


def normalise(text: str) -> str:
    """Return `text` as terms are compared: NFKC, casefolded, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


@dataclass(frozen=True, kw_only=True)
class Term:
    """One sense of one term."""

    concept: str
    kind: str
    lang: str = "en"


@dataclass(frozen=True, kw_only=True)
class Match:
    """A term found in a text."""

    start: int
    end: int
    text: str
    senses: tuple[Term, ...]
    stated: bool = True
    """False when the text denies it or calls it an imitation; a caption must not claim it."""

    def concept(self, *kinds: str) -> str | None:
        """Return the concept in the first of `kinds` the term has a sense in."""
        return next((sense.concept for kind in kinds for sense in self.senses if sense.kind == kind), None)

    def is_a(self, *kinds: str) -> bool:
        """Whether the term has a sense of one of `kinds`."""
        return any(sense.kind in kinds for sense in self.senses)


@dataclass(frozen=True, kw_only=True)
class Parse:
    """What a text says in terms of the glossary."""

    text: str
    """The normalised text that offsets point into."""
    matches: tuple[Match, ...]
    unknown: tuple[str, ...]
    """Words that belong to no term, in order of appearance."""


class Glossary:
    """Terms and the general words of their concepts."""

    def __init__(self, rows: Iterable[dict[str, str]]) -> None:
        """Build from CSV rows; a later row replaces an earlier one of the same term and kind."""
        self._senses: dict[str, dict[str, Term]] = {}
        self._words: dict[tuple[str, str, str], tuple[str, ...]] = {}
        self._tones: dict[str, str] = {}
        self._foreign: dict[str, dict[str, Term]] = {}
        digest = hashlib.sha256()
        for row in rows:
            digest.update("\x1f".join(row[column] for column in COLUMNS).encode() + b"\n")
            self._add(row)
        self.version = digest.hexdigest()[:12]
        """Changes when any row does; stored with each caption."""
        self._add_english_of_foreign()
        self._add_plurals()
        self._lengths: dict[str, list[int]] = {}
        for term in self._senses:
            lengths = self._lengths.setdefault(term[0], [])
            if len(term) not in lengths:
                lengths.append(len(term))
        for lengths in self._lengths.values():
            lengths.sort(reverse=True)

    def _add(self, row: dict[str, str]) -> None:
        term, kind, concept = normalise(row["term"]), row["kind"], row["concept"]
        if row["status"] == "off":
            self._senses.get(term, {}).pop(kind, None)
            self._foreign.get(term, {}).pop(kind, None)
            if kind == "tone":
                self._tones.pop(term, None)
            return
        if kind == "tone":
            self._tones[term] = concept
            kind = "colour"
        elif row["lang"] and row["lang"] not in _LANGUAGES:
            self._foreign.setdefault(term, {})[kind] = Term(concept=concept, kind=kind, lang=row["lang"])
        else:
            self._senses.setdefault(term, {})[kind] = Term(concept=concept, kind=kind, lang=row["lang"])
        for lang in _LANGUAGES:
            words = tuple(word.strip() for word in row[lang].split("|") if word.strip())
            if words:
                self._words[kind, concept, lang] = words

    def _add_english_of_foreign(self) -> None:
        """Make the English word of each foreign term a term, so that what `in_english` writes is read."""
        for senses in self._foreign.values():
            for kind, term in senses.items():
                word = normalise(self._english(term))
                if word:
                    self._senses.setdefault(word, {}).setdefault(kind, Term(concept=term.concept, kind=kind))

    def _english(self, term: Term) -> str:
        return next(iter(self.words(term.kind, term.concept, "en")), term.concept)

    def _add_plurals(self) -> None:
        for term, senses in list(self._senses.items()):
            sense = senses.get("category")
            if sense is None or not term.isascii() or grammar.is_plural(term.split()[-1]):
                continue
            concept = grammar.plural(sense.concept)
            self._senses.setdefault(grammar.plural(term), {}).setdefault(
                "category", Term(concept=concept, kind="category")
            )
            for lang in ("en", "ja"):
                words = self._words.get(("category", sense.concept, lang), ())
                formed = tuple(grammar.plural(word) for word in words) if lang == "en" else words
                self._words.setdefault(("category", concept, lang), formed)

    @cached_property
    def concepts(self) -> frozenset[tuple[str, str]]:
        """Every (kind, concept) that has words."""
        return frozenset((kind, concept) for kind, concept, _ in self._words)

    def words(self, kind: str, concept: str, lang: str) -> tuple[str, ...]:
        """Return the general words of a concept, best first; empty when the glossary has none in `lang`."""
        return self._words.get((kind, concept, lang), ())

    def tone(self, text: str) -> str | None:
        """Return the colour that exactly this text stands for as a value of a colour: WH → white."""
        return self._tones.get(normalise(text))

    def in_english(self, text: str) -> str:
        """Return `text`, normalised, with the terms of other languages in English: "Rote Tasse" → "red cup".

        Words that are terms as they stand stay.
        """
        text = normalise(text)
        words = list(_FOREIGN_WORD.finditer(text))
        pieces: list[str] = []
        done = index = 0
        while index < len(words):
            for count in range(min(_MOST_WORDS, len(words) - index), 0, -1):
                start, end = words[index].start(), words[index + count - 1].end()
                found = self._foreign_term(text[start:end])
                if found is not None:
                    pieces += [text[done:start], self._english(found)]
                    done, index = end, index + count - 1
                    break
            index += 1
        return "".join([*pieces, text[done:]])

    def foreign_kinds(self, word: str) -> frozenset[str]:
        """Return the kinds a word has in another language and not in English; empty for English words."""
        if word in self._senses:
            return frozenset()
        found = self._foreign_term(word)
        return frozenset() if found is None else frozenset({found.kind})

    def _foreign_term(self, word: str) -> Term | None:
        if word in self._senses:
            return None
        for form in (word, *(word.removesuffix(end) for end in _ENDINGS if word.endswith(end) and len(word) > 3)):
            senses = self._foreign.get(form)
            if senses:
                return next(iter(senses.values()))
        return None

    def concept(self, text: str, *kinds: str) -> str | None:
        """Return the concept of exactly this text in the first of `kinds`."""
        senses = self._senses.get(normalise(text), {})
        return next((senses[kind].concept for kind in kinds if kind in senses), None)

    def parse(self, text: str) -> Parse:
        """Find terms, longest first from left to right."""
        text = normalise(text)
        ends: dict[int, bool] = {}
        matches: list[Match] = []
        position, chained = 0, False
        while position < len(text):
            length = self._longest(text, position, chained, ends)
            if not length:
                # No term starts inside a word of Latin letters.
                word = _LATIN_WORD.match(text, position)
                position, chained = (word.end() if word else position + 1), False
                continue
            end = position + length
            piece = text[position:end]
            matches.append(Match(start=position, end=end, text=piece, senses=tuple(self._senses[piece].values())))
            position, chained = end, True
        judged = tuple(_judge(text, matches))
        return Parse(text=text, matches=judged, unknown=tuple(_leftovers(text, judged)))

    def _longest(self, text: str, start: int, chained: bool, ends: dict[int, bool]) -> int:
        """Length of the longest term at `start` with word borders on both sides, else 0."""
        if not chained and not _border(text, start):
            return 0
        for length in self._lengths.get(text[start], ()):
            piece = text[start : start + length]
            if len(piece) == length and piece in self._senses and self._may_end(text, start, start + length, ends):
                return length
        return 0

    def _may_end(self, text: str, start: int, end: int, ends: dict[int, bool]) -> bool:
        if _border(text, end):
            # 金づち is no gold: after a lone kanji only a particle is a border, not any kana.
            alone = (
                end - start == 1
                and _script(text[start]) == "han"
                and end < len(text)
                and _script(text[end]) == "hiragana"
            )
            if not alone or text[end] in _PARTICLES:
                return True
        if _script(text[end - 1]) == "latin" and end < len(text) and _script(text[end]) == "latin":
            return False
        if end not in ends:
            ends[end] = False
            ends[end] = self._longest(text, end, True, ends) > 0
        return ends[end]


def load(workspace: Path | None = None) -> Glossary:
    """Read the shipped glossary and, when there is one, the workspace's own.

    Raises:
        CatalogError: A file cannot be read or a row is wrong.
    """
    own = workspace / OWN_NAME if workspace is not None else None
    paths = [path for path in (SHIPPED, own) if path is not None and path.is_file()]
    return _build(tuple((path, path.stat().st_mtime_ns, path.stat().st_size) for path in paths))


@lru_cache(maxsize=4)
def _build(files: tuple[tuple[Path, int, int], ...]) -> Glossary:
    """Build from files as they are at a modification time: thousands of rows are not read again for each call."""
    return Glossary(row for path, _, _ in files for row in _rows(path))


def _rows(path: Path) -> Iterator[dict[str, str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CatalogError(
            say("glossary {path} cannot be read ({error}); save it as UTF-8 CSV", path=path, error=str(error))
        ) from error
    reader = csv.DictReader(text.splitlines())
    missing = set(COLUMNS[:1] + COLUMNS[5:6]) - set(reader.fieldnames or ())
    if missing:
        raise CatalogError(
            say(
                "glossary {path} lacks column {columns}; its header is: {header}",
                path=path,
                columns=", ".join(sorted(missing)),
                header=",".join(COLUMNS),
            )
        )
    for row in reader:
        clean = {column: (row.get(column) or "").strip() for column in COLUMNS}
        if not clean["term"]:
            continue
        if clean["kind"] not in KINDS:
            raise CatalogError(
                say(
                    "glossary {path} line {line}: kind {kind!r} is not one of {allowed}",
                    path=path,
                    line=reader.line_num,
                    kind=clean["kind"],
                    allowed=", ".join(KINDS),
                )
            )
        clean["concept"] = clean["concept"] or clean["en"].split("|")[0]
        yield clean


def _script(char: str) -> str:
    if char.isascii():
        return "latin" if char.isalnum() else "other"
    if "\u3041" <= char <= "\u309f":
        return "hiragana"
    if "\u30a0" <= char <= "\u30ff" and char != "・":
        return "katakana"
    if "\u3400" <= char <= "\u9fff" or char in "々〆":
        return "han"
    return "latin" if char.isalpha() else "other"


def _border(text: str, position: int) -> bool:
    if position <= 0 or position >= len(text):
        return True
    before, after = _script(text[position - 1]), _script(text[position])
    return before != after or before == "other"


def _judge(text: str, matches: Sequence[Match]) -> Iterator[Match]:
    """Mark what the words beside a term deny ("蓋なし", "without lid") or call an imitation ("大理石調")."""
    for index, match in enumerate(matches):
        after = matches[index + 1] if index + 1 < len(matches) else None
        touching = after is not None and text[match.end : after.start].strip(" -") == ""
        undone = touching and after is not None and after.is_a("likeness", "absence") and not after.is_a("category")
        if undone or _DENIALS.search(text, max(0, match.start - _DENIAL_CHARS), match.start):
            match = Match(start=match.start, end=match.end, text=match.text, senses=match.senses, stated=False)
        yield match


def _leftovers(text: str, matches: Sequence[Match]) -> Iterator[str]:
    position = 0
    for start, end in [*((match.start, match.end) for match in matches), (len(text), len(text))]:
        for run in re.findall(r"[^\W\d_][\w'-]*", text[position:start]):
            yield from (piece for piece in run.split("の") if len(piece) > 1 and piece not in _FUNCTION_WORDS)
        position = end
