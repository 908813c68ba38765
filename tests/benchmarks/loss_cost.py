"""What each loss term costs in time a step: a full step of both networks with that term alone against one with none.

Rows alternate, so that a drifting machine slows all of them alike; the median counts. A row with two branches draws two
pictures of every item; the row "two captions, weight 0" does nothing but that, so that the cost of a loss can be told
from the cost of its data. Pictures, captions and DAMSM's heads are random: they cost what trained ones cost.
"""

import argparse
import platform
import statistics
import time
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from adapt.config import LossConfig, NetworkConfig
from adapt.data.batches import Batch
from adapt.models.damsm import Damsm, heads_for
from adapt.models.encoders import image_encoder, text_encoder
from adapt.models.factory import build_discriminator, build_generator
from adapt.models.interfaces import TextFeatures
from adapt.training.diffaugment import Augmentation
from adapt.training.features import ComparisonFeatures
from adapt.training.objective import Objective, weighted_sum

WORDS = 16
OFF: dict[str, Any] = {"mismatch_weight": 0.0, "fake_to_fake_weight": 0.0, "fake_to_real_weight": 0.0}
FAKE_TO_FAKE, FAKE_TO_REAL = {"fake_to_fake_weight": 0.2}, {"fake_to_real_weight": 0.2}
CODE, LITE, PALETTE = ({"features": (name,)} for name in ("damsm", "efficientnet_lite0", "palette"))
ROWS: dict[str, dict[str, Any]] = {
    "none (adversarial alone)": {},
    "mismatched captions": {"mismatch_weight": 0.5},
    "gradient penalty (MA-GP)": {"penalty_weight": 2.0},
    "DAMSM, sentences": {"damsm_weight": 0.05},
    "DAMSM, sentences and words": {"damsm_weight": 0.05, "damsm_word_weight": 1.0},
    "fake-to-real, DAMSM code": FAKE_TO_REAL | CODE,
    "fake-to-real, EfficientNet-Lite0": FAKE_TO_REAL | LITE,
    "fake-to-real, palette": FAKE_TO_REAL | PALETTE,
    "two captions, weight 0": {"branches": 2},
    "two captions, weight 0, D sees one": {"branches": 2, "adversarial_branches": 1},
    "fake-to-fake, DAMSM code": FAKE_TO_FAKE | CODE,
    "fake-to-fake, EfficientNet-Lite0": FAKE_TO_FAKE | LITE,
    "fake-to-fake, palette": FAKE_TO_FAKE | PALETTE,
    "fake-to-fake, DAMSM code, separate batch norm": FAKE_TO_FAKE | CODE | {"batch_norm": "separate"},
    "both, DAMSM code": FAKE_TO_FAKE | FAKE_TO_REAL | CODE,
    "both, EfficientNet-Lite0 and palette": FAKE_TO_FAKE
    | FAKE_TO_REAL
    | {"features": ("efficientnet_lite0", "palette")},
}


class Step:
    """Both networks with their optimisers, and one step of training with the terms of a row."""

    def __init__(self, loss: LossConfig, batch: Batch, damsm: Damsm, options: argparse.Namespace) -> None:
        torch.manual_seed(0)
        size = {"image_px": options.px, "sentence_dim": batch.mismatched.shape[1]}
        # from 4 px on halved each time the picture doubles, at most eight times the last (512 for NF 64)
        widths = [options.width * min(8, options.px // (4 << level)) for level in range(options.levels)]
        generator = NetworkConfig(name="ssa_gan", options=size | {"widths": widths, "gate_init": 1.0})
        judge = NetworkConfig(name="ssa_gan", options=size | {"width": options.width})
        self._generator, self._discriminator = (
            network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            for network in (build_generator(generator), build_discriminator(judge))
        )
        self._batch = batch
        features = None
        if loss.fake_to_fake_weight or loss.fake_to_real_weight:
            features = ComparisonFeatures(loss.features, feature_px=options.feature_px, damsm=damsm)
        self._objective = Objective(
            loss=loss,
            augmentation=Augmentation(("translation",)),
            features=features,
            bf16=options.bf16,
            damsm=damsm if loss.damsm_weight else None,
        )
        self._noise = torch.randn(len(batch.ids) * self._objective.noises, 100)
        self._optimizers = [
            torch.optim.Adam(network.parameters(), lr=1e-4, betas=(0.0, 0.9))
            for network in (self._generator, self._discriminator)
        ]

    def __call__(self) -> None:
        """Run one step, as the training loop does."""
        objective, batch, rng = self._objective, self._batch, torch.Generator().manual_seed(0)
        for_generator, for_discriminator = self._optimizers
        drawing = objective.draw(self._generator, batch, self._noise)
        fakes = [stage[: len(batch.ids)].detach() for stage in drawing.stages]
        terms = objective.discriminator_terms(self._discriminator, batch, fakes, rng)
        _descend(for_discriminator, weighted_sum(terms, objective.discriminator_weights(terms)))
        self._discriminator.requires_grad_(False)
        terms = objective.generator_terms(drawing, self._discriminator, batch, rng)
        _descend(for_generator, weighted_sum(terms, objective.generator_weights()))
        self._discriminator.requires_grad_(True)


def _descend(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()


def random_batch(size: int, image_px: int, word_dim: int, sentence_dim: int) -> Batch:
    """Pictures of products of their own, with two captions of sixteen words each."""
    texts = TextFeatures(
        words=torch.randn(2 * size, WORDS, word_dim),
        sentence=F.normalize(torch.randn(2 * size, sentence_dim), dim=1),
        mask=torch.ones(2 * size, WORDS, dtype=torch.bool),
    )
    images = (torch.rand(size, 3, image_px, image_px) * 2 - 1).to(memory_format=torch.channels_last)
    ids = torch.arange(size)
    return Batch(images=images, texts=texts, mismatched=texts.sentence[:size].roll(1, 0), ids=ids)


def random_damsm(feature_px: int) -> Damsm:
    """A DAMSM model over the packaged encoders whose heads learned nothing."""
    text, image = text_encoder(), image_encoder(input_px=feature_px)
    assert isinstance(image, nn.Module)
    return Damsm(text, image, heads_for(text, image))


def measure(steps: dict[str, Step], rounds: int) -> dict[str, float]:
    """Median seconds of a step of each row; rows take turns."""
    times: dict[str, list[float]] = {name: [] for name in steps}
    for turn in range(rounds + 1):
        for name, step in steps.items():
            begun = time.perf_counter()
            step()
            if turn:  # the first round builds kernels
                times[name].append(time.perf_counter() - begun)
    return {name: statistics.median(taken) for name, taken in times.items()}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--px", type=int, default=64, help="side of the pictures: 32, 64, 128 or 256")
    parser.add_argument("--batch", type=int, default=24)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--width", type=int, default=32, help="channels at full size (NF)")
    parser.add_argument("--feature-px", type=int, default=64, help="side at which feature networks see the pictures")
    parser.add_argument("--bf16", action="store_true", help="bf16 autocast, where the processor multiplies it")
    parser.add_argument("--quick", action="store_true", help="tries every row on tiny networks; says little about cost")
    options = parser.parse_args()
    if options.quick:
        options.px, options.batch, options.rounds, options.width, options.feature_px = 32, 4, 1, 4, 32
    options.levels = options.px.bit_length() - 2  # 4 px doubles until it is the picture
    damsm = random_damsm(options.feature_px)
    batch = random_batch(options.batch, options.px, damsm.text_encoder.word_dim, damsm.text_encoder.sentence_dim)
    losses = {name: LossConfig(**(OFF | row)) for name, row in ROWS.items()}
    medians = measure({name: Step(loss, batch, damsm, options) for name, loss in losses.items()}, options.rounds)
    none, control = medians["none (adversarial alone)"], medians["two captions, weight 0"]
    precision = "bf16" if options.bf16 else "float32"
    print(f"{platform.processor() or platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}")
    print(
        f"SSA-GAN {options.px} px, NF {options.width}, batch {options.batch}, {precision}, "
        f"features at {options.feature_px} px, median of {options.rounds}\n"
    )
    print("| term switched on alone | ms a step | against none | against two captions, weight 0 |")
    print("| --- | --- | --- | --- |")
    for name, median in medians.items():
        beside = f"{median / control:.2f}" if losses[name].drawn_branches == 2 else ""
        print(f"| {name} | {1000 * median:.0f} | {median / none:.2f} | {beside} |")


if __name__ == "__main__":
    main()
