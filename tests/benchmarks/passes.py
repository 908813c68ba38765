"""One timed pass of the catalogue each, in a process of its own: its memory and imports are no one else's.

`python passes.py NAME ARGUMENTS` as JSON prints one line of JSON. Times are seconds; CPU counts workers too.
"""

from __future__ import annotations

import hashlib
import json
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image
from sqlalchemy import func, select

from catalog import images, jpeg
from catalog import ingest as stage
from catalog.paths import Dump
from catalog.readers import read_dump
from catalog.readers.cells import language
from catalog.readers.draft import DraftProduct
from catalog.readers.refine import refine
from catalog.schema import AttributeRow, IngestRunRow, ProductRow, SourceRow
from catalog.store import Catalog

BATCH_PRODUCTS = 500
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024


def ingest(dump: str, workspace: str, workers: int | None) -> dict[str, Any]:
    """Take in a dump: read tables, check, fingerprint and store pictures, write rows and captions."""
    with Catalog.open(Path(workspace)) as catalog, _timed() as taken:
        report = stage.ingest(catalog, Path(dump), workers=workers)
    return {
        **taken,
        "worker_mb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * _RSS_UNIT / 1e6,
        "decoded": report.images_decoded,
        "changed": report.products_added + report.products_updated + report.images_added,
        "codes": Counter(issue.reason for issue in report.issues),
    }


def ingest_with_copies(dump: str, workspace: str, side_px: int, kept: int, copies: str) -> dict[str, Any]:
    """The same pass in this process, with a JPEG copy of at most `side_px` made from the same decoded pixels."""
    import torch

    torch.set_num_threads(1)
    encoded: dict[str, bytes] = {}
    with (
        patch.object(images, "survey", lambda data: _surveyed_with_copy(data, side_px, encoded)),
        Catalog.open(Path(workspace)) as catalog,
        _timed() as taken,
    ):
        report = stage.ingest(catalog, Path(dump), executor=_InThisProcess())
    paths = sorted(Path(dump).glob("*.jpg"))
    if len(encoded) != report.images_added or report.images_added != len(paths):
        raise SystemExit(f"{len(paths)} pictures, {report.images_added} taken in, {len(encoded)} copies")
    for path in paths[:kept]:
        (Path(copies) / path.name).write_bytes(encoded[_digest(path.read_bytes())])
    return {**taken, "pictures": len(paths)}


class _InThisProcess(Executor):
    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


def _surveyed_with_copy(data: bytes, side_px: int, encoded: dict[str, bytes]) -> images.SurveyedImage:
    """Do what `images.survey` does on all pixels, as strictly, and encode a copy of them."""
    decoded = images.decode(data)
    small = _resized(decoded.pixels, side_px)
    encoded[_digest(data)] = simplejpeg.encode_jpeg(small, quality=95, colorsubsampling="420")
    return images.SurveyedImage(
        width=decoded.width,
        height=decoded.height,
        reduced=Image.fromarray(small),
        pixel_sha256=jpeg.layout(data).digest(data),
        format=decoded.format,
        flags=decoded.flags,
    )


def _resized(pixels: NDArray[np.uint8], side_px: int) -> NDArray[np.uint8]:
    """Resize with torch's antialiased bicubic filter, which `adapt` has anyway; Pillow's takes three times as long."""
    import torch

    height, width = pixels.shape[:2]
    scale = min(1.0, side_px / max(height, width))
    size = (round(height * scale), round(width * scale))
    planes = torch.from_numpy(pixels).permute(2, 0, 1)[None]
    small = torch.nn.functional.interpolate(planes, size=size, mode="bicubic", antialias=True)
    return np.ascontiguousarray(small[0].permute(1, 2, 0).numpy())


def table(dump: str, workspace: str, captioned: bool) -> dict[str, Any]:
    """Take in a dump that is nearly all table, with or without its captions, and say where the time went."""
    reading, captions = {"wall": 0.0, "cpu": 0.0}, {"wall": 0.0, "cpu": 0.0}
    rebuild = stage.rebuild_captions if captioned else lambda *_, **__: None
    with (
        patch.object(stage, "read_dump", _clocked(stage.read_dump, reading)),
        patch.object(stage, "refine", _clocked(stage.refine, reading)),
        patch.object(stage, "rebuild_captions", _clocked(rebuild, captions)),
        Catalog.open(Path(workspace)) as catalog,
    ):
        with _timed() as taken:
            report = stage.ingest(catalog, Path(dump), workers=1)
        counts = _counts(catalog)
    writing = {clock: taken[clock] - reading[clock] - captions[clock] for clock in ("wall", "cpu")}
    made = {"texts": report.captions, "captions": captions}
    return {**taken, **counts, **made, "reading": reading, "writing": writing}


def orm(dump: str, workspace: str) -> dict[str, Any]:
    """Write products and attributes of a dump as mapped objects, a commit each 500 products; reading is not timed."""
    read = read_dump(Dump(Path(dump)))
    refine(read)
    drafts = read.products
    with Catalog.open(Path(workspace)) as catalog:
        with _timed() as taken:
            with catalog.write() as session:
                source = SourceRow(name="table", root=dump)
                session.add(source)
                session.flush()
                run = IngestRunRow(source_id=source.id, reader="table", evidence="", counts={})
                session.add(run)
                session.flush()
            for start in range(0, len(drafts), BATCH_PRODUCTS):
                with catalog.write() as session:
                    _add_products(session, source.id, run.id, drafts[start : start + BATCH_PRODUCTS])
        return {**taken, **_counts(catalog)}


def _add_products(session: Any, source_id: int, run_id: int, drafts: list[DraftProduct]) -> None:
    rows = [
        ProductRow(
            source_id=source_id,
            sku=draft.sku,
            name=draft.name,
            category=draft.category,
            lang=language(f"{draft.name} {draft.description}"),
            description=draft.description,
            first_run_id=run_id,
            last_run_id=run_id,
            origin=draft.origin,
            origin_line=draft.line,
        )
        for draft in drafts
    ]
    session.add_all(rows)
    session.flush()  # gives them their ids
    session.add_all(
        AttributeRow(
            product_id=row.id,
            name=attribute.name,
            value=attribute.value,
            value_raw=attribute.value,
            unit=attribute.unit,
            number=attribute.number,
            lang=language(attribute.value),
            source=attribute.source,
            kind=attribute.kind,
            position=position,
        )
        for row, draft in zip(rows, drafts, strict=True)
        for position, attribute in enumerate(draft.attributes)
    )


def _counts(catalog: Catalog) -> dict[str, int]:
    with catalog.read() as session:
        products, attributes = (
            session.scalar(select(func.count()).select_from(row)) or 0 for row in (ProductRow, AttributeRow)
        )
    return {"products": products, "attributes": attributes}


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _clocked(work: Callable[..., Any], taken: dict[str, float]) -> Callable[..., Any]:
    def timed_work(*args: Any, **kwargs: Any) -> Any:
        with _timed() as once:
            result = work(*args, **kwargs)
        for clock, seconds in once.items():
            taken[clock] += seconds
        return result

    return timed_work


@contextmanager
def _timed() -> Iterator[dict[str, float]]:
    """Yield a mapping that holds wall and CPU seconds once the block has ended; children count when they have ended."""
    taken: dict[str, float] = {}
    wall, cpu = time.perf_counter(), _cpu_s()
    yield taken
    taken.update(wall=time.perf_counter() - wall, cpu=_cpu_s() - cpu)


def _cpu_s() -> float:
    own, children = (resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


if __name__ == "__main__":
    named = {work.__name__: work for work in (ingest, ingest_with_copies, table, orm)}
    print(json.dumps(named[sys.argv[1]](*json.loads(sys.argv[2]))))
