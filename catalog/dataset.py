"""Stage 3 of 9. Reads products, pictures and captions. Writes a frozen dataset folder. Next: `adapt finetune`.

The split goes by group, never by picture: products that share a picture (the same file, a copy of it, or the same shape
in another colour) stand on one side. Of a product's copies of one picture the largest is taken; placeholders are left
out. A picture of a variant carries that variant's captions; any other the product's.
"""

import hashlib
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from catalog import manifest
from catalog.caption import ORIGIN, caption_record
from catalog.copies import Copies, distinct_pictures, load_copies
from catalog.errors import CatalogError
from catalog.manifest import Manifest
from catalog.products import load_products, product_ids
from catalog.records import Caption, ManifestEntry, Product
from catalog.schema import CaptionRow, ImageRow
from catalog.store import Catalog

FOLDER = "datasets"
"""Folder of a workspace that holds frozen datasets, each `<name>-<first 8 of its hash>`."""
_CHUNK = 500
_NAME_MAX_CHARS = 100


def freeze(
    catalog: Catalog,
    *,
    source: str | None = None,
    seed: int = 0,
    test_share: float = 0.2,
    name: str | None = None,
    lang: str | None = "en",
    include_products: Collection[str] | None = None,
) -> Manifest:
    """Freeze pictures and captions as they are now; the same content gives the same folder.

    Args:
        catalog: Open catalogue.
        source: Only this source; None for all.
        seed: Draws the test groups.
        test_share: Share of groups to hold out, in [0, 1); at least one group if it is above 0 and there are two.
        name: Name of the dataset; default is the source, or `catalogue`.
        lang: Language of the captions; None for all.
        include_products: Product keys (`<source>/<sku>`) to take; None for all.

    Raises:
        CatalogError: Unknown source, no captioned picture, a bad share, or a folder that cannot be written.
    """
    planned = plan(
        catalog,
        source=source,
        seed=seed,
        test_share=test_share,
        name=name,
        lang=lang,
        include_products=include_products,
    )
    return manifest.write(planned.folder, planned.entries, name=planned.name, seed=seed)


def plan(
    catalog: Catalog,
    *,
    source: str | None = None,
    seed: int = 0,
    test_share: float = 0.2,
    name: str | None = None,
    lang: str | None = "en",
    include_products: Collection[str] | None = None,
) -> Manifest:
    """Return what `freeze` would write, of the same arguments, and write nothing; pictures are those of the store.

    Raises:
        CatalogError: Unknown source, no captioned picture, a bad share or name.
    """
    if not 0 <= test_share < 1:
        raise CatalogError(f"test share {test_share}: choose a number from 0 up to, not including, 1")
    name = name or source or "catalogue"
    if len(name) > _NAME_MAX_CHARS or not re.fullmatch(r"[^\W_][^/\\\x00-\x1f]*", name):
        raise CatalogError(
            f"{name!r} is no name for a dataset; use up to {_NAME_MAX_CHARS} characters without slashes, "
            "a letter or digit first: --name NAME"
        )
    entries = select_entries(
        catalog, source=source, seed=seed, test_share=test_share, lang=lang, include_products=include_products
    )
    if not entries:
        where = f"source {source!r}" if source is not None else "the catalogue"
        again = "" if lang in (None, "en") else f" --lang {lang}"
        raise CatalogError(
            f"{where} has no picture with {lang or 'any'} captions to freeze; "
            f"run: adapt ingest DUMP, then adapt captions --rebuild{again}"
        )
    digest = manifest.content_hash(entries)
    return Manifest(
        folder=catalog.workspace / FOLDER / f"{name}-{digest[:8]}",
        name=name,
        content_hash=digest,
        entries=tuple(entries),
        seed=seed,
    )


def select_entries(
    catalog: Catalog,
    *,
    source: str | None = None,
    seed: int = 0,
    test_share: float = 0.2,
    lang: str | None = "en",
    include_products: Collection[str] | None = None,
) -> list[ManifestEntry]:
    """Return what `freeze` would write, in order of product and picture."""
    with catalog.read() as session:
        products = load_products(session, product_ids(session, source=source))
        if include_products is not None:
            products = _only(products, include_products)
        captions = _captions(session, [product.id for product in products], lang)
        same_pixels = _pixel_digests(session, products)
        copies = load_copies(session)
    products = [_without_placeholders(product, copies) for product in products]
    captioned = [product for product in products if any(_captions_of(product, None, captions)) or product.variants]
    groups = _groups(captioned, same_pixels, copies)
    held_out = choose_groups(set(groups.values()), share=test_share, seed=seed)
    entries = []
    shown: list[int] = []
    paths: dict[str, Path] = {}
    for product in captioned:
        for picture, variant_id in distinct_pictures(product.pictures, same_pixels, copies):
            told = _captions_of(product, variant_id, captions)
            if not told:
                continue
            shown.append(picture.image_id)
            if picture.sha256 not in paths:
                paths[picture.sha256] = catalog.blobs.path(picture.sha256)
            entries.append(
                ManifestEntry(
                    image=paths[picture.sha256],
                    sha256=picture.sha256,
                    product=product.key,
                    product_id=product.id,
                    category=product.category,
                    split="test" if groups[product.key] in held_out else "train",
                    captions=tuple(told),
                    group=groups[product.key],
                )
            )
    return _with_variants(entries, shown, copies)


def captions_without_picture(
    catalog: Catalog, *, source: str | None = None, lang: str | None = "en"
) -> dict[int, tuple[Caption, ...]]:
    """Return product → captions of the products that no picture shows yet; they are in no dataset, and can be drawn."""
    with catalog.read() as session:
        copies = load_copies(session)
        products = load_products(session, product_ids(session, source=source))
        bare = [product for product in products if not _without_placeholders(product, copies).pictures]
        captions = _captions(session, [product.id for product in bare], lang)
    told: dict[int, list[Caption]] = defaultdict(list)
    for (product_id, _), wordings in captions.items():
        told[product_id] += wordings
    return {product_id: tuple(wordings) for product_id, wordings in told.items()}


def choose_groups(groups: Iterable[str], *, share: float, seed: int) -> set[str]:
    """Draw groups to hold out: `share` of them rounded, at least one of two or more, never all."""
    ranked = sorted(groups, key=lambda group: hashlib.sha256(f"{seed}:{group}".encode()).digest())
    if share == 0 or len(ranked) < 2:
        return set()
    return set(ranked[: min(max(1, round(len(ranked) * share)), len(ranked) - 1)])


def _only(products: Sequence[Product], keys: Collection[str]) -> list[Product]:
    unknown = sorted(set(keys) - {product.key for product in products})
    if unknown:
        raise CatalogError(f"no product {unknown[0]!r} in the catalogue; list them with: adapt captions")
    return [product for product in products if product.key in keys]


def _captions(session: Session, ids: Sequence[int], lang: str | None) -> dict[tuple[int, int | None], list[Caption]]:
    found: dict[tuple[int, int | None], list[Caption]] = defaultdict(list)
    for start in range(0, len(ids), _CHUNK):
        query = select(CaptionRow).where(CaptionRow.product_id.in_(ids[start : start + _CHUNK])).order_by(CaptionRow.id)
        if lang is not None:
            # What a person wrote is used whatever its language tag says.
            query = query.where(or_(CaptionRow.lang == lang, CaptionRow.origin == "human"))
        for row in session.scalars(query):
            found[row.product_id, row.variant_id].append(caption_record(row))
    return found


def _captions_of(
    product: Product, variant_id: int | None, captions: Mapping[tuple[int, int | None], Sequence[Caption]]
) -> list[Caption]:
    """Captions true of a picture: its variant's own, and of the product's those that people wrote."""
    general = captions.get((product.id, None), ())
    own = captions.get((product.id, variant_id), ()) if variant_id is not None else ()
    if not own:
        return list(general)
    return [*own, *(caption for caption in general if caption.origin != ORIGIN)]


def _without_placeholders(product: Product, copies: Copies) -> Product:
    pictures = tuple(picture for picture in product.pictures if picture.image_id not in copies.placeholders)
    return product if pictures == product.pictures else replace(product, pictures=pictures)


def _with_variants(entries: Sequence[ManifestEntry], image_ids: Sequence[int], copies: Copies) -> list[ManifestEntry]:
    """Note at each picture which others show its shape in another colour; `image_ids` are those of the entries."""
    looks: dict[int, dict[str, int]] = defaultdict(dict)
    for entry, image_id in zip(entries, image_ids, strict=True):
        looks[copies.shape(image_id)][entry.sha256] = copies.best(image_id)
    noted = []
    for entry, image_id in zip(entries, image_ids, strict=True):
        shape, best = looks[copies.shape(image_id)], copies.best(image_id)
        others = tuple(sorted(sha256 for sha256, look in shape.items() if look != best))
        noted.append(replace(entry, variants=others) if others else entry)
    return noted


def _pixel_digests(session: Session, products: Sequence[Product]) -> dict[str, str]:
    digests = sorted({picture.sha256 for product in products for picture in product.pictures})
    found: dict[str, str] = {}
    for start in range(0, len(digests), _CHUNK):
        query = select(ImageRow.sha256, ImageRow.pixel_sha256).where(
            ImageRow.sha256.in_(digests[start : start + _CHUNK])
        )
        found.update((sha256, pixels) for sha256, pixels in session.execute(query) if pixels)
    return found


def _groups(products: Sequence[Product], same_pixels: Mapping[str, str], copies: Copies) -> dict[str, str]:
    """Return product key → name of its group: the first product key among those that share a picture or a shape."""
    parent = {product.key: product.key for product in products}

    def root(key: str) -> str:
        while parent[key] != key:
            parent[key] = parent[parent[key]]
            key = parent[key]
        return key

    owner: dict[str | int, str] = {}
    for product in products:
        for picture in product.pictures:
            for shared in (same_pixels.get(picture.sha256, picture.sha256), copies.shape(picture.image_id)):
                first, second = sorted((root(owner.setdefault(shared, product.key)), root(product.key)))
                parent[second] = first
    return {key: root(key) for key in parent}
