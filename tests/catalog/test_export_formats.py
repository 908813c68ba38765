"""Five hundred approvals in every format, read back by the programs such deliveries are for."""

import csv
import io
import json
import tarfile
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import pytest
from approved_pictures import Thing, approve, draw, tiny_picture
from PIL import Image
from sqlalchemy import text

from catalog import export, provenance
from catalog.exporters import FORMATS
from catalog.store import Catalog

PICTURES = 500
UNNAMED = 30
"""Pictures whose product number a feed cannot hold: formulas, two lines."""
BASE = "https://cdn.example.com/a,b"
HOSTILE = (
    Thing(sku="=1+1", name='=HYPERLINK("http://x","y")', prompt="=cmd|' /C calc'!A0"),
    Thing(sku="@SUM(A1)", name="<script>alert(1)</script><b>Mug</b>", category="<img src=x onerror=alert(1)>"),
    Thing(sku="LINE\nBREAK", name="Mug\r\nblue\u2028new\u0085line", prompt='a "blue",\nmug;\ttab'),
    Thing(sku="BIDI-1", name="Mug \u202egpj.exe\u202c \u2066x\u2069", facts=(("colour", "\u202eblue", None),)),
    Thing(sku="a.b.c", name="x" * 400, facts=(("height cm", "50", "cm"), ("高さ", "80CM", "cm"), ("depth", "5", "cm"))),
    Thing(sku="../../etc/passwd", name="＝1+1 マグ", lang="ja", facts=(("色", "青", None),), prompt="青いマグカップ"),
)
PLAIN = tuple(
    Thing(
        sku=f"MUG-{number:03d}",
        name="青いマグカップ" if number % 2 else "Blue enamel mug",
        lang="ja" if number % 2 else "en",
        facts=(("色", "青", None),) if number % 2 else (("colour", "blue", None), ("material", "enamel", None)),
        variants=(f"MUG-{number:03d}-S", f"MUG-{number:03d}-L") if number % 5 == 0 else (),
    )
    for number in range(44)
)


@pytest.fixture(scope="module")
def approved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with 500 approved pictures of 50 products, six of them with hostile records."""
    workspace = draw(tmp_path_factory.mktemp("approved") / "workspace", (*HOSTILE, *PLAIN), PICTURES // 50)
    with Catalog.open(workspace) as catalog:
        approve(catalog, range(1, PICTURES + 1))
    return workspace


@pytest.fixture(scope="module")
def delivered(approved: Path) -> dict[str, Path]:
    """Format → a delivery of the 500."""
    with Catalog.open(approved) as catalog:
        return {name: _export(catalog, name).path for name in FORMATS}


def _export(catalog: Catalog, name: str, **options: Any) -> export.ExportReport:
    return export.export(catalog, format=name, base_url=BASE if FORMATS[name].needs_base_url else "", **options)


def manifest(folder: Path) -> list[dict[str, Any]]:
    with (folder / "manifest.jsonl").open(encoding="utf-8", newline="\n") as file:
        return [json.loads(line) for line in file]


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def pixels_of(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as opened:
        return np.asarray(opened.convert("RGB"))


def table(path: Path, delimiter: str = ",") -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, strict=True, delimiter=delimiter))


def test_every_format_has_the_tag_in_every_picture(delivered: dict[str, Path]) -> None:
    for name, folder in delivered.items():
        if name == "webdataset":
            with tarfile.open(folder / "pictures-000000.tar") as archive:
                files = [
                    archive.extractfile(member).read()  # type: ignore[union-attr]
                    for member in archive
                    if not member.name.endswith((".json", ".txt"))
                ]
        else:
            files = [path.read_bytes() for path in (folder / "images").iterdir()]
        # The feed of a shop cannot name products by formulas or in two lines.
        assert len(files) == PICTURES - (UNNAMED if name == "merchant" else 0), name
        found = Counter(provenance.source_type(data) for data in files)
        assert found == {provenance.TRAINED: len(files)}, name
        checked = export.verify(folder)
        assert (checked.ok, checked.verified, checked.format) == (True, len(files), name)


@pytest.mark.slow
def test_every_format_gives_the_same_bytes_twice(approved: Path, delivered: dict[str, Path], tmp_path: Path) -> None:
    with Catalog.open(approved) as catalog:
        for name, folder in delivered.items():
            again = _export(catalog, name, out=tmp_path / name)
            assert files_of(folder) == files_of(again.path), name


def test_pictures_keep_their_pixels(delivered: dict[str, Path]) -> None:
    for row in manifest(delivered["folder"]):
        data = (delivered["folder"] / row["file_name"]).read_bytes()
        assert np.array_equal(pixels_of(data), pixels_of(tiny_picture(row["item_id"] - 1))), row["file_name"]


def test_folder_tables_hold_every_picture_and_no_formula(delivered: dict[str, Path]) -> None:
    rows = table(delivered["folder"] / "manifest.csv")
    lines = manifest(delivered["folder"])
    assert [row["file_name"] for row in rows] == [line["file_name"] for line in lines]
    assert [row["sha256"] for row in rows] == [line["sha256"] for line in lines]
    cells = [cell for row in rows for cell in row.values()]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "＝"))]
    assert not [cell for cell in cells if any(sign in cell for sign in "\r\n\u202e\u2066\u2028\u0085")]
    by_sku = {line["sku"]: row for line, row in zip(lines, rows, strict=True)}
    assert by_sku["=1+1"]["name"] == '\'=HYPERLINK("http://x","y")'
    assert by_sku["=1+1"]["prompt"] == "'=cmd|' /C calc'!A0"
    assert by_sku["LINE\nBREAK"]["prompt"] == 'a "blue", mug; tab'
    assert by_sku["MUG-000"]["attributes"] == "colour: blue; material: enamel"
    assert by_sku["a.b.c"]["attributes"] == "height cm: 50; 高さ: 80CM; depth: 5 cm"
    # The manifest for programs holds the record as it is.
    assert {line["name"] for line in lines if line["sku"] == "LINE\nBREAK"} == {"Mug\r\nblue\u2028new\u0085line"}


def test_alternative_texts_are_in_both_languages_and_plain(delivered: dict[str, Path]) -> None:
    lines = manifest(delivered["folder"])
    for line in lines:
        for said in (line["alt_text_en"], line["alt_text_ja"]):
            assert 0 < len(said) <= 125 and "<" not in said and said.isprintable(), said
    plain = next(line for line in lines if line["sku"] == "MUG-000")
    assert "mug" in plain["alt_text_en"] and "blue" in plain["alt_text_en"]
    assert "マグカップ" in plain["alt_text_ja"]
    assert "青" in plain["alt_text_ja"] or "ブルー" in plain["alt_text_ja"]


def test_imagefolder_is_read_by_datasets(delivered: dict[str, Path], tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    folder = delivered["imagefolder"]
    read = datasets.load_dataset("imagefolder", data_dir=str(folder), split="train", cache_dir=str(tmp_path / "cache"))
    assert len(read) == PICTURES
    lines = {line["sha256"]: line for line in manifest(folder)}
    for sample in read:
        line = lines.pop(sample["sha256"])
        assert (sample["text"], sample["sku"], sample["alt_text_ja"]) == (
            line["prompt"],
            line["sku"],
            line["alt_text_ja"],
        )
        assert sample["image"].size == (12, 10)
        assert [fact["value"] for fact in sample["attributes"]] == [fact["value"] for fact in line["attributes"]]
    assert not lines


def test_webdataset_is_read_by_webdataset(delivered: dict[str, Path]) -> None:
    webdataset = pytest.importorskip("webdataset")
    folder = delivered["webdataset"]
    source = webdataset.WebDataset(str(folder / "pictures-000000.tar"), shardshuffle=False).decode("pil")
    samples = list(source)
    assert len(samples) == PICTURES and len({sample["__key__"] for sample in samples}) == PICTURES
    for sample, line in zip(samples, manifest(folder), strict=True):
        assert sample["json"] == line and sample["txt"] == line["prompt"]
        assert sample[line["file_name"].rpartition(".")[2]].size == (12, 10)


def test_webdataset_splits_into_shards(approved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from catalog import exporters
    from catalog.exporters.webdataset import WebDatasetExporter

    monkeypatch.setattr(exporters, "FORMATS", {"webdataset": WebDatasetExporter(samples_a_shard=180)})
    with Catalog.open(approved) as catalog:
        folder = _export(catalog, "webdataset", out=tmp_path / "out").path
    assert sorted(path.name for path in folder.glob("*.tar")) == [f"pictures-00000{n}.tar" for n in range(3)]
    webdataset = pytest.importorskip("webdataset")
    shards = str(folder / "pictures-{000000..000002}.tar")
    assert sum(1 for _ in webdataset.WebDataset(shards, shardshuffle=False)) == PICTURES


def test_coco_is_read_by_pycocotools(delivered: dict[str, Path]) -> None:
    coco = pytest.importorskip("pycocotools.coco")
    folder = delivered["coco"]
    read = coco.COCO(str(folder / "captions.json"))
    lines = {line["item_id"]: line for line in manifest(folder)}
    assert sorted(read.getImgIds()) == sorted(lines)
    for image in read.loadImgs(read.getImgIds()):
        line = lines[image["id"]]
        with Image.open(folder / image["file_name"]) as opened:
            assert opened.size == (image["width"], image["height"])
        captions = [note["caption"] for note in read.loadAnns(read.getAnnIds(imgIds=[image["id"]]))]
        assert captions == [line["alt_text_en"], line["prompt"]]


@pytest.mark.parametrize(("file", "delimiter"), [("merchant.csv", ","), ("merchant.tsv", "\t")])
def test_merchant_feed_points_to_every_picture(delivered: dict[str, Path], file: str, delimiter: str) -> None:
    folder = delivered["merchant"]
    rows = table(folder / file, delimiter)
    assert list(rows[0]) == ["id", "image_link", "additional_image_link"]
    assert len({row["id"] for row in rows}) == len(rows)
    by_id = {row["id"]: [row["image_link"], *filter(None, row["additional_image_link"].split(","))] for row in rows}
    assert len(by_id["MUG-001"]) == 10 and len(by_id["MUG-000"]) == 4 and len(by_id["MUG-000-L"]) == 3
    urls = [url for links in by_id.values() for url in links]
    base = "https://cdn.example.com/a%2Cb/"
    assert {unquote(url.removeprefix(base)) for url in urls} == {line["file_name"] for line in manifest(folder)}
    assert len(urls) == PICTURES - UNNAMED
    left = Counter(row["reason"] for row in table(folder / "excluded.csv"))
    assert left == {"id_not_allowed": UNNAMED}


def test_merchant_feed_says_how_many_pictures_are_small(approved: Path) -> None:
    with Catalog.open(approved) as catalog:
        merchant, shopify = (_export(catalog, name, dry_run=True) for name in ("merchant", "shopify"))
        assert (merchant.small, merchant.asked_px) == (PICTURES - UNNAMED, 500) and not shopify.small
        with catalog.write() as session:
            session.execute(text("UPDATE image SET width = 500, height = 500 WHERE kind = 'generated'"))
        assert not _export(catalog, "merchant", dry_run=True).small
        with catalog.write() as session:
            session.execute(text("UPDATE image SET width = 12, height = 10 WHERE kind = 'generated'"))


def test_shopify_table_points_to_every_picture(delivered: dict[str, Path]) -> None:
    folder = delivered["shopify"]
    rows = table(folder / "shopify.csv")
    assert list(rows[0]) == ["Handle", "Title", "Image Src", "Image Position", "Image Alt Text"]
    assert len(rows) == PICTURES and all(row["Image Alt Text"] for row in rows)
    mug = [row for row in rows if row["Handle"] == "mug-001"]
    assert [row["Image Position"] for row in mug] == [str(number) for number in range(1, 11)]
    assert [row["Title"] for row in mug] == ["青いマグカップ", *[""] * 9]
    titles = {row["Handle"]: row["Title"] for row in rows if row["Title"]}
    assert titles["sum-a1"] == "Mug" and len(titles["a-b-c"]) == 255 and len(titles) == 50
    assert "マグカップ" in mug[0]["Image Alt Text"] and mug[0]["Image Src"].startswith(
        "https://cdn.example.com/a%2Cb/images/"
    )
    assert {"1-1", "sum-a1", "line-break", "bidi-1", "a-b-c", "etc-passwd"} <= {row["Handle"] for row in rows}


def test_summary_names_every_table_with_its_digest(delivered: dict[str, Path]) -> None:
    for name, folder in delivered.items():
        summary = json.loads((folder / "export.json").read_text())
        listed = {line["file_name"] for line in manifest(folder)}
        assert set(files_of(folder)) - listed == {*summary["files"], "export.json"}, name
        assert len(summary["log_hash"]) == 64 and summary["policy_version"] == 0
        assert "aki" not in (folder / "manifest.jsonl").read_text().replace("aking", "")
