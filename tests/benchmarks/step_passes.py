"""Train SSA-GAN on random pictures in a process of its own; print pictures a second and peak memory as JSON.

`ours` is the training loop as it ships, `compiled` the same with `train.compile=generator`. `published` is the layout
of the papers' loops around the same two networks: NCHW, float32, features enlarged before a block and pooled after its
shortcut, and the penalty as an optimiser step of its own, on features of the real pictures seen a second time. All draw
once a step, judge real, generated and mismatched pairs, and take the matching-aware penalty.
"""

from __future__ import annotations

import json
import resource
import statistics
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from torch import Tensor, nn

from adapt.config import LossConfig, NetworkConfig, OptimConfig, TrainConfig
from adapt.data.batches import PictureBatches
from adapt.losses.adversarial import hinge_fake, hinge_generator, hinge_real
from adapt.losses.gradient_penalty import matching_aware_penalty
from adapt.models.factory import build_discriminator, build_generator
from adapt.models.interfaces import TextFeatures
from adapt.models.ssa_gan import DownBlock, SSCBlock, enlarged
from adapt.models.text_cache import TextFeatureCache
from adapt.training.diffaugment import Augmentation
from adapt.training.loop import fit
from adapt.training.objective import Objective
from adapt.training.precision import use_bf16
from adapt.training.step import Networks
from catalog.records import Caption, ManifestEntry

WARM_UP = 2
"""Steps that build kernels and are not counted."""
LOSS = LossConfig(
    fake_to_fake_weight=0.0, fake_to_real_weight=0.0, penalty_weight=2.0, mismatch_weight=0.5, counterfactual_share=0.0
)


class RandomTexts:
    """A text encoder of 256 random numbers a text: the step's cost does not depend on what a caption says."""

    name, word_dim, sentence_dim, max_words = "random", 256, 256, 0

    def encode(self, texts: Any, device: torch.device | str = "cpu") -> TextFeatures:
        """One fixed random unit vector a text."""
        rows = [torch.randn(256, generator=torch.Generator().manual_seed(len(text))) for text in texts]
        sentence = nn.functional.normalize(torch.stack(rows), dim=1).to(device)
        empty = sentence.new_zeros(len(rows), 0, 256)
        return TextFeatures(words=empty, sentence=sentence, mask=empty[..., 0].bool())


def networks(side_px: int, width: int) -> tuple[nn.Module, nn.Module]:
    """SSA-GAN at this side; `width` is the papers' NF, the channels of the last generator block."""
    torch.manual_seed(0)
    count = (side_px // 4).bit_length()
    widths = [min(width * 2 ** (count - 1 - i), width * 8) for i in range(count)]
    shared = {"image_px": side_px, "sentence_dim": 256}
    generator = build_generator(
        NetworkConfig(name="ssa_gan", options={**shared, "widths": widths, "noise_in_condition": False})
    )
    return generator, build_discriminator(NetworkConfig(name="ssa_gan", options={**shared, "width": width}))


def ours(side_px: int, width: int, batch_size: int, steps: int, *, compiled: bool = False) -> list[float]:
    """Seconds of each counted step of the training loop."""
    generator, discriminator = networks(side_px, width)
    for network in (generator, discriminator):
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    fabric = Fabric(devices=1, accelerator="cpu")
    objective = Objective(loss=LOSS, augmentation=Augmentation([]), features=None, bf16=use_bf16("auto", fabric.device))
    moments: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        fit(
            fabric,
            Networks(generator=generator, discriminator=discriminator, noise_dim=100),
            objective,
            batches(side_px, batch_size),
            train=TrainConfig(
                steps=steps + WARM_UP,
                checkpoint_every=10**9,
                sample_every=0,
                augment=(),
                compile="generator" if compiled else "",
            ),
            optim=OptimConfig(generator_lr=1e-4, discriminator_lr=4e-4),
            folder=Path(folder),
            progress=lambda what, done, total: moments.append(time.perf_counter()),
        )
    return list(np.diff(moments))[WARM_UP - 1 :]


def batches(side_px: int, batch_size: int) -> PictureBatches:
    """Batches of random pictures."""
    side = round(side_px * 76 / 64)
    count = 2 * batch_size
    pictures = np.random.default_rng(0).integers(0, 256, (count, side, side, 3), dtype=np.uint8)
    entries = [
        ManifestEntry(
            Path(f"{i}.png"), f"{i:064}", f"s/{i}", i, "", "train",
            tuple(Caption(2 * i + k, "x" * (2 * i + k), "en", "t", {}) for k in range(2)), str(i),
        )
        for i in range(count)
    ]  # fmt: skip
    return PictureBatches(
        entries,
        pictures,
        TextFeatureCache(RandomTexts(), keep_words=False),
        image_px=side_px,
        batch_size=batch_size,
        flip=True,
        human_share=0.0,
        counterfactual_share=0.0,
        seed=0,
    )


def enlarge_before_the_block(block: SSCBlock, x: Tensor, condition: Tensor, mask: Tensor) -> Any:
    """`SSCBlock.forward` in the published order."""
    return as_shipped(block, enlarged(x, mask), condition, mask)


def pool_after_the_shortcut(block: DownBlock, x: Tensor) -> Tensor:
    """`DownBlock.forward` in the published order."""
    return F.avg_pool2d(block.shortcut(x), 2) + block.gate * block.residual(x)


as_shipped = SSCBlock.forward


def published(side_px: int, width: int, batch_size: int, steps: int) -> list[float]:
    """Seconds of each counted step of the published layout."""
    SSCBlock.forward = enlarge_before_the_block  # type: ignore[method-assign]
    DownBlock.forward = pool_after_the_shortcut  # type: ignore[method-assign]
    generator, discriminator = networks(side_px, width)
    for_generator = torch.optim.Adam(generator.parameters(), lr=1e-4, betas=(0.0, 0.9))
    for_discriminator = torch.optim.Adam(discriminator.parameters(), lr=4e-4, betas=(0.0, 0.9))
    source = batches(side_px, batch_size)
    taken = []
    for step in range(steps + WARM_UP):
        begun = time.perf_counter()
        batch = source.batch(step)
        real, texts = batch.images.contiguous(), batch.first
        sentence = texts.sentence
        fake = generator(torch.randn(batch_size, 100), texts).images
        on_real = discriminator((real,), torch.stack([sentence, batch.mismatched], dim=1)).matching
        on_fake = discriminator((fake.detach(),), sentence[:, None]).matching
        matching, mismatched = [head[:, :1] for head in on_real], [head[:, 1:] for head in on_real]
        _descend(
            for_discriminator,
            hinge_real(matching) + 0.5 * hinge_fake(on_fake) + 0.5 * hinge_fake(mismatched),
        )
        again, condition = real.clone().requires_grad_(True), sentence.clone().requires_grad_(True)
        logits = discriminator((again,), condition[:, None]).matching[0].flatten()
        _descend(for_discriminator, matching_aware_penalty(logits, [again], condition))
        _descend(for_generator, hinge_generator(discriminator((fake,), sentence[:, None]).matching))
        taken.append(time.perf_counter() - begun)
    return taken[WARM_UP:]


def _descend(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()


def resident_mb() -> float:
    """Memory of this process now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20


LAYOUTS = {"ours": ours, "compiled": partial(ours, compiled=True), "published": published}


def main() -> None:
    """Run what the argument names: [layout, side, width, batch, steps]."""
    layout, side_px, width, batch_size, steps = json.loads(sys.argv[1])
    # What importing costs is the same for both layouts and says nothing of the step.
    before = resident_mb()
    taken = LAYOUTS[layout](side_px, width, batch_size, steps)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"rate": batch_size / statistics.median(taken), "memory_mb": peak - before}))


if __name__ == "__main__":
    main()
