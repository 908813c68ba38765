"""Datasets by name: a wrong name or folder is met with what to type."""

from pathlib import Path

import pytest

from adapt.data.sources import read_dataset
from adapt.errors import AdaptError


@pytest.mark.parametrize(
    ("asked", "sign", "held"),
    [("cub", "annotations", "coco"), ("coco", "images.txt", "cub"), ("folder", "images.txt", "cub")],
)
def test_dataset_of_another_layout_is_named(tmp_path: Path, asked: str, sign: str, held: str) -> None:
    (tmp_path / sign).mkdir()
    with pytest.raises(AdaptError, match=f"holds the layout of {held}, not of {asked}: --dataset {held}$"):
        read_dataset(asked, tmp_path)


def test_absent_folder_of_a_dataset_is_said(tmp_path: Path) -> None:
    with pytest.raises(AdaptError, match=r"no folder .*nowhere: give the folder of cub with --data-dir"):
        read_dataset("cub", tmp_path / "nowhere")
