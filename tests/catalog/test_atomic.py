"""A file is whole or not there, whoever else writes it at the same time."""

from pathlib import Path

import pytest

from catalog.atomic import replacing


def test_two_writers_of_one_file_do_not_take_each_others_half(tmp_path: Path) -> None:
    path = tmp_path / "cache" / "features.npy"
    with replacing(path) as first, replacing(path) as second:
        first.write_bytes(b"whole")
        second.write_bytes(b"whole")
        assert first != second and not path.exists()
    assert path.read_bytes() == b"whole" and list(path.parent.iterdir()) == [path]


def test_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "card.json"
    path.write_text("old")
    with pytest.raises(OSError, match="disk full"), replacing(path) as part:
        part.write_text("half")
        raise OSError("disk full")
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]
