"""SSA-GAN: a generator whose conditional batch norms follow a predicted spatial mask, and its discriminator.

Paper: Liao, Hu, Yang, Rosenhahn, "Text to Image Generation with Semantic-Spatial Aware GAN", arXiv 2104.00567;
discriminator and matching-aware penalty after Tao et al., "DF-GAN", arXiv 2008.05865.

Differs from the paper: widths are given per resolution, so that 32 and 64 px generators share their first blocks;
the sentence passes a small trained mapping first (`mapping`); noise may be concatenated to the condition as DF-GAN does
(`noise_in_condition`); `affine_init_std` and `gate_init` replace the zero initialisation of the last affine layers and
of the residual gates (0 restores them): measured at 32 px, both learn too late for short runs; shortcut
convolutions exist only where channels change.
"""

from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from adapt.errors import ConfigError
from adapt.models.conditioning import UnitVariance
from adapt.models.interfaces import Drawing, Judgement, TextFeatures
from adapt.models.registries import DISCRIMINATORS, GENERATORS


@dataclass(frozen=True, kw_only=True)
class SSAGANConfig:
    """Sizes of the generator."""

    image_px: int = 64
    """Side of the square picture, a power of two ≥ 8."""
    widths: tuple[int, ...] = (256, 256, 256, 128, 64)
    """Channels of the block at 4, 8, 16, … px; one entry a resolution up to `image_px`."""
    noise_dim: int = 100
    """Length of z."""
    sentence_dim: int = 384
    """Length of the text encoder's sentence feature."""
    condition_dim: int = 256
    """Length of the mapped sentence that drives the affine layers."""
    mapping: bool = True
    """Map the sentence by a trained layer first; False is the paper's choice: the sentence itself, at unit variance."""
    noise_in_condition: bool = True
    """Concatenate z to the condition (DF-GAN) rather than use it in the 4 px seed alone (SSA-GAN)."""
    affine_init_std: float = 0.02
    """Standard deviation of the last affine layers at the start; 0 is the paper's choice."""
    gate_init: float = 0.0
    """Start of the scalar gates of the residual branches. The paper's 0 opens with the learning rate a step: after a
    thousand steps at 2e-4 the gates stood at 0.03 and every picture had one layout; short runs need 1."""

    def __post_init__(self) -> None:
        expected = [4 * 2**i for i in range(len(self.widths))]
        if not self.widths or expected[-1] != self.image_px:
            reached = expected[-1] if expected else 0
            raise ConfigError(
                f"model.widths has {len(self.widths)} entries, which ends at {reached} px; "
                f"model.image_px={self.image_px} needs one entry for each of 4, 8, … {self.image_px}"
            )
        if not self.mapping and self.condition_dim != self.sentence_dim:
            raise ConfigError(
                f"model.mapping=false hands over {self.sentence_dim} numbers a sentence, but model.condition_dim="
                f"{self.condition_dim}: --set model.condition_dim={self.sentence_dim}"
            )


class ConditionalAffine(nn.Module):
    """γ(c) and β(c): a scale and a shift per channel, each an MLP of the condition."""

    def __init__(self, condition_dim: int, channels: int, *, init_std: float) -> None:
        super().__init__()
        self.gamma = nn.Sequential(nn.Linear(condition_dim, 256), nn.ReLU(), nn.Linear(256, channels))
        self.beta = nn.Sequential(nn.Linear(condition_dim, 256), nn.ReLU(), nn.Linear(256, channels))
        for branch in (self.gamma, self.beta):
            last = branch[-1]
            assert isinstance(last, nn.Linear)
            nn.init.normal_(last.weight, std=init_std) if init_std else nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)

    def forward(self, normalised: Tensor, condition: Tensor, mask: Tensor) -> Tensor:
        """(γ·m + 1)·x + β·m, with x (B, C, h, w) normalised, m (B, 1, H, W) in [0, 1] of the same or twice the side."""
        gamma = self.gamma(condition)[:, :, None, None]  # (B, C, 1, 1)
        beta = self.beta(condition)[:, :, None, None]
        # The same sum with the mask taken out: fewer full-size products, and none but the mask's where x is enlarged.
        change = gamma * normalised + beta
        return enlarged(normalised, mask) + mask * enlarged(change, mask)


def enlarged(features: Float[Tensor, "B C h w"], like: Float[Tensor, "B 1 H W"]) -> Float[Tensor, "B C H W"]:
    """Features at the side of `like`, by nearest neighbours."""
    if features.shape[-2:] == like.shape[-2:]:
        return features
    return F.interpolate(features, size=like.shape[-2:], mode="nearest")


class SSCBlock(nn.Module):
    """Residual block of two semantic-spatial conditional norms; predicts the mask of the block after it."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        condition_dim: int,
        *,
        init_std: float,
        gate_init: float,
        predicts_mask: bool,
    ) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(in_channels, affine=False)
        self.affine1 = ConditionalAffine(condition_dim, in_channels, init_std=init_std)
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.norm2 = nn.BatchNorm2d(out_channels, affine=False)
        self.affine2 = ConditionalAffine(condition_dim, out_channels, init_std=init_std)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1)
        self.shortcut = nn.Conv2d(in_channels, out_channels, 1) if in_channels != out_channels else nn.Identity()
        self.gate = nn.Parameter(torch.full((1,), gate_init))
        self.mask = MaskPredictor(out_channels) if predicts_mask else None

    def forward(self, x: Tensor, condition: Tensor, mask: Tensor) -> tuple[Tensor, Tensor | None]:
        """X (B, C, h, w), condition (B, D), mask (B, 1, H, W) → features (B, C', H, W), mask logits or None.

        The papers enlarge x before the block. Statistics, shortcut and the affine layer are the same on the smaller x,
        since nearest neighbours only repeat its values, and cost a quarter there.
        """
        residual = self.conv1(F.relu(self.affine1(self.norm1(x), condition, mask)))
        residual = self.conv2(F.relu(self.affine2(self.norm2(residual), condition, mask)))
        x = enlarged(self.shortcut(x), mask) + self.gate * residual
        return x, self.mask(x) if self.mask is not None else None


class MaskPredictor(nn.Sequential):
    """Where the text should act: (B, C, H, W) → mask logits (B, 1, H, W)."""

    def __init__(self, channels: int) -> None:
        super().__init__(nn.Conv2d(channels, 100, 3, padding=1), nn.BatchNorm2d(100), nn.ReLU(), nn.Conv2d(100, 1, 1))


@GENERATORS.register("ssa_gan")
class SSAGenerator(nn.Module):
    """z (B, Z) and sentences (B, D) → pictures (B, 3, H, W) in [-1, 1], in one stage."""

    config_class = SSAGANConfig
    uses_words = False

    def __init__(self, config: SSAGANConfig) -> None:
        super().__init__()
        self.config = config
        widths, std = config.widths, config.affine_init_std
        condition_dim = config.condition_dim + (config.noise_dim if config.noise_in_condition else 0)
        self.mapping = (
            nn.Sequential(nn.Linear(config.sentence_dim, config.condition_dim), nn.LeakyReLU(0.2))
            if config.mapping
            else UnitVariance()
        )
        self.seed = nn.Linear(config.noise_dim, widths[0] * 4 * 4)
        self.seed_mask = MaskPredictor(widths[0])
        self.blocks = nn.ModuleList(
            SSCBlock(
                before,
                after,
                condition_dim,
                init_std=std,
                gate_init=config.gate_init,
                predicts_mask=i < len(widths) - 1,
            )
            for i, (before, after) in enumerate(zip((widths[0], *widths[:-1]), widths, strict=True))
        )
        self.head = nn.Sequential(
            nn.BatchNorm2d(widths[-1]), nn.LeakyReLU(0.2), nn.Conv2d(widths[-1], 3, 3, padding=1), nn.Tanh()
        )

    def forward(self, noise: Float[Tensor, "B Z"], text: TextFeatures) -> Drawing:
        """Draw one picture for each noise and text."""
        sentence = text.sentence
        # Unit-length sentence features have tiny entries; √D brings them to unit variance.
        condition = self.mapping(sentence * sentence.shape[1] ** 0.5)  # (B, D)
        if self.config.noise_in_condition:
            condition = torch.cat([condition, noise], dim=1)
        x = self.seed(noise).unflatten(1, (-1, 4, 4))  # (B, C, 4, 4)
        x = x.contiguous(memory_format=torch.channels_last)
        mask_logits = self.seed_mask(x)
        for i, block in enumerate(self.blocks):
            if i:
                mask_logits = F.interpolate(mask_logits, scale_factor=2, mode="bilinear", align_corners=True)
            x, mask_logits = block(x, condition, torch.sigmoid(mask_logits))
        return Drawing(stages=(self.head(x),))


@dataclass(frozen=True, kw_only=True)
class SSADiscriminatorConfig:
    """Sizes of the one-way discriminator."""

    image_px: int = 64
    """Side of the pictures judged."""
    width: int = 32
    """Channels of the first layer (the paper's NDF is 64)."""
    sentence_dim: int = 384
    """Length of the sentence feature."""


class DownBlock(nn.Module):
    """Residual block that halves the resolution; its gate starts at 0."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            nn.Conv2d(in_channels, out_channels, 4, stride=2, padding=1, bias=False),
            nn.LeakyReLU(0.2),
            nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False),
            nn.LeakyReLU(0.2),
        )
        self.shortcut = nn.Conv2d(in_channels, out_channels, 1) if in_channels != out_channels else nn.Identity()
        self.gate = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) → (B, C', H/2, W/2)."""
        # Pooled first: a 1 × 1 convolution of means is the mean of its outputs, at a quarter of the cost.
        return self.shortcut(F.avg_pool2d(x, 2)) + self.gate * self.residual(x)


@DISCRIMINATORS.register("ssa_gan")
class SSADiscriminator(nn.Module):
    """Pictures (B, 3, H, W) and S sentences each (B, S, D) → one head's logits (B, S, 1): real and matching, or not."""

    config_class = SSADiscriminatorConfig

    def __init__(self, config: SSADiscriminatorConfig) -> None:
        super().__init__()
        self.config = config
        self.stem = nn.Conv2d(3, config.width, 3, padding=1)
        downs = (config.image_px // 4).bit_length() - 1
        widths = [config.width * min(2**i, 16) for i in range(downs + 1)]
        self.downs = nn.Sequential(*(DownBlock(a, b) for a, b in pairwise(widths)))
        self.judge = nn.Sequential(
            nn.Conv2d(widths[-1] + config.sentence_dim, 2 * config.width, 3, padding=1, bias=False),
            nn.LeakyReLU(0.2),
            nn.Conv2d(2 * config.width, 1, 4, bias=False),
        )

    def forward(self, stages: tuple[Float[Tensor, "B 3 h w"], ...], sentences: Float[Tensor, "B S D"]) -> Judgement:
        """Judge every finished picture against each of its sentences; one pass over the picture, S over the head."""
        features = self.downs(self.stem(stages[-1]))  # (B, C, 4, 4)
        batch, count, _ = sentences.shape
        scaled = sentences * sentences.shape[2] ** 0.5
        text = scaled.flatten(0, 1)[:, :, None, None].expand(-1, -1, 4, 4)  # (B·S, D, 4, 4)
        repeated = features.repeat_interleave(count, dim=0)  # (B·S, C, 4, 4)
        logits = self.judge(torch.cat([repeated, text.to(repeated.dtype)], dim=1))  # (B·S, 1, 1, 1)
        return Judgement(matching=(logits.view(batch, count, 1),))
