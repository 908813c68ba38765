"""The records of a table of products or variants → drafts, as a mapping says."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field

from catalog.errors import PathRefused
from catalog.mapping import EntitySpec
from catalog.paths import IMAGE_SUFFIXES, DumpFile
from catalog.phrases import say
from catalog.readers import beside, fact_fields, fields, headers
from catalog.readers.cells import LIST_SEPARATORS, clean_line, split_list
from catalog.readers.draft import DraftAttribute, DraftProduct, DraftVariant
from catalog.readers.drafting import Drafting, Place
from catalog.readers.loaded import Record
from catalog.readers.relation import Relations
from catalog.readers.remark import is_remark
from catalog.readers.sidecar import read_text
from catalog.records import Issue

Owner = tuple[DraftProduct, DraftVariant | None]
MAX_PATH_CHARS = 4096
_WILD = re.compile(r"[*?]")


@dataclass(kw_only=True)
class Reading:
    """What the parts of one reading share."""

    relations: Relations
    drafting: Drafting
    encoding: str | None
    owner_of: dict[Record, Owner] = field(default_factory=dict)
    """What a record of its table became, or was added to."""
    variants: dict[str, list[Owner]] = field(default_factory=dict)
    """By SKU."""
    unowned: set[Place] = field(default_factory=set)
    """Rows that are reported for belonging to nothing."""
    left_keys: set[str] = field(default_factory=set)
    """Keys of the products and variants that `where` leaves out."""
    not_read: dict[str, set[Record]] = field(default_factory=dict)
    """Table → its records that belong to those."""
    _listed: list[tuple[str, str]] | None = None

    def count(self, record: Record) -> Place:
        """Count a record as read, and return its place."""
        return self.drafting.count(record.file, record.line, record.part)

    def remember(self, record: Record, owner: Owner) -> None:
        """Note what a record became."""
        self.owner_of[record] = owner
        if owner[1] is not None and owner[1].sku:
            self.variants.setdefault(owner[1].sku, []).append(owner)

    def leave(self, record: Record) -> None:
        """Note that a record belongs to what `where` leaves out."""
        self.not_read.setdefault(record.table, set()).add(record)

    def matching(self, written: str, folder: str) -> list[str]:
        """Return the picture files that a name with `*` or `?` stands for, below its table's folder or the root."""
        if self._listed is None:
            files = self.drafting.dump.with_suffix(IMAGE_SUFFIXES)
            self._listed = sorted((file.path.casefold(), file.path) for file in files)
        name = written.strip().removeprefix("/").casefold()
        for start in dict.fromkeys([f"{folder.casefold()}/" if folder else "", ""]):
            signs = {"*": "[^/]*", "?": "[^/]"}
            whole = re.compile("".join(signs.get(char) or re.escape(char) for char in start + name))
            # Only what begins like it is looked at: a catalogue has as many patterns as products.
            begin = _WILD.split(start + name, maxsplit=1)[0]
            found = []
            for number in range(bisect_left(self._listed, (begin, "")), len(self._listed)):
                path, listed = self._listed[number]
                if not path.startswith(begin):
                    break
                if whole.fullmatch(path):
                    found.append(listed)
            if found:
                return sorted(found)
        return []


class Entity:
    """The products or variants of one table."""

    def __init__(self, spec: EntitySpec, reading: Reading, inside: Entity | None = None) -> None:
        """Bind the fields to the table's columns.

        Args:
            spec: What the columns hold.
            reading: The tables, and what is built.
            inside: The variants that stand in the same rows.

        Raises:
            IngestRefused: The table or a column is not there.
        """
        relations = reading.relations
        self.spec = spec
        self.reading = reading
        self.drafting = reading.drafting
        self.inside = inside
        self.key = fields.first(relations, spec.table, spec.key, complete=True)
        self.name = fields.first(relations, spec.table, spec.name)
        self.category = fields.first(relations, spec.table, spec.category)
        self._texts = [
            (fields.shown_name(text), text, fields.values(relations, spec.table, text, raw=text.file))
            for text in spec.text
        ]
        self._facts = fact_fields.facts(relations, spec)
        self._paired = fact_fields.paired(relations, spec)
        self._images = [(image, fields.values(relations, spec.table, image, raw=True)) for image in spec.images]
        self._states_category = spec.category is None and any(value.packed is not None for _, value in spec.attributes)
        # One column that is the key of both tells rows apart, so that a repeated key is a repeated row.
        self._grouped = inside is not None and (inside.spec.key is None or inside.spec.key != spec.key)
        self._option_names: dict[str, list[str]] = {}

    def read(self) -> None:
        """Read every record as a product, or as a further variant of the one above."""
        current: DraftProduct | None = None
        self.note_left_out()
        for record in self.reading.relations.table(self.spec.table).records:
            name, key = self.name(record), self.key(record)
            if not (name and key) and self._is_remark(record):
                continue
            place = self.reading.count(record)
            if self.inside is not None and not name and not self._has_own(record):
                current = self.drafting.products.get(key) or current
                if current is None:
                    self.drafting.reject(place, "ROW_NO_PRODUCT", say("a row without a name, and no product above it"))
                else:
                    self._add_inside(record, place, current, new=False)
                continue
            if self.spec.continued and not key and not name and current is not None:
                self._add_more(record, place, current)
                continue
            known = self.drafting.products.get(key)
            if self._grouped and known is not None and known.origin == record.file:
                current = known
                self._add_inside(record, place, known, new=False)
                continue
            current = self.drafting.product(place, key, name, self.category(record))
            if current is not None:
                self._option_names = {}
                self._fill(record, place, current)

    def note_left_out(self) -> None:
        """Remember the keys of what `where` leaves out, so that what belongs to it is known to be left out too."""
        for record in self.reading.relations.table(self.spec.table).left_out:
            self.reading.left_keys |= {self.key(record), self.inside.key(record) if self.inside else ""} - {""}

    def facts(
        self, record: Record, place: Place, option_names: dict[str, list[str]]
    ) -> tuple[list[DraftAttribute], dict[str, list[str]]]:
        """Return the facts of a record, and the option names that rows below it may leave out."""
        found: list[DraftAttribute] = []
        for paired in self._paired:
            stated, option_names[paired.columns], wrong = paired.read(record, option_names.get(paired.columns, []))
            if wrong:
                self.drafting.report(place, "ATTR_PAIRS", wrong)
            found += stated
        for facts in self._facts:
            found += facts(record)
        return found, option_names

    def add_pictures(self, record: Record, place: Place, owner: Owner) -> int:
        """Link the pictures a record names, and return how many names it holds."""
        written = [(image, name) for image, names in self._images for name in names(record)]
        for image, name in written:
            link_pictures(self.reading, record, place, name, owner, split=image.separator is None)
        return len(written)

    def _is_remark(self, record: Record) -> bool:
        """Whether a row is no record but a remark or total below them, which is said and not counted as read."""
        cells = [cell for cell in record.tree.values() if isinstance(cell, str)]
        if len(cells) < len(record.tree) or not is_remark(cells):
            return False
        text = next(cell.strip() for cell in cells if cell.strip())
        detail = say("a remark below the table, which is no product: {text!r}", text=text[:60])
        self.drafting.report(Place(record.file, record.line, record.part), "ROW_EMPTY", detail, "warning")
        return True

    def _fill(self, record: Record, place: Place, product: DraftProduct) -> None:
        self.reading.remember(record, (product, None))
        product.attributes += self.facts(record, place, self._option_names)[0]
        self._add_texts(record, place, product)
        if self.inside is not None:
            self._add_inside(record, place, product, new=True)
        else:
            self.add_pictures(record, place, (product, None))
        if self._states_category:
            product.category = product.category or _category_of(product.attributes)

    def _has_own(self, record: Record) -> bool:
        """Whether a record states what only a product's own row does."""
        return any(texts(record) for _, _, texts in self._texts) or bool(self.category(record))

    def _add_inside(self, record: Record, place: Place, product: DraftProduct, *, new: bool) -> None:
        """Add the variant that stands in a row of its product's table."""
        inside = self.inside
        assert inside is not None
        attributes, _ = inside.facts(record, place, self._option_names)
        sku = inside.key(record)
        variant: DraftVariant | None = None
        if sku or attributes:
            variant = self.drafting.variant(product, place, sku, inside.name(record), attributes)
        pictures = self.add_pictures(record, place, (product, None)) if new else 0
        pictures += inside.add_pictures(record, place, (product, variant))
        if not new:
            # A row of pictures only, as shops write them, shows the product and not a variant.
            pictures += self.add_pictures(record, place, (product, None))
            self.reading.remember(record, (product, variant))
            if variant is None and not pictures:
                self.drafting.reject(place, "ROW_EMPTY", say("neither key, options nor pictures"))
                return
        elif variant is not None:
            self.reading.remember(record, (product, variant))
        self.drafting.accept(place)

    def _add_more(self, record: Record, place: Place, product: DraftProduct) -> None:
        facts, _ = self.facts(record, place, self._option_names)
        known = {(fact.name, fact.value) for fact in product.attributes}
        more = [fact for fact in facts if (fact.name, fact.value) not in known]
        product.attributes += more
        self._add_texts(record, place, product)
        self.reading.remember(record, (product, None))
        if facts or self.add_pictures(record, place, (product, None)):
            self.drafting.accept(place)
        else:
            self.drafting.reject(place, "ROW_EMPTY", say("neither key, facts nor pictures"))

    def _add_texts(self, record: Record, place: Place, product: DraftProduct) -> None:
        for name, spec, texts in self._texts:
            for text in texts(record):
                if spec.file:
                    self._add_file(record, place, product, text)
                else:
                    self.drafting.text(product, name, text, spec.text)

    def _add_file(self, record: Record, place: Place, product: DraftProduct, written: str) -> None:
        try:
            file = self.drafting.dump.resolve(written, folder=record.file.rpartition("/")[0])
        except PathRefused as error:
            self.drafting.report(place, error.code, error.detail)
            return
        content = read_text(file, self.reading.encoding)
        if isinstance(content, Issue):
            self.drafting.issues.append(content)
            return
        self.drafting.documents.add(file.path)
        beside.add_text(product, file, content)


def link_pictures(
    reading: Reading, record: Record, place: Place, written: str, owner: Owner, *, split: bool, listed: bool = False
) -> bool:
    """Link what a value names; say so where it names no picture of the dump, and return whether it did.

    Args:
        reading: Where it is built.
        record: The record that names it.
        place: Its place.
        written: A path, bare name or web address; with `*` or `?` every file that fits; or a list of them.
        owner: What it shows.
        split: Try the usual list separators where the whole names no file.
        listed: A list beside the products names it, which is itself worth nothing without the picture.
    """
    drafting, (product, variant) = reading.drafting, owner
    if len(written) > MAX_PATH_CHARS or written.startswith("data:"):
        detail = say(
            "a picture of {count:,} characters inside the cell is not read; save it as a file", count=len(written)
        )
        (drafting.reject if listed else drafting.report)(place, "IMG_IN_CELL", detail)
        return False
    folder = record.file.rpartition("/")[0]
    try:
        if _WILD.search(written) and (paths := reading.matching(written, folder)):
            found = [drafting.dump.files[path] for path in paths]
        else:
            found = _resolved(drafting, written, folder, split)
    except PathRefused as error:
        (drafting.reject if listed else drafting.report)(place, error.code, error.detail)
        return False
    for file in found:
        role = "listed" if listed and product.pictures else ""
        drafting.link(product, file, place, variant, role)
    return True


def _resolved(drafting: Drafting, written: str, folder: str, split: bool) -> list[DumpFile]:
    try:
        return [drafting.picture(written, folder)]
    except PathRefused as error:
        refused = error
    for separator in LIST_SEPARATORS if split else ():
        items = split_list(written, separator)
        if len(items) > 1:
            try:
                return [drafting.picture(item, folder, suggest=False) for item in items]
            except PathRefused:
                continue
    raise refused


def _category_of(attributes: Sequence[DraftAttribute]) -> str:
    """Return the category that packed facts state, from general to special."""
    found = [fact.value for fact in attributes if (role := headers.role_of(fact.name)) and role[0] == "category"]
    return clean_line(" > ".join(dict.fromkeys(found)))
