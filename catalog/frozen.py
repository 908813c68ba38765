"""Frozen folders: `manifest.jsonl`, `dataset.json` and `images/<sha256>.<ext>`, written once and never changed.

Line n of `manifest.jsonl` is picture n. `dataset.json` carries the SHA-256 of that file, so a damaged or edited folder
is noticed when it is read. A folder appears by one rename: a killed write leaves no half folder under the final name.
What a line says depends on the kind of folder; `catalog.manifest` and `catalog.feedback_folder` declare theirs.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from catalog.errors import CatalogError, CatalogUnwritable, ManifestInvalid

FORMAT = 1
"""Version of the folder layout; a reader refuses a newer one."""
MANIFEST_FILE = "manifest.jsonl"
DATASET_FILE = "dataset.json"
IMAGE_FOLDER = "images"
_KINDS = {"pictures": ("a dataset of photos", "--data-dir"), "feedback": ("feedback", "--feedback")}
"""Kind of folder → what it holds, and the option of `adapt finetune` that takes it."""


class Pictured(Protocol):
    """What every line of a frozen folder has."""

    @property
    def image(self) -> Path:
        """Absolute path of the picture."""
        ...

    @property
    def sha256(self) -> str:
        """Digest of that file."""
        ...

    @property
    def product(self) -> str:
        """`<source>/<sku>`."""
        ...


E = TypeVar("E", bound=Pictured)


@dataclass(frozen=True, kw_only=True)
class Frozen(Generic[E]):
    """A folder as it was read."""

    folder: Path
    """Absolute path."""
    about: Mapping[str, Any]
    """What `dataset.json` says."""
    content_hash: str
    """SHA-256 of `manifest.jsonl`, hexadecimal."""
    entries: tuple[E, ...]


@dataclass(frozen=True, kw_only=True)
class FolderKind(Generic[E]):
    """How one kind of folder is written and read."""

    kind: str
    """Key of `_KINDS`; `pictures` is not written down, since folders are older than kinds."""
    noun: str
    """What messages call such a folder."""
    line_of: Callable[[E], dict[str, Any]]
    """Everything about an entry but its picture's place and digest, as plain JSON types."""
    entry_from: Callable[[Mapping[str, Any], Path], E]
    """The entry of a line and the path of its picture; ValueError, KeyError or TypeError for a line without sense."""
    lost: str
    """What to do about a picture that is gone or changed; ends a message."""

    def content_hash(self, entries: Sequence[E]) -> str:
        """Return the SHA-256 a folder of these entries has; it depends on nothing else."""
        return hashlib.sha256(self._content(entries)).hexdigest()

    def write(self, folder: Path, entries: Sequence[E], *, about: Mapping[str, Any]) -> Frozen[E]:
        """Write a folder and return it as read back.

        Args:
            folder: Final place; made with its parents. An identical folder already there is returned untouched.
            entries: In the order they are to be numbered; `image` must be a local file of that `sha256`.
            about: What `dataset.json` says besides format, kind and digest; `name` at least.

        Raises:
            CatalogError: A picture is missing or its bytes changed, another dataset is at `folder`, or the disk
                refused.
        """
        folder = folder.absolute()
        content = self._content(entries)
        digest = hashlib.sha256(content).hexdigest()
        if folder.exists():
            return self._same_or_refuse(folder, digest)
        temporary = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
        kind = {} if self.kind == "pictures" else {"kind": self.kind}
        head = {"format": FORMAT, **kind, "name": about["name"], "content_hash": digest} | dict(about)
        try:
            shutil.rmtree(temporary, ignore_errors=True)
            (temporary / IMAGE_FOLDER).mkdir(parents=True)
            for entry in entries:
                self._copy_image(entry, temporary / IMAGE_FOLDER)
            (temporary / MANIFEST_FILE).write_bytes(content)
            (temporary / DATASET_FILE).write_text(
                json.dumps(head, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
            )
            temporary.rename(folder)
        except OSError as error:
            if (folder / DATASET_FILE).exists():  # another process froze the same dataset first
                return self._same_or_refuse(folder, digest)
            raise CatalogUnwritable(
                f"cannot write {self.noun} {folder}: {error.strerror or error}; free space or choose another workspace"
            ) from error
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        return self.read(folder)

    def read(self, folder: Path) -> Frozen[E]:
        """Read and check a folder.

        Raises:
            CatalogError: The folder is absent, of another kind, unreadable, of a newer format, edited since, or lacks
                a picture.
        """
        folder = Path(folder).absolute()
        about = self._read_about(folder)
        try:
            content = (folder / MANIFEST_FILE).read_bytes()
        except OSError as error:
            raise self._damaged(folder, f"{MANIFEST_FILE} cannot be read ({error.strerror})") from error
        digest = hashlib.sha256(content).hexdigest()
        if digest != about["content_hash"]:
            raise self._damaged(
                folder, f"{MANIFEST_FILE} has hash {digest[:8]}, {DATASET_FILE} says {about['content_hash'][:8]}"
            )
        present = {path.name for path in (folder / IMAGE_FOLDER).glob("*")}
        entries = []
        for number, text in enumerate(content.split(b"\n")[:-1], start=1):
            try:
                line = json.loads(text)
                entry = self.entry_from(line, folder / _inside(str(line["image"])))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise self._damaged(folder, f"{MANIFEST_FILE} line {number}: {error!r}") from error
            if entry.image.name not in present:
                raise self._damaged(folder, f"picture {entry.image.name} of line {number} is missing")
            entries.append(entry)
        return Frozen(folder=folder, about=about, content_hash=digest, entries=tuple(entries))

    def check_pictures(self, frozen: Frozen[E]) -> None:
        """Read every picture of a folder; raises CatalogError for one that is not what its line says."""
        for number, entry in enumerate(frozen.entries, start=1):
            try:
                digest = hashlib.sha256(entry.image.read_bytes()).hexdigest()
            except OSError as error:
                raise self._damaged(
                    frozen.folder, f"picture {entry.image.name} of line {number} cannot be read ({error.strerror})"
                ) from error
            if digest != entry.sha256:
                raise self._damaged(frozen.folder, f"picture {entry.image.name} of line {number} was exchanged")

    def _content(self, entries: Sequence[E]) -> bytes:
        lines = [
            json.dumps(
                {"image": f"{IMAGE_FOLDER}/{_file_name(entry)}", "sha256": entry.sha256, **self.line_of(entry)},
                ensure_ascii=False,
                sort_keys=True,
                separators=(",", ":"),
            )
            for entry in entries
        ]
        return "".join(line + "\n" for line in lines).encode()

    def _damaged(self, folder: Path, what: str) -> ManifestInvalid:
        return ManifestInvalid(f"{self.noun} {folder} is damaged: {what}; delete the folder and freeze it again")

    def _read_about(self, folder: Path) -> dict[str, Any]:
        path = folder / DATASET_FILE
        try:
            about = json.loads(path.read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError) as error:
            raise CatalogError(
                f"no {self.noun} at {folder}: it has no {DATASET_FILE}; name a folder under <workspace>/datasets"
            ) from error
        except (OSError, ValueError) as error:
            raise self._damaged(folder, f"{DATASET_FILE} cannot be read ({error})") from error
        if not isinstance(about, dict) or not all(isinstance(about.get(key), str) for key in ("name", "content_hash")):
            raise self._damaged(folder, f"{DATASET_FILE} lacks name or content_hash")
        if not isinstance(about.get("format"), int) or about["format"] > FORMAT:
            raise ManifestInvalid(
                f"{self.noun} {folder} has format {about.get('format')!r}, "
                f"this version reads up to {FORMAT}; update adapt"
            )
        self._check_kind(folder, about.get("kind", "pictures"))
        return about

    def _check_kind(self, folder: Path, found: object) -> None:
        if found == self.kind:
            return
        wanted = _KINDS[self.kind][0]
        if found not in _KINDS:
            raise ManifestInvalid(
                f"{folder} is a folder of kind {found!r}, which this version does not know; update adapt"
            )
        holds, option = _KINDS[str(found)]
        raise CatalogError(f"{folder} holds {holds}, not {wanted}; give it with {option}, or name another folder")

    def _same_or_refuse(self, folder: Path, digest: str) -> Frozen[E]:
        if not (folder / DATASET_FILE).exists():
            raise self._damaged(folder, f"it has no {DATASET_FILE}")
        found = self.read(folder)
        if found.content_hash != digest:
            raise CatalogError(f"{folder} holds another dataset ({found.content_hash[:8]}); give this one another name")
        return found

    def _copy_image(self, entry: E, images: Path) -> None:
        target = images / _file_name(entry)
        if target.exists():
            return
        try:
            data = entry.image.read_bytes()
        except FileNotFoundError as error:
            raise CatalogError(f"picture {entry.image} of {entry.product} is gone; {self.lost}") from error
        if hashlib.sha256(data).hexdigest() != entry.sha256:
            raise CatalogError(
                f"picture {entry.image} of {entry.product} has changed on disk; delete it and {self.lost}"
            )
        target.write_bytes(data)


def _file_name(entry: Pictured) -> str:
    return f"{entry.sha256}{entry.image.suffix.lower()}"


def _inside(image: str) -> str:
    if Path(image).parts[:-1] != (IMAGE_FOLDER,):
        raise ValueError(f"picture path {image!r} is not {IMAGE_FOLDER}/<file>")
    return image
