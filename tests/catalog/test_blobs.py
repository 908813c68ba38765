"""The store of picture files: what is found, and how it ends."""

from pathlib import Path

import pytest

from catalog.blobs import BlobStore
from catalog.errors import CatalogError


@pytest.mark.parametrize("ext", ["jpg", "png", "webp", "avif"])
def test_picture_is_found_however_its_name_ends(tmp_path: Path, ext: str) -> None:
    store = BlobStore(str(tmp_path))
    digest = store.put(b"picture", ext)
    assert store.has(digest) and store.read(digest) == b"picture" and store.path(digest).suffix == f".{ext}"


def test_half_a_picture_is_none(tmp_path: Path) -> None:
    store, digest = BlobStore(str(tmp_path)), "a" * 64
    (tmp_path / "aa").mkdir()
    (tmp_path / "aa" / f"{digest}.png.0f0f.part").write_bytes(b"half")
    assert not store.has(digest) and not BlobStore(str(tmp_path / "nowhere")).has(digest)
    with pytest.raises(CatalogError, match="is not in the blob store"):
        store.read(digest)
