"""What the columns of a table hold, concluded from their names and from the files of the dump.

The dump itself is the strongest witness: a column whose values resolve to picture files holds
pictures, whatever it is called.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from catalog.errors import PathRefused
from catalog.paths import IMAGE_SUFFIXES, TEXT_SUFFIXES, Dump
from catalog.phrases import say
from catalog.readers import headers
from catalog.readers.cells import LIST_SEPARATORS, packed_fact, split_list
from catalog.readers.left_out import (
    BY_CONTENT,
    BY_NAME,
    DATE,
    GUESS,
    IMAGE_WORDS,
    NOT_A_LINK,
    is_system_type,
    why_left_out,
)
from catalog.readers.remark import is_remark
from catalog.readers.tabular import Row, Table

SAMPLE_ROWS = 300
_MOST_ROWS = 0.5
FULL_SCORE = 9
RESOLVING_SHARE = 0.8
LONG_TEXT_CHARS = 100
_FORGOTTEN_SHARE = 0.2
_OF_A_LANGUAGE = 1000
"""Added to the rank of a column that is written for one language."""
_ID_WORDS = frozenset({"id", "code", "number", "no", "pk"})


@dataclass(frozen=True, kw_only=True)
class ListColumn:
    """A column whose cells are lists; `separator` None means one item a cell."""

    index: int
    separator: str | None


_NAMED = {
    "sku": say("key, by its name"),
    "parent": say("parent, by its name"),
    "name": say("name, by its name"),
    "category": say("category, by its name"),
}


@dataclass(frozen=True, kw_only=True)
class OptionPair:
    """Two columns that together state facts: one holds names, the other values in the same order."""

    names: int
    values: int
    separator: str | None


@dataclass(kw_only=True)
class Columns:
    """The meaning of a table's columns, by index."""

    key: int | None = None
    parent: int | None = None
    name: int | None = None
    category: int | None = None
    texts: list[int] = field(default_factory=list)
    text_files: list[int] = field(default_factory=list)
    images: list[ListColumn] = field(default_factory=list)
    packed: list[ListColumn] = field(default_factory=list)
    options: list[OptionPair] = field(default_factory=list)
    facts: list[int] = field(default_factory=list)
    grouped: bool = False
    """Whether several rows make one product."""
    why_grouped: str = ""
    variant_level: set[int] = field(default_factory=set)
    """Columns that belong to a row's variant and not to its product."""
    evidence: list[str] = field(default_factory=list)
    """One line a conclusion, for people."""
    notes: dict[int, str] = field(default_factory=dict)
    """Column → what it holds and how sure that is."""
    left_out: list[int] = field(default_factory=list)

    @property
    def score(self) -> int:
        """How much this looks like a table of products, from 0 to FULL_SCORE."""
        return (
            2 * (self.name is not None)
            + 2 * (self.key is not None or self.parent is not None)
            + 3 * bool(self.images)
            + bool(self.texts or self.text_files)
            + bool(self.category is not None)
        )


def understand(table: Table, dump: Dump) -> Columns:
    """Conclude what each column of a table with a header holds."""
    kept = [row for row in table.rows if not is_remark(row.cells)]
    if _MOST_ROWS * len(table.rows) <= len(kept) < len(table.rows):
        table = replace(table, rows=kept)
    return _Inference(table, dump).run()


def resolving_share(values: Sequence[str], dump: Dump, folder: str, suffixes: frozenset[str]) -> float:
    """Return the share of values that name a file of the dump with one of these suffixes."""
    if not values:
        return 0.0
    hits = 0
    for value in values:
        try:
            hits += dump.resolve(value, folder=folder, suggest=False).suffix in suffixes
        except PathRefused:
            continue
    return hits / len(values)


class _Inference:
    def __init__(self, table: Table, dump: Dump) -> None:
        self.table = table
        self.dump = dump
        self.sample: list[Row] = table.rows[:SAMPLE_ROWS]
        self.columns = Columns()
        self.free = [index for index in range(len(table.header)) if any(self._values(index))]
        self.roles = {index: _role(table.header[index]) for index in self.free}

    def run(self) -> Columns:
        self._find_files()
        self._find_options()
        self._find_texts()
        self._find_identity()
        self._find_groups()
        self._find_category()
        self._sort_rest()
        return self.columns

    def _values(self, index: int, rows: Sequence[Row] | None = None) -> list[str]:
        cells = (row.cells[index].strip() for row in (self.sample if rows is None else rows))
        return [cell for cell in cells if cell]

    def _take(self, index: int, meaning: str, sure: float) -> int:
        self.free.remove(index)
        self.columns.notes[index] = say("{meaning} ({sure:.2f})", meaning=meaning, sure=sure)
        header = self.table.header[index].strip()
        self.columns.evidence.append(
            say(
                "{path}: column '{header}' → {meaning} ({sure:.2f})",
                path=self.table.file.path,
                header=header,
                meaning=meaning,
                sure=sure,
            )
        )
        return index

    # --- columns proved by files -----------------------------------------------------------------

    def _find_files(self) -> None:
        folder = self.table.file.folder
        found: list[tuple[int, str | None, float]] = []
        for index in list(self.free):
            values = self._values(index)
            if not any("." in value for value in values):
                continue
            named = self._is_named_image(index)
            separator, share = self._best_separator(values, folder)
            if share >= RESOLVING_SHARE or (named and share > 0) or (named and _looks_like_links(values)):
                found.append((index, separator, share))
                continue
            share = resolving_share(values, self.dump, folder, TEXT_SUFFIXES)
            if share >= RESOLVING_SHARE:
                self.columns.text_files.append(index)
                self._take(
                    index, say("text files; {share:.0%} of the values sampled are text files here", share=share), share
                )
        proved = any(share >= RESOLVING_SHARE for *_, share in found)
        for index, separator, share in found:
            if proved and share == 0 and all("://" in value for value in self._values(index)):
                continue  # addresses of thumbnails, say, beside those of the pictures that are here
            self.columns.images.append(ListColumn(index=index, separator=separator))
            how = say("separated by {separator!r}", separator=separator) if separator else say("one a cell")
            shown = say(
                "pictures, {how}; {share:.0%} of the values sampled are picture files here", how=how, share=share
            )
            self._take(index, shown, share)

    def _is_named_image(self, index: int) -> bool:
        words = set(headers.words(self.table.header[index]))
        role = self.roles[index]
        return not words & NOT_A_LINK and bool((role and role[0] == "image") or words & IMAGE_WORDS)

    def _best_separator(self, values: list[str], folder: str) -> tuple[str | None, float]:
        best: tuple[float, str | None] = (resolving_share(values, self.dump, folder, IMAGE_SUFFIXES), None)
        for separator in LIST_SEPARATORS:
            items = [item for value in values for item in split_list(value, separator)]
            if len(items) == len(values):
                continue
            share = resolving_share(items, self.dump, folder, IMAGE_SUFFIXES)
            if share > best[0] or (best[0] == 0 and all(_has_image_suffix(item) for item in items)):
                best = (share, separator)
            if best[0] == 0 and best[1] is not None:
                break
        return best[1], best[0]

    # --- columns known by name and content --------------------------------------------------------

    def _find_options(self) -> None:
        by_words = {headers.words(self.table.header[index]): index for index in self.free}
        numbered = {self.table.header[index].strip().casefold(): index for index in self.free}
        for index in list(self.free):
            partner = self._option_partner(index, by_words, numbered)
            if partner is None or partner not in self.free or index not in self.free:
                continue
            separator = next(
                (mark for mark in LIST_SEPARATORS[:3] if any(mark in value for value in self._values(index))), None
            )
            self.columns.options.append(OptionPair(names=index, values=partner, separator=separator))
            self._take(
                index, say("names of the facts in '{header}'", header=self.table.header[partner].strip()), BY_NAME
            )
            self._take(
                partner, say("values for the names in '{header}'", header=self.table.header[index].strip()), BY_NAME
            )

    def _option_partner(self, index: int, by_words: dict[tuple[str, ...], int], numbered: dict[str, int]) -> int | None:
        header = self.table.header[index].strip().casefold()
        words = headers.words(self.table.header[index])
        if len(words) < 2 or words[-1] not in headers.NAME_WORDS:
            return None
        for value_word in headers.VALUE_WORDS:
            # "Option1 Name" and "Option2 Name" have equal words: their partner must carry the same number.
            exact = numbered.get(header.replace(words[-1], value_word))
            if exact is not None:
                return exact
        if any(char.isdigit() for char in header):
            return next(
                (i for name, i in numbered.items() if name.startswith(header.rsplit(" ", 1)[0] + " value")), None
            )
        return next(
            (by_words[(*words[:-1], word)] for word in headers.VALUE_WORDS if (*words[:-1], word) in by_words), None
        )

    def _find_texts(self) -> None:
        for index in list(self.free):
            role, words = self.roles[index], set(headers.words(self.table.header[index]))
            if role and role[0] == "drop":
                continue
            values = self._values(index)
            long = sum(len(value) for value in values) / len(values) > LONG_TEXT_CHARS
            named = (role and role[0] == "text") or (role is None and "description" in words)
            separator = self._packing(values)
            packed = all(_is_packed(item) for value in values for item in split_list(value, separator))
            if values and packed and not named and not (role and long):
                self.columns.packed.append(ListColumn(index=index, separator=separator))
                self._take(index, say("facts packed as name:value"), BY_CONTENT)
            elif named or (long and role is None):
                how, sure = (say("text, by its name"), BY_NAME) if named else (say("text, being long"), BY_CONTENT)
                self.columns.texts.append(self._take(index, how, sure))

    @staticmethod
    def _packing(values: list[str]) -> str | None:
        for separator in LIST_SEPARATORS[:4]:
            if any(separator in value for value in values):
                return separator
        return None

    def _find_identity(self) -> None:
        self.columns.parent = self._strongest("parent")
        self.columns.key = self._strongest("sku")
        self.columns.name = self._strongest("name")
        if self.columns.name is None:
            weak = [index for index in self.free if "name" in headers.words(self.table.header[index])[-1:]]
            self.columns.name = self._most_distinct(weak, say("name, being the most varied of the name columns"))
        if self.columns.key is None:
            weak = [
                index
                for index in self.free
                if set(headers.words(self.table.header[index])[-1:]) & _ID_WORDS and self._is_unique(index)
            ]
            self.columns.key = self._most_distinct(weak, say("key, unique in every row"))

    def _strongest(self, role: str) -> int | None:
        found = [(hit[1], index) for index in self.free if (hit := self.roles[index]) and hit[0] == role]
        if role == "category":
            found = [(rank, index) for rank, index in found if not is_system_type(self._values(index))]
        if not found:
            return None
        _, index = min(found)
        return self._take(index, _NAMED[role], BY_NAME)

    def _is_translation(self, index: int) -> bool:
        """Whether a column says in one language what another column says in the one that is read."""
        base, language = headers.language_of(self.table.header[index])
        others = {headers.language_of(other) for other in self.table.header}
        return bool(language) and language != "en" and any((base, code) in others for code in headers.LANGUAGES[:3])

    def _most_distinct(self, indexes: list[int], meaning: str) -> int | None:
        if not indexes:
            return None
        best = max(indexes, key=lambda index: (len(set(self._values(index))), -index))
        return self._take(best, meaning, BY_CONTENT)

    def _is_unique(self, index: int) -> bool:
        values = self._values(index, self.table.rows)
        return len(values) == len(set(values)) == len(self.table.rows)

    # --- rows of one product ----------------------------------------------------------------------

    def _find_groups(self) -> None:
        columns, rows = self.columns, self.table.rows
        blank = [row for row in rows if columns.name is not None and is_continuation(row, columns)]
        if self._only_lack_their_name(blank):
            blank = []
        parents = self._values(columns.parent, rows) if columns.parent is not None else []
        repeated = len(set(parents)) < len(parents)
        columns.grouped = bool(blank) or repeated
        if not columns.grouped:
            return
        why = say("{count} rows without a name are further variants of the row above", count=len(blank))
        if not blank:
            why = say("rows with the same '{header}' are one product", header=self.table.header[columns.parent or 0])
        columns.why_grouped = why
        columns.evidence.append(say("{path}: {why}", path=self.table.file.path, why=why))
        varying = self._varying(rows)
        for index in range(len(self.table.header)):
            named = bool(set(headers.words(self.table.header[index])[:1]) & headers.VARIANT_WORDS)
            if index in varying or (named and index not in (columns.key, columns.parent, columns.name)):
                columns.variant_level.add(index)

    def _only_lack_their_name(self, blank: Sequence[Row]) -> bool:
        """Whether a few rows without a name are else as full as the others: products whose name was forgotten."""
        name, key, rows = self.columns.name, self.columns.key, self.table.rows
        if (
            not blank
            or name is None
            or key is None
            or not self._is_unique(key)
            or len(blank) > _FORGOTTEN_SHARE * len(rows)
        ):
            return False
        named = [row for row in rows if row.cells[name].strip()]
        filled = [
            index
            for index in range(len(self.table.header))
            if index not in (name, key) and sum(bool(row.cells[index].strip()) for row in named) >= 0.9 * len(named)
        ]
        return bool(filled) and all(row.cells[index].strip() for row in blank for index in filled)

    def _varying(self, rows: Sequence[Row]) -> set[int]:
        """Return the columns that differ between the rows of one product."""
        columns = self.columns
        varying: set[int] = set()
        first: tuple[str, ...] | None = None
        group: str | None = None
        for row in rows:
            parent = row.cells[columns.parent].strip() if columns.parent is not None else ""
            if first is not None and (is_continuation(row, columns) or (parent and parent == group)):
                varying.update(
                    i for i, cell in enumerate(row.cells) if cell.strip() and cell.strip() != first[i].strip()
                )
                continue
            first, group = row.cells, parent or None
        return varying

    def _find_category(self) -> None:
        columns = self.columns
        columns.category = self._strongest("category")
        if columns.category is not None or columns.name is None:
            return
        last = headers.words(headers.language_of(self.table.header[columns.name])[0])[-1:]
        for index in self.free:
            words = headers.words(headers.language_of(self.table.header[index])[0])
            if not last or words[-1:] != last:
                continue
            values = self._values(index, self.table.rows)
            if len(set(values)) < 0.8 * len(values):
                columns.category = self._take(index, say("category: names that repeat"), GUESS)
                return

    def _sort_rest(self) -> None:
        for index in list(self.free):
            role = (self.roles[index] or ("", 0))[0]
            why = why_left_out(self.table.header[index], role, self._values(index), len(self.sample))
            if why is not None:
                self._leave(index, why[0], why[1])
            elif self._is_translation(index):
                self.columns.texts.append(self._take(index, say("text, in another language"), BY_NAME))
            else:
                self.columns.facts.append(self._take(index, say("a fact"), GUESS))

    def _leave(self, index: int, why: str, sure: float) -> None:
        self.columns.left_out.append(self._take(index, why, sure))


def _role(header: str) -> tuple[str, int] | None:
    """Return the role of a header and its rank; a column for one language ranks behind one for all."""
    if known := headers.role_of(header):
        return known
    base, language = headers.language_of(header)
    known = headers.role_of(base) if language else None
    if known is None or known[0] not in ("name", "category", "text"):
        return None
    return known[0], _OF_A_LANGUAGE + headers.LANGUAGES.index(language)


def is_continuation(row: Row, columns: Columns) -> bool:
    """Whether a row has no name and repeats nothing of a product's own: it goes with the row above."""
    if columns.name is None or row.cells[columns.name].strip():
        return False
    own = [*columns.texts, *columns.text_files]
    if columns.category is not None:
        own.append(columns.category)
    return not any(row.cells[index].strip() for index in own)


def _is_packed(item: str) -> bool:
    """Whether an item is `name:value`, and not a time of day or a tag such as `en:spreads`."""
    fact = packed_fact(item)
    return fact is not None and fact[0] not in headers.LANGUAGES and not DATE.fullmatch(item.strip())


def _has_image_suffix(value: str) -> bool:
    return value.lower().split("?")[0].endswith(tuple(IMAGE_SUFFIXES))


def _looks_like_links(values: list[str]) -> bool:
    return any(_has_image_suffix(value) or "://" in value for value in values)
