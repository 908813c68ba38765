"""COCO reader: partial copies, overlapping years, one-line errors."""

import json
from pathlib import Path

import pytest
from PIL import Image

from adapt.data.coco import read_coco
from adapt.errors import AdaptError


def _write(root: Path, split: str, images: dict[int, str], captions: list[tuple[int, str]]) -> None:
    (root / "annotations").mkdir(parents=True, exist_ok=True)
    (root / "annotations" / f"captions_{split}.json").write_text(
        json.dumps(
            {
                "images": [{"id": key, "file_name": name} for key, name in images.items()],
                "annotations": [{"id": i, "image_id": key, "caption": text} for i, (key, text) in enumerate(captions)],
            }
        )
    )


@pytest.fixture
def coco_root(tmp_path: Path) -> Path:
    """Image 1 in both years, 2 missing on disk, 3 without captions, 4 only in train."""
    _write(tmp_path, "train2017", {1: "1.jpg", 4: "../train2017/4.jpg"}, [(1, "A dog. "), (4, "a  cat")])
    _write(tmp_path, "val2014", {1: "v1.jpg", 2: "v2.jpg", 3: "v3.jpg"}, [(1, "A dog."), (1, "a brown dog"), (2, "x")])
    for name in ("train2017/1.jpg", "train2017/4.jpg", "val2014/v3.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.new("RGB", (8, 8)).save(tmp_path / name)
    return tmp_path


def test_read_coco_counts_and_merges_years(coco_root: Path) -> None:
    entries, counts = read_coco(coco_root)
    assert (counts.listed, counts.missing, counts.uncaptioned, counts.used) == (4, 1, 1, 2)
    assert [(entry.product, entry.split) for entry in entries] == [("coco/1", "test"), ("coco/4", "train")]
    assert [caption.text for caption in entries[0].captions] == ["A dog.", "a brown dog"]


def test_read_coco_reads_chosen_splits(coco_root: Path) -> None:
    entries, _ = read_coco(coco_root, splits=["train2017"])
    assert {entry.split for entry in entries} == {"train"}


def _caption_all(root: Path, text: str | None) -> None:
    for path in root.rglob("captions_*.json"):
        content = json.loads(path.read_text())
        for annotation in content["annotations"]:
            annotation["caption"] = text
        path.write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("arrange", "words"),
    [
        (lambda root: [path.unlink() for path in root.rglob("*.json")], "not COCO"),
        (lambda root: (root / "annotations/captions_val2014.json").write_text("{"), "expected COCO captions JSON"),
        (lambda root: (root / "annotations/captions_val2014.json").write_text("{}"), "no 'images'; expected COCO"),
        (lambda root: (root / "annotations/captions_val2014.json").write_bytes(b"\xff\xfe"), "expected COCO captions"),
        (lambda root: _caption_all(root, None), "expected COCO captions JSON"),
        (lambda root: _caption_all(root, " \n"), "none of the 3 pictures on disk has a caption with words"),
        (lambda root: [path.unlink() for path in root.rglob("*.jpg")], "none of the 4 listed"),
    ],
)
def test_read_coco_says_in_one_line_what_is_wrong(coco_root: Path, arrange, words: str) -> None:
    arrange(coco_root)
    with pytest.raises(AdaptError, match=words) as error:
        read_coco(coco_root)
    assert "\n" not in str(error.value)


def test_read_coco_names_the_splits_there_are(coco_root: Path) -> None:
    with pytest.raises(AdaptError, match="there are train2017, val2014"):
        read_coco(coco_root, splits=["val2099"])


def test_read_coco_reads_a_partial_copy(shared_data: Path) -> None:
    entries, counts = read_coco(shared_data / "coco")
    assert counts.used == len(entries) == 569
    assert counts.missing == counts.listed - 569 > 4000
    assert min(len(entry.captions) for entry in entries) >= 3
    hashed, _ = read_coco(shared_data / "coco", official_split=False)
    assert 30 < sum(entry.split == "test" for entry in hashed) < 90
