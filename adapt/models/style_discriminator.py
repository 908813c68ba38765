"""The layers of a discriminator that goes with style blocks: equalised rates, blur before halving, batch deviation.

Papers: Karras et al., "Progressive Growing of GANs", arXiv 1710.10196 (equalised learning rate, batch deviation);
"A Style-Based Generator Architecture", arXiv 1812.04948 (blur). No batch norm: one picture trains like many.

Differs from the papers: widths are AttnGAN's; the deviation is over the whole batch, not over groups of four.
"""

from itertools import pairwise

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from adapt.models.projected import MinibatchDeviation
from adapt.models.style_blocks import EqualisedConv, EqualisedLinear, blurred


class EqualisedBlock(nn.Module):
    """Convolution under an equalised learning rate, bias and leaky ReLU; may blur and halve."""

    def __init__(self, in_channels: int, out_channels: int, *, kernel_px: int = 3, halve: bool = False) -> None:
        super().__init__()
        self.halve = halve
        self.conv = EqualisedConv(in_channels, out_channels, kernel_px)
        self.bias = nn.Parameter(torch.zeros(out_channels, 1, 1))

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B E h w"]:
        """(B, C, H, W) → (B, C', H, W), or half of that."""
        x = self.conv(blurred(x) if self.halve else x)
        if self.halve:
            x = F.avg_pool2d(x, 2)
        return F.leaky_relu(x + self.bias.to(x.dtype), 0.2)


def style_trunk(image_px: int, width: int) -> nn.Sequential:
    """(B, 3, H, W) → (B, 8 · width + 1, 4, 4); the last channel is the batch's deviation."""
    halvings, top = (image_px // 4).bit_length() - 1, 8 * width
    first = max(top >> halvings, width)
    widths = [min(first << i, top) for i in range(halvings)] + [top]
    layers: list[nn.Module] = [EqualisedBlock(3, first, kernel_px=1)]
    for before, after in pairwise(widths):
        layers += [EqualisedBlock(before, before), EqualisedBlock(before, after, halve=True)]
    return nn.Sequential(*layers, MinibatchDeviation())


def style_head(channels: int) -> nn.Sequential:
    """(B, C, 4, 4) → logits (B, 1)."""
    return nn.Sequential(nn.Flatten(), EqualisedLinear(channels * 4 * 4, 1))
