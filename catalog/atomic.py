"""Files that are whole or not there: everything is written under another name and moved into place."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a name beside `path` to write to; it takes `path`'s place when the block ends, and is removed if it fails.

    The name is another one each time: two processes may fill one cache, and neither must take the other's half file.
    A kill leaves the old file as it was, and at most one hidden `.part` beside it.

    Raises:
        OSError: the folder cannot be made or written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        yield part
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
