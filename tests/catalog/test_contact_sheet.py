"""The contact sheet shows every product's real and generated pictures."""

from pathlib import Path

import numpy as np
from PIL import Image

from catalog.contact_sheet import SheetRow, sheet_of_run, write_contact_sheet
from catalog.generation import enqueue
from catalog.ingest import ingest
from catalog.records import Candidate
from catalog.store import Catalog


def test_sheet_shows_real_and_generated_side_by_side(tmp_path: Path) -> None:
    red, blue = Image.new("RGB", (64, 64), (200, 0, 0)), Image.new("RGB", (32, 64), (0, 0, 200))
    rows = [SheetRow(label=f"a red mug, number {n}", real=red, generated=[blue, blue]) for n in range(5)]
    path = write_contact_sheet(rows, tmp_path / "new" / "sheet.png", columns=2, cell_px=48)
    with Image.open(path) as sheet:
        pixels = np.asarray(sheet, np.int16)
    reds = ((pixels[..., 0] > 150) & (pixels[..., 2] < 50)).sum()
    blues = ((pixels[..., 2] > 150) & (pixels[..., 0] < 50)).sum()
    assert reds == 5 * 48 * 48
    assert 0.8 < blues / (5 * 2 * 48 * 24) < 1.2
    assert [entry.name for entry in path.parent.iterdir()] == ["sheet.png"]


def test_sheet_of_nothing_is_still_a_picture(tmp_path: Path) -> None:
    with Image.open(write_contact_sheet([], tmp_path / "sheet.png")) as sheet:
        assert sheet.width > 0 and sheet.height > 0


def test_sheet_of_run_shows_only_that_run(sample_catalogue: Path, workspace: Path) -> None:

    drawn = workspace.parent / "drawn.png"
    Image.new("RGB", (32, 32), (250, 0, 250)).save(drawn)
    with Catalog.open(workspace) as catalog:
        ingest(catalog, sample_catalogue)
        candidate = Candidate(image=drawn, product_id=1, caption_id=None, prompt="a red mug", seed=0, scores={})
        enqueue(catalog, "mine", [candidate])
        with Image.open(sheet_of_run(catalog, "mine", workspace / "mine.png")) as sheet:
            pixels = np.asarray(sheet, np.int16)
        with Image.open(sheet_of_run(catalog, "other", workspace / "other.png")) as sheet:
            empty = np.asarray(sheet, np.int16)
    assert ((pixels == (250, 0, 250)).all(axis=-1)).sum() == 96 * 96
    assert not (empty == (250, 0, 250)).all(axis=-1).any()
