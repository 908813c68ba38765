"""The card of an adapted run: what it was made from, how, and how it scored. Nothing personal, no captions."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import peft
import torch

from adapt.fewshot.config import FinetuneConfig
from adapt.fewshot.source import Source
from adapt.fewshot.support_set import SupportSet
from adapt.fewshot.terms import nearness_of

CARD_FILE = "README.md"


def write_card(
    folder: Path, source: Source, support: SupportSet, config: FinetuneConfig, summary: Mapping[str, Any]
) -> Path:
    """Write README.md beside the adapter."""
    fewshot, distance = config.fewshot, summary["distance_to_base"]
    categories = sorted({entry.category for entry in support.shots if entry.category})
    metrics = "\n".join(f"| {name} | {value} |" for name, value in summary["metrics"].items())
    decisions = ""
    if "approved" in summary:
        learned = f"{summary['approved']} approved pictures as further shots, {summary['rejected']} rejected as fakes"
        decisions = f"| decisions of people | {learned} |\n"
    text = f"""# {folder.name}

Adapted from `{source.name}` (generator sha256 `{source.sha256}`) by `adapt finetune`.

| what | value |
| --- | --- |
| method | {fewshot.method}, rank {fewshot.rank}, alpha {fewshot.alpha} |
| shots | {len(support.train)} to learn from, {len(support.held_out)} held out to choose the checkpoint |
{decisions}| categories | {len(categories)}: {", ".join(categories[:12])}{" …" if len(categories) > 12 else ""} |
| distance of the shots to the base | {distance}; the base is held to with {nearness_of(distance):.0%} of the weight |
| steps, pictures seen | {summary["steps"]}, {summary["images_seen"]} |
| seconds | {summary["seconds"]} |
| seed | {config.train.seed} |
| torch, peft | {torch.__version__}, {peft.__version__} |

Figures of training (EfficientNet-Lite0, seen in training; they steer the run and are no measure of quality):

| name | value |
| --- | --- |
{metrics}

`adapter/` holds the low-rank update and the layers trained whole, in peft's layout; `generator.safetensors` is the base
with the update merged. Shots are listed by sha256 in config.json. The terms of the base apply to this adapter too.
The losses are a reconstruction of arXiv 2312.10854, whose equations could not be had.
"""
    path = folder / CARD_FILE
    path.write_text(text, encoding="utf-8")
    return path
