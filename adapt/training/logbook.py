"""What a run leaves to be looked at: metrics.jsonl, TensorBoard events and grids of fixed noise and captions."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from torch.utils.tensorboard import SummaryWriter


class Logbook:
    """Appends to a run folder; after a resume, lines past the checkpoint are dropped first."""

    def __init__(self, folder: Path, *, resume_step: int) -> None:
        self.folder = folder
        self._metrics = folder / "metrics.jsonl"
        folder.mkdir(parents=True, exist_ok=True)
        if self._metrics.is_file():
            lines = self._metrics.read_text(encoding="utf-8").splitlines()
            kept = [line for line in lines if _step_of(line) is not None and (_step_of(line) or 0) <= resume_step]
            self._metrics.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")
        self._events = SummaryWriter(str(folder / "events"), purge_step=resume_step + 1)

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """One line of metrics.jsonl and one TensorBoard scalar a value."""
        row = {"step": step} | {name: round(value, 6) for name, value in values.items()}
        with self._metrics.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        for name, value in values.items():
            self._events.add_scalar(name.replace("_", "/", 1), value, step)

    def grid(self, step: int, pictures: NDArray[np.uint8], captions: Sequence[str]) -> Path:
        """Save a sheet of pictures (N, H, W, 3) with their captions under samples/ and in the events."""
        path = self.folder / "samples" / f"step-{step:06d}.png"
        path.parent.mkdir(exist_ok=True)
        sheet = contact_sheet(pictures, captions)
        sheet.save(path)
        self._events.add_image("samples", np.asarray(sheet), step, dataformats="HWC")
        return path

    def close(self) -> None:
        """Flush the events."""
        self._events.close()


def _step_of(line: str) -> int | None:
    """A kill can leave half a line; it counts as none."""
    try:
        return int(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return None


def contact_sheet(
    pictures: NDArray[np.uint8], captions: Sequence[str], *, columns: int = 8, scale: int = 2
) -> Image.Image:
    """Pictures (N, H, W, 3) in rows, enlarged `scale` times without smoothing, each with its caption below."""
    side, gap, text_px = pictures.shape[1] * scale, 8, 26
    rows = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (columns * (side + gap) + gap, rows * (side + gap + text_px) + gap), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(9)
    for i, (picture, caption) in enumerate(zip(pictures, captions, strict=True)):
        left = gap + (i % columns) * (side + gap)
        top = gap + (i // columns) * (side + gap + text_px)
        sheet.paste(Image.fromarray(picture).resize((side, side), Image.Resampling.NEAREST), (left, top))
        width = max(8, side // 5)
        lines = [caption[:width], caption[width : 2 * width]]
        draw.multiline_text((left, top + side + 2), "\n".join(lines), fill="black", font=font, spacing=1)
    return sheet
