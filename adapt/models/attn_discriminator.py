"""AttnGAN's discriminators, one a stage: does the picture look real, and does it fit the text?

Paper: Xu et al., "AttnGAN", arXiv 1711.10485, section 3.1, equations 6 to 9.

Differs from the paper: logits instead of probabilities (the loss takes the sigmoid); all stages are one module, so that
one optimiser and one distributed wrapper hold them; stages under 64 px have fewer layers and start wider.
"""

from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from adapt.errors import ConfigError
from adapt.models.attn_gan import start_orthogonal
from adapt.models.conditioning import unit_variance
from adapt.models.interfaces import Judgement
from adapt.models.registries import DISCRIMINATORS
from adapt.models.stages import check_stages, stage_sides
from adapt.models.style_discriminator import EqualisedBlock, style_head, style_trunk


@dataclass(frozen=True, kw_only=True)
class AttnDiscriminatorConfig:
    """Sizes of the discriminators."""

    image_px: int = 64
    """Side of the finished picture."""
    stages: int = 3
    """Pictures judged, each of twice the side of the one before."""
    width: int = 64
    """Channels of the first layer at 64 px and more (the paper's DF: 64 on CUB, 96 on COCO)."""
    sentence_dim: int = 384
    """Length of the sentence feature."""
    style_blocks: bool = False
    """Layers that go with a generator of style blocks (Style-AttnGAN): equalised rates, blur, batch deviation."""

    def __post_init__(self) -> None:
        check_stages("discriminator", self.image_px, self.stages)


def _block(in_channels: int, out_channels: int, *, halve: bool) -> nn.Sequential:
    conv = (
        nn.Conv2d(in_channels, out_channels, 4, stride=2, padding=1, bias=False)
        if halve
        else nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False)
    )
    return nn.Sequential(conv, nn.BatchNorm2d(out_channels), nn.LeakyReLU(0.2))


def stage_trunk(image_px: int, width: int) -> nn.Sequential:
    """(B, 3, H, W) → (B, 8 · width, 4, 4): halvings, then as many plain blocks as bring the channels back."""
    halvings = (image_px // 4).bit_length() - 1
    first = max(8 * width >> (halvings - 1), width)
    widths = [first << i for i in range(halvings)]
    layers: list[nn.Module] = [nn.Conv2d(3, first, 4, stride=2, padding=1, bias=False), nn.LeakyReLU(0.2)]
    layers += [_block(a, b, halve=True) for a, b in pairwise(widths)]
    back = range(widths[-1].bit_length() - (8 * width).bit_length())
    layers += [_block(widths[-1] >> i, widths[-1] >> (i + 1), halve=False) for i in back]
    return nn.Sequential(*layers)


class StageDiscriminator(nn.Module):
    """Judges the pictures of one stage."""

    def __init__(self, image_px: int, width: int, sentence_dim: int, *, style_blocks: bool) -> None:
        super().__init__()
        top = 8 * width
        if style_blocks:
            self.trunk = style_trunk(image_px, width)
            self.realism: nn.Module = style_head(top + 1)
            self.joint: nn.Module = EqualisedBlock(top + 1 + sentence_dim, top)
            self.matching: nn.Module = style_head(top)
        else:
            self.trunk = stage_trunk(image_px, width)
            self.realism = nn.Conv2d(top, 1, 4)
            self.joint = _block(top + sentence_dim, top, halve=False)
            self.matching = nn.Conv2d(top, 1, 4)

    def forward(
        self, images: Float[Tensor, "B 3 H W"], sentences: Float[Tensor, "B S D"]
    ) -> tuple[Float[Tensor, "B S 1"], Float[Tensor, "B 1"]]:
        """Logits of matching, a sentence each, and of realism."""
        features = self.trunk(images)  # (B, C, 4, 4)
        # A pass a sentence: own and foreign captions in one batch norm would tell their share, not their fit.
        matching = [self._match(features, sentence) for sentence in sentences.unbind(dim=1)]
        return torch.stack(matching, dim=1), self.realism(features).flatten(1)

    def _match(self, features: Tensor, sentence: Tensor) -> Tensor:
        text = sentence.to(features.dtype)[:, :, None, None].expand(-1, -1, *features.shape[2:])
        return self.matching(self.joint(torch.cat([features, text], dim=1))).flatten(1)


@DISCRIMINATORS.register("attn_gan")
class AttnDiscriminator(nn.Module):
    """Pictures of every stage and S sentences each → a matching and a realism head a stage."""

    config_class = AttnDiscriminatorConfig

    def __init__(self, config: AttnDiscriminatorConfig) -> None:
        super().__init__()
        self.config = config
        self.stage_px = stage_sides(config.image_px, config.stages)
        self.stages = nn.ModuleList(
            StageDiscriminator(px, config.width, config.sentence_dim, style_blocks=config.style_blocks)
            for px in self.stage_px
        )
        self.apply(start_orthogonal)

    def forward(self, stages: tuple[Float[Tensor, "B 3 h w"], ...], sentences: Float[Tensor, "B S D"]) -> Judgement:
        """Judge every stage's pictures.

        Raises:
            ConfigError: the generator draws other stages.
        """
        sides = tuple(images.shape[-1] for images in stages)
        if sides != self.stage_px:
            raise ConfigError(
                f"the attn_gan discriminator judges pictures of {_listed(self.stage_px)} px, the generator draws "
                f"{_listed(sides)} px: give model and discriminator the same image_px and stages, or "
                "--set discriminator.stages=1 for a generator of one stage"
            )
        text = unit_variance(sentences)
        judged = [judge(images, text) for judge, images in zip(self.stages, stages, strict=True)]
        return Judgement(matching=tuple(m for m, _ in judged), realism=tuple(r for _, r in judged))


def _listed(sides: tuple[int, ...]) -> str:
    return ", ".join(map(str, sides))
