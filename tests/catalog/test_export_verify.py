"""A delivery proves itself without its catalogue: whatever is changed in it, one line says what."""

import hashlib
import io
import json
import os
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from approved_pictures import Thing, approve, draw
from PIL import Image

from catalog import export
from catalog.errors import ExportRefused
from catalog.exporters import FORMATS
from catalog.store import Catalog

BASE = "https://cdn.example.com/p"


@pytest.fixture
def approved(tmp_path: Path) -> Path:
    workspace = draw(tmp_path / "workspace", (Thing(sku="MUG-1"), Thing(sku="MUG-2")), 3)
    with Catalog.open(workspace) as catalog:
        approve(catalog, range(1, 7), by=("aki", "bo"))
    return workspace


@pytest.fixture
def deliver(approved: Path) -> Callable[..., Path]:
    def make(format: str = "folder", **options: object) -> Path:
        base = BASE if FORMATS[format].needs_base_url else ""
        with Catalog.open(approved) as catalog:
            return export.export(catalog, format=format, base_url=base, **options).path  # type: ignore[arg-type]

    return make


def restate(folder: Path, name: str) -> None:
    """Write a changed file's digest into the summary, as somebody who hides a change would."""
    summary = json.loads((folder / "export.json").read_text())
    summary["files"][name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    (folder / "export.json").write_text(json.dumps(summary))


@pytest.mark.parametrize("format", list(FORMATS))
def test_verify_finds_a_change_in_any_file(deliver: Callable[..., Path], format: str) -> None:
    folder = deliver(format)
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "export.json"):
        before = path.read_bytes()
        name = path.relative_to(folder).as_posix()
        path.write_bytes(before + b"x")
        assert f"{name}: changed since the export" in export.verify(folder).problems, name
        path.unlink()
        assert f"{name}: missing" in export.verify(folder).problems, name
        path.write_bytes(before)
        assert export.verify(folder).ok
        (path.parent / "extra.txt").write_bytes(b"")
        assert [problem.rpartition(": ")[2] for problem in export.verify(folder).problems] == ["not in the manifest"]
        (path.parent / "extra.txt").unlink()


@pytest.mark.parametrize(
    ("format", "table", "old", "new"),
    [
        ("folder", "manifest.csv", "images/MUG-1_000001", "images/MUG-1_000009"),
        ("imagefolder", "metadata.jsonl", "images/MUG-1_000001", "images/MUG-1_000009"),
        ("coco", "captions.json", "images/MUG-1_000001", "images/MUG-1_000009"),
        ("shopify", "shopify.csv", "images/MUG-1_000001", "images/MUG-1_000009"),
        ("shopify", "shopify.csv", f"{BASE}/", "https://elsewhere.example.com/"),
        ("coco", "captions.json", "],\n", ","),
    ],
)
def test_verify_reads_the_tables_and_not_their_digests_alone(
    deliver: Callable[..., Path], format: str, table: str, old: str, new: str
) -> None:
    folder = deliver(format)
    text = (folder / table).read_text()
    assert old in text
    (folder / table).write_text(text.replace(old, new, 1))
    restate(folder, table)
    (problem,) = export.verify(folder).problems
    assert problem.startswith(f"{table}: ") and "\n" not in problem


def test_verify_reads_both_forms_of_the_merchant_feed(deliver: Callable[..., Path]) -> None:
    folder = deliver("merchant")
    (folder / "merchant.tsv").write_text((folder / "merchant.tsv").read_text().replace("MUG-2", "MUG-3"))
    restate(folder, "merchant.tsv")
    (problem,) = export.verify(folder).problems
    assert "merchant.csv and merchant.tsv differ" in problem


def test_verify_finds_an_archive_whose_samples_are_not_whole(deliver: Callable[..., Path]) -> None:
    folder = deliver("webdataset")
    shard = folder / "pictures-000000.tar"
    with tarfile.open(shard) as archive:
        members = [(member, archive.extractfile(member).read()) for member in archive]  # type: ignore[union-attr]
    with tarfile.open(shard, "w") as archive:
        for member, data in members[:-1]:
            archive.addfile(member, io.BytesIO(data))
    restate(folder, shard.name)
    (problem,) = export.verify(folder).problems
    assert "is not whole" in problem


def test_verify_finds_a_picture_that_lost_its_mark(deliver: Callable[..., Path]) -> None:
    folder = deliver()
    path = next((folder / "images").glob("*.png"))
    with Image.open(path) as opened:
        Image.fromarray(np.asarray(opened)).save(path)
    lines = [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]
    for line in lines:
        if line["file_name"].endswith(path.name):
            line["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    (folder / "manifest.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    restate(folder, "manifest.jsonl")
    assert export.verify(folder).problems == (f"images/{path.name}: carries no provenance mark",)


@pytest.mark.parametrize("name", ["../secret.png", "/etc/passwd", "images/../../secret.png", "a\\b", 3, None])
def test_verify_never_leaves_the_folder(deliver: Callable[..., Path], name: object) -> None:
    folder = deliver()
    line = {**json.loads((folder / "manifest.jsonl").read_text().splitlines()[0]), "file_name": name}
    (folder / "manifest.jsonl").write_text(json.dumps(line) + "\n")
    restate(folder, "manifest.jsonl")
    assert "manifest.jsonl: cannot be read after 0 pictures" in export.verify(folder).problems


def test_verify_follows_no_link(deliver: Callable[..., Path], tmp_path: Path) -> None:
    folder = deliver()
    path = next((folder / "images").iterdir())
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert export.verify(folder).problems == (f"images/{path.name}: missing",)


@pytest.mark.parametrize(
    "summary",
    ["", "{", "[]", "{}", '{"format_version": 2, "format": "zip", "files": {}}',
     '{"format_version": 2, "format": "folder", "files": {"manifest.jsonl": 3, "excluded.csv": ""}}',
     '{"format_version": 2, "format": "folder", "files": {"manifest.jsonl": "", "excluded.csv": "", "../x": ""}}'],
)  # fmt: skip
def test_verify_refuses_a_damaged_summary(deliver: Callable[..., Path], summary: str) -> None:
    folder = deliver()
    (folder / "export.json").write_text(summary)
    with pytest.raises(
        ExportRefused, match=r"is no complete delivery: export.json is missing or damaged; export again"
    ):
        export.verify(folder)


@pytest.mark.parametrize("content", ["[" * 100_000, '{"a": ' * 100_000])
def test_verify_refuses_a_summary_that_is_nested_too_deep(deliver: Callable[..., Path], content: str) -> None:
    folder = deliver()
    (folder / "export.json").write_text(content)
    with pytest.raises(ExportRefused, match=r"export\.json is missing or damaged"):
        export.verify(folder)


def test_verify_misses_the_list_of_what_was_left_out(deliver: Callable[..., Path]) -> None:
    folder = deliver()
    summary = json.loads((folder / "export.json").read_text())
    del summary["files"]["excluded.csv"]
    (folder / "export.json").write_text(json.dumps(summary))
    (folder / "excluded.csv").unlink()
    with pytest.raises(ExportRefused, match=r"export\.json is missing or damaged"):
        export.verify(folder)


@pytest.mark.parametrize("name", ["export.json", "manifest.jsonl", "manifest.csv", "images/MUG-1_000001.png", "more"])
@pytest.mark.parametrize("listed", [True, False])
def test_verify_opens_no_pipe(deliver: Callable[..., Path], name: str, listed: bool) -> None:
    folder = deliver()
    if not listed and name == "manifest.csv":
        summary = json.loads((folder / "export.json").read_text())
        del summary["files"][name]
        (folder / "export.json").write_text(json.dumps(summary))
    (folder / name).unlink(missing_ok=True)
    os.mkfifo(folder / name)
    if name == "export.json":
        with pytest.raises(ExportRefused, match=r"export\.json is missing or damaged"):
            export.verify(folder)
    else:
        problems = export.verify(folder).problems
        assert any(problem.startswith(f"{name}: ") for problem in problems), problems


def test_verify_opens_no_pipe_in_the_place_of_an_archive(deliver: Callable[..., Path]) -> None:
    folder = deliver("webdataset")
    (folder / "pictures-000000.tar").unlink()
    os.mkfifo(folder / "pictures-000000.tar")
    assert "pictures-000000.tar: missing" in export.verify(folder).problems


@pytest.mark.parametrize(
    ("format", "table", "content"),
    [
        ("folder", "manifest.csv", "file_name\n" + "x" * 200_000 + "\n"),
        ("folder", "manifest.csv", "file_name\na\0\n"),
        ("imagefolder", "metadata.jsonl", "[" * 100_000),
        ("coco", "captions.json", '"images": [\n' + "[" * 100_000 + "\n],\n"),
        ("shopify", "shopify.csv", "Image Src\n" + "x" * 200_000 + "\n"),
    ],
)
def test_verify_names_a_table_that_cannot_be_read(
    deliver: Callable[..., Path], format: str, table: str, content: str
) -> None:
    folder = deliver(format)
    (folder / table).write_text(content)
    restate(folder, table)
    (problem,) = export.verify(folder).problems
    assert problem.startswith(f"{table}: ") and "\n" not in problem and len(problem) < 500


def test_verify_names_a_manifest_that_is_nested_too_deep(deliver: Callable[..., Path]) -> None:
    folder = deliver()
    (folder / "manifest.jsonl").write_text("[" * 100_000 + "\n")
    restate(folder, "manifest.jsonl")
    assert "manifest.jsonl: cannot be read after 0 pictures" in export.verify(folder).problems


@pytest.mark.parametrize("name", ["x" * 5000, "images/" + "x" * 5000, "a\ud800", "a\nb"])
def test_verify_says_a_strange_name_in_one_line(deliver: Callable[..., Path], name: str) -> None:
    folder = deliver()
    lines = [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]
    lines[0]["file_name"] = name
    (folder / "manifest.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    restate(folder, "manifest.jsonl")
    problems = export.verify(folder).problems
    assert any(problem.startswith(name[:1]) and problem.endswith(": missing") for problem in problems), problems
    assert all("\n" not in problem and len(problem) < 500 and problem.isprintable() for problem in problems)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_verify_follows_no_link_in_an_archive(deliver: Callable[..., Path], kind: bytes) -> None:
    folder = deliver("webdataset")
    shard = folder / "pictures-000000.tar"
    with tarfile.open(shard) as archive:
        members = [(member, archive.extractfile(member).read()) for member in archive]  # type: ignore[union-attr]
    with tarfile.open(shard, "w") as archive:
        for number, (member, data) in enumerate(members):
            if number == 0:
                member.type, member.linkname, member.size = kind, member.name, 0
            archive.addfile(member, io.BytesIO(data))
    restate(folder, shard.name)
    assert export.verify(folder).problems == (f"{shard.name}/{members[0][0].name}: missing",)


def test_verify_takes_a_long_name_for_no_folder(tmp_path: Path) -> None:
    with pytest.raises(ExportRefused, match="no folder") as caught:
        export.verify(tmp_path / ("x" * 5000))
    assert len(str(caught.value)) < 500


def test_verify_refuses_a_delivery_of_another_release(deliver: Callable[..., Path]) -> None:
    folder = deliver()
    (folder / "export.json").write_text('{"format_version": 9}')
    with pytest.raises(ExportRefused, match=r"of version 9, this release checks 2; export again"):
        export.verify(folder)


# --- signed ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    pytest.importorskip("c2pa")
    from signing_pair import signing_pair

    return signing_pair(tmp_path_factory.mktemp("pair"))


@pytest.mark.parametrize("format", list(FORMATS))
def test_signed_delivery_verifies_in_every_format(
    deliver: Callable[..., Path], pair: tuple[Path, Path], format: str
) -> None:
    folder = deliver(format, c2pa=pair)
    found = export.verify(folder)
    assert (found.ok, found.verified, found.signed) == (True, 6, True)
    assert not [path for path in folder.rglob("*") if path.is_file() and b"aki" in path.read_bytes()]


def test_signed_delivery_has_the_same_pixels_and_fields_twice(
    deliver: Callable[..., Path], pair: tuple[Path, Path]
) -> None:
    first, second = deliver(c2pa=pair), deliver(c2pa=pair)
    lines = [[json.loads(line) for line in (made / "manifest.jsonl").open()] for made in (first, second)]
    for line, again in zip(*lines, strict=True):
        with Image.open(first / line["file_name"]) as one, Image.open(second / again["file_name"]) as other:
            assert np.array_equal(np.asarray(one), np.asarray(other))
        assert {**line, "sha256": ""} == {**again, "sha256": ""}


def test_signed_delivery_that_was_stopped_keeps_its_signatures(
    approved: Path, pair: tuple[Path, Path], tmp_path: Path
) -> None:
    def stop(description: str, done: float, total: float | None) -> None:
        if done == 4:
            raise KeyboardInterrupt

    with Catalog.open(approved) as catalog:
        with pytest.raises(KeyboardInterrupt):
            export.export(catalog, out=tmp_path / "out", c2pa=pair, progress=stop)
        assert export.export(catalog, out=tmp_path / "out", c2pa=pair).reused == 4
    assert export.verify(tmp_path / "out").signed


def test_signed_delivery_needs_the_extra_to_be_checked(
    deliver: Callable[..., Path], pair: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = deliver(c2pa=pair)
    monkeypatch.setitem(sys.modules, "c2pa", None)
    with pytest.raises(ExportRefused, match=r"pip install 'adapt\[c2pa\]'"):
        export.verify(folder)


def test_verify_finds_a_review_that_was_not_signed(deliver: Callable[..., Path], pair: tuple[Path, Path]) -> None:
    folder = deliver(c2pa=pair)
    lines = [json.loads(line) for line in (folder / "manifest.jsonl").open()]
    lines[0]["approvals"] = 5
    (folder / "manifest.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    restate(folder, "manifest.jsonl")
    assert export.verify(folder).problems == (f"{lines[0]['file_name']}: its C2PA signature is about another review",)
