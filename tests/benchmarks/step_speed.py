"""One generator and discriminator step of SSA-GAN with the gradient penalty, in several memory layouts and precisions.

The first row is the published layout: NCHW, float32, the penalty as an optimiser step of its own. The others put hinge
and penalty into one backward. Rows alternate, so that a drifting machine slows all of them alike; the median counts.
"""

import argparse
import platform
import statistics
import time
from collections.abc import Callable
from contextlib import nullcontext

import numpy as np
import torch
from torch import Tensor, nn

from adapt.config import NetworkConfig
from adapt.data.augment import CropAndFlip
from adapt.data.pictures import to_model
from adapt.losses.adversarial import hinge_fake, hinge_generator, hinge_real
from adapt.losses.gradient_penalty import matching_aware_penalty
from adapt.models.factory import build_discriminator, build_generator
from adapt.models.interfaces import TextFeatures

IMAGE_PX = 64


class Step:
    """Both networks with their optimisers, and one step of training on random pictures."""

    def __init__(self, batch_size: int, *, channels_last: bool, bf16: bool, separate_penalty: bool) -> None:
        torch.manual_seed(0)
        widths = [256, 256, 128, 64, 32]
        layout = torch.channels_last if channels_last else torch.contiguous_format
        self._generator = build_generator(
            NetworkConfig(name="ssa_gan", options={"image_px": IMAGE_PX, "widths": widths, "gate_init": 1.0})
        ).to(memory_format=layout)  # type: ignore[call-overload]
        self._discriminator = build_discriminator(
            NetworkConfig(name="ssa_gan", options={"image_px": IMAGE_PX, "width": 32})
        ).to(memory_format=layout)  # type: ignore[call-overload]
        self._optimizers = [
            torch.optim.Adam(network.parameters(), lr=1e-4, betas=(0.0, 0.9))
            for network in (self._generator, self._discriminator)
        ]
        self._images = (torch.rand(batch_size, 3, IMAGE_PX, IMAGE_PX) * 2 - 1).to(memory_format=layout)
        self._sentences = nn.functional.normalize(torch.randn(batch_size, 384), dim=1)
        self._texts = TextFeatures(
            words=torch.zeros(batch_size, 0, 384),
            sentence=self._sentences,
            mask=torch.zeros(batch_size, 0, dtype=torch.bool),
        )
        self._noise = torch.randn(batch_size, 100)
        self._bf16, self._separate = bf16, separate_penalty

    def __call__(self) -> None:
        """Run one step."""
        for_generator, for_discriminator = self._optimizers
        with torch.no_grad(), self._autocast():
            fake = self._generator(self._noise, self._texts).images.float()
        real, sentences = self._images.clone().requires_grad_(True), self._sentences.clone().requires_grad_(True)
        logits = self._discriminator((real,), sentences[:, None]).matching
        with self._autocast():
            on_fake = self._discriminator((fake,), self._sentences[:, None]).matching
        hinge = hinge_real(logits) + hinge_fake(on_fake)
        if self._separate:
            self._descend(for_discriminator, hinge)
            logits = self._discriminator((real,), sentences[:, None]).matching
            self._descend(for_discriminator, self._penalty(logits, real, sentences))
        else:
            self._descend(for_discriminator, hinge + self._penalty(logits, real, sentences))
        with self._autocast():
            drawn = self._generator(self._noise, self._texts)
            judged = self._discriminator(drawn.stages, self._sentences[:, None]).matching
        self._descend(for_generator, hinge_generator(judged))

    def _autocast(self) -> torch.autocast | nullcontext[None]:
        return torch.autocast("cpu", dtype=torch.bfloat16) if self._bf16 else nullcontext()

    @staticmethod
    def _penalty(logits: tuple[Tensor, ...], real: Tensor, sentences: Tensor) -> Tensor:
        return matching_aware_penalty(logits[0].flatten(), (real,), sentences)

    @staticmethod
    def _descend(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()


def seconds_of(work: Callable[[], object]) -> float:
    """Wall time of one call."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batch", type=int, default=24)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    rows = {
        "NCHW float32, penalty as its own step": (False, False, True),
        "NCHW float32, one backward": (False, False, False),
        "channels_last float32, one backward": (True, False, False),
        "channels_last bf16, one backward": (True, True, False),
    }
    steps = {
        name: Step(options.batch, channels_last=layout, bf16=bf16, separate_penalty=separate)
        for name, (layout, bf16, separate) in rows.items()
    }
    times: dict[str, list[float]] = {name: [] for name in steps}
    for turn in range(options.rounds + 1):
        for name, step in steps.items():
            taken = seconds_of(step)
            if turn:  # the first round builds kernels
                times[name].append(taken)
    medians = {name: statistics.median(taken) for name, taken in times.items()}
    first = next(iter(medians.values()))
    print(f"{platform.processor() or platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}")
    print(f"SSA-GAN {IMAGE_PX} px, batch {options.batch}, median of {options.rounds}\n")
    print("| layout, precision | pictures/s | against the first |\n| --- | --- | --- |")
    for name, median in medians.items():
        print(f"| {name} | {options.batch / median:.1f} | {first / median:.2f} |")
    side = round(IMAGE_PX * 76 / 64)
    pictures = np.random.default_rng(0).integers(0, 256, (options.batch, side, side, 3), dtype=np.uint8)
    transform = CropAndFlip(IMAGE_PX, flip=True)
    loading = statistics.median(
        seconds_of(lambda turn=turn: to_model(transform(pictures, seed=turn))) for turn in range(20)
    )
    print(f"| loader alone (crop, flip, to float) | {options.batch / loading:.0f} | |")


if __name__ == "__main__":
    main()
