"""CUB-200-2011 reader: layout, held-out rule, crops, written captions, one-line errors."""

from pathlib import Path

import pytest
from PIL import Image

from adapt.data.class_captions import class_captions, read_class_facts
from adapt.data.cub import bird_crop, is_held_out, read_cub
from adapt.errors import AdaptError

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "cub_heldout.txt"
NAMES = ("001.Red_Bird/a.jpg", "002.Blue_Owl/b.jpg", "002.Blue_Owl/c.jpg")


@pytest.fixture
def cub_root(tmp_path: Path) -> Path:
    """Two classes, three pictures; the first has human captions, the third is missing on disk."""
    root = tmp_path / "CUB_200_2011"
    for name in NAMES[:2]:
        (root / "images" / name).parent.mkdir(parents=True)
        Image.new("RGB", (100, 60), "red").save(root / "images" / name)
    (root / "images.txt").write_text("".join(f"{i} {name}\n" for i, name in enumerate(NAMES, 1)))
    (root / "classes.txt").write_text("1 001.Red_Bird\n2 002.Blue_Owl\n")
    (root / "image_class_labels.txt").write_text("1 1\n2 2\n3 2\n")
    (root / "bounding_boxes.txt").write_text("1 40.0 20.0 20.0 10.0\n2 0.0 0.0 90.0 60.0\n3 0.0 0.0 1.0 1.0\n")
    (root / "text" / "001.Red_Bird").mkdir(parents=True)
    (root / "text" / "001.Red_Bird" / "a.txt").write_bytes(b"a red  bird\xff.\n\nthis bird is red.\n")
    (root / "attributes").mkdir()
    (root / "attributes" / "attributes.txt").write_text(
        "1 has_crown_color::orange\n2 has_crown_color::black\n3 has_size::very_small_(3_-_5_in)\n"
    )
    (root / "attributes" / "class_attribute_labels_continuous.txt").write_text("0 0 0\n40.0 45.5 29.9\n")
    return root


def test_read_cub_reads_entries_and_skips_absent_pictures(cub_root: Path) -> None:
    first, second = read_cub(cub_root)
    assert (first.product, first.product_id, first.category) == ("cub/001.Red_Bird", 1, "red bird")
    assert [caption.text for caption in first.captions] == ["a red bird.", "this bird is red."]
    assert {caption.origin for caption in first.captions} == {"human"}
    assert first.box == (35, 10, 65, 40)  # half side 0.75 * 20 about (50, 25)
    assert len(second.captions) == 10
    assert {caption.origin for caption in second.captions} == {"class_attributes"}
    assert first.image.is_absolute() and len(first.sha256) == 64


def test_read_cub_uses_cut_pictures_whole(cub_root: Path) -> None:
    (cub_root / "frames.txt").write_text("1 bbox_crop\n2 full\n3 full\n")
    first, second = read_cub(cub_root)
    assert first.box is None
    assert second.box == (0, 0, 100, 60)


def test_read_cub_puts_further_names_into_the_test_split(cub_root: Path) -> None:
    assert [entry.split for entry in read_cub(cub_root, held_out=[NAMES[1]])][1] == "test"


def test_bird_crop_is_clipped_to_the_picture(tmp_path: Path) -> None:
    Image.new("RGB", (50, 80)).save(tmp_path / "p.png")
    assert bird_crop(tmp_path / "p.png", ("0", "60", "20", "20")) == (0, 55, 25, 80)


def test_class_captions_state_only_agreed_facts(cub_root: Path) -> None:
    facts = read_class_facts(cub_root, 2)
    assert facts == [{}, {"crown": "black"}]
    captions = class_captions("002.Blue_Owl", facts[1])
    assert len(captions) == 10
    assert captions[0].text == "this bird has a black crown."
    assert all(set(caption.facts) <= {"crown", "class"} for caption in captions)
    assert not any("  " in caption.text or "tiny" in caption.text for caption in captions)


def test_class_captions_write_articles_and_enumerations() -> None:
    captions = class_captions(
        "001.Olive_Owl", {"crown": "orange", "belly": "white", "wings": "black", "colour": "olive"}
    )
    texts = [caption.text for caption in captions]
    assert texts[0] == "this bird has an orange crown, a white belly and black wings."
    assert texts[1] == "an olive bird, an olive owl."
    assert texts[3] == "an olive owl with an orange crown."


@pytest.mark.parametrize(
    ("breakage", "words"),
    [
        (lambda root: (root / "classes.txt").unlink(), "no classes.txt"),
        (lambda root: (root / "images.txt").write_text("1 a b\n"), "images.txt, line 1"),
        (lambda root: (root / "images.txt").write_text("7 001.Red_Bird/a.jpg\n"), "no class or no box"),
        (lambda root: (root / "attributes" / "attributes.txt").unlink(), "attributes.txt"),
        (lambda root: (root / "attributes" / "attributes.txt").write_text("1 x::y\n"), "2 rows for 2 classes"),
        (lambda root: [path.unlink() for path in (root / "images").rglob("*.jpg")], "none of the 3 pictures"),
    ],
)
def test_read_cub_says_in_one_line_what_is_wrong(cub_root: Path, breakage, words: str) -> None:
    breakage(cub_root)
    with pytest.raises(AdaptError) as error:
        read_cub(cub_root)
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_read_cub_holds_out_exactly_the_listed_pictures(shared_data: Path) -> None:
    entries = read_cub(shared_data / "cub")
    held_out = {entry.group.removeprefix("cub/") for entry in entries if entry.split == "test"}
    assert held_out == set(GOLDEN.read_text("utf-8").split())
    assert len(held_out) == 256
    assert len(entries) == 6528
    assert sum(entry.captions[0].origin == "human" for entry in entries) == 2628
    assert all(len(entry.captions) == 10 for entry in entries)
    assert sum(entry.box is not None for entry in entries) == 755


def test_held_out_list_follows_the_rule() -> None:
    assert all(is_held_out(name) for name in GOLDEN.read_text("utf-8").split())


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("images.txt", b"\xff\xfe\x00", "images.txt is no text .UnicodeDecodeError.; take the file from the official"),
        ("image_class_labels.txt", b"1 x\n", "line 1: '1 x'; expected an id and 1 number, take the file"),
        ("classes.txt", b"x 001.Red_Bird\n", "classes.txt, line 1"),
        ("bounding_boxes.txt", b"1 a b c d\n", "line 1: '1 a b c d'; expected an id and 4 numbers"),
        ("bounding_boxes.txt", b"1 nan 0 1 1\n", "expected an id and 4 numbers"),
        (
            "bounding_boxes.txt",
            b"1 500 500 9 9\n2 0 0 9 9\n",
            "holds no part of its 100x60 px; take bounding_boxes.txt",
        ),
        ("images/001.Red_Bird/a.jpg", b"", "cannot read picture .*a.jpg .damaged or no picture.; .*or delete it"),
    ],
)
def test_read_cub_names_the_damaged_file_in_one_line(cub_root: Path, name: str, content: bytes, words: str) -> None:
    (cub_root / name).write_bytes(content)
    with pytest.raises(AdaptError, match=words) as error:
        read_cub(cub_root)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", ["", "\n \t\n"])
def test_read_cub_takes_an_empty_captions_file_for_a_missing_one(cub_root: Path, content: str) -> None:
    (cub_root / "text" / "001.Red_Bird" / "a.txt").write_text(content)
    (cub_root / "attributes" / "class_attribute_labels_continuous.txt").write_text("90 0 0\n40.0 45.5 29.9\n")
    assert {caption.origin for caption in read_cub(cub_root)[0].captions} == {"class_attributes"}
    (cub_root / "attributes" / "attributes.txt").unlink()
    with pytest.raises(AdaptError, match=r"no captions .text/CLASS/NAME.txt is missing or empty. and no attributes/"):
        read_cub(cub_root)
