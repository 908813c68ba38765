"""What a worker makes of one picture file."""

import hashlib
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from PIL import Image

from catalog.blobs import BlobStore
from catalog.decoding import take_picture
from catalog.paths import DumpFile
from catalog.workers import WorkerPool


def listed(path: Path) -> DumpFile:
    info = path.stat()
    return DumpFile(path=path.name, actual=path, size=info.st_size, mtime_ns=info.st_mtime_ns)


def write_png(path: Path, side_px: int, grey: bool = False) -> Path:
    """Write a black PNG of any size in little memory."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packer, row = zlib.compressobj(9), bytes(1 + side_px * (1 if grey else 3))
    rows = b"".join(packer.compress(row) for _ in range(side_px)) + packer.flush()
    header = struct.pack(">IIBBBBB", side_px, side_px, 8, 0 if grey else 2, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b""))
    return path


def test_take_picture_stores_the_file_and_describes_it(picture: Path, tmp_path: Path) -> None:
    taken = take_picture(listed(picture), str(tmp_path / "blobs"))
    digest = hashlib.sha256(picture.read_bytes()).hexdigest()
    assert taken.file_sha256 == digest and taken.reason == ""
    assert taken.row is not None
    assert (taken.row["sha256"], taken.row["width"], taken.row["height"]) == (digest, 48, 40)
    assert BlobStore(str(tmp_path / "blobs")).read(digest) == picture.read_bytes()


def test_take_picture_without_a_store_only_looks(picture: Path, tmp_path: Path) -> None:
    taken = take_picture(listed(picture), None)
    assert taken.row is not None
    assert [path.name for path in tmp_path.iterdir()] == [picture.name]


def test_take_picture_answers_with_a_code_for_what_is_no_picture(tmp_path: Path) -> None:
    page = tmp_path / "a.jpg"
    page.write_text("<html>404</html>")
    taken = take_picture(listed(page), None)
    assert (taken.reason, taken.row) == ("IMG_NOT_IMAGE", None) and len(taken.file_sha256) == 64
    missing = DumpFile(path="b.jpg", actual=tmp_path / "b.jpg", size=1, mtime_ns=1)
    assert (take_picture(missing, None).reason, take_picture(missing, None).file_sha256) == ("FILE_UNREADABLE", "")


def test_take_picture_is_the_same_in_a_worker(picture: Path) -> None:
    pool = WorkerPool(1)
    assert pool.submit(take_picture, listed(picture), None).result() == take_picture(listed(picture), None)
    pool.shutdown()


def test_hostile_pictures_stay_below_500_mb(tmp_path: Path) -> None:
    files = [write_png(tmp_path / "12000.png", 12_000, grey=True), write_png(tmp_path / "9900.png", 9_900)]
    pool = WorkerPool(1)
    reasons = [pool.submit(take_picture, listed(path), None).result().reason for path in files]
    # The status file is read by the worker itself, after the work.
    status = pool.submit(Path.read_text, Path("/proc/self/status")).result()
    pool.shutdown()
    peak_kb = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    assert reasons[0] == "IMG_BOMB"
    assert peak_kb * 1024 < 500_000_000


def test_worker_imports_no_database_and_no_dataframe(repository: Path) -> None:
    code = "import catalog.worker, catalog.decoding, sys; print(*sorted({m.partition('.')[0] for m in sys.modules}))"
    environment = {**os.environ, "PYTHONPATH": str(repository)}
    loaded = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert not {"sqlalchemy", "alembic", "pandas", "torch", "typer", "distributed"} & set(loaded.stdout.split())


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_take_picture_stores_what_is_not_plain_as_plain_pixels(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    Image.new("RGBA", (40, 40), (0, 0, 0, 0)).save(path)
    taken = take_picture(listed(path), str(tmp_path / "blobs"))
    assert taken.row is not None and taken.row["sha256"] != taken.file_sha256
    with BlobStore(str(tmp_path / "blobs")).open(taken.row["sha256"]) as file:
        assert Image.open(file).convert("RGB").getpixel((0, 0)) == (255, 255, 255)
