"""Pictures are decoded once into a mapped file; what cannot be read is counted and named."""

import json
import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from frozen_tiles import tile_entries

from adapt.data.pictures import decode_pictures, load_pictures, load_square, readable_pictures
from adapt.errors import AdaptError
from catalog.records import ManifestEntry


@pytest.fixture
def entries(tmp_path: Path) -> list[ManifestEntry]:
    (tmp_path / "tiles").mkdir()
    return tile_entries(tmp_path / "tiles", count=6)


def test_rows_are_the_decoded_pictures_in_order(entries: list[ManifestEntry], tmp_path: Path) -> None:
    expected = np.stack([load_square(entry, 20) for entry in entries])
    assert np.array_equal(load_pictures(entries, 20), expected)
    first = load_pictures(entries, 20, cache=tmp_path / "cache")
    assert np.array_equal(first, expected) and isinstance(first.base, np.memmap)


def test_second_run_maps_the_file_without_decoding(entries: list[ManifestEntry], tmp_path: Path) -> None:
    first = np.array(load_pictures(entries, 20, cache=tmp_path / "cache"))
    for entry in entries:
        entry.image.unlink()
    assert np.array_equal(load_pictures(entries, 20, cache=tmp_path / "cache"), first)
    with pytest.raises(AdaptError, match=r"none of 6 pictures can be read; the first is .*0\.png"):
        load_pictures(entries, 24, cache=tmp_path / "cache")  # another side is another file
    assert len(list((tmp_path / "cache").iterdir())) == 1


def test_other_content_boxes_or_order_are_another_file(entries: list[ManifestEntry], tmp_path: Path) -> None:
    changed = [
        entries,
        entries[::-1],
        [replace(entries[0], sha256="0" * 64), *entries[1:]],
        [replace(entries[0], box=(0, 0, 9, 9)), *entries[1:]],
    ]
    for group in changed:
        load_pictures(group, 8, cache=tmp_path / "cache")
    assert len(list((tmp_path / "cache").glob("*.npy"))) == 4


def test_unreadable_pictures_are_left_out_counted_and_named(
    entries: list[ManifestEntry], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    entries[1].image.unlink()
    entries[4].image.write_bytes(entries[4].image.read_bytes()[:60])
    kept = [entries[i] for i in (0, 2, 3, 5)]
    expected = load_pictures(kept, 20)
    for _ in range(2):  # decoded, then mapped
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            decoded = readable_pictures(entries, 20, cache=tmp_path / "cache")
        assert decoded.entries == kept and np.array_equal(decoded.pictures, expected)
        assert "2 of 6 pictures cannot be read; the first is" in caplog.text
        assert "1.png: No such file or directory; left out" in caplog.text
    (notes,) = (tmp_path / "cache").glob("*.json")
    assert sorted(json.loads(notes.read_text())) == ["1", "4"]
    with pytest.raises(AdaptError, match=r"2 of 6 pictures cannot be read.*freeze or download"):
        load_pictures(entries, 20, cache=tmp_path / "cache")


def test_picture_of_absurd_size_is_no_traceback(
    entries: list[ManifestEntry], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from PIL import Image

    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)  # 40 × 40 is past twice as much
    with pytest.raises(AdaptError, match=r"cannot read picture .*0\.png: Image size"):
        load_square(entries[0], 8)


def test_half_a_file_is_decoded_again(entries: list[ManifestEntry], tmp_path: Path) -> None:
    expected = np.array(load_pictures(entries, 20, cache=tmp_path / "cache"))
    (file,) = (tmp_path / "cache").glob("*.npy")
    for damage in (b"", b"junk", file.read_bytes()[:-100]):
        file.write_bytes(damage)
        assert np.array_equal(load_pictures(entries, 20, cache=tmp_path / "cache"), expected)


def test_full_disk_is_refused_before_decoding(
    entries: list[ManifestEntry], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=10))
    with pytest.raises(AdaptError, match=r"take 0\.0 GB and .* has 0\.0 GB free.*-w"):
        decode_pictures(entries, 20, cache=tmp_path / "cache")
    assert not list((tmp_path / "cache").iterdir())


def test_progress_ends_at_the_number_of_pictures(entries: list[ManifestEntry]) -> None:
    told: list[tuple[str, int, int]] = []
    load_pictures(entries, 8, progress=lambda *values: told.append(values))
    assert told[-1] == ("decoding pictures", 6, 6)
