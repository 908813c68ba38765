"""Facts, pictures and texts that stand in tables of their own, one a record, as a mapping says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet

from catalog.mapping import ChildSpec, FieldSpec
from catalog.phrases import say
from catalog.readers import fields
from catalog.readers.cells import clean_line, fact_value, packed_fact
from catalog.readers.draft import DraftAttribute
from catalog.readers.drafting import Place
from catalog.readers.entity import Owner, Reading, link_pictures
from catalog.readers.loaded import Record


class Owners:
    """Finds the products or variants that a field of a record names: by its joins, else by their keys."""

    def __init__(
        self,
        named: FieldSpec,
        table: str,
        targets: Sequence[str],
        reading: Reading,
        *,
        variants: bool = False,
        forms: bool = False,
    ) -> None:
        """Bind the field to its table.

        Args:
            named: The field.
            table: The table whose records have it.
            targets: Tables of the products or variants.
            reading: What is built so far.
            variants: Whether variants are meant.
            forms: Whether a key that is only a variant's means that variant, where products are meant.

        Raises:
            IngestRefused: The table has no such column.
        """
        self._named = named
        self._targets = list(dict.fromkeys(targets))
        self._reading = reading
        self._variants = variants
        self._forms = forms
        self._keys = fields.values(reading.relations, table, named, complete=True)

    def of(self, record: Record) -> list[Owner]:
        """Return what a record belongs to."""
        ends = [self._reading.relations.joined(record, self._named, target) for target in self._targets]
        if any(end is not None for end in ends):
            joined = [other for end in ends for other in end or ()]
            found = [self._reading.owner_of[other] for other in joined if other in self._reading.owner_of]
            if not self._variants:
                keys = set(self._keys(record)) if self._forms else set[str]()
                found = [_named_by(keys, owner) for owner in found]
            # Several rows may have become one product.
            return list({(id(product), id(variant)): (product, variant) for product, variant in found}.values())
        return [owner for key in self._keys(record) for owner in self._by_key(key)]

    def is_left_out(self, record: Record) -> bool:
        """Whether a record that belongs to nothing belongs to what `where` leaves out."""
        keys = self._keys(record)
        if any(key in self._reading.left_keys for key in keys):
            return True
        return any(self._reading.relations.leads_to_left_out(record, self._named, table) for table in self._targets)

    def missing(self, record: Record) -> str:
        """Return, for people, what is named and not there."""
        keys = ", ".join(self._keys(record)[:3]) or "(empty)"
        if self._variants:
            return say("{text!r} leads to no variant: {keys!r}", text=self._named.text, keys=keys[:120])
        return say("{text!r} leads to no product: {keys!r}", text=self._named.text, keys=keys[:120])

    def _by_key(self, key: str) -> Sequence[Owner]:
        if self._variants:
            return self._reading.variants.get(key, ())
        product = self._reading.drafting.products.get(key)
        if product is not None:
            return ((product, None),)
        return self._reading.variants.get(key, ()) if self._forms else ()


def _named_by(keys: AbstractSet[str], owner: Owner) -> Owner:
    """Return the variant where only its key is named, else the product."""
    product, variant = owner
    return owner if variant is not None and variant.sku in keys and product.sku not in keys else (product, None)


class Children:
    """The records of one such table."""

    def __init__(self, spec: ChildSpec, reading: Reading, targets: Sequence[str]) -> None:
        """Bind the fields to the table's columns.

        Args:
            spec: What the columns hold.
            reading: What is built so far.
            targets: Tables of the products or variants they belong to.

        Raises:
            IngestRefused: The table or a column is not there.
        """
        named = spec.variant or spec.product
        assert named is not None
        self.spec = spec
        self.reading = reading
        self.drafting = reading.drafting
        meant = spec.variant is not None
        self._owners = Owners(named, spec.table, targets, reading, variants=meant, forms=not meant)
        self._name = fields.first(reading.relations, spec.table, spec.name)
        raw = spec.kind == "images"
        self._values = fields.values(reading.relations, spec.table, spec.value, raw=raw)

    def read(self) -> None:
        """Add every record to what it belongs to."""
        for record in self.reading.relations.table(self.spec.table).records:
            owners = self._owners.of(record)
            if not owners and self._owners.is_left_out(record):
                self.reading.leave(record)
                continue
            place = self.reading.count(record)
            if place in self.reading.unowned:
                continue  # A table of texts may be one of facts as well.
            if not owners:
                self.reading.unowned.add(place)
                self.drafting.reject(place, "ROW_UNKNOWN_KEY", self._owners.missing(record))
                continue
            if self.spec.kind == "images":
                self._add_pictures(record, place, owners)
                continue
            # A record whose value is empty says nothing, which is no fault of it.
            self.drafting.accept(place)
            for owner in owners:
                self._add_words(record, owner)

    def _add_pictures(self, record: Record, place: Place, owners: Sequence[Owner]) -> None:
        written = self._values(record)
        if not written:
            self.drafting.reject(place, "ROW_EMPTY", say("no picture in {text!r}", text=self.spec.value.text))
        for name in written:
            split = self.spec.value.separator is None
            for owner in owners:
                if not link_pictures(self.reading, record, place, name, owner, split=split, listed=True):
                    break
                self.drafting.accept(place)

    def _add_words(self, record: Record, owner: Owner) -> None:
        product, variant = owner
        label = clean_line(self._name(record))
        for text in self._values(record):
            if self.spec.kind == "texts":
                self.drafting.text(product, label or fields.shown_name(self.spec.value), text, self.spec.value.text)
                continue
            for name, value in self._stated(label, text):
                fact = DraftAttribute(name=name, value=value, source=self.spec.value.text)
                (variant or product).attributes.append(fact)

    def _stated(self, label: str, text: str) -> Iterator[tuple[str, str]]:
        sign = self.spec.value.packed
        if sign is not None:
            name, found, text = text.partition(sign) if sign else ("", "", text)
            pair = (name, text) if found else None if sign else packed_fact(text)
            label, text = pair or ("", "")
        if (name := clean_line(label).lower()) and (value := fact_value(text)):
            yield name, value
