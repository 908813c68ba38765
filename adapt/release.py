"""Make a base of a pretraining run: small weights, a card with measured figures, a sheet of drawn pictures.

    python -m adapt.release RUN_FOLDER BASE_FOLDER

The run must have been scored (`adapt evaluate --run RUN …` writes its metrics.json). Weights are stored in float16; the
discriminator goes along, since adaptation starts from it, without the frozen network it looks through.
"""

import json
import sys
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from adapt.data.pictures import to_pixels
from adapt.errors import CheckpointError
from adapt.training.checkpoint import (
    DISCRIMINATOR_FILE,
    read_discriminator,
    read_json,
    read_tensors,
    write_tensors,
)
from adapt.training.inference import GENERATOR_FILE, TEXT_FOLDER, copy_text_encoder, load_generator
from adapt.training.logbook import contact_sheet

_TERMS = {
    "cub": "CUB-200-2011 photographs belong to their photographers and are commonly taken to be for non-commercial "
    "research and education; captions by Reed et al., CVPR 2016. Use this base for research and evaluation only; cite "
    "Wah et al. 2011 and Reed et al. 2016.",
    "coco": "COCO photographs are under the licence each one names, captions under CC BY 4.0. Use this base for "
    "research and evaluation only; cite Lin et al. 2014.",
}
_SHEET_PROMPTS = (
    "a small yellow bird with black wings",
    "a small red bird with black wings",
    "a small blue bird with a white belly",
    "a white bird with a grey back and an orange beak",
    "a black bird with a short beak",
    "a brown bird with a speckled breast",
    "a green bird with a red crown",
    "a grey bird with a long beak",
)


def release(run: Path, target: Path) -> Path:
    """Write a base folder from a run folder.

    Raises:
        CheckpointError: the run has no checkpoint or was not scored.
    """
    tensors, metadata = read_tensors(run / GENERATOR_FILE)
    write_tensors(target / GENERATOR_FILE, _half(tensors), metadata | {"base": target.name})
    if (run / TEXT_FOLDER).is_dir():
        copy_text_encoder(run / TEXT_FOLDER, target / TEXT_FOLDER)
    write_tensors(target / DISCRIMINATOR_FILE, _half(read_discriminator(run)), {"base": target.name})
    if not (run / "metrics.json").is_file():
        raise CheckpointError(f"{run.name} was not scored; run: adapt evaluate --run {run} …")
    report = read_json(run / "metrics.json")
    _sheet(target).save(target / "samples.png", optimize=True)
    (target / "metrics.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    card = target / "README.md"
    card.write_text(_card(target.name, metadata, report, read_json(run / "config.json")), encoding="utf-8")
    return card


def _half(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: value.half() if value.is_floating_point() else value for name, value in tensors.items()}


def _sheet(base: Path) -> Image.Image:
    """Prompts of our own in rows, four noises each, the same four for every prompt."""
    loaded = load_generator(base)
    texts = [prompt for prompt in _SHEET_PROMPTS for _ in range(4)]
    images = loaded.generate(texts, loaded.noise(4, seed=0).repeat(len(_SHEET_PROMPTS), 1))
    return contact_sheet(to_pixels(images), texts, columns=8)


def _card(name: str, metadata: dict[str, Any], report: dict[str, Any], run: dict[str, Any]) -> str:
    dataset = str(metadata.get("dataset", "folder"))
    config = run["config"]
    rows = "\n".join(_row(key, metric) for key, metric in report["metrics"].items())
    return f"""# {name}

{config["model"]["options"].get("image_px", 64)} px `{config["model"]["name"]}` generator, trained on `{dataset}`
with the `{config["discriminator"]["name"]}` discriminator. The distribution-sensitive losses are our reconstruction of
arXiv 2312.10854, whose equations could not be had.

## Terms

{_TERMS.get(dataset, "Those of the dataset it was trained on.")}

## Training

| what | value |
| --- | --- |
| pictures in the dataset (held-out ones are never trained on) | {run["pictures"]} |
| pictures seen in the last stage | {metadata["images_seen"]} in {metadata["step"]} steps |
| batch | {config["data"]["batch_size"]} |
| seed | {config["train"]["seed"]} |
| text encoder | {config["text"]["encoder"]} ({config["text"]["path"] or "packaged MiniLM"}), frozen |
| torch | {run["torch"]} |
| losses | {", ".join(f"{key} {value}" for key, value in config["loss"].items() if "weight" in key)} |

{(run.get("notes") or "").strip()}

## Figures

On held-out pictures. Rows of EfficientNet-Lite0 are seen in training; the other extractor judged only.

| figure | value | 95 % interval | chance | n | extractor | seed |
| --- | --- | --- | --- | --- | --- | --- |
{rows}

`samples.png`: eight prompts, four noises each, the same four for every prompt; nothing picked by hand.
"""


def _row(name: str, metric: dict[str, Any]) -> str:
    def shown(key: str) -> str:
        value = metric.get(key)
        return "" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)

    interval = f"{shown('low')} to {shown('high')}" if metric.get("low") is not None else ""
    cells = [name, shown("value"), interval, shown("chance"), shown("n"), shown("extractor"), shown("seed")]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    print(release(Path(sys.argv[1]), Path(sys.argv[2])))
