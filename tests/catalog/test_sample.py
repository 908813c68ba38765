"""The drawn catalogue: enough of everything, truthful, the same bytes every time."""

import csv
import hashlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from catalog.drawing import Material, View, render
from catalog.drawing.shapes import SHAPES
from catalog.errors import CatalogError
from catalog.sample import SIZE_PX, VIEWS, draw_sample_catalogue, plan_products


def test_plan_has_enough_variety() -> None:
    chosen = plan_products(64, seed=0)
    assert len({item.sku for item in chosen}) == 64
    assert len({(i.category, i.form, i.material, i.color, i.pattern) for i in chosen}) == 64
    assert len({item.category for item in chosen}) == 10
    assert len({item.color for item in chosen}) >= 10
    assert len({item.material for item in chosen}) >= 7
    assert 24 <= sum(item.lang == "ja" for item in chosen) <= 40


@pytest.mark.parametrize("count", [0, 301])
def test_plan_refuses_counts_it_cannot_draw(count: int) -> None:
    with pytest.raises(CatalogError, match="draws 1 to 300"):
        plan_products(count, seed=0)


def test_largest_plan_has_no_repeats() -> None:
    chosen = plan_products(300, seed=3)
    assert len({(i.category, i.form, i.material, i.color, i.pattern) for i in chosen}) == 300


def test_catalogue_has_two_pictures_and_a_text_a_product(sample_catalogue: Path) -> None:
    rows = list(csv.DictReader((sample_catalogue / "products.csv").read_text(encoding="utf-8").splitlines()))
    assert len(rows) == 12
    for row in rows:
        pictures = row["images"].split("|")
        assert len(pictures) == len(VIEWS)
        for picture in pictures:
            with Image.open(sample_catalogue / picture) as image:
                assert image.size == (SIZE_PX, SIZE_PX) and image.mode == "RGB"
        assert (sample_catalogue / row["description_file"]).read_text(encoding="utf-8").strip()
    assert {bool(row["色"]) for row in rows} == {True, False}
    assert all(bool(row["色"]) != bool(row["color"]) for row in rows)


def test_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    def digest(folder: Path) -> str:
        whole = hashlib.sha256()
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            whole.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
        return whole.hexdigest()

    first = digest(draw_sample_catalogue(tmp_path / "a", products=2, seed=1))
    assert first == digest(draw_sample_catalogue(tmp_path / "b", products=2, seed=1))
    assert first != digest(draw_sample_catalogue(tmp_path / "c", products=2, seed=2))


def test_stopped_drawing_is_completed(tmp_path: Path) -> None:
    folder = draw_sample_catalogue(tmp_path / "a", products=2)
    lost, kept = sorted((folder / "images").iterdir())[:2]
    before, stamp = lost.read_bytes(), kept.stat().st_mtime_ns
    lost.unlink()
    draw_sample_catalogue(folder, products=2)
    assert lost.read_bytes() == before
    assert kept.stat().st_mtime_ns == stamp


@pytest.mark.parametrize("category", sorted(SHAPES))
def test_picture_shows_the_named_colour_on_white(category: str) -> None:
    form = next(item.form for item in plan_products(10, seed=0) if item.category == category)
    red = Material(kind="ceramic", color=(190, 30, 30))
    pixels = np.asarray(render(SHAPES[category](form, red), View(turn=-35, above=22), size_px=64), np.int16)
    edge = np.concatenate([pixels[0], pixels[:, 0], pixels[:, -1]])
    assert edge.min() > 225
    reddish = (pixels[..., 0] - pixels[..., 1] > 60) & (pixels[..., 0] - pixels[..., 2] > 60)
    assert 0.03 < reddish.mean() < 0.6


def test_glass_lets_the_background_through() -> None:
    view = View(turn=0, above=9)
    solid, clear = (
        np.asarray(render(SHAPES["vase"]("round", Material(kind=kind, color=(120, 164, 226))), view, size_px=64), float)
        for kind in ("ceramic", "glass")
    )
    assert clear[24:40, 24:40].mean() > solid[24:40, 24:40].mean() + 15
