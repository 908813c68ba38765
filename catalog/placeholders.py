"""Pictures that stand for a missing one ("no image"), found by their file's name or by how many products share them.

Either counts for a picture with little in it; a photograph is one only if very many products share it.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from pathlib import PurePosixPath

import numpy as np
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from catalog import fingerprint
from catalog.alike import chunks
from catalog.copies import load_copies
from catalog.phrases import say
from catalog.records import Issue
from catalog.schema import ImageRow, ProductImageRow, ProductRow, SourceRow

CODE = "IMG_PLACEHOLDER"
NAMED_TEXTURE = 15.0
"""Colour variation up to which a file name is believed; photographs have 20 (see `fingerprint.texture`)."""
PLAIN_TEXTURE = 12.0
"""The same where only sharing tells; one photograph in twenty is below."""
PLAIN_SHARED = (3, 0.01)
"""A plain picture of more product families than both this many and this share of the products is a placeholder."""
ANY_SHARED = (10, 0.05)
"""The same for a picture of any kind."""

_NAMES = re.compile(
    r"(?:^|_)(?:no_?(?:image|img|photo|pic|picture|selection)s?|(?:image|photo)_?not_?available|placeholder|coming_?soon"
    r"|now_?printing)(?:_|\d|$)|画像準備中|準備中|画像なし|写真なし|ノーイメージ"
)


def mark_placeholders(session: Session, *, source: str | None = None) -> tuple[list[Issue], int]:
    """Set `image.placeholder` on every picture as its links are now; return warnings and how many there are.

    Args:
        session: Open for writing.
        source: Warn of this source's pictures only; None for all.
    """
    copies = load_copies(session)
    names: dict[int, set[str]] = defaultdict(set)
    called: set[int] = set()
    links = (
        select(ProductImageRow.image_id, ProductImageRow.origin, ProductRow.name)
        .join(ProductRow, ProductRow.id == ProductImageRow.product_id)
        .where(ProductRow.status == "active")
    )
    for image_id, origin, name in session.execute(links):
        names[copies.best(image_id)].add(name)
        if says_placeholder(origin):
            called.add(image_id)
    products = session.scalar(select(func.count(ProductRow.id)).where(ProductRow.status == "active")) or 0
    shared = {first: families(told) for first, told in names.items() if len(told) > PLAIN_SHARED[0]}
    shared = {first: count for first, count in shared.items() if _more(count, PLAIN_SHARED, products)}
    suspects = called | {image_id for image_id, best in copies.keepers.items() if best in shared} | set(shared)
    found = set()
    for image_id, texture in _textures(session, sorted(suspects)).items():
        count = shared.get(copies.best(image_id), 0)
        named = image_id in called and texture <= NAMED_TEXTURE
        if named or (count and texture <= PLAIN_TEXTURE) or _more(count, ANY_SHARED, products):
            found.add(image_id)
    before = copies.placeholders
    for ids, value in ((found - before, True), (before - found, False)):
        for part in chunks(sorted(ids)):
            session.execute(update(ImageRow).where(ImageRow.id.in_(part)).values(placeholder=value))
    return _issues(session, found, source), len(found)


def says_placeholder(path: str) -> bool:
    """Whether the name of a file, not its folder, says that it stands for a missing picture."""
    stem = unicodedata.normalize("NFKC", PurePosixPath(path).stem).casefold()
    return _NAMES.search(re.sub(r"[\W_]+", "_", stem)) is not None


def families(names: Iterable[str]) -> int:
    """Count names of different products: those that begin alike, such as the sizes of a shirt, count once."""
    count, previous = 0, ""
    for name in sorted(unicodedata.normalize("NFKC", name).casefold().strip() for name in names):
        common = 0
        for first, second in zip(previous, name, strict=False):
            if first != second:
                break
            common += 1
        count += 2 * common < min(len(previous), len(name)) or not previous
        previous = name
    return count


def _more(count: int, limits: tuple[int, float], products: int) -> bool:
    least, share = limits
    return count > max(least, share * products)


def _textures(session: Session, ids: list[int]) -> dict[int, float]:
    found: dict[int, float] = {}
    for part in chunks(ids):
        query = select(ImageRow.id, ImageRow.chroma).where(
            ImageRow.id.in_(part), ImageRow.fingerprint == fingerprint.VERSION
        )
        for image_id, chroma in session.execute(query):
            assert chroma is not None  # written with the fingerprint
            colours = fingerprint.colours(np.frombuffer(chroma, dtype=np.uint8))
            found[image_id] = float(fingerprint.texture(colours))
    return found


def _issues(session: Session, image_ids: set[int], source: str | None) -> list[Issue]:
    issues: list[Issue] = []
    for part in chunks(sorted(image_ids)):
        query = (
            select(ProductImageRow.origin, func.count(ProductRow.id.distinct()))
            .join(ProductRow, ProductRow.id == ProductImageRow.product_id)
            .join(SourceRow, SourceRow.id == ProductRow.source_id)
            .where(ProductImageRow.image_id.in_(part), ProductRow.status == "active")
            .group_by(ProductImageRow.origin)
            .order_by(ProductImageRow.origin)
        )
        if source is not None:
            query = query.where(SourceRow.name == source)
        for origin, count in session.execute(query):
            whose = say("1 product") if count == 1 else say("{count} products", count=count)
            detail = say("a placeholder: stands for a missing picture of {whose}, not used in datasets", whose=whose)
            issues.append(Issue(source=origin, reason=CODE, detail=detail, severity="warning"))
    return issues
