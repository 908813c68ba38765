"""Failures a user can cause, as one line."""

import errno
import os
import re
import traceback

_SHORT_WRITE = re.compile(r"\d+ requested and \d+ written")
_OS_ERROR = re.compile(r"\(os error (\d+)\)")


def describe(error: BaseException) -> str | None:
    """Return the line to print for `error`, or None when Typer should handle it (wrong usage, exit).

    Looks classes up by name and module: importing SQLAlchemy here would cost every `adapt --help` half a second.
    """
    module = type(error).__module__.partition(".")[0]
    if module == "typer":
        return None
    if isinstance(error, KeyboardInterrupt):
        return "stopped; what was saved stays, the same command goes on from there"
    if _is_ours(error):
        return _one_line(str(error)) or type(error).__name__
    if module == "sqlalchemy":
        return _database_failure(error)
    if isinstance(error, OSError):
        return _system_failure(error)
    if type(error).__name__ == "SafetensorError" and (number := _OS_ERROR.search(str(error))):
        # The library writes files by itself and passes the system's number on inside a text.
        return _system_failure(OSError(int(number[1]), os.strerror(int(number[1]))))
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return "out of memory; use a smaller --batch-size or picture size"
    where = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{where.filename.rpartition('/')[2]}:{where.lineno}"
    return f"unexpected {type(error).__name__} at {place}: {_one_line(str(error))} (run again with --debug for details)"


def _is_ours(error: BaseException) -> bool:
    return any(
        base.__name__ in ("CatalogError", "AdaptError") and base.__module__ in ("catalog.errors", "adapt.errors")
        for base in type(error).__mro__
    )


def _database_failure(error: BaseException) -> str:
    text = _one_line(str(getattr(error, "orig", None) or error))
    if "full" in text:
        return "the disk is full; free some space and run the same command again"
    if "readonly" in text or "read-only" in text:
        return "the workspace is read-only; choose another folder with -w DIR"
    if "locked" in text:
        return "the catalogue is locked by another program; wait for it to end and run the same command again"
    if "unable to open" in text:
        return "the catalogue cannot be opened; check that the workspace folder may be written, or use -w DIR"
    return f"the catalogue answered: {text} (run again with --debug for details)"


def _system_failure(error: OSError) -> str:
    name = f"{error.filename}: " if error.filename else ""
    # NumPy says only how much it could write.
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) or _SHORT_WRITE.search(str(error)):
        return f"{name}the disk is full; free some space and run the same command again"
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return f"{name}may not be written or read; change its permissions or choose another folder with -w DIR"
    return f"{name}{error.strerror or _one_line(str(error))}"


def _one_line(text: str) -> str:
    return " ".join(text.split())
