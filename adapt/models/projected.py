"""A discriminator that looks through a frozen ImageNet network, with a small head of its own in pixel space.

Papers: Sauer, Chitta, Müller, Geiger, "Projected GANs Converge Faster", arXiv 2111.01007; text enters each head by
projection, Miyato & Koyama, "cGANs with Projection Discriminator", arXiv 1802.05637; matching against mismatching
captions, Reed et al., arXiv 1605.05396.

Differs from the papers: random mixing across channels and scales is an option (`mixing`; four heads at strides 4, 8,
16, 32 either way); the text is projected onto every patch; and a pixel-space head judges the 32 px picture against the
text, because ImageNet features hardly police colour (measured: with the heads alone all pictures share one palette).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from adapt.models.image_encoder import EfficientNetLite
from adapt.models.interfaces import Judgement
from adapt.models.registries import DISCRIMINATORS


@dataclass(frozen=True, kw_only=True)
class ProjectedDiscriminatorConfig:
    """Sizes of the heads."""

    image_px: int = 64
    """Side of the pictures judged."""
    backbone_px: int = 128
    """Side at which the frozen network sees them."""
    head_width: int = 64
    """Channels of each feature head."""
    head_px: int = 0
    """Feature maps wider than this are halved, strided convolution by convolution, before they are judged; 0 keeps
    them, so that a fine map's head sees small patches only."""
    mixing: bool = False
    """Mix the network's maps across channels and scales by frozen random convolutions, so that no head can rest on a
    few channels."""
    pixel_width: int = 32
    """Channels of the pixel head's first layer; 0 leaves the pixel head out."""
    pixel_px: int = 32
    """Side at which the pixel head sees the pictures."""
    sentence_dim: int = 384
    """Length of the sentence feature."""


class TextProjectionHead(nn.Module):
    """Feature map (B, C, H, W) and sentences (B, S, D) → a logit a patch (B, S, P)."""

    def __init__(self, trunk: nn.Module, width: int, sentence_dim: int) -> None:
        super().__init__()
        self.trunk = trunk
        self.realism = spectral_norm(nn.Conv2d(width, 1, 1))
        self.text = spectral_norm(nn.Linear(sentence_dim, width))

    def forward(self, features: Tensor, sentences: Tensor) -> Tensor:
        """Patch logits: realism plus how well the patch agrees with each sentence."""
        patches = self.trunk(features)  # (B, W, h, w)
        realism = self.realism(patches).flatten(1)[:, None, :]  # (B, 1, P)
        text = self.text(sentences * sentences.shape[2] ** 0.5).to(patches.dtype)  # (B, S, W)
        agreement = torch.einsum("bsw,bwp->bsp", text, patches.flatten(2)) / patches.shape[1] ** 0.5
        return realism + agreement


def feature_trunk(in_channels: int, width: int, halvings: int = 0) -> nn.Module:
    """A 1×1 and a 3×3 spectrally normalised convolution, and before the latter one of stride 2 for each halving."""
    layers: list[nn.Module] = [spectral_norm(nn.Conv2d(in_channels, width, 1)), nn.LeakyReLU(0.2)]
    for _ in range(halvings):
        layers += [spectral_norm(nn.Conv2d(width, width, 4, stride=2, padding=1)), nn.LeakyReLU(0.2)]
    layers += [spectral_norm(nn.Conv2d(width, width, 3, padding=1)), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers)


class FeatureMixing(nn.Module):
    """Frozen random convolutions over the backbone's maps: across channels, then from coarse to fine.

    Paper: Sauer et al., "Projected GANs Converge Faster", arXiv 2111.01007, section 3.2 (CCM and CSM).
    """

    def __init__(self, channels: Sequence[int], width: int) -> None:
        super().__init__()
        self.across_channels = nn.ModuleList(nn.Conv2d(own, width, 1) for own in channels)
        self.across_scales = nn.ModuleList(nn.Conv2d(width, width, 3, padding=1) for _ in channels)
        random = torch.Generator().manual_seed(0)
        for convolution in (*self.across_channels, *self.across_scales):
            nn.init.kaiming_normal_(convolution.weight, nonlinearity="linear", generator=random)
            nn.init.zeros_(convolution.bias)
        self.requires_grad_(False)

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """Maps (B, C, H, W), finest first → as many of `width` channels and the same sides."""
        mixed: list[Tensor] = []
        above: Tensor | None = None
        for number in reversed(range(len(maps))):
            x = self.across_channels[number](maps[number])
            if above is not None:
                x = (x + F.interpolate(above, size=x.shape[-2:], mode="nearest")) / 2**0.5
            above = self.across_scales[number](x)
            mixed.append(above)
        return mixed[::-1]


def halvings(side: int, target: int) -> int:
    """How often `side` is halved until it is at most `target`; never where `target` is 0."""
    return max(0, (side // target).bit_length() - 1) if target else 0


def pixel_trunk(width: int, image_px: int) -> nn.Module:
    """Strided convolutions from the pixels down to 4 × 4 patches."""
    layers: list[nn.Module] = [spectral_norm(nn.Conv2d(3, width, 3, padding=1)), nn.LeakyReLU(0.2)]
    channels = width
    for _ in range((image_px // 4).bit_length() - 1):
        layers += [spectral_norm(nn.Conv2d(channels, 2 * channels, 4, stride=2, padding=1)), nn.LeakyReLU(0.2)]
        channels *= 2
    layers += [MinibatchDeviation(), spectral_norm(nn.Conv2d(channels + 1, channels, 1)), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers)


class MinibatchDeviation(nn.Module):
    """Adds one channel: how much the batch varies, so that a generator of one layout is caught.

    Paper: Karras et al., "Progressive Growing of GANs", arXiv 1710.10196, section 3. A batch of one varies by 0.
    """

    def forward(self, features: Tensor) -> Tensor:
        """(B, C, H, W) → (B, C + 1, H, W)."""
        deviation = (features.float().var(dim=0, correction=0) + 1e-8).sqrt().mean().to(features.dtype)
        return torch.cat([features, deviation.expand(len(features), 1, *features.shape[2:])], dim=1)


@DISCRIMINATORS.register("projected")
class ProjectedDiscriminator(nn.Module):
    """Pictures (B, 3, H, W) in [-1, 1] and S sentences each (B, S, D) → patch logits (B, S, P) a head."""

    config_class = ProjectedDiscriminatorConfig
    frozen_prefix = "backbone."

    def __init__(self, config: ProjectedDiscriminatorConfig) -> None:
        super().__init__()
        self.config = config
        self.backbone = EfficientNetLite("efficientnet_lite0", input_px=config.backbone_px)
        width, sentence_dim = config.head_width, config.sentence_dim
        channels = self.backbone.stage_channels
        self.mixing = FeatureMixing(channels, width) if config.mixing else None
        sides = [config.backbone_px // 4 >> i for i in range(len(channels))]
        self.heads = nn.ModuleList(
            TextProjectionHead(
                feature_trunk(width if config.mixing else own, width, halvings(side, config.head_px)),
                width,
                sentence_dim,
            )
            for own, side in zip(channels, sides, strict=True)
        )
        self.pixel_head = None
        if config.pixel_width:
            top = config.pixel_width * (config.pixel_px // 4)
            self.pixel_head = TextProjectionHead(pixel_trunk(config.pixel_width, config.pixel_px), top, sentence_dim)

    def forward(self, stages: tuple[Float[Tensor, "B 3 h w"], ...], sentences: Float[Tensor, "B S D"]) -> Judgement:
        """Judge every finished picture against each of its sentences; one pass over it, S over the projections."""
        images = stages[-1]
        maps = self.backbone.stages(images)
        if self.mixing is not None:
            maps = self.mixing(maps)
        logits = [head(features, sentences) for head, features in zip(self.heads, maps, strict=True)]
        if self.pixel_head is not None:
            small = F.interpolate(images, size=self.config.pixel_px, mode="area")
            logits.append(self.pixel_head(small, sentences))
        return Judgement(matching=tuple(logits))
