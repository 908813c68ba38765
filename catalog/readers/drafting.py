"""Build the drafts of one dump, and account for every row: a reader says what it read and what became of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from catalog.errors import PathRefused
from catalog.paths import IMAGE_SUFFIXES, Dump, DumpFile
from catalog.phrases import say
from catalog.readers.cells import clean, clean_line, fact_value
from catalog.readers.draft import DraftAttribute, DraftCatalogue, DraftPicture, DraftProduct, DraftVariant
from catalog.readers.likeness import adds_to, one_shown
from catalog.readers.tabular import Table
from catalog.records import Issue, RowBooks

MAX_KEY_CHARS = 200
_ACCEPTED, _DUPLICATE, _QUARANTINED = "accepted", "duplicate", "quarantined"


class Place(NamedTuple):
    """Where a row or record stands."""

    file: str
    """Path in the dump."""
    line: int | None
    """Line, or position in the file's list, counted from 1."""
    part: str = ""
    """Which of several lists of records inside one file is meant."""


@dataclass(frozen=True)
class NamedRow:
    """A table row whose cells are asked for by column name."""

    place: Place
    cells: tuple[str, ...]
    columns: dict[str, list[int]] = field(repr=False)

    def __getitem__(self, column: str) -> str:
        """Return the stripped cell of a column, of the first that holds something where it stands twice; or ""."""
        return next(iter(self.every(column)), "")

    def every(self, column: str) -> list[str]:
        """Return the stripped, filled cells of all columns of a name."""
        return [cell for index in self.columns.get(column, ()) if (cell := self.cells[index].strip())]

    def items(self) -> Iterator[tuple[str, str]]:
        """Yield (column, stripped cell) of every filled cell."""
        for column, indexes in self.columns.items():
            for index in indexes:
                if cell := self.cells[index].strip():
                    yield column, cell


class Drafting:
    """The drafts of one dump while a reader builds them.

    Every row that `rows()` or `count()` counted as read ends as accepted, duplicate or quarantined; one that a reader
    forgets is reported as ROW_UNUSED, so that the books always balance and never by leaving something out.
    """

    def __init__(self, reader: str, dump: Dump, *, unique_skus: bool = True) -> None:
        """Begin with no products.

        Args:
            reader: Name of the reader.
            dump: The dump whose files pictures may be.
            unique_skus: Whether a variant's stock number stands once in a dump, and not only once in its product.
        """
        self.reader = reader
        self._unique_skus = unique_skus
        self.dump = dump
        self.products: dict[str, DraftProduct] = {}
        self.issues: list[Issue] = []
        self.evidence: list[str] = []
        self.documents: set[str] = set()
        self._outcomes: dict[Place, str | None] = {}
        self._skus: dict[str, Place] = {}
        self._keys: dict[str, set[str]] = {}
        """Product → the keys its variants took."""
        self._shown: dict[tuple[str, str], list[DraftVariant]] = {}
        """(Product, picture) → the variants that name it."""

    # --- rows ------------------------------------------------------------------------------------

    def rows(self, table: Table, name: Callable[[str], str] = str.strip) -> Iterator[NamedRow]:
        """Yield a table's rows by column name; rows that could not be parsed are taken over as quarantined.

        Args:
            table: A table with its header.
            name: Brings a header to the form the reader asks for.
        """
        self.documents.add(table.file.path)
        for issue in table.issues:
            self.unparsed(issue)
        columns: dict[str, list[int]] = {}
        for index, header in enumerate(table.header):
            columns.setdefault(name(header), []).append(index)
        for row in table.rows:
            yield NamedRow(self.count(table.file.path, row.line, table.sheet), row.cells, columns)

    def unparsed(self, issue: Issue) -> None:
        """Take over what parsing a file said; a row that it lost is quarantined."""
        self.issues.append(issue)
        if issue.line is not None and issue.severity == "error":
            self._outcomes[Place(issue.source, issue.line, issue.part)] = _QUARANTINED

    def count(self, file: str, line: int | None, part: str = "") -> Place:
        """Count a record as read, and return its place."""
        self.documents.add(file)
        place = Place(file, line, part)
        self._outcomes.setdefault(place, None)
        return place

    def accept(self, place: Place) -> None:
        """Note that a row added something: a product, a variant, a picture or a text."""
        if self._outcomes.get(place) is None:
            self._outcomes[place] = _ACCEPTED

    def reject(self, place: Place, reason: str, detail: str) -> None:
        """Quarantine a whole row."""
        self._outcomes[place] = _QUARANTINED
        self.report(place, reason, detail)

    def duplicate(self, place: Place, detail: str) -> None:
        """Leave out a row that repeats one that counts."""
        self._outcomes[place] = _DUPLICATE
        self.report(place, "ROW_DUP_KEY", detail)

    def report(self, place: Place, reason: str, detail: str, severity: str = "error") -> None:
        """Report something about a row that is kept, such as a picture that is missing."""
        self.issues.append(
            Issue(source=place.file, part=place.part, line=place.line, reason=reason, detail=detail, severity=severity)
        )

    # --- products and variants -------------------------------------------------------------------

    def product(self, place: Place, key: str, name: str, category: str = "") -> DraftProduct | None:
        """Add a product; None when the row has no key or name, or repeats a key, which is reported."""
        key, name = key.strip(), clean_line(name)
        if not key:
            self.reject(place, "ROW_NO_KEY", say("no key; name {name!r}", name=name[:60]))
        elif len(key) > MAX_KEY_CHARS:
            self.reject(
                place,
                "ROW_NO_KEY",
                say("the key is {count} characters long; at most {limit}", count=len(key), limit=MAX_KEY_CHARS),
            )
        elif not name:
            self.reject(place, "ROW_NO_NAME", say("no name; key {key!r}", key=key))
        elif (known := self.products.get(key)) is not None:
            detail = say(
                "key {key!r} was taken by {origin} line {line}; the first row counts",
                key=key,
                origin=known.origin,
                line=known.line,
            )
            self.duplicate(place, detail)
        else:
            self.accept(place)
            product = DraftProduct(
                sku=key, name=name, category=clean_line(category), origin=place.file, line=place.line
            )
            self.products[key] = product
            return product
        return None

    def variant(
        self,
        product: DraftProduct,
        place: Place,
        sku: str,
        name: str = "",
        attributes: Sequence[DraftAttribute] = (),
        *,
        key: str = "",
    ) -> DraftVariant:
        """Add a variant; a stock number that stands twice is kept and warned of.

        Args:
            product: The product it is a form of.
            place: Its row.
            sku: Its stock number, or "".
            name: Its own name, or "".
            attributes: What differs from other variants, such as colour and size.
            key: What tells it apart in its product; default is the SKU, else its values.
        """
        self.accept(place)
        base = key or sku or "/".join(attribute.value for attribute in attributes) or str(place.line)
        taken = self._keys.setdefault(product.sku, set())
        unique, number = base, 2
        while unique in taken:
            unique, number = f"{base}#{number}", number + 1
        taken.add(unique)
        variant = DraftVariant(key=unique, sku=sku, name=clean_line(name), attributes=list(attributes))
        product.variants.append(variant)
        if sku and self._unique_skus and self._skus.setdefault(sku, place) != place:
            detail = say("SKU {sku!r} is also on line {line}; both rows were kept", sku=sku, line=self._skus[sku].line)
            self.report(place, "ROW_DUP_KEY", detail, "warning")
        return variant

    def fact(self, owner: DraftProduct | DraftVariant, name: str, value: str, source: str, unit: str = "") -> None:
        """Add a fact unless its value is empty or it is stated already."""
        line, label = fact_value(value), clean_line(name).lower()
        if line and label and not any(fact.name == label and fact.value == line for fact in owner.attributes):
            owner.attributes.append(
                DraftAttribute(name=label, value=line, source=source, unit=clean_line(unit) or None)
            )

    def text(self, product: DraftProduct, name: str, value: str, source: str, *, describes: bool = True) -> None:
        """Add running text, without its markup; the first one that describes the product is its description."""
        if text := clean(value):
            product.attributes.append(
                DraftAttribute(name=clean_line(name).lower(), value=text, source=source, kind="text")
            )
            if describes:
                product.description = product.description or text

    def translation(self, product: DraftProduct, name: str, language: str, value: str, source: str) -> None:
        """Keep what a record says in a further language as text, so that it is found and never mixed with its facts."""
        if text := clean(value):
            label = f"{clean_line(name).lower()} [{language}]"
            product.attributes.append(DraftAttribute(name=label, value=text, source=source, kind="text"))

    # --- pictures --------------------------------------------------------------------------------

    def pictures(
        self,
        product: DraftProduct,
        place: Place,
        written: Iterable[str],
        variant: DraftVariant | None = None,
        *,
        folders: Sequence[str] = (),
    ) -> int:
        """Link pictures by what a row calls them, report those that are not there, and return how many were linked.

        Args:
            product: The product they show.
            place: The row that names them.
            written: Paths, bare names or web addresses, as written.
            variant: The variant they show, if it is known.
            folders: Folders of the dump to try before the row's own file's, such as BMEcat's MIME_ROOT.
        """
        linked = 0
        for name in dict.fromkeys(item.strip() for item in written):
            if not name:
                continue
            try:
                file = self._resolved(name, place, folders)
            except PathRefused as error:
                self.report(place, error.code, error.detail)
                continue
            linked += 1
            self.link(product, file, place, variant)
        return linked

    def link(
        self, product: DraftProduct, file: DumpFile, place: Place, variant: DraftVariant | None = None, role: str = ""
    ) -> None:
        """Link a picture file; one that several variants name is no single one's unless they look the same."""
        shown = self._shown.setdefault((product.sku, file.path), [])
        if variant is not None and adds_to(shown, variant):
            shown.append(variant)
        # The product's own picture may show one of its variants, and is captioned as that one.
        only = one_shown(shown)
        key = only.key if only is not None else None
        known = next((picture for picture in product.pictures if picture.path == file.path), None)
        if known is not None:
            known.variant_key = key
            return
        product.pictures.append(
            DraftPicture(
                path=file.path,
                role=role or ("extra" if product.pictures else "main"),
                variant_key=key,
                origin=place.file,
                line=place.line,
            )
        )

    def _resolved(self, written: str, place: Place, folders: Sequence[str]) -> DumpFile:
        own = place.file.rpartition("/")[0]
        for folder in folders:
            try:
                return self.picture(written, folder, suggest=False)
            except PathRefused as error:
                if error.code != "FILE_MISSING":
                    raise
        return self.picture(written, own)

    def picture(self, written: str, folder: str, suggest: bool = True) -> DumpFile:
        """Return the picture file a row means; raises PathRefused when there is none."""
        file = self.dump.resolve(written, folder=folder, suggest=suggest)
        if file.suffix not in IMAGE_SUFFIXES:
            raise PathRefused("FILE_FORMAT", say("{written!r} is no picture file", written=written[:120]))
        return file

    # --- the end ---------------------------------------------------------------------------------

    @property
    def variants(self) -> int:
        """How many variants were added."""
        return sum(map(len, self._keys.values()))

    def done(self, *, encoding: str | None = None) -> DraftCatalogue:
        """Return what was built, with the books of its rows."""
        for place, outcome in self._outcomes.items():
            if outcome is None:
                self._outcomes[place] = _QUARANTINED
                detail = say("nothing was made of this row")
                self.issues.append(
                    Issue(source=place.file, part=place.part, line=place.line, reason="ROW_UNUSED", detail=detail)
                )
        ends = Counter(self._outcomes.values())
        return DraftCatalogue(
            reader=self.reader,
            products=list(self.products.values()),
            issues=self.issues,
            evidence=self.evidence,
            encoding=encoding,
            documents=self.documents,
            rows=RowBooks(
                read=len(self._outcomes),
                accepted=ends[_ACCEPTED],
                duplicate=ends[_DUPLICATE],
                quarantined=ends[_QUARANTINED],
            ),
        )
