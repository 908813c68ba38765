"""Fixtures every test may use."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

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
