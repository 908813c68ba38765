"""The books of a dump's files: each one is linked, a duplicate, quarantined, or listed as unreferenced."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from catalog.paths import IMAGE_SUFFIXES, Dump
from catalog.readers.draft import DraftCatalogue
from catalog.records import FileBooks, Issue


def picture_books(
    dump: Dump, catalogue: DraftCatalogue, stored: Mapping[str, str | None], keepers: Mapping[str, str]
) -> FileBooks:
    """Account for the picture files of a dump.

    Args:
        dump: The dump.
        catalogue: What was read from it.
        stored: Path of each picture that was taken in → digest of its content, None when it was refused.
        keepers: Digest of a picture → digest of the largest one that shows the same.
    """
    present = {path for path, file in dump.files.items() if file.suffix in IMAGE_SUFFIXES} - dump.recalled
    named = present & {picture.path for product in catalogue.products for picture in product.pictures}
    refused = {path for path in named if stored.get(path) is None}
    shown: dict[str, list[str]] = {}
    for path in sorted(named - refused):
        digest = stored[path] or ""
        shown.setdefault(keepers.get(digest, digest), []).append(path)
    return FileBooks(
        present=len(present),
        linked=len(shown),
        duplicate=sum(len(paths) - 1 for paths in shown.values()),
        quarantined=len(refused),
        unreferenced=tuple(sorted(present - named)),
    )


def document_books(dump: Dump, catalogue: DraftCatalogue, issues: Iterable[Issue]) -> FileBooks:
    """Account for all other files: tables, texts and archives, links that leave the dump, and what nothing reads."""
    others = [path for path, file in dump.files.items() if file.suffix not in IMAGE_SUFFIXES]
    present = [*others, *{**dump.escaping, **dump.unreadable, **dump.ignored, **dump.archives}]
    whole = {issue.source for issue in issues if issue.line is None and issue.severity == "error"}
    known = catalogue.documents | dump.archives.keys()
    read = [path for path in present if path in known]
    quarantined = [path for path in present if path not in known and _refused(path, dump, whole)]
    spare = set(present) - set(read) - set(quarantined)
    return FileBooks(
        present=len(present), linked=len(read), quarantined=len(quarantined), unreferenced=tuple(sorted(spare))
    )


def _refused(path: str, dump: Dump, whole: Collection[str]) -> bool:
    coded = dump.ignored.get(path, "").isupper()
    return coded or path in whole or path in dump.escaping or path in dump.unreadable
