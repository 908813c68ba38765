"""Zip and tar files that must not write, read or swell beyond what they may; each also holds a sound picture."""

import io
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from hostile.building import motif, saved

SOUND = "pictures/a.png"
_SYMLINK = (stat.S_IFLNK | 0o777) << 16


@dataclass(frozen=True, kw_only=True)
class ArchiveCase:
    """An archive file, and what listing it must give."""

    name: str
    """File name with its suffix."""
    write: Callable[[Path], None]
    files: frozenset[str] = frozenset({SOUND})
    """Paths inside the archive that may be read, all of them."""
    issues: frozenset[str] = frozenset()
    """Codes of what is not read."""
    refused: str = ""
    """Code with which the archive as a whole is refused."""


def picture() -> bytes:
    return saved(motif(), "PNG")


def _zip(entries: Mapping[str, bytes], **attributes: int) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(SOUND, picture())
            for name, data in entries.items():
                info = zipfile.ZipInfo("placeholder")
                info.filename = name  # the constructor would cut at NUL and turn separators
                info.compress_type = zipfile.ZIP_DEFLATED
                info.external_attr = attributes.get("external_attr", 0o644 << 16)
                archive.writestr(info, data)

    return write


def _tar(*members: tuple[tarfile.TarInfo, bytes], mode: str = "w") -> Callable[[Path], None]:
    def write(path: Path) -> None:
        with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
            for info, data in ((tarfile.TarInfo(SOUND), picture()), *members):
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))

    return write


def _member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def _swelling(path: Path) -> None:
    """A zip whose entry unpacks to a thousand times its size, written without holding it."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr(SOUND, picture())
        with archive.open("swells.png", "w", force_zip64=True) as entry:
            piece = bytes(1 << 20)
            for _ in range(300):
                entry.write(piece)


def _lying(path: Path) -> None:
    """A zip that promises ten bytes for an entry that unpacks to ten million."""
    data = bytes(10_000_000)
    _zip({"lies.png": data})(path)
    raw = path.read_bytes()
    path.write_bytes(raw.replace(struct.pack("<I", len(data)), struct.pack("<I", 10)))


def _overlapping(path: Path) -> None:
    """A zip whose directory names one entry's bytes two thousand times, as the densest bombs do."""
    body = zlib.compress(bytes(5_000_000), 9)[2:-4]
    crc = zlib.crc32(bytes(5_000_000))
    name = b"x0000.png"
    common = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 33, crc, len(body), 5_000_000, len(name), 0)
    local = b"PK\x03\x04" + common + name + body
    directory = b"".join(
        b"PK\x01\x02" + struct.pack("<H", 20) + common + bytes(14) + b"x%04d.png" % number for number in range(2_000)
    )
    end = struct.pack("<HHHHIIH", 0, 0, 2_000, 2_000, len(directory), len(local), 0)
    path.write_bytes(local + directory + b"PK\x05\x06" + end)


def _cut(write: Callable[[Path], None], share: float) -> Callable[[Path], None]:
    def cut(path: Path) -> None:
        write(path)
        data = path.read_bytes()
        path.write_bytes(data[: int(len(data) * share)])

    return cut


def _web_page(path: Path) -> None:
    path.write_bytes(b"<html>404 Not Found</html>")


def _inner_zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("deeper.png", picture())
    return out.getvalue()


def _case(name: str, write: Callable[[Path], None], *issues: str, files: tuple[str, ...] = ()) -> ArchiveCase:
    return ArchiveCase(name=name, write=write, issues=frozenset(issues), files=frozenset({SOUND, *files}))


def _refused(name: str, write: Callable[[Path], None], code: str) -> ArchiveCase:
    return ArchiveCase(name=name, write=write, refused=code, files=frozenset())


ZIPS = [
    _case("parent.zip", _zip({"../../escaped.png": b"x"}), "FILE_ESCAPES_ROOT"),
    _case("parent-backslashes.zip", _zip({"..\\..\\escaped.png": b"x"}), "FILE_ESCAPES_ROOT"),
    _case("parent-inside.zip", _zip({"pictures/../../escaped.png": b"x"}), "FILE_ESCAPES_ROOT"),
    _case("drive.zip", _zip({"C:\\x\\y.jpg": b"x"}), "FILE_ESCAPES_ROOT"),
    _case("unc.zip", _zip({"\\\\server\\share\\y.jpg": b"x"}), "FILE_ESCAPES_ROOT"),
    _case("link.zip", _zip({"link.png": b"/etc/passwd"}, external_attr=_SYMLINK), "FILE_ESCAPES_ROOT"),
    _refused("swelling.zip", _swelling, "ZIP_LIMIT"),
    _case("in-a-zip.zip", _zip({"inner.zip": _inner_zip()}), "ZIP_NESTED"),
    _refused("overlapping.zip", _overlapping, "ZIP_LIMIT"),
    _refused("cut.zip", _cut(_zip({"b.png": bytes(range(256)) * 40}), 0.6), "ZIP_DAMAGED"),
    _refused("no-archive.zip", _web_page, "ZIP_UNSUPPORTED"),
]

TARS = [
    _case("parent.tar", _tar((_member("../../escaped.png"), b"x")), "FILE_ESCAPES_ROOT"),
    _case("link.tar", _tar((_member("link.png", tarfile.SYMTYPE, "/etc/passwd"), b"")), "FILE_ESCAPES_ROOT"),
    _case("link-up.tar", _tar((_member("link.png", tarfile.SYMTYPE, "../../x.png"), b"")), "FILE_ESCAPES_ROOT"),
    _case("hard-link.tar", _tar((_member("link.png", tarfile.LNKTYPE, "/etc/passwd"), b"")), "FILE_ESCAPES_ROOT"),
    _case("parent.tar.gz", _tar((_member("../../escaped.png"), b"x"), mode="w:gz"), "FILE_ESCAPES_ROOT"),
]

ARCHIVES = [*ZIPS, *TARS]
LYING = _lying
"""Writes `lies.png`, whose content must be refused when it is read, not when it is listed."""
