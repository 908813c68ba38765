"""Draws pictures with the shipped base as `adapt generate` does, without scores: [count] [folder] → time and memory."""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

import adapt
from adapt.generate import Prompt, generate
from adapt.training.inference import load_generator

BASE = Path(adapt.__file__).parent / "bases" / "birds_64"
CAPTIONS = [
    f"a small {colour} bird with {wing} wings" for colour in ("red", "blue", "yellow") for wing in ("black", "white")
]


def main() -> None:
    """Draw and print what it took."""
    count, folder = int(sys.argv[1]), Path(sys.argv[2])
    loaded = load_generator(BASE)
    generate(loaded, [Prompt(product_id=0, caption_id=None, text=CAPTIONS[0])], folder / "warm", per_caption=32)
    prompts = [
        Prompt(product_id=number, caption_id=number, text=CAPTIONS[number % len(CAPTIONS)]) for number in range(count)
    ]
    begun = time.perf_counter()
    generate(loaded, prompts, folder / "drawn", per_caption=1)
    seconds = time.perf_counter() - begun
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "memory_mb": memory}))


if __name__ == "__main__":
    main()
