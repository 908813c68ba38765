"""Delivery as WebDataset: tar archives of up to 1,000 samples, each `KEY.png` (or jpg, webp), `KEY.json`, `KEY.txt`.

The archives hold no times, owners or anything else that would differ between two exports of the same pictures.
"""

from __future__ import annotations

import hashlib
import io
import itertools
import tarfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from catalog.exporters.delivery import ApprovedPicture, Load, Offer, Row, to_json
from catalog.exporters.manifest import line_of, picture_name
from catalog.exporters.part_folder import PartFolder
from catalog.exporters.picture_folder import PICTURES

_SHARDS = "shards"


class WebDatasetExporter:
    """The `webdataset` format."""

    name = "webdataset"
    needs_base_url = False
    asks_for_px = 0

    def __init__(self, samples_a_shard: int = 1000) -> None:
        """Choose how many samples an archive holds."""
        self._size = samples_a_shard

    def rule(self) -> Callable[[Offer], str | None]:
        """Return a rule that takes everything."""
        return lambda offer: None

    def write_pictures(self, part: PartFolder, pictures: Iterable[ApprovedPicture], load: Load) -> None:
        """Write the archives that are not there yet."""
        remaining = iter(pictures)
        for number in itertools.count():
            samples = list(itertools.islice(remaining, self._size))
            if not samples:
                return

            def write(file: BinaryIO, number: int = number, samples: Sequence[ApprovedPicture] = samples) -> None:
                self._write_shard(part, file, number, samples, load)

            part.keep(_SHARDS, number, shard_name(number), write)

    def file_name(self, index: int, picture: ApprovedPicture) -> str:
        """Return archive and member."""
        # A reader takes everything behind the first dot for the ending.
        stem, _, ending = picture_name(picture).rpartition(".")
        return f"{shard_name(index // self._size)}/{stem.replace('.', '-')}.{ending}"

    def write_tables(self, part: PartFolder, rows: Callable[[], Iterator[Row]], base_url: str) -> list[str]:
        """Return the names of the archives, which are all there is."""
        count = sum(1 for _ in rows())
        return [shard_name(number) for number in range(-(-count // self._size))]

    def listed(self, folder: Path, base_url: str) -> Iterator[str]:
        """Yield the pictures of all archives; raises ValueError when a sample is not whole."""
        for shard in sorted(folder.glob(shard_name("*"))):
            with tarfile.open(shard, "r:") as archive:
                members = iter(archive)
                for picture in members:
                    key = picture.name.partition(".")[0]
                    if [getattr(next(members, None), "name", "") for _ in range(2)] != [f"{key}.json", f"{key}.txt"]:
                        raise ValueError(f"{shard.name}: sample {key} is not whole")
                    yield f"{shard.name}/{picture.name}"

    def _write_shard(
        self, part: PartFolder, file: BinaryIO, number: int, samples: Sequence[ApprovedPicture], load: Load
    ) -> None:
        with tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as archive:
            for index, picture in enumerate(samples, start=number * self._size):
                data = load(picture)
                digest = hashlib.sha256(data).hexdigest()
                part.digests(PICTURES).put(index, digest)
                name = self.file_name(index, picture)
                member = PurePosixPath(name).name
                key = member.partition(".")[0]
                _add(archive, member, data)
                _add(archive, f"{key}.json", to_json(line_of(picture, name, digest)).encode())
                _add(archive, f"{key}.txt", picture.prompt.encode())


def shard_name(number: int | str) -> str:
    """Return the file name of an archive; `*` for the pattern of all."""
    return f"pictures-{number:06d}.tar" if isinstance(number, int) else f"pictures-{number}.tar"


def _add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    archive.addfile(info, io.BytesIO(data))
