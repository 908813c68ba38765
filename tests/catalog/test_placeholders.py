"""Placeholders: "no image" pictures are found, pictures that products rightly share are not."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageDraw
from sqlalchemy import select, update
from stored_pictures import add_product, recompressed, resized, scene, store

from catalog.duplicates import find_duplicates
from catalog.placeholders import families, says_placeholder
from catalog.schema import ImageRow, ProductRow
from catalog.store import Catalog

NAMES = ("Oak table", "Steel lamp", "Blue mug", "Rattan chair", "Wool rug", "Glass vase")


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    with Catalog.open(tmp_path / "workspace") as opened:
        yield opened


def camera() -> Image.Image:
    """A pale drawing of a camera, as shops show where a photo is missing."""
    picture = Image.new("RGB", (300, 300), "#f2f2f2")
    draw = ImageDraw.Draw(picture)
    draw.rounded_rectangle([90, 110, 210, 200], 10, fill="#a0a0a0")
    draw.ellipse([125, 125, 175, 185], fill="#f2f2f2")
    return picture


def placeholders(catalog: Catalog) -> set[int]:
    with catalog.read() as session:
        return set(session.scalars(select(ImageRow.id).where(ImageRow.placeholder.is_(True))))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("img/no_image.jpg", True),
        ("img/NoImage-300x300.png", True),
        ("no-photo.gif", True),
        ("n/o/no_selection", True),
        ("placeholder.webp", True),
        ("shop_coming-soon2.jpg", True),
        ("now printing.jpg", True),
        ("写真/画像準備中.jpg", True),
        ("ノーイメージ.png", True),
        ("placeholders/white-plimsolls-2.png", False),
        ("casino_image.jpg", False),
        ("piano_photo.jpg", False),
        ("nova_image.jpg", False),
        ("placeholderless.jpg", False),
    ],
)
def test_a_file_name_says_placeholder(path: str, expected: bool) -> None:
    assert says_placeholder(path) is expected


@pytest.mark.parametrize(
    ("names", "count"),
    [
        (NAMES, 6),
        (("Linen shirt S", "Linen shirt M", "Linen shirt L", "Linen shirt XL"), 1),
        (("Linen shirt S", "Linen shirt M", "Oak table"), 2),
        (("木製テーブル 120cm", "木製テーブル 150cm", "ガラス花瓶"), 2),
        (("Mug",), 1),
        ((), 0),
    ],
)
def test_names_that_begin_alike_are_one_family(names: tuple[str, ...], count: int) -> None:
    assert families(names) == count


def test_a_plain_picture_of_many_products_is_a_placeholder(catalog: Catalog) -> None:
    ids = store(catalog, {"camera": camera(), "small": recompressed(resized(camera(), 0.5), 80), "photo": scene(1)})
    for name in NAMES[:3]:
        add_product(catalog, name, [ids["camera"]], origins=["c.png"])
    assert find_duplicates(catalog).placeholders == 0
    for name in NAMES[3:]:
        add_product(catalog, name, [ids["small"], ids["photo"]], origins=["s.png", f"{name}.jpg"])
    report = find_duplicates(catalog)
    # The two sizes are one picture, so their products count together.
    assert placeholders(catalog) == {ids["camera"], ids["small"]}
    assert report.placeholders == 2
    assert [(issue.source, issue.reason, issue.severity) for issue in report.issues] == [
        ("c.png", "IMG_PLACEHOLDER", "warning"),
        ("s.png", "IMG_PLACEHOLDER", "warning"),
    ]
    assert "of 3 products" in report.issues[0].detail
    assert find_duplicates(catalog, source="shop").issues == report.issues
    with catalog.write() as session:
        session.execute(update(ProductRow).where(ProductRow.name.in_(NAMES[3:])).values(status="missing"))
    assert find_duplicates(catalog).placeholders == 0
    assert placeholders(catalog) == set()


def test_issues_are_of_the_source_asked_for(catalog: Catalog) -> None:
    ids = store(catalog, {"camera": camera()})
    add_product(catalog, "Oak table", [ids["camera"]], origins=["no_image.png"])
    add_product(catalog, "Steel lamp", [ids["camera"]], origins=["b/no-image.png"], source="other")
    report = find_duplicates(catalog, source="other")
    assert [issue.source for issue in report.issues] == ["b/no-image.png"]
    assert placeholders(catalog) == {ids["camera"]}


def test_a_photo_that_some_products_share_is_none(catalog: Catalog) -> None:
    ids = store(catalog, {"group": scene(1), "shirt": camera(), "named": scene(2)})
    for name in NAMES:
        add_product(catalog, name, [ids["group"]])
    for size in ("S", "M", "L", "XL", "XXL"):
        add_product(catalog, f"Linen shirt {size}", [ids["shirt"]])
    # A colourful photo is no placeholder, whatever its name says.
    add_product(catalog, "Frame", [ids["named"]], origins=["placeholder.jpg"])
    assert find_duplicates(catalog).placeholders == 0


def test_a_photo_that_very_many_products_share_is_one(catalog: Catalog) -> None:
    ids = store(catalog, {"banner": scene(1)})
    for number in range(12):
        add_product(catalog, f"{chr(97 + number)} product", [ids["banner"]])
    assert find_duplicates(catalog).placeholders == 1
