"""Five hundred signed approvals in every format: what the programs they are for get is marked and validly signed."""

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from approved_pictures import FORMATS as KINDS
from approved_pictures import Thing, approve, draw
from PIL import Image
from sqlalchemy import select

from catalog import c2pa_signing, export, provenance
from catalog.exporters import FORMATS
from catalog.schema import ExportFileRow
from catalog.store import Catalog

c2pa = pytest.importorskip("c2pa")
from signing_pair import signing_pair  # noqa: E402

pytestmark = pytest.mark.slow

PICTURES = 500
PRODUCTS = 50
BASE = "https://cdn.example.com/p"


@pytest.fixture(scope="module")
def approved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with 500 approved pictures, a third each PNG, JPEG and WebP."""
    things = [Thing(sku=f"MUG-{number:03d}") for number in range(PRODUCTS)]
    workspace = draw(tmp_path_factory.mktemp("signed") / "workspace", things, PICTURES // PRODUCTS)
    with Catalog.open(workspace) as catalog:
        approve(catalog, range(1, PICTURES + 1))
    return workspace


@pytest.fixture(scope="module")
def deliver(approved: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a function that makes one more signed delivery of the 500."""
    pair = signing_pair(tmp_path_factory.mktemp("pair"))

    def make(name: str) -> Path:
        base = BASE if FORMATS[name].needs_base_url else ""
        with Catalog.open(approved) as catalog:
            report = export.export(catalog, format=name, base_url=base, c2pa=pair)
            assert (report.images, report.verified, report.excluded) == (PICTURES, PICTURES, {})
            with catalog.read() as session:
                newest = select(ExportFileRow).order_by(ExportFileRow.id.desc()).limit(PICTURES)
                noted = Counter((row.c2pa_state, row.verified) for row in session.scalars(newest))
            assert noted == {("Valid", True): PICTURES}
            return report.path

    return make


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def by_csv(folder: Path, _: Path) -> Iterator[bytes]:
    for row in rows_of(folder / "manifest.csv"):
        yield (folder / row["file_name"]).read_bytes()


def by_datasets(folder: Path, cache: Path) -> Iterator[bytes]:
    datasets = pytest.importorskip("datasets")
    read = datasets.load_dataset("imagefolder", data_dir=str(folder), split="train", cache_dir=str(cache))
    for sample in read.cast_column("image", datasets.Image(decode=False)):
        yield sample["image"]["bytes"] or Path(sample["image"]["path"]).read_bytes()


def by_webdataset(folder: Path, _: Path) -> Iterator[bytes]:
    webdataset = pytest.importorskip("webdataset")
    for sample in webdataset.WebDataset([str(path) for path in sorted(folder.glob("*.tar"))], shardshuffle=False):
        yield next(sample[ending] for ending in ("png", "jpg", "webp") if ending in sample)


def by_pycocotools(folder: Path, _: Path) -> Iterator[bytes]:
    read = pytest.importorskip("pycocotools.coco").COCO(str(folder / "captions.json"))
    for image in read.loadImgs(read.getImgIds()):
        yield (folder / image["file_name"]).read_bytes()


def by_merchant_feed(folder: Path, _: Path) -> Iterator[bytes]:
    for row in rows_of(folder / "merchant.csv"):
        for url in (row["image_link"], *row["additional_image_link"].split(",")):
            yield (folder / url.removeprefix(f"{BASE}/")).read_bytes()


def by_shopify_table(folder: Path, _: Path) -> Iterator[bytes]:
    for row in rows_of(folder / "shopify.csv"):
        yield (folder / row["Image Src"].removeprefix(f"{BASE}/")).read_bytes()


READERS: dict[str, Callable[[Path, Path], Iterator[bytes]]] = {
    "folder": by_csv,
    "imagefolder": by_datasets,
    "webdataset": by_webdataset,
    "coco": by_pycocotools,
    "merchant": by_merchant_feed,
    "shopify": by_shopify_table,
}


def test_every_format_has_a_reader() -> None:
    assert set(READERS) == set(FORMATS)


@pytest.mark.parametrize("name", READERS)
def test_every_picture_arrives_marked_and_validly_signed(
    deliver: Callable[[str], Path], tmp_path: Path, name: str
) -> None:
    folder = deliver(name)
    got = list(READERS[name](folder, tmp_path / "cache"))
    assert Counter(provenance.source_type(data) for data in got) == {provenance.TRAINED: PICTURES}
    assert Counter(c2pa_signing.state(data) for data in got) == {"Valid": PICTURES}
    kinds = Counter(str(Image.open(io.BytesIO(data)).format) for data in got)
    assert set(kinds) == set(KINDS) and min(kinds.values()) == PICTURES // 3
    found = export.verify(folder)
    assert (found.ok, found.verified, found.signed) == (True, PICTURES, True)


def test_second_signed_delivery_has_the_same_pixels_and_manifests(deliver: Callable[[str], Path]) -> None:
    first, second = deliver("folder"), deliver("folder")
    lines = [[json.loads(line) for line in (made / "manifest.jsonl").open()] for made in (first, second)]
    for line, again in zip(*lines, strict=True):
        assert {**line, "sha256": ""} == {**again, "sha256": ""}
        one, other = ((made / line["file_name"]).read_bytes() for made in (first, second))
        with Image.open(io.BytesIO(one)) as shown, Image.open(io.BytesIO(other)) as shown_again:
            assert np.array_equal(np.asarray(shown), np.asarray(shown_again))
        assert signed_fields(one) == signed_fields(other)
    assert (first / "excluded.csv").read_bytes() == (second / "excluded.csv").read_bytes()


def signed_fields(data: bytes) -> dict[str, Any]:
    """Return what a signature states, without the numbers that each signature has of its own."""
    with c2pa.Reader(c2pa_signing._media_type(data), io.BytesIO(data)) as reader:
        active = reader.get_active_manifest()
    return {
        "assertions": [made for made in active["assertions"] if made["label"] != "c2pa.hash.data"],
        "generator": active["claim_generator_info"],
        "issuer": active["signature_info"]["issuer"],
        "algorithm": active["signature_info"]["alg"],
    }
