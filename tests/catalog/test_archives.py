"""Zips and tars as dumps and inside dumps: what is read from them, and what never is."""

import gzip
import io
import os
import pickle
import stat
import struct
import tarfile
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from catalog import archives
from catalog.dump_file import EntryUnreadable
from catalog.errors import IngestRefused, PathRefused
from catalog.ingest import ingest
from catalog.path_rules import name_encoding
from catalog.paths import Dump
from catalog.readers import read_dump
from catalog.store import Catalog
from catalog.sync import source_name

CONTENT = {"data.csv": b"code,name\n001,Mug\n", "001.jpg": b"\xff\xd8 picture"}


def zipped(path: Path, content: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in content.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 2, 3, 4, 6)), data, method)
    return path


def tarred(path: Path, content: Mapping[str, bytes], mode: str) -> Path:
    with tarfile.open(path, mode) as archive:
        for name, data in content.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(data), 1_700_000_000
            archive.addfile(info, io.BytesIO(data))
    return path


def codes(dump: Dump) -> list[str]:
    return [issue.reason for issue in dump.issues]


def raw_names(path: Path, names: Mapping[str, bytes]) -> Path:
    """Replace placeholder names in a zip by bytes of the same length, as tools without Unicode write them."""
    data = path.read_bytes()
    for placeholder, name in names.items():
        assert len(placeholder) == len(name) and placeholder.encode() in data
        data = data.replace(placeholder.encode(), name)
    path.write_bytes(data)
    return path


# --- reading -------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_zip_is_a_dump_whatever_its_compression(tmp_path: Path, method: int) -> None:
    dump = Dump(zipped(tmp_path / "dump.zip", CONTENT, method))
    assert {path: file.read(1 << 20) for path, file in dump.files.items()} == CONTENT
    assert source_name(dump.root, None) == "dump"
    assert dump.files["data.csv"].read(3) == b"code"


@pytest.mark.parametrize("end", ["", ":gz", ":bz2", ":xz"])
def test_tar_is_a_dump_whatever_its_compression(tmp_path: Path, end: str) -> None:
    name = f"shop.tar{end.replace(':', '.')}"
    dump = Dump(tarred(tmp_path / name, CONTENT, f"w{end}"))
    assert {path: file.read(1 << 20) for path, file in dump.files.items()} == CONTENT
    assert source_name(dump.root, None) == "shop"


def test_entries_are_read_in_other_processes_without_the_dump(tmp_path: Path) -> None:
    dump = Dump(zipped(tmp_path / "dump.zip", CONTENT))
    file = pickle.loads(pickle.dumps(dump.files["001.jpg"]))
    assert file.read(1 << 20) == CONTENT["001.jpg"]
    assert (file.suffix, file.stem, file.folder) == (".jpg", "001", "")


def test_archive_inside_a_folder_is_read_in_its_place(tmp_path: Path) -> None:
    zipped(tmp_path / "img.zip", {"001.jpg": b"one", "sub/002.jpg": b"two"})
    (tmp_path / "data.csv").write_text("code,name\n001,Mug\n")
    dump = Dump(tmp_path)
    assert sorted(dump.files) == ["data.csv", "img.zip/001.jpg", "img.zip/sub/002.jpg"]
    for written in ("001.jpg", "/001.jpg", "img/001.jpg", "img.zip/001.jpg", "https://shop.example/x/001.jpg"):
        assert dump.resolve(written).read(10) == b"one"
    assert dump.resolve("img/sub/002.jpg").container == "img.zip"
    assert dump.archives == {"img.zip": 2} and not dump.ignored


def test_pictures_in_an_archive_join_the_table_beside_it(tmp_path: Path) -> None:
    zipped(tmp_path / "img.zip", {"001.jpg": b"one", "002.jpg": b"two"})
    (tmp_path / "data.csv").write_text("code,name,image\n001,Mug,001.jpg\n002,Cup,002.jpg\n")
    products = read_dump(Dump(tmp_path)).products
    assert [[picture.path for picture in product.pictures] for product in products] == [
        ["img.zip/001.jpg"],
        ["img.zip/002.jpg"],
    ]


def test_one_top_folder_is_taken_off_and_a_mapping_inside_is_found(tmp_path: Path) -> None:
    content = {**CONTENT, "mapping.toml": b"[wrong]\n"}
    dump = Dump(zipped(tmp_path / "x.zip", {f"export/{name}": data for name, data in content.items()}))
    assert sorted(dump.files) == ["001.jpg", "data.csv", "mapping.toml"]
    with pytest.raises(IngestRefused, match=r"mapping\.toml.*wrong"):
        read_dump(dump)


def test_a_top_folder_that_may_be_the_product_stays(tmp_path: Path) -> None:
    dump = Dump(zipped(tmp_path / "x.zip", {"chair/front.jpg": b"1", "chair/back.jpg": b"2"}))
    assert [product.sku for product in read_dump(dump).products] == ["chair"]


def test_an_archive_that_lies_unpacked_beside_it_is_not_read_twice(tmp_path: Path) -> None:
    zipped(tmp_path / "img.zip", {"001.jpg": b"one"})
    (tmp_path / "img").mkdir()
    (tmp_path / "img" / "001.jpg").write_bytes(b"one")
    dump = Dump(tmp_path)
    assert list(dump.files) == ["img/001.jpg"] and codes(dump) == ["ZIP_UNPACKED"]


def test_temporary_files_are_gone_with_the_dump(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = tmp_path / "spool"
    spool.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(spool))
    dump = Dump(tarred(tmp_path / "dump.tar.gz", CONTENT, "w:gz"))
    assert list(spool.rglob("*"))
    del dump
    assert not list(spool.iterdir())


# --- changes -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz"])
def test_an_unchanged_archive_has_unchanged_times_and_an_edited_entry_another(tmp_path: Path, kind: str) -> None:
    def times(picture: bytes) -> dict[str, tuple[int, int]]:
        path = tmp_path / f"d.{kind}"
        content = {**CONTENT, "001.jpg": picture}
        if kind == "zip":
            zipped(path, content)
        else:
            tarred(path, content, "w:gz" if kind == "tar.gz" else "w")
        os.utime(path, ns=(0, time.monotonic_ns()))
        return {name: (file.size, file.mtime_ns) for name, file in Dump(path).files.items()}

    first = times(b"aaaa")
    again = {name: (file.size, file.mtime_ns) for name, file in Dump(tmp_path / f"d.{kind}").files.items()}
    edited = times(b"bbbb")
    assert first == again
    assert first["001.jpg"] != edited["001.jpg"]
    if kind != "tar":  # which keeps no checksum, so that a new one is read again
        assert first["data.csv"] == edited["data.csv"]


# --- names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "encoding"),
    [
        ("ガラス_プレート.jpg", "cp932"),
        ("椅子①.jpg", "cp932"),
        ("皿.jpg", "cp932"),
        ("Möbel.jpg", "cp437"),
        ("Stühle.jpg", "cp437"),
        ("chaise_été.jpg", "cp437"),
        ("ガラス.jpg", "utf-8"),
        ("Küche.jpg", "utf-8"),
    ],
)
def test_names_without_a_unicode_mark_are_decoded_by_what_they_yield(tmp_path: Path, name: str, encoding: str) -> None:
    raw = name.encode(encoding)
    placeholder = "x" * len(raw)
    path = raw_names(zipped(tmp_path / "d.zip", {placeholder: b"1"}), {placeholder: raw})
    assert list(Dump(path).files) == [name]
    assert name_encoding([raw]) == encoding


def test_names_of_one_archive_are_decoded_together() -> None:
    assert name_encoding(["皿.jpg".encode("cp932"), "ガラスの皿.jpg".encode("cp932"), b"a.jpg"]) == "cp932"
    assert name_encoding(["été.jpg".encode("cp437"), "Möbel.jpg".encode("cp437")]) == "cp437"


def test_names_are_composed_and_backslashes_separate(tmp_path: Path) -> None:
    content = {"カ\u3099ラス.jpg": b"1", "sub\\a.jpg": b"2"}
    dump = Dump(zipped(tmp_path / "d.zip", content))
    assert sorted(dump.files) == ["sub/a.jpg", "ガラス.jpg"]


def test_tar_names_in_cp932_are_read(tmp_path: Path) -> None:
    path = tmp_path / "d.tar"
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT, encoding="cp932") as archive:
        archive.addfile(tarfile.TarInfo("ガラス.jpg"), io.BytesIO())
    assert list(Dump(path).files) == ["ガラス.jpg"]


def test_a_japanese_dump_joins_across_encodings_and_normal_forms(tmp_path: Path) -> None:
    raw = "ガラス皿.jpg".encode("cp932")
    placeholder = "y" * len(raw)
    raw_names(zipped(tmp_path / "画像.zip", {placeholder: b"1"}), {placeholder: raw})
    (tmp_path / "フ\u309aレート.jpg").write_bytes(b"2")
    table = "商品コード,商品名,素材,商品画像\n0001,ガラス皿,ガラス,ガラス皿.jpg\n0002,皿,木,プレート.jpg\n"
    (tmp_path / "item.csv").write_bytes(table.encode("cp932"))
    catalogue = read_dump(Dump(tmp_path))
    assert {product.sku: [shown.path for shown in product.pictures] for product in catalogue.products} == {
        "0001": ["画像.zip/ガラス皿.jpg"],
        "0002": ["プレート.jpg"],
    }
    assert not catalogue.issues


# --- refused -------------------------------------------------------------------------------------


def test_junk_is_not_read_and_its_names_are_kept(tmp_path: Path) -> None:
    junk = ["__MACOSX/._001.jpg", ".DS_Store", "sub/Thumbs.db", "~$book.xlsx"]
    dump = Dump(zipped(tmp_path / "d.zip", {**CONTENT, **dict.fromkeys(junk, b"x")}))
    assert set(dump.files) == set(CONTENT) and set(junk) == set(dump.ignored)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("../evil.jpg", "FILE_ESCAPES_ROOT"),
        ("a/../../evil.jpg", "FILE_ESCAPES_ROOT"),
        ("/etc/evil.jpg", "FILE_ESCAPES_ROOT"),
        ("\\evil.jpg", "FILE_ESCAPES_ROOT"),
        ("C:\\evil.jpg", "FILE_ESCAPES_ROOT"),
        ("inner.zip", "ZIP_NESTED"),
        ("deep/inner.tar.gz", "ZIP_NESTED"),
        ("more.rar", "ZIP_NESTED"),
    ],
)
@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz"])
def test_hostile_entries_are_refused_with_a_code(tmp_path: Path, name: str, code: str, kind: str) -> None:
    content = {**CONTENT, name: b"x"}
    path = tmp_path / f"d.{kind}"
    archive = zipped(path, content) if kind == "zip" else tarred(path, content, "w:gz" if kind == "tar.gz" else "w")
    dump = Dump(archive)
    assert set(dump.files) == set(CONTENT)
    assert codes(dump) == [code] and len(dump.ignored) == 1
    assert "evil" in dump.issues[0].detail or "inner" in dump.issues[0].detail or "more" in dump.issues[0].detail


def test_links_and_devices_in_archives_are_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "d.zip", CONTENT)
    with zipfile.ZipFile(path, "a") as archive:
        link = zipfile.ZipInfo("link.jpg")
        link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    assert codes(Dump(path)) == ["FILE_ESCAPES_ROOT"]
    with tarfile.open(tmp_path / "d.tar", "w") as tar:
        for name, kind in (("s.jpg", tarfile.SYMTYPE), ("h.jpg", tarfile.LNKTYPE), ("p.jpg", tarfile.FIFOTYPE)):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            tar.addfile(info)
        tar.addfile(tarfile.TarInfo("a.jpg"), io.BytesIO())
    dump = Dump(tmp_path / "d.tar")
    assert list(dump.files) == ["a.jpg"] and "3 entries" in dump.issues[0].detail


def test_a_second_name_of_a_tar_entry_is_the_same_file(tmp_path: Path) -> None:
    path = tarred(tmp_path / "d.tar", CONTENT, "w")
    with tarfile.open(path, "a") as tar:
        info = tarfile.TarInfo("again.jpg")
        info.type, info.linkname = tarfile.LNKTYPE, "001.jpg"
        tar.addfile(info)
    assert Dump(path).files["again.jpg"].read(99) == CONTENT["001.jpg"]


def test_encrypted_entries_are_refused_with_advice(tmp_path: Path) -> None:
    path = zipped(tmp_path / "d.zip", CONTENT)
    data = bytearray(path.read_bytes())
    at = data.rfind(b"PK\x01\x02")
    data[at + 8] |= 1
    path.write_bytes(bytes(data))
    dump = Dump(path)
    assert codes(dump) == ["ZIP_ENCRYPTED"] and "without" in dump.issues[0].detail and len(dump.files) == 1


def test_a_packed_bomb_is_refused_and_a_small_repetitive_file_is_not(tmp_path: Path) -> None:
    white, bomb = b"\0" * (1 << 20), b"\0" * (40 << 20)
    dump = Dump(zipped(tmp_path / "d.zip", {"white.bmp": white, "bomb.csv": bomb}))
    assert list(dump.files) == ["white.bmp"] and codes(dump) == ["ZIP_LIMIT"]


def test_an_archive_beyond_its_limits_is_refused_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "RATIO_FLOOR", 1 << 20)
    zeros = b"\0" * (20 << 20)
    with pytest.raises(IngestRefused, match=r"ZIP_LIMIT.*bomb"):
        Dump(zipped(tmp_path / "d.zip", {"a.csv": zeros}))
    with pytest.raises(IngestRefused, match=r"ZIP_LIMIT.*bomb"):
        Dump(tarred(tmp_path / "d.tar.bz2", {"a.csv": zeros}, "w:bz2"))
    monkeypatch.setattr(archives, "MAX_ENTRIES", 3)
    many = {f"{number}.jpg": b"" for number in range(9)}
    for path in (zipped(tmp_path / "m.zip", many), tarred(tmp_path / "m.tar", many, "w")):
        with pytest.raises(IngestRefused, match=r"ZIP_LIMIT.*3 entries"):
            Dump(path)


def test_entries_that_share_bytes_are_a_bomb(tmp_path: Path) -> None:
    path = zipped(tmp_path / "d.zip", {"a.jpg": os.urandom(5000), "b.jpg": b"1"}, zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())
    at = data.rfind(b"PK\x01\x02")
    struct.pack_into("<II", data, at + 20, 5000, 5000)
    path.write_bytes(bytes(data))
    with pytest.raises(IngestRefused, match="share bytes"):
        Dump(path)


@pytest.mark.parametrize("cut", [0.3, 0.9])
def test_a_zip_cut_short_says_so(tmp_path: Path, cut: float) -> None:
    path = zipped(tmp_path / "in" / "img.zip", {"a.jpg": os.urandom(2000)})
    path.write_bytes(path.read_bytes()[: int(2000 * cut)])
    with pytest.raises(IngestRefused, match=r"ZIP_DAMAGED.*cut short"):
        Dump(path)
    (path.parent / "b.jpg").write_bytes(b"1")
    dump = Dump(path.parent)
    assert codes(dump) == ["ZIP_DAMAGED"] and list(dump.files) == ["b.jpg"] and dump.ignored["img.zip"] == "ZIP_DAMAGED"


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_a_tar_cut_short_gives_what_came_before(tmp_path: Path, mode: str) -> None:
    content = {f"{number}.jpg": os.urandom(20_000) for number in range(5)}
    path = tarred(tmp_path / ("d.tar" + mode[1:].replace(":", ".")), content, mode)
    path.write_bytes(path.read_bytes()[:50_000])
    dump = Dump(path)
    assert list(dump.files) == ["0.jpg", "1.jpg"] and codes(dump) == ["ZIP_DAMAGED"]
    assert dump.files["1.jpg"].read(1 << 20) == content["1.jpg"]


def test_a_wrong_checksum_is_an_error_of_that_entry(tmp_path: Path) -> None:
    path = zipped(tmp_path / "d.zip", {"a.jpg": b"A" * 500, "b.jpg": b"B"}, zipfile.ZIP_STORED)
    path.write_bytes(path.read_bytes().replace(b"A" * 500, b"A" * 499 + b"Z"))
    files = Dump(path).files
    with pytest.raises(EntryUnreadable, match="CRC") as caught:
        files["a.jpg"].read(1 << 20)
    assert caught.value.code == "ZIP_DAMAGED" and isinstance(caught.value, OSError)
    assert files["b.jpg"].read(1 << 20) == b"B"


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_a_tar_entry_of_negative_size_ends_the_listing(tmp_path: Path, mode: str) -> None:
    info = tarfile.TarInfo("back.jpg")
    info.size = -512
    good = tarfile.TarInfo("a.jpg")
    data = good.tobuf(tarfile.GNU_FORMAT) + info.tobuf(tarfile.GNU_FORMAT) + bytes(1024)
    path = tmp_path / "d.tar"
    path.write_bytes(data if mode == "w" else gzip.compress(data))
    with pytest.raises(IngestRefused, match="ZIP_DAMAGED"):
        Dump(path)


def test_times_beyond_a_database_are_cut(tmp_path: Path) -> None:
    path = tmp_path / "d.tar"
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as tar:
        info = tarfile.TarInfo("a.jpg")
        info.mtime = 1 << 60
        tar.addfile(info, io.BytesIO())
    assert 0 < Dump(path).files["a.jpg"].mtime_ns < 1 << 63


def test_what_is_named_zip_and_is_none_is_an_issue(tmp_path: Path) -> None:
    (tmp_path / "img.zip").write_bytes(b"<html>404</html>")
    (tmp_path / "a.jpg").write_bytes(b"1")
    assert codes(Dump(tmp_path)) == ["ZIP_UNSUPPORTED"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    names=st.lists(st.text(alphabet="a./\\:ガé~_", min_size=1, max_size=12), max_size=6, unique=True),
    cut=st.integers(0, 200),
    flips=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=4),
)
def test_any_zip_gives_files_issues_or_a_refusal(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], cut: int, flips: list[tuple[int, int]]
) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzz.zip"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(zipfile.ZipInfo(name), b"data")
    data = bytearray(buffer.getvalue()[: len(buffer.getvalue()) - (cut if cut > 100 else 0)])
    for at, value in flips:
        if at < len(data):
            data[at] = value
    path.write_bytes(bytes(data))
    try:
        dump = Dump(path)
    except IngestRefused as refusal:
        assert "\n" not in str(refusal)
        return
    for listed, file in dump.files.items():
        assert ".." not in listed.split("/") and not listed.startswith("/") and file.actual == dump.root
        try:
            assert dump.resolve(listed).path == listed
        except PathRefused as error:
            assert error.code in ("FILE_ESCAPES_ROOT", "FILE_BAD_PATH")
        try:
            file.read(100)
        except OSError as error:
            assert str(error)


# --- end to end ----------------------------------------------------------------------------------


def test_an_ingest_of_a_zip_decodes_nothing_the_second_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def png(colour: str) -> bytes:
        out = io.BytesIO()
        Image.new("RGB", (96, 96), colour).save(out, "PNG")
        return out.getvalue()

    content = {
        "data.csv": "商品コード,商品名,画像\n01,マグ,01.png\n02,皿,02.png\n".encode("cp932"),
        "01.png": png("red"),
        "02.png": png("blue"),
        ".DS_Store": b"1",
    }
    archive = zipped(tmp_path / "shop.zip", content)
    with Catalog.open(tmp_path / "ws") as catalog:
        first = ingest(catalog, archive)
        assert (first.source, first.products_added, first.images_added) == ("shop", 2, 2)

        def never(*_: object, **__: object) -> None:
            raise AssertionError("decoded again")

        monkeypatch.setattr("catalog.images.decode", never)
        again = ingest(catalog, archive)
        assert (again.products_unchanged, again.images_added, again.quarantined) == (2, 0, 0)
