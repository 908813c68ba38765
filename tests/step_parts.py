"""A small training step of real parts, in one process or as one of several; run as a script it is one of several."""

import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric
from safetensors.torch import save_file

from adapt.config import LossConfig, NetworkConfig, OptimConfig, TrainConfig
from adapt.data.batches import PictureBatches
from adapt.models import encoders
from adapt.models.damsm import Damsm, heads_for
from adapt.models.factory import build_discriminator, build_generator
from adapt.models.interfaces import TextFeatures
from adapt.models.text_cache import TextFeatureCache
from adapt.training.diffaugment import Augmentation
from adapt.training.features import ComparisonFeatures
from adapt.training.objective import Objective
from adapt.training.step import Networks, TrainingStep
from catalog.records import Caption, ManifestEntry

LOSS = LossConfig(
    mismatch_weight=0.5,
    counterfactual_share=0.5,
    features=("palette", "damsm"),
    damsm_weight=1.0,
    damsm_word_weight=1.0,
    fake_to_fake_weight=1.0,
    fake_to_real_weight=1.0,
    penalty_weight=3000.0,
    penalty_power=2.0,
)
"""Every term weighs enough to be missed; the penalty is most of D's gradient."""
TRAIN = TrainConfig(augment=("color", "translation"), precision="fp32")
BATCH = 4


class LetterEncoder:
    """A tiny encoder: one word a letter, so that captions have different lengths."""

    name, word_dim, sentence_dim, max_words = "letters", 26, 26, 30

    def encode(self, texts: list[str], device: str = "cpu") -> TextFeatures:
        """Return one-hot letters and their mean."""
        rows = [[ord(letter) - 97 for letter in text.lower() if letter.isalpha()] for text in texts]
        words = torch.zeros(len(texts), max(map(len, rows)), 26)
        mask = torch.zeros(words.shape[:2], dtype=torch.bool)
        for i, letters in enumerate(rows):
            words[i, range(len(letters)), letters] = 1.0
            mask[i, : len(letters)] = True
        return TextFeatures(words=words, sentence=words.mean(1) * 3, mask=mask)


def batches(*, share: tuple[int, int] = (0, 1)) -> PictureBatches:
    """Eight random pictures of six products, with captions that name a colour."""
    captions = [(f"a red {'x' * i}", f"one blue {'yz' * i} tile") for i in range(8)]
    entries = []
    for i, texts in enumerate(captions):
        own = tuple(Caption(None, text, "en", "t", {}) for text in texts)
        entries.append(ManifestEntry(Path("x.png"), str(i), f"s/{i}", i % 6, "c", "train", own, str(i)))
    pictures = np.random.default_rng(0).integers(0, 256, (8, 38, 38, 3), dtype=np.uint8)
    return PictureBatches(
        entries,
        pictures,
        TextFeatureCache(LetterEncoder()),
        image_px=32,
        batch_size=BATCH,
        flip=True,
        human_share=0.0,
        counterfactual_share=LOSS.counterfactual_share,
        seed=3,
        share=share,
    )


def networks(*, freeze_norms: bool = True) -> Networks:
    """SSA-GAN at 32 px, with open gates so that every layer counts."""
    torch.manual_seed(0)
    sizes = {"image_px": 32, "sentence_dim": 26}
    generator = build_generator(
        NetworkConfig(name="ssa_gan", options={**sizes, "widths": [8, 8, 8, 8], "gate_init": 1.0, "noise_dim": 8})
    )
    discriminator = build_discriminator(NetworkConfig(name="ssa_gan", options={**sizes, "width": 4}))
    for name, parameter in discriminator.named_parameters():
        if name.endswith("gate"):
            torch.nn.init.constant_(parameter, 0.5)
    return Networks(generator=generator, discriminator=discriminator, noise_dim=8, freeze_norms=freeze_norms)


def training_step(
    fabric: Fabric, loss: LossConfig = LOSS, train: TrainConfig = TRAIN, *, freeze_norms: bool = True
) -> TrainingStep:
    """The step with rates so small that the first one hardly changes what the second player sees."""
    torch.manual_seed(1)
    image = encoders.image_encoder("efficientnet_lite0", input_px=32)
    damsm = Damsm(LetterEncoder(), image, heads_for(LetterEncoder(), image, feature_dim=16))
    objective = Objective(
        loss=loss,
        augmentation=Augmentation(train.augment),
        features=ComparisonFeatures(loss.features, feature_px=32, damsm=damsm),
        damsm=damsm,
        bf16=False,
    )
    optim = OptimConfig(generator_lr=1e-7, discriminator_lr=1e-7)
    return TrainingStep(fabric, networks(freeze_norms=freeze_norms), objective, train=train, optim=optim)


def gradients(players: TrainingStep) -> dict[str, torch.Tensor]:
    """Of both networks, as the last step left them."""
    named = {"g": players.networks.generator, "d": players.networks.discriminator}
    return {
        f"{player}.{name}": parameter.grad.clone()
        for player, network in named.items()
        for name, parameter in network.named_parameters()
        if parameter.grad is not None
    }


def as_one_of(rank: int, world: int, store: Path, out: Path) -> None:
    """Train a step as process `rank` of `world`, joined by a file, and write gradients and terms."""
    torch.set_num_threads(1)
    os.environ |= {"LOCAL_RANK": "0", "NODE_RANK": str(rank), "MASTER_ADDR": "localhost", "MASTER_PORT": "0"}
    torch.distributed.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=world)
    from adapt.training.distributed import make_fabric

    fabric = make_fabric(devices=1, nodes=world, accelerator="cpu")
    assert (fabric.world_size, fabric.global_rank) == (world, rank)
    for name, train in (("one", TRAIN), ("two", replace(TRAIN, accumulate=2))):
        loss = LOSS if train.accumulate == 1 else without_comparison(LOSS)
        players = training_step(fabric, loss, train)
        terms = players(batches(share=(rank, world)).batch(5), 5, images_seen=BATCH)
        result = gradients(players) | {f"t.{key}": torch.tensor(value) for key, value in terms.items()}
        save_file({key: value.contiguous() for key, value in result.items()}, out / f"{name}-{rank}.safetensors")
    torch.distributed.destroy_process_group()


def without_comparison(loss: LossConfig) -> LossConfig:
    """The terms that are means over pictures."""
    return replace(loss, fake_to_fake_weight=0.0, fake_to_real_weight=0.0, damsm_weight=0.0, damsm_word_weight=0.0)


if __name__ == "__main__":
    as_one_of(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]), Path(sys.argv[4]))
