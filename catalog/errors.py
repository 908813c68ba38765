"""Errors of the catalogue. Every message is one line: what came, what is allowed, what to do next.

CatalogError
├── CatalogMissing       there is no catalogue where one was expected
├── CatalogTooNew        the database was written by a newer release
├── CatalogUnwritable    the workspace is read-only, full or locked
├── IngestRefused        a dump that cannot be read, or one that would remove too much
├── PathRefused          a path in a manifest that must not be followed (has .code)
├── ImageRejected        a file that is no usable picture (has .code)
├── ManifestInvalid      a dataset folder that is damaged or of another version
├── ReviewRefused        a move the review rules do not allow
└── ExportRefused        an export that cannot be made or does not verify
"""

from __future__ import annotations

from catalog.phrases import printable

# The names say what happened; "Error" at each end would say nothing more.
# ruff: noqa: N818


class CatalogError(Exception):
    """Anything a user can cause and put right; its text is shown as it stands."""

    def __str__(self) -> str:
        return printable(super().__str__())


class CatalogMissing(CatalogError):
    """No catalogue where one was expected."""


class CatalogTooNew(CatalogError):
    """The database was written by a newer release than this one."""


class CatalogUnwritable(CatalogError):
    """The workspace cannot be written: read-only, disk full, or locked for too long."""


class IngestRefused(CatalogError):
    """A dump that holds nothing usable, or a run that would remove more than was allowed."""


class PathRefused(CatalogError):
    """A manifest path that must not be followed.

    Attributes:
        code: Stable reason, e.g. ``FILE_ESCAPES_ROOT`` or ``FILE_MISSING``.
        detail: What was written and why it was refused.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


class ImageRejected(CatalogError):
    """A file that is no usable picture.

    Attributes:
        code: Stable reason, e.g. ``IMG_TRUNCATED``.
        detail: What was found in the file.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


class ManifestInvalid(CatalogError):
    """A dataset folder that is damaged, incomplete or of another version."""


class ReviewRefused(CatalogError):
    """A move the review rules do not allow, such as a decision without a valid lease."""


class ExportRefused(CatalogError):
    """An export that cannot be made, or whose files do not verify."""
