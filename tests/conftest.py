"""Fixtures every test may use."""

import colorsys
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")

REPOSITORY = Path(__file__).resolve().parents[1]


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


@pytest.fixture
def queued(workspace: Path, tmp_path: Path) -> Callable[..., Path]:
    """Return a function that fills a workspace with `count` drawn 64 px candidates waiting for review."""

    def fill(count: int = 3, *, name: str = "Blue enamel mug", similarity: float = 0.62, fmt: str = "PNG") -> Path:
        from catalog.generation import enqueue
        from catalog.records import Candidate
        from catalog.schema import AttributeRow, CaptionRow, ImageRow, ProductRow, SourceRow
        from catalog.store import Catalog

        def drawn(shift: int, size: int) -> Image.Image:
            picture = Image.new("RGB", (size, size), "white")
            unit, draw = size / 64, ImageDraw.Draw(picture)
            colour = colorsys.hsv_to_rgb((0.55 + shift * 0.37) % 1.0, 0.6, 0.8)
            fill_colour = tuple(int(255 * part) for part in colour)
            draw.ellipse([44 * unit, 22 * unit, 58 * unit, 44 * unit], outline=fill_colour, width=int(4 * unit))
            draw.rounded_rectangle([12 * unit, 14 * unit, 48 * unit, 54 * unit], 5 * unit, fill=fill_colour)
            draw.rectangle([16 * unit, 18 * unit, 19 * unit, 48 * unit], fill="white")
            draw.point((shift % size, shift // size), fill="black")
            return picture

        folder = tmp_path / "drawn"
        folder.mkdir(exist_ok=True)
        drawn(0, 256).save(folder / "real.png")
        with Catalog.open(workspace) as catalog:
            real = catalog.blobs.put((folder / "real.png").read_bytes(), "png")
            with catalog.write() as session:
                source = SourceRow(name="shop", root="shop")
                session.add(source)
                session.flush()
                session.add(
                    ImageRow(
                        sha256=real, ext="png", format="PNG", width=256, height=256, size_bytes=1, kind="catalogue"
                    )
                )
                product = ProductRow(source_id=source.id, sku="MUG-1", name=name, category="Kitchen / Mugs")
                session.add(product)
                session.flush()
                facts = [("colour", "blue", None), ("material", "enamel", None), ("height", "8.5", "cm")]
                for position, (fact, value, unit) in enumerate(facts):
                    session.add(
                        AttributeRow(product_id=product.id, name=fact, value=value, unit=unit, position=position)
                    )
                caption = CaptionRow(product_id=product.id, text="a blue enamel mug", facts={"colour": "blue"})
                session.add(caption)
                session.flush()
                product_id, caption_id = product.id, caption.id
            candidates = []
            for number in range(count):
                path = folder / f"{number}.{fmt.lower()}"
                drawn(number, 64).save(path, fmt)
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
