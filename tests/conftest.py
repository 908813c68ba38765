"""Fixtures every test may use."""

import colorsys
import functools
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image, ImageDraw

if TYPE_CHECKING:
    from catalog.store import Catalog

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")

REPOSITORY = Path(__file__).resolve().parents[1]
# What several tests are made of, such as `stored_pictures`, is imported by its name.
sys.path.append(str(REPOSITORY / "tests"))


@pytest.fixture(scope="session")
def repository() -> Path:
    """Root of the checkout."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder with real data for development, beside the checkout; a test that needs it skips without it."""
    folder = REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no ../shared/data beside the checkout")
    return folder


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace folder that does not exist yet."""
    return tmp_path / "workspace"


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A small JPEG with some structure, 48 px wide and 40 px high."""
    rows, columns = np.mgrid[0:40, 0:48]
    pixels = np.stack([rows * 6, columns * 5, (rows + columns) * 2], axis=-1).astype(np.uint8)
    path = tmp_path / "picture.jpg"
    Image.fromarray(pixels).save(path, quality=90)
    return path


@pytest.fixture(scope="session")
def sample_catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The drawn catalogue, small: 12 products with two pictures each. Copy it before changing it."""
    from catalog.sample import draw_sample_catalogue

    return draw_sample_catalogue(tmp_path_factory.mktemp("sample") / "catalogue", products=12, seed=0)


def _drawn_mug(number: int, size_px: int) -> Image.Image:
    """A mug whose colour changes with `number`; one dark pixel makes each picture a file of its own."""
    picture = Image.new("RGB", (size_px, size_px), "white")
    unit, draw = size_px / 64, ImageDraw.Draw(picture)
    red, green, blue = (int(255 * part) for part in colorsys.hsv_to_rgb((0.55 + number * 0.37) % 1.0, 0.6, 0.8))
    draw.ellipse([44 * unit, 22 * unit, 58 * unit, 44 * unit], outline=(red, green, blue), width=int(4 * unit))
    draw.rounded_rectangle([12 * unit, 14 * unit, 48 * unit, 54 * unit], 5 * unit, fill=(red, green, blue))
    draw.rectangle([16 * unit, 18 * unit, 19 * unit, 48 * unit], fill="white")
    draw.point((number % size_px, number // size_px), fill="black")
    return picture


def _add_mug(catalog: "Catalog", name: str, real: str) -> tuple[int, int]:
    """Add a product with three facts, a caption and a real photo; return (product, caption)."""
    from catalog.schema import AttributeRow, CaptionRow, ImageRow, ProductRow, SourceRow

    with catalog.write() as session:
        source = SourceRow(name="shop", root="shop")
        session.add(source)
        session.add(ImageRow(sha256=real, ext="png", format="PNG", width=256, height=256, size_bytes=1))
        session.flush()
        product = ProductRow(
            source_id=source.id,
            sku="MUG-1",
            name=name,
            category="Kitchen / Mugs",
            description="Holds <8 fl oz & keeps it warm.",
        )
        session.add(product)
        session.flush()
        facts = [("colour", "blue", None), ("material", "enamel", None), ("height", "8.5", "cm")]
        session.add_all(
            AttributeRow(product_id=product.id, name=fact, value=value, unit=unit, position=position)
            for position, (fact, value, unit) in enumerate(facts)
        )
        caption = CaptionRow(product_id=product.id, text="a blue enamel mug", facts={"colour": "blue"})
        session.add(caption)
        session.flush()
        return product.id, caption.id


@pytest.fixture(scope="session")
def fill_queue() -> Callable[..., Path]:
    """Return a function that makes a workspace with `count` drawn 64 px candidates waiting for review."""

    def fill(
        workspace: Path,
        count: int = 3,
        *,
        name: str = "Blue enamel mug",
        similarity: float = 0.62,
        fmt: str = "PNG",
        url: str | None = None,
    ) -> Path:
        from catalog.generation import enqueue
        from catalog.records import Candidate
        from catalog.store import Catalog

        folder = workspace.parent / "drawn"
        folder.mkdir(exist_ok=True)
        _drawn_mug(0, 256).save(folder / "real.png")
        with Catalog.open(workspace, url=url) as catalog:
            real = catalog.blobs.put((folder / "real.png").read_bytes(), "png")
            product_id, caption_id = _add_mug(catalog, name, real)
            candidates = []
            for number in range(count):
                path = folder / f"{number}.{fmt.lower()}"
                _drawn_mug(number, 64).save(path, fmt)
                candidates.append(
                    Candidate(
                        image=path,
                        product_id=product_id,
                        caption_id=caption_id,
                        prompt="a blue enamel mug on a white background",
                        seed=number,
                        scores={"text_match": 0.31 + number / 100},
                        nearest_sha256=real,
                        nearest_similarity=similarity,
                    )
                )
            assert enqueue(catalog, "mugs", candidates) == count
        return workspace

    return fill


@pytest.fixture
def queued(fill_queue: Callable[..., Path], workspace: Path) -> Callable[..., Path]:
    """Return `fill_queue` for this test's workspace: `queued(count, **options)`."""
    return functools.partial(fill_queue, workspace)
