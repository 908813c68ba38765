"""Signatures of stored pictures, and which of them resemble one another: the measuring half of `catalog.duplicates`."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from catalog import fingerprint
from catalog.schema import ImageRow

SAME_SHAPE_BITS = 6
"""Hash bits that copies of one picture differ in at most."""
VARIANT_BITS = 4
"""The same for variants: at 5 and 6 bits other products in the same pose are many among the recoloured ones."""
SAME_SIZE_COLOUR = 4.5
"""Colour difference up to which pictures of one size are copies: JPEG of quality 30 stays below; a shop's variants that
differ in a trim alone begin at 4.8."""
OTHER_SIZE_COLOUR = 6.5
"""The same for pictures of two sizes, since resizing blurs edges: copies at half size stay below in 999 of 1,000."""
THUMBNAIL_COLOUR = 9.0
"""The same where one is a thumbnail, which loses colour at every edge. Recoloured copies of colourful pictures begin at
10."""
THUMBNAIL_PX = 160
FLAT_TEXTURE = 4.0
"""Below it a hash is mostly noise (a blank picture, a line of text): such pictures repeat only by equal pixels."""
SAME_ASPECT = 0.02
"""Relative difference of width : height up to which a picture of another size is derived from the same one."""

CHUNK = 500
_FEW = 64
_BLOCK = 4096


@dataclass(frozen=True, kw_only=True)
class Signatures:
    """Signatures of pictures, the best copy first: the most pixels, then the most bytes, then by digest."""

    ids: NDArray[np.int64]
    hashes: NDArray[np.uint64]
    chroma: NDArray[np.uint8]
    """As stored, shape (pictures, CHROMA_BYTES)."""
    flat: NDArray[np.bool_]
    pixels: NDArray[np.uint64]
    """Equal numbers for equal pixels."""
    sizes: NDArray[np.int64]
    """Width and height, shape (pictures, 2)."""

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, places: NDArray[np.int64] | NDArray[np.bool_]) -> Signatures:
        """Return those at `places`, in the same order."""
        return Signatures(
            ids=self.ids[places],
            hashes=self.hashes[places],
            chroma=self.chroma[places],
            flat=self.flat[places],
            pixels=self.pixels[places],
            sizes=self.sizes[places],
        )


@dataclass(frozen=True, kw_only=True)
class Likeness:
    """One picture that repeats another, or is a variant of it."""

    kind: str
    keeper_id: int
    image_id: int
    distance: int
    """Hash bits."""
    colour: float
    """Colour difference, see `fingerprint.colour_difference`."""


def neighbourhood(session: Session, new: Sequence[int]) -> Signatures:
    """Return the pictures `new` and all that resemble them in shape, over any number of steps.

    What is found among these does not depend on any other picture. A few new pictures are looked up by the band
    indexes; many are compared with all in memory.
    """
    every = _load(session, [None]) if len(new) > _FEW else None
    start = every or _load(session, [ImageRow.id.in_(chunk) for chunk in chunks(new)])
    frontier = start.take(np.isin(start.ids, new))
    found = set(frontier.ids.tolist())
    while len(frontier) and (every is None or len(found) < len(every)):
        pool = every or _load(session, _near_bands(frontier.hashes))
        alike = np.zeros(len(pool), dtype=bool)
        for place in range(len(frontier)):
            alike |= _same_shape(frontier, place, pool)
        frontier = pool.take(alike & ~np.isin(pool.ids, list(found)))
        found.update(frontier.ids.tolist())
    if every is not None:
        return every.take(np.isin(every.ids, list(found)))
    return _load(session, [ImageRow.id.in_(chunk) for chunk in chunks(sorted(found))])


def likenesses(pictures: Signatures) -> list[Likeness]:
    """Return what repeats what among `pictures`, and which of the remaining ones are variants of one another.

    A picture joins the best copy it resembles, never a copy of a copy: groups do not chain.
    """
    found: list[Likeness] = []
    best = np.array(_led(pictures, SAME_SHAPE_BITS, _copies, found), dtype=np.int64)
    _led(pictures.take(best), VARIANT_BITS, _variants, found)
    return found


def chunks(values: Sequence[int]) -> Iterator[Sequence[int]]:
    """Yield parts that fit one IN list."""
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]


_Judge = Callable[[Signatures, int, NDArray[np.int64], NDArray[np.float32]], NDArray[np.str_]]


def _led(pictures: Signatures, bits: int, judge: _Judge, found: list[Likeness]) -> list[int]:
    """Let each picture take what resembles it of the later ones; return the places of those that nobody took."""
    free = np.ones(len(pictures), dtype=bool)
    leaders = []
    for place in range(len(pictures)):
        if not free[place]:
            continue
        leaders.append(place)
        later = slice(place + 1, None)
        distance = np.bitwise_count(pictures.hashes[later] ^ pictures.hashes[place])
        near = np.flatnonzero((distance <= bits) & free[later] & _comparable(pictures, place, pictures, later))
        for start in range(0, len(near), _BLOCK):
            part = near[start : start + _BLOCK]
            others = part + place + 1
            ours, theirs = (fingerprint.colours(pictures.chroma[which]) for which in (place, others))
            colour = fingerprint.colour_difference(ours, theirs)
            kinds = judge(pictures, place, others, colour)
            for other, step, difference, kind in zip(others, distance[part], colour, kinds, strict=True):
                if kind:
                    free[other] = False
                    found.append(
                        Likeness(
                            kind=str(kind),
                            keeper_id=int(pictures.ids[place]),
                            image_id=int(pictures.ids[other]),
                            distance=int(step),
                            colour=float(difference),
                        )
                    )
    return leaders


def _copies(
    pictures: Signatures, place: int, others: NDArray[np.int64], colour: NDArray[np.float32]
) -> NDArray[np.str_]:
    size, sizes = pictures.sizes[place], pictures.sizes[others]
    # A small copy is a whole number of pixels wide, which shifts its ratio.
    slack = SAME_ASPECT + 1 / sizes.min(axis=1)
    same_aspect = np.abs(sizes[:, 0] * size[1] / (sizes[:, 1] * size[0]) - 1) <= slack
    derived = same_aspect & (sizes != size).any(axis=1)
    kinds = np.where(colour <= _colour_limits(size, sizes), np.where(derived, "derived", "near"), "")
    return np.where(pictures.pixels[others] == pictures.pixels[place], "pixels", kinds)


def _variants(
    pictures: Signatures, place: int, others: NDArray[np.int64], colour: NDArray[np.float32]
) -> NDArray[np.str_]:
    other_colour = colour > _colour_limits(pictures.sizes[place], pictures.sizes[others])
    return np.where(other_colour, "variant", "")


def _colour_limits(size: NDArray[np.int64], sizes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return up to which colour difference pictures of `sizes` are copies of one of `size`."""
    thumbnail = np.minimum(sizes.max(axis=1), size.max()) <= THUMBNAIL_PX
    other_size = np.where(thumbnail, THUMBNAIL_COLOUR, OTHER_SIZE_COLOUR)
    return np.where((sizes == size).all(axis=1), SAME_SIZE_COLOUR, other_size)


def _same_shape(pictures: Signatures, place: int, pool: Signatures) -> NDArray[np.bool_]:
    near = np.bitwise_count(pool.hashes ^ pictures.hashes[place]) <= SAME_SHAPE_BITS
    return near & _comparable(pictures, place, pool, slice(None))


def _comparable(pictures: Signatures, place: int, pool: Signatures, part: slice) -> NDArray[np.bool_]:
    """Which pictures of a pool have a hash that means something beside ours, or else the same pixels."""
    equal = pool.pixels[part] == pictures.pixels[place]
    return equal if pictures.flat[place] else equal | ~pool.flat[part]


def _near_bands(hashes: NDArray[np.uint64]) -> list[ColumnElement[bool]]:
    """Return conditions that every hash within 7 bits of one of `hashes` meets: a 16-bit band equal but for one bit."""
    flips = np.array([0, *(1 << bit for bit in range(16))])
    conditions: list[ColumnElement[bool]] = []
    for place, column in enumerate((ImageRow.band0, ImageRow.band1, ImageRow.band2, ImageRow.band3)):
        bands = (hashes >> np.uint64(48 - 16 * place)).astype(np.int64) & 0xFFFF
        conditions += [column.in_(chunk) for chunk in chunks(np.unique(bands[:, None] ^ flips).tolist())]
    return conditions


def _load(session: Session, conditions: Sequence[ColumnElement[bool] | None]) -> Signatures:
    """Read the pictures that meet any of the conditions; None is met by all."""
    query = select(
        ImageRow.id, ImageRow.sha256, ImageRow.pixel_sha256, ImageRow.width, ImageRow.height, ImageRow.size_bytes,
        ImageRow.phash, ImageRow.chroma,
    ).where(ImageRow.kind == "catalogue", ImageRow.fingerprint == fingerprint.VERSION)  # fmt: skip
    found: dict[int, Any] = {}
    for condition in conditions:
        chosen = query if condition is None else query.where(condition)
        found.update((row.id, row) for row in session.execute(chosen))
    rows = sorted(found.values(), key=lambda row: (-row.width * row.height, -row.size_bytes, row.sha256))
    chroma = np.frombuffer(b"".join(row.chroma for row in rows), dtype=np.uint8)
    chroma = chroma.reshape(-1, fingerprint.CHROMA_BYTES)
    flat = [
        fingerprint.texture(fingerprint.colours(chroma[start : start + _BLOCK])) < FLAT_TEXTURE
        for start in range(0, len(chroma), _BLOCK)
    ]
    return Signatures(
        ids=np.array([row.id for row in rows], dtype=np.int64),
        hashes=np.array([int(row.phash, 16) for row in rows], dtype=np.uint64),
        chroma=chroma,
        flat=np.concatenate([np.zeros(0, dtype=bool), *flat]),
        pixels=np.array([_number(row.pixel_sha256 or row.sha256) for row in rows], dtype=np.uint64),
        sizes=np.array([(row.width, row.height) for row in rows], dtype=np.int64).reshape(-1, 2),
    )


def _number(digest: str) -> int:
    return int.from_bytes(hashlib.sha256(digest.encode()).digest()[:8])
