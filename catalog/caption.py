"""Stage 2 of 9. Reads attributes, names and texts of products. Writes captions. Next: freeze a dataset.

Each product gets a paraphrase group of wordings that state the same facts, and shorter ones that state fewer; the facts
are stored with each. A variant with pictures of its own gets captions of its own. Rebuilding twice changes nothing, and
human captions are never touched.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from catalog import glossary as glossaries
from catalog import wording
from catalog.errors import CatalogError
from catalog.facts import FactSheet, facts_of
from catalog.glossary import Glossary
from catalog.products import load_products, product_ids
from catalog.records import Caption, Product
from catalog.relative_size import relative_sizes
from catalog.sayable import sayable, varying_slots
from catalog.schema import CaptionRow, ProductRow, SourceRow
from catalog.slots import slots_of
from catalog.store import Catalog
from catalog.wording import Templates, Wording

ORIGIN = "template"
"""Origin of captions this stage owns; rows of any other origin are left alone."""
_PRODUCTS_A_TRANSACTION = 200
_EXAMPLES = 3
Progress = Callable[[str, float, float | None], None]


@dataclass(frozen=True, kw_only=True)
class UnknownTerm:
    """A term the glossary lacks, with products to look at."""

    term: str
    attribute: str
    products: int
    """How many products use it."""
    examples: tuple[str, ...]
    """Up to three product keys."""
    used: bool
    """True: the English word went into captions as it stands. False: the fact was left out."""

    @property
    def is_attribute(self) -> bool:
        """Whether it is the name of an attribute, of which no value was read."""
        return self.term == self.attribute


@dataclass(frozen=True, kw_only=True)
class CaptionReport:
    """What a rebuild did, or would do."""

    captions: int
    """Captions of this stage after the run, of the products looked at."""
    products: int
    added: int = 0
    updated: int = 0
    removed: int = 0
    unchanged: int = 0
    without: tuple[str, ...] = ()
    """Products that got none: nothing in the record names them in this language."""
    unknown: tuple[UnknownTerm, ...] = ()
    """Most used first."""
    words: Mapping[str, float] = field(default_factory=dict)
    """Mean words a caption of each length (characters in Japanese)."""


@dataclass(frozen=True, kw_only=True)
class View:
    """A product, or one of its variants, with its captions."""

    product: Product
    variant_id: int | None
    sheet: FactSheet
    wordings: tuple[Wording, ...]


@dataclass(frozen=True, kw_only=True)
class Writer:
    """Glossary, templates and numbers that together decide every caption."""

    glossary: Glossary
    templates: Templates
    wordings: int = 10
    seed: int = 0

    @classmethod
    def open(cls, workspace: Path | None = None, *, lang: str = "en", wordings: int = 10, seed: int = 0) -> "Writer":
        """Read glossary and templates, a workspace's own first.

        Raises:
            CatalogError: They cannot be read, the language is unknown, or `wordings` is not in 1..100.
        """
        if not 1 <= wordings <= 100:
            raise CatalogError(f"{wordings} wordings a product: choose 1 to 100")
        return cls(
            glossary=glossaries.load(workspace), templates=wording.load(lang, workspace), wordings=wordings, seed=seed
        )

    @property
    def version(self) -> str:
        """Changes when glossary or templates do: captions of another version are stale."""
        return f"{self.glossary.version}:{self.templates.version}"

    def views(self, product: Product, *, size: str = "") -> Iterator[View]:
        """Write the captions of a product and of each variant that has pictures of its own.

        `size` is the word of `relative_sizes` for it; what the record says of its size itself comes first.
        """
        sized = bool(size) and "size" not in varying_slots(product, self.glossary)
        pictured = {picture.variant_id for picture in product.pictures}
        for variant in (None, *(variant for variant in product.variants if variant.id in pictured)):
            read = facts_of(product, self.glossary, variant=variant)
            sheet = sayable(read, product, self.glossary, variant=variant)
            if sized:
                sheet.add("size", [size])
            slots = slots_of(sheet, self.glossary, self.templates.lang)
            key = f"{self.seed}:{product.key}:{variant.key if variant is not None else ''}"
            written = wording.word(slots, self.templates, count=self.wordings, seed=key)
            yield View(
                product=product,
                variant_id=variant.id if variant is not None else None,
                sheet=sheet,
                wordings=tuple(written),
            )


def rebuild_captions(
    catalog: Catalog,
    *,
    source: str | None = None,
    wordings: int = 10,
    lang: str = "en",
    seed: int = 0,
    products: Collection[int] | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> CaptionReport:
    """Bring the captions of active products up to date with their records, the glossary and the templates.

    Args:
        catalog: Open catalogue.
        source: Only this source; None for all.
        wordings: Captions a product, 1 to 100.
        lang: Language of the captions, `en` or `ja`; captions of the other language stay as they are.
        seed: Chooses templates and words.
        products: Only these product ids; None for all.
        dry_run: Count what would change and change nothing.
        progress: Called with (description, products done, products in all).

    Raises:
        CatalogError: Unknown source or language, or a glossary or template that cannot be used.
    """
    writer = Writer.open(catalog.workspace, lang=lang, wordings=wordings, seed=seed)
    with catalog.read() as session:
        ids = product_ids(session, source=source, only=products)
        sizes = relative_sizes(session, writer.glossary)
    tally: Counter[str] = Counter()
    unknown: dict[tuple[str, str, bool], list[str]] = {}
    without: list[str] = []
    lengths: dict[str, list[int]] = {}
    for start in range(0, len(ids), _PRODUCTS_A_TRANSACTION):
        chunk = ids[start : start + _PRODUCTS_A_TRANSACTION]
        with catalog.read() as session:
            loaded = load_products(session, chunk)
            views = [view for product in loaded for view in writer.views(product, size=sizes.get(product.id, ""))]
            changes = _changes(session, chunk, views, writer)
        if not dry_run and changes.any:
            with catalog.write() as session:
                # Another process may have written since: decide again under the lock.
                changes = _changes(session, chunk, views, writer)
                changes.apply(session)
        tally.update(changes.counts)
        _note(views, unknown, without, lengths, lang)
        if progress is not None:
            progress("captions", min(start + len(chunk), len(ids)), len(ids))
    return CaptionReport(
        captions=tally["added"] + tally["updated"] + tally["unchanged"],
        products=len(ids),
        added=tally["added"],
        updated=tally["updated"],
        removed=tally["removed"],
        unchanged=tally["unchanged"],
        without=tuple(without),
        unknown=_ranked(unknown),
        words={length: round(sum(found) / len(found), 1) for length, found in lengths.items()},
    )


def preview(catalog: Catalog, product: str, *, lang: str = "en", wordings: int = 10, seed: int = 0) -> list[View]:
    """Write the captions of one product, `<source>/<sku>`, without storing them.

    Raises:
        CatalogError: There is no such product.
    """
    writer = Writer.open(catalog.workspace, lang=lang, wordings=wordings, seed=seed)
    with catalog.read() as session:
        found = find_product(session, product)
        size = relative_sizes(session, writer.glossary).get(found, "")
        return list(writer.views(load_products(session, [found])[0], size=size))


def find_product(session: Session, product: str) -> int:
    """Return the id of `<source>/<sku>`, or of a SKU only one source has.

    Raises:
        CatalogError: None or several match.
    """
    query = select(ProductRow.id, SourceRow.name, ProductRow.sku).join(SourceRow, SourceRow.id == ProductRow.source_id)
    source, slash, sku = product.partition("/")
    rows = list(session.execute(query.where(SourceRow.name == source, ProductRow.sku == sku))) if slash else []
    rows = rows or list(session.execute(query.where(ProductRow.sku == product)))
    if len(rows) == 1:
        return int(rows[0].id)
    if rows:
        raise CatalogError(
            f"{product!r} is in several sources; write one of {', '.join(f'{r.name}/{r.sku}' for r in rows)}"
        )
    example = session.execute(query.limit(1)).first()
    hint = (
        f"write it as <source>/<sku>, e.g. {example.name}/{example.sku}"
        if example
        else "the catalogue is empty: run ingest"
    )
    raise CatalogError(f"no product {product!r}; {hint}")


def list_captions(
    catalog: Catalog, *, source: str | None = None, product: str | None = None, lang: str | None = None, limit: int = 50
) -> list[tuple[str, Caption]]:
    """Return (product key, caption) of stored captions, in product order.

    Raises:
        CatalogError: Unknown source or product.
    """
    query = (
        select(CaptionRow, SourceRow.name, ProductRow.sku)
        .join(ProductRow, ProductRow.id == CaptionRow.product_id)
        .join(SourceRow, SourceRow.id == ProductRow.source_id)
        .order_by(CaptionRow.product_id, CaptionRow.id)
        .limit(limit)
    )
    with catalog.read() as session:
        if product is not None:
            query = query.where(CaptionRow.product_id == find_product(session, product))
        if source is not None:
            product_ids(session, source=source)
            query = query.where(SourceRow.name == source)
        if lang is not None:
            query = query.where(CaptionRow.lang == lang)
        return [(f"{name}/{sku}", caption_record(row)) for row, name, sku in session.execute(query)]


def caption_record(row: CaptionRow) -> Caption:
    """Return the record of a stored caption."""
    return Caption(
        id=row.id, text=row.text, lang=row.lang, template=row.template, facts=dict(row.facts), origin=row.origin
    )


def stale_captions(catalog: Catalog, *, lang: str = "en") -> int:
    """Count captions written with another glossary or other templates than there are now."""
    version = Writer.open(catalog.workspace, lang=lang).version
    query = select(func.count()).where(
        CaptionRow.origin == ORIGIN, CaptionRow.lang == lang, CaptionRow.glossary_version != version
    )
    with catalog.read() as session:
        return int(session.scalar(query) or 0)


@dataclass(kw_only=True)
class _Changes:
    """Difference between captions wanted and captions stored."""

    added: list[dict[str, Any]] = field(default_factory=list)
    updated: list[dict[str, Any]] = field(default_factory=list)
    removed: list[int] = field(default_factory=list)
    confirmed: list[int] = field(default_factory=list)
    """Captions that another glossary or other templates wrote, and these would write just so."""
    version: str = ""
    """Of glossary and templates, for what is confirmed."""
    unchanged: int = 0

    @property
    def any(self) -> bool:
        return bool(self.added or self.updated or self.removed or self.confirmed)

    @property
    def counts(self) -> dict[str, int]:
        return {
            "added": len(self.added),
            "updated": len(self.updated),
            "removed": len(self.removed),
            "unchanged": self.unchanged + len(self.confirmed),
        }

    def apply(self, session: Session) -> None:
        for start in range(0, len(self.removed), 500):
            session.execute(delete(CaptionRow).where(CaptionRow.id.in_(self.removed[start : start + 500])))
        for start in range(0, len(self.confirmed), 500):
            those = CaptionRow.id.in_(self.confirmed[start : start + 500])
            session.execute(update(CaptionRow).where(those).values(glossary_version=self.version))
        if self.updated:
            session.execute(update(CaptionRow), self.updated)
        if self.added:
            session.execute(insert(CaptionRow), self.added)


def _changes(session: Session, ids: Sequence[int], views: Iterable[View], writer: Writer) -> _Changes:
    lang = writer.templates.lang
    query = select(CaptionRow).where(
        CaptionRow.product_id.in_(ids), CaptionRow.origin == ORIGIN, CaptionRow.lang == lang
    )
    stored = {
        (row.product_id, row.variant_id, row.text): row for row in session.scalars(query.order_by(CaptionRow.id.desc()))
    }
    spare = set(session.scalars(query.with_only_columns(CaptionRow.id)))
    changes = _Changes(version=writer.version)
    for view in views:
        for written in view.wordings:
            facts = dict(written.facts)
            content = {
                "template": written.template,
                "facts": facts,
                "fact_set": fact_set(facts),
                "seed": writer.seed,
            }
            stamp = {"glossary_version": writer.version}
            row = stored.get((view.product.id, view.variant_id, written.text))
            if row is None:
                place = {"product_id": view.product.id, "variant_id": view.variant_id, "text": written.text}
                changes.added.append(place | {"lang": lang, "origin": ORIGIN} | content | stamp)
                continue
            spare.discard(row.id)
            if any(getattr(row, name) != value for name, value in content.items()):
                changes.updated.append({"id": row.id} | content | stamp)
            elif row.glossary_version != writer.version:
                changes.confirmed.append(row.id)
            else:
                changes.unchanged += 1
    changes.removed = sorted(spare)
    return changes


def fact_set(facts: Mapping[str, str]) -> str:
    """Return a digest that is equal for equal fact sets."""
    return hashlib.sha256(json.dumps(dict(facts), sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _note(
    views: Iterable[View],
    unknown: dict[tuple[str, str, bool], list[str]],
    without: list[str],
    lengths: dict[str, list[int]],
    lang: str,
) -> None:
    for view in views:
        if not view.wordings and view.variant_id is None:
            without.append(view.product.key)
        for term in view.sheet.unknown:
            users = unknown.setdefault((term.term, term.attribute, term.used), [])
            if view.product.key not in users:
                users.append(view.product.key)
        for written in view.wordings:
            size = len(written.text) if lang == "ja" else len(written.text.split())
            lengths.setdefault(written.length, []).append(size)


def _ranked(unknown: Mapping[tuple[str, str, bool], Sequence[str]]) -> tuple[UnknownTerm, ...]:
    listed = [
        UnknownTerm(term=term, attribute=attribute, products=len(users), examples=tuple(users[:_EXAMPLES]), used=used)
        for (term, attribute, used), users in unknown.items()
    ]
    return tuple(sorted(listed, key=lambda term: (-term.products, term.term, term.attribute)))
