"""A discriminator that looks through a frozen ImageNet network, with a small head of its own in pixel space.

Papers: Sauer, Chitta, Müller, Geiger, "Projected GANs Converge Faster", arXiv 2111.01007; text enters each head by
projection, Miyato & Koyama, "cGANs with Projection Discriminator", arXiv 1802.05637; matching against mismatching
captions, Reed et al., arXiv 1605.05396.

Differs from the papers: no random cross-channel or cross-scale mixing (four plain heads at strides 4, 8, 16, 32); the
text is projected onto every patch; and a pixel-space head judges the 32 px picture against the text, because ImageNet
features hardly police colour (measured: with the heads alone all pictures share one palette).
"""

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


def feature_trunk(in_channels: int, width: int) -> nn.Module:
    """A 1×1 and a 3×3 spectrally normalised convolution."""
    return nn.Sequential(
        spectral_norm(nn.Conv2d(in_channels, width, 1)),
        nn.LeakyReLU(0.2),
        spectral_norm(nn.Conv2d(width, width, 3, padding=1)),
        nn.LeakyReLU(0.2),
    )


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
        self.heads = nn.ModuleList(
            TextProjectionHead(feature_trunk(channels, width), width, sentence_dim)
            for channels in self.backbone.stage_channels
        )
        self.pixel_head = None
        if config.pixel_width:
            top = config.pixel_width * (config.pixel_px // 4)
            self.pixel_head = TextProjectionHead(pixel_trunk(config.pixel_width, config.pixel_px), top, sentence_dim)

    def forward(self, stages: tuple[Float[Tensor, "B 3 h w"], ...], sentences: Float[Tensor, "B S D"]) -> Judgement:
        """Judge every finished picture against each of its sentences; one pass over it, S over the projections."""
        images = stages[-1]
        maps = self.backbone.stages(images)
        logits = [head(features, sentences) for head, features in zip(self.heads, maps, strict=True)]
        if self.pixel_head is not None:
            small = F.interpolate(images, size=self.config.pixel_px, mode="area")
            logits.append(self.pixel_head(small, sentences))
        return Judgement(matching=tuple(logits))
