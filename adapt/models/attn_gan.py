"""AttnGAN: three stages that double the picture, each looking up the words that its places have to do with.

Paper: Xu et al., "AttnGAN: Fine-Grained Text to Image Generation with Attentional Generative Adversarial Networks",
arXiv 1711.10485, sections 3.1 and 4. With `style_blocks` the convolutions between the attentions become those of
StyleGAN (arXiv 1812.04948) or StyleGAN2 (arXiv 1912.04958), as in the public Style-AttnGAN.

Differs from the paper: the first stage draws at `image_px` / 4, so 64 px pictures grow from 16 px; the random numbers
of the conditioning augmentation are the last `condition_dim` numbers of the noise; sentence features are scaled to unit
variance, so that any text encoder fits; padding is masked for the right caption (`word_attention`); a single picture
trains with the running statistics of the one norm that has no places to average over.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from adapt.errors import ConfigError
from adapt.models.conditioning import ConditioningAugmentation, unit_variance
from adapt.models.derived_noise import noise_seeds
from adapt.models.interfaces import Drawing, TextFeatures
from adapt.models.registries import GENERATORS
from adapt.models.stages import check_stages, stage_sides
from adapt.models.style_blocks import STYLE_READINGS, EqualisedConv, MixedStyles, StyleStage
from adapt.models.word_attention import WordAttention

Attend = Callable[[int, Tensor], Tensor]
"""(stage, features (B, C, H, W)) → features with their word contexts (B, 2 C, H, W)."""


@dataclass(frozen=True, kw_only=True)
class AttnGANConfig:
    """Sizes of the generator."""

    image_px: int = 64
    """Side of the finished picture, a power of two."""
    stages: int = 3
    """Pictures drawn on the way, each of twice the side of the one before; the smallest is at least 8 px."""
    width: int = 32
    """Channels at every stage's end (the paper's GF: 32 on CUB, 48 on COCO)."""
    residual_blocks: int = 2
    """Residual blocks after each attention (R_NUM: 2 on CUB, 3 on COCO; Style-AttnGAN: 1)."""
    latent_dim: int = 100
    """Length of z."""
    condition_dim: int = 100
    """Length of the sentence's augmented code."""
    sentence_dim: int = 384
    """Length of the text encoder's sentence feature."""
    word_dim: int = 384
    """Length of the text encoder's word features."""
    style_blocks: bool = False
    """Draw with style blocks."""
    style_reading: str = "adain"
    """Which: `adain` (StyleGAN, the public Style-AttnGAN) or `modulated` (StyleGAN2)."""
    style_dim: int = 100
    """Length of a style."""
    style_mixing_prob: float = 0.9
    """Share of the pictures in training that take their finer layers' style from another latent."""

    def __post_init__(self) -> None:
        check_stages("model", self.image_px, self.stages)
        if self.style_reading not in STYLE_READINGS:
            raise ConfigError(
                f"model.style_reading={self.style_reading}: allowed are {', '.join(STYLE_READINGS)}; "
                "try --set model.style_reading=adain"
            )
        for name in ("width", "latent_dim", "condition_dim", "style_dim"):
            if getattr(self, name) < 1:
                raise ConfigError(f"model.{name}={getattr(self, name)}; it is at least 1: --set model.{name}=32")

    @property
    def noise_dim(self) -> int:
        """Length of the noise: z and the random numbers of the conditioning augmentation."""
        return self.latent_dim + self.condition_dim

    @property
    def stage_px(self) -> tuple[int, ...]:
        """Sides of the pictures, smallest first."""
        return stage_sides(self.image_px, self.stages)


class SeedNorm(nn.BatchNorm1d):
    """Batch norm over the pictures alone; one picture has no spread, so it is normalised as in evaluation."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, C) → (B, C)."""
        if len(x) > 1:
            return super().forward(x)
        return F.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps)


class UpBlock(nn.Sequential):
    """(B, C, H, W) → (B, C', 2H, 2W): nearest neighbours, convolution, batch norm, gate."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(
            nn.Upsample(scale_factor=2, mode="nearest"),
            nn.Conv2d(in_channels, 2 * out_channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(2 * out_channels),
            nn.GLU(dim=1),
        )


class ResidualBlock(nn.Module):
    """A gated residual of two convolutions."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            nn.Conv2d(channels, 2 * channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(2 * channels),
            nn.GLU(dim=1),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) → the same."""
        return x + self.residual(x)


class Stem(nn.Module):
    """Sentence code and z → the first stage's features."""

    def __init__(self, in_dim: int, width: int, first_px: int) -> None:
        super().__init__()
        doublings = (first_px // 4).bit_length() - 1
        top = width << doublings
        self.linear = nn.Linear(in_dim, 2 * top * 4 * 4, bias=False)
        self.norm = SeedNorm(2 * top * 4 * 4)
        self.ups = nn.Sequential(*(UpBlock(top >> i, top >> (i + 1)) for i in range(doublings)))

    def forward(self, x: Float[Tensor, "B D"]) -> Float[Tensor, "B C H W"]:
        """(B, D) → (B, C, H, W)."""
        seed = F.glu(self.norm(self.linear(x)), dim=1).unflatten(1, (-1, 4, 4))
        return self.ups(seed.contiguous(memory_format=torch.channels_last))


class PlainTrunk(nn.Module):
    """The paper's path from the text's code to every stage's features."""

    def __init__(self, config: AttnGANConfig) -> None:
        super().__init__()
        width = config.width
        self.stem = Stem(config.condition_dim + config.latent_dim, width, config.stage_px[0])
        self.refinements = nn.ModuleList(
            nn.Sequential(*(ResidualBlock(2 * width) for _ in range(config.residual_blocks)), UpBlock(2 * width, width))
            for _ in range(config.stages - 1)
        )

    def forward(self, latent: Tensor, code: Tensor, attend: Attend) -> list[Tensor]:
        """Latent (B, Z), code (B, C) → features (B, width, h, w) of every stage."""
        features = [self.stem(torch.cat([code, latent], dim=1))]
        for index, refinement in enumerate(self.refinements):
            features.append(refinement(attend(index, features[-1])))
        return features


class StyledTrunk(nn.Module):
    """The same path from a learned constant, drawn by style blocks."""

    def __init__(self, config: AttnGANConfig) -> None:
        super().__init__()
        width, doublings = config.width, (config.stage_px[0] // 4).bit_length() - 1
        widths = [width << doublings, *(width << i for i in reversed(range(doublings + 1)))]
        first = 2 * (doublings + 1)  # layers of the first stage
        self.constant = nn.Parameter(torch.randn(1, widths[0], 4, 4))
        self.styles = MixedStyles(
            config.latent_dim,
            config.condition_dim,
            config.style_dim,
            first + 2 * (config.stages - 1),
            mixing_prob=config.style_mixing_prob,
        )
        size, reading = config.style_dim, config.style_reading
        self.stem = StyleStage(widths, size, reading=reading, enlarge_first=False, first_layer=0)
        self.residuals = nn.ModuleList(
            nn.Sequential(*(ResidualBlock(2 * width) for _ in range(config.residual_blocks)))
            for _ in range(config.stages - 1)
        )
        self.refinements = nn.ModuleList(
            StyleStage([2 * width, width], size, reading=reading, enlarge_first=True, first_layer=first + 2 * index)
            for index in range(config.stages - 1)
        )

    def forward(self, latent: Tensor, code: Tensor, attend: Attend) -> list[Tensor]:
        """Latent (B, Z), code (B, C) → features (B, width, h, w) of every stage."""
        styles, seeds = self.styles(latent, code), noise_seeds(latent)
        x = self.constant.expand(len(latent), -1, -1, -1).contiguous(memory_format=torch.channels_last)
        features = [self.stem(x, styles, seeds)]
        for index, (residual, refinement) in enumerate(zip(self.residuals, self.refinements, strict=True)):
            features.append(refinement(residual(attend(index, features[-1])), styles, seeds))
        return features


@GENERATORS.register("attn_gan")
class AttnGenerator(nn.Module):
    """Noise (B, Z) and text → a picture a stage, and the divergence of the sentence's distribution."""

    config_class = AttnGANConfig
    uses_words = True

    def __init__(self, config: AttnGANConfig) -> None:
        super().__init__()
        self.config = config
        self.conditioning = ConditioningAugmentation(config.sentence_dim, config.condition_dim)
        self.trunk = StyledTrunk(config) if config.style_blocks else PlainTrunk(config)
        self.attentions = nn.ModuleList(WordAttention(config.word_dim, config.width) for _ in range(config.stages - 1))
        self.heads = nn.ModuleList(
            EqualisedConv(config.width, 3, 1, gain=1.0)
            if config.style_blocks
            else nn.Conv2d(config.width, 3, 3, padding=1, bias=False)
            for _ in range(config.stages)
        )
        self.apply(start_orthogonal)

    def forward(self, noise: Float[Tensor, "B Z"], text: TextFeatures) -> Drawing:
        """Draw one picture for each noise and text."""
        latent, epsilon = noise.split([self.config.latent_dim, self.config.condition_dim], dim=1)
        code, divergence = self.conditioning(unit_variance(text.sentence), epsilon)

        def attend(stage: int, features: Tensor) -> Tensor:
            context = self.attentions[stage](features, text.words, text.mask)
            return torch.cat([features, context], dim=1)

        features = self.trunk(latent, code, attend)
        stages = tuple(torch.tanh(head(x)) for head, x in zip(self.heads, features, strict=True))
        return Drawing(stages=stages, terms={"g_conditioning": divergence})


def start_orthogonal(module: nn.Module) -> None:
    """The paper's start: orthogonal weights, and norms that scale by about 1."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.orthogonal_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
