"""What is in a zip or tar, listed without unpacking it; hostile and damaged archives give issues, not files.

A zip is read in place. A compressed tar has no index, so it is unpacked once, from first to last byte
and within limits, into one temporary file in which its entries then lie side by side.
"""

from __future__ import annotations

import bz2
import calendar
import gzip
import lzma
import os
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast

from catalog.dump_file import MAX_RATIO, RATIO_FLOOR, ArchiveEntry, DumpFile
from catalog.errors import IngestRefused, PathRefused
from catalog.path_rules import clean_entry, excerpt, junk_part, name_encoding
from catalog.phrases import say, told
from catalog.records import Issue

MAX_ENTRIES = 200_000
MAX_TOTAL_BYTES = 50 << 30
ARCHIVE_SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
FOREIGN_SUFFIXES = (".7z", ".rar", ".lzh", ".cab")
_MAX_DIRECTORY_BYTES = MAX_ENTRIES * 256
_MAX_HEADER_BYTES = 1 << 20
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA})
_ENCRYPTED, _UNICODE = 0x1, 0x800
_WHY = {
    "FILE_ESCAPES_ROOT": say("are links or have names that lead out of the archive"),
    "FILE_BAD_PATH": say("have no usable name"),
    "URL_NOT_FETCHED": say("have a web address for a name"),
    "ZIP_ENCRYPTED": say("need a password; pack them again without one"),
    "ZIP_LIMIT": say("would unpack to more than {limit} times their size", limit=MAX_RATIO),
    "ZIP_NESTED": say("are archives themselves, which are not opened; unpack the outer one"),
    "ZIP_UNSUPPORTED": say("are packed by a method that is not read; pack them again as an ordinary zip"),
}
_BROKEN = (
    *(OSError, EOFError, ValueError, OverflowError, NotImplementedError),
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, struct.error),
)
_SPAN_OF_CRC = 1_000_000_000
_LAST_SECOND = 9_000_000_000
"""Times beyond it do not fit a database's whole number of nanoseconds."""


class ArchiveRefused(Exception):  # noqa: N818 - as the errors of the catalogue, it says what happened
    """An archive that is not read at all.

    Attributes:
        code: ``ZIP_DAMAGED``, ``ZIP_LIMIT`` or ``ZIP_UNSUPPORTED``.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


@dataclass(kw_only=True)
class Listing:
    """The entries of one archive."""

    archive: Path
    container: str
    """The archive's path in the dump; empty where it is the dump."""
    files: dict[str, DumpFile] = field(default_factory=dict)
    """By their path inside the archive."""
    ignored: dict[str, str] = field(default_factory=dict)
    """Entries that are not read, by name: why, or the code of an issue."""
    damage: str = ""
    """Where the archive breaks off; empty for a whole one."""
    _refused: dict[str, list[str]] = field(default_factory=dict)

    def issues(self) -> list[Issue]:
        """Return an issue for each kind of refused entry."""
        source = self.container or self.archive.name
        found = [
            Issue(
                source=source,
                reason=code,
                detail=say(
                    "{count} entries {why}: {names}", count=len(names), why=_WHY[code], names=", ".join(names[:3])
                ),
            )
            for code, names in self._refused.items()
        ]
        if self.damage:
            found.append(Issue(source=source, reason="ZIP_DAMAGED", detail=self.damage))
        return found

    def accepts(self, name: str, code: str = "") -> str | None:
        """Return the path an entry gets, or None when it is left out; `code` is what else speaks against it."""
        try:
            path = clean_entry(name)
        except PathRefused as error:
            self.refuse(name, error.code)
            return None
        junk = junk_part(path)
        if junk:
            self.ignored[path] = say("{junk} is hidden or left by a system", junk=junk)
            return None
        code = code or ("ZIP_NESTED" if path.lower().endswith(ARCHIVE_SUFFIXES + FOREIGN_SUFFIXES) else "")
        if code:
            self.refuse(path, code)
            return None
        return path

    def refuse(self, name: str, code: str) -> None:
        """Remember an entry that is not read."""
        self.ignored[excerpt(name)[1:-1]] = code
        self._refused.setdefault(code, []).append(excerpt(name))

    def take(self, path: str, size: int, changed: float, crc: int, entry: ArchiveEntry) -> None:
        """Add an entry; of two with one name the later is the newer."""
        self.files[path] = DumpFile(
            path=f"{self.container}/{path}" if self.container else path,
            actual=self.archive,
            size=size,
            # An edited entry may keep its date and size.
            mtime_ns=int(min(max(changed, 0), _LAST_SECOND)) * _SPAN_OF_CRC + crc % _SPAN_OF_CRC,
            entry=entry,
            container=self.container,
        )
        if len(self.files) + len(self.ignored) > MAX_ENTRIES:
            raise ArchiveRefused(
                "ZIP_LIMIT", say("more than {limit:,} entries; split it, or give it unpacked", limit=MAX_ENTRIES)
            )


def archive_stem(name: str) -> str:
    """Return an archive's name without the suffix that makes it one; other names as they are."""
    suffix = next((suffix for suffix in ARCHIVE_SUFFIXES if name.lower().endswith(suffix)), "")
    return (name[: -len(suffix)] if suffix else name) or name


def list_archive(archive: Path, container: str, spool: Callable[[], Path]) -> Listing:
    """List a zip or tar.

    Args:
        archive: The file.
        container: Its path in the dump.
        spool: Called for the path of a temporary file when the archive is a compressed tar.

    Raises:
        ArchiveRefused: It is damaged, beyond the limits or no archive.
        IngestRefused: No room is left for the temporary file.
    """
    listing = Listing(archive=archive, container=container)
    try:
        with archive.open("rb") as file:
            head = file.read(512)
        if zipfile.is_zipfile(archive):
            _list_zip(listing)
        elif head[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
            raise ArchiveRefused(
                "ZIP_DAMAGED", say("the end of this zip is missing, so it was cut short; copy it again")
            )
        elif head[257:262] == b"ustar" or (archive.name.lower().endswith(".tar") and tarfile.is_tarfile(archive)):
            _list_tar(listing)
        elif (opener := _opener(head)) is not None:
            _unpack_tar(listing, opener, spool)
        else:
            raise ArchiveRefused("ZIP_UNSUPPORTED", say("neither zip nor tar, whatever its name; pack it as a zip"))
    except _BROKEN as error:
        raise ArchiveRefused(
            "ZIP_DAMAGED", say("a damaged archive ({error}); copy or pack it again", error=str(error))
        ) from error
    return listing


def is_archive(path: Path) -> bool:
    """Whether a file is a zip or tar by its name or first bytes."""
    if path.name.lower().endswith(ARCHIVE_SUFFIXES):
        return True
    with path.open("rb") as file:
        head = file.read(512)
    return head[:4] in (b"PK\x03\x04", b"PK\x05\x06") or head[257:262] == b"ustar"


# --- zip -----------------------------------------------------------------------------------------


def _list_zip(listing: Listing) -> None:
    size = listing.archive.stat().st_size
    if _directory_bytes(listing.archive) > _MAX_DIRECTORY_BYTES:
        raise ArchiveRefused(
            "ZIP_LIMIT", say("more than {limit:,} entries; split it, or give it unpacked", limit=MAX_ENTRIES)
        )
    with zipfile.ZipFile(listing.archive) as archive:
        infos = archive.infolist()
    packed, total = sum(info.compress_size for info in infos), sum(info.file_size for info in infos)
    if packed > size:
        raise ArchiveRefused("ZIP_LIMIT", say("its entries share bytes, as in a zip bomb; pack it again"))
    _check_total(total, packed)
    written = {info.header_offset: _written_name(info) for info in infos if not info.flag_bits & _UNICODE}
    encoding = name_encoding(name for name in written.values() if isinstance(name, bytes))
    for info in infos:
        name = written.get(info.header_offset, info.orig_filename)
        text = name.decode(encoding) if isinstance(name, bytes) else name
        if text.endswith(("/", "\\")) and not info.file_size:
            continue
        path = listing.accepts(text, _against(info))
        if path is not None:
            entry = ArchiveEntry(info.header_offset, info.compress_size, info.compress_type, info.CRC)
            listing.take(path, info.file_size, _seconds(info.date_time), info.CRC, entry)


def _check_total(total: int, packed: int) -> None:
    if total > MAX_TOTAL_BYTES:
        raise ArchiveRefused(
            "ZIP_LIMIT", say("more than {limit} GiB unpacked; split it into several", limit=MAX_TOTAL_BYTES >> 30)
        )
    if total > max(MAX_RATIO * packed, 8 * RATIO_FLOOR):
        raise ArchiveRefused(
            "ZIP_LIMIT", say("would unpack to more than {limit} times its size, as a zip bomb does", limit=MAX_RATIO)
        )


def _against(info: zipfile.ZipInfo) -> str:
    mode = info.external_attr >> 16
    # Only Unix keeps the kind of a file there.
    if info.create_system == 3 and stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "FILE_ESCAPES_ROOT"
    if info.flag_bits & _ENCRYPTED:
        return "ZIP_ENCRYPTED"
    if info.compress_type not in _METHODS:
        return "ZIP_UNSUPPORTED"
    return "ZIP_LIMIT" if info.file_size > max(MAX_RATIO * info.compress_size, RATIO_FLOOR) else ""


def _written_name(info: zipfile.ZipInfo) -> bytes | str:
    """Return an unmarked name's bytes, or the Unicode copy of it that some programs put into the extra field."""
    raw = info.orig_filename.encode("cp437")
    extra = info.extra
    while len(extra) >= 4:
        kind, length = struct.unpack_from("<HH", extra)
        if kind == 0x7075 and length > 5 and struct.unpack_from("<I", extra, 5)[0] == zlib.crc32(raw):
            return extra[9 : 4 + length].decode("utf-8", "replace")
        extra = extra[4 + length :]
    return raw


def _seconds(date_time: tuple[int, int, int, int, int, int]) -> int:
    try:
        return calendar.timegm((*date_time, 0, 0, 0))
    except ValueError:
        return 0


def _directory_bytes(path: Path) -> int:
    """Return the length of a zip's directory, which `ZipFile` reads at once into memory."""
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        start = max(0, end - 65_557 - 20)
        file.seek(start)
        tail = file.read()
        at = tail.rfind(b"PK\x05\x06")
        length = int(struct.unpack_from("<I", tail, at + 12)[0])
        if length == 0xFFFFFFFF and tail[at - 20 : at - 16] == b"PK\x06\x07":
            file.seek(struct.unpack_from("<Q", tail, at - 12)[0])
            length = int(struct.unpack_from("<Q", file.read(48), 40)[0])
    return length


# --- tar -----------------------------------------------------------------------------------------


def _list_tar(listing: Listing) -> None:
    info = listing.archive.stat()
    total = 0
    raw_paths: dict[str, str] = {}
    with tarfile.open(listing.archive, "r:", errors="surrogateescape", tarinfo=_BoundedHeader) as tar:
        for member in _members(tar):
            total += member.size
            _check_total(total, info.st_size)
            path = _tar_path(listing, member, raw_paths)
            if path is None:
                continue
            if member.offset_data + member.size > info.st_size:
                listing.damage = say(
                    "cut short in {path}, after {count} entries; copy it again",
                    path=excerpt(path),
                    count=len(listing.files),
                )
                return
            # A tar keeps no checksum of the content; a new archive is looked at anew.
            mark = zlib.crc32(f"{info.st_mtime_ns} {info.st_size}".encode())
            entry = ArchiveEntry(member.offset_data, member.size)
            listing.take(path, member.size, member.mtime, mark, entry)
        end = tar.offset
    with listing.archive.open("rb") as file:
        file.seek(end)
        if file.read(512).strip(b"\0"):
            listing.damage = say(
                "no header where one should be, after {count} entries; pack it again", count=len(listing.files)
            )


def _unpack_tar(listing: Listing, opener: Callable[[BinaryIO], BinaryIO], spool: Callable[[], Path]) -> None:
    packed = listing.archive.stat().st_size
    source, listing.archive = listing.archive, spool()
    raw_paths: dict[str, str] = {}
    with source.open("rb") as file, listing.archive.open("wb") as out:
        stream = _Bounded(opener(file), packed)
        try:
            with tarfile.open(
                fileobj=cast(BinaryIO, stream), mode="r|", errors="surrogateescape", tarinfo=_BoundedHeader
            ) as tar:
                for member in _members(tar):
                    path = _tar_path(listing, member, raw_paths)
                    content = tar.extractfile(member) if path is not None else None
                    if path is not None and content is not None:
                        _spool(listing, path, member, content, out)
        except (EOFError, tarfile.TarError, zlib.error, lzma.LZMAError, gzip.BadGzipFile) as error:
            if not listing.files:
                raise
            listing.damage = say(
                "breaks off after {count} entries ({error}); copy or pack it again",
                count=len(listing.files),
                error=str(error),
            )


def _spool(listing: Listing, path: str, member: tarfile.TarInfo, content: object, out: BinaryIO) -> None:
    start, crc, left = out.tell(), 0, member.size
    while left and (chunk := cast(BinaryIO, content).read(min(left, 1 << 20))):
        crc, left = zlib.crc32(chunk, crc), left - len(chunk)
        try:
            out.write(chunk)
        except OSError as error:
            room = say(
                "cannot unpack into {parent} ({error}); free room there or set TMPDIR",
                parent=listing.archive.parent,
                error=told(error),
            )
            raise IngestRefused(room) from error
    if left:
        raise EOFError(say("{path} is incomplete", path=excerpt(path)))
    listing.take(path, member.size, member.mtime, crc, ArchiveEntry(start, member.size))


class _BoundedHeader(tarfile.TarInfo):
    """An entry whose long name and further fields, which `tarfile` reads at once into memory, are no bomb."""

    def _proc_gnulong(self, tar: tarfile.TarFile) -> tarfile.TarInfo:
        self._check_length()
        return super()._proc_gnulong(tar)  # type: ignore[misc, no-any-return]

    def _proc_pax(self, tar: tarfile.TarFile) -> tarfile.TarInfo:
        self._check_length()
        return super()._proc_pax(tar)  # type: ignore[misc, no-any-return]

    def _check_length(self) -> None:
        if self.size > _MAX_HEADER_BYTES:
            raise ArchiveRefused(
                "ZIP_LIMIT", say("a header of {size} bytes, as in a bomb; pack it again", size=f"{self.size:,}")
            )


def _members(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    while (member := tar.next()) is not None:
        tar.members = []  # type: ignore[attr-defined]  # or a large archive's headers would all stay in memory
        if member.size < 0:
            # Python before 3.11.14 would step backwards by it, for ever.
            raise tarfile.ReadError("an entry of negative size")
        yield member


def _tar_path(listing: Listing, member: tarfile.TarInfo, raw_paths: dict[str, str]) -> str | None:
    """Return the path of a regular entry, or None; another name of an earlier entry is added as that one."""
    if member.isdir():
        return None
    name = _tar_name(member.name)
    if member.islnk():
        first = listing.files.get(raw_paths.get(member.linkname, ""))
        path = listing.accepts(name) if first else None
        if first is not None and first.entry is not None and path is not None:
            listing.take(path, first.size, *divmod(first.mtime_ns, _SPAN_OF_CRC), first.entry)
        elif first is None:
            listing.refuse(name, "FILE_ESCAPES_ROOT")
        return None
    code = "" if member.isreg() else "FILE_ESCAPES_ROOT"
    path = listing.accepts(name, "ZIP_UNSUPPORTED" if member.issparse() else code)
    if path is not None:
        raw_paths[member.name] = path
    return path


def _tar_name(name: str) -> str:
    raw = name.encode("utf-8", "surrogateescape")
    return raw.decode(name_encoding([raw]))


def _opener(head: bytes) -> Callable[[BinaryIO], BinaryIO] | None:
    if head.startswith(b"\x1f\x8b"):
        return lambda file: cast(BinaryIO, gzip.GzipFile(fileobj=file))
    if head.startswith(b"BZh"):
        return lambda file: cast(BinaryIO, bz2.BZ2File(file))
    if head.startswith(b"\xfd7zXZ\x00"):
        return lambda file: cast(BinaryIO, lzma.LZMAFile(file))
    return None


class _Bounded:
    """A decompressed stream that ends in a refusal where a bomb would go on."""

    def __init__(self, stream: BinaryIO, packed: int) -> None:
        self._stream, self._packed, self._seen = stream, packed, 0

    def read(self, size: int) -> bytes:
        data = self._stream.read(size)
        self._seen += len(data)
        _check_total(self._seen, self._packed)
        return data
