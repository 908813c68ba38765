"""Palette features: which colours a picture has, and roughly where. Fixed arithmetic, nothing learned.

The distribution-sensitive losses compare pictures in some feature space. ImageNet features hardly see colour, and a
generator can fool any frozen network with texture; a colour histogram cannot be fooled, it can only be matched. Every
pixel votes for a grid of anchor colours by a Gaussian of its distance in an opponent colour space.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

# Rows: luma, yellow–blue, red–green, each for RGB in [-1, 1]; an orthogonal opponent basis.
_OPPONENT = ((0.577, 0.577, 0.577), (0.408, 0.408, -0.816), (0.707, -0.707, 0.0))


def palette_anchors(levels: int = 5, span: float = 1.4) -> Float[Tensor, "K 3"]:
    """A grid of anchor colours in the opponent space, kept where the RGB cube reaches."""
    axis = torch.linspace(-span, span, levels)
    grid = torch.cartesian_prod(axis, axis, axis)  # (levels³, 3)
    rgb = grid @ torch.tensor(_OPPONENT)
    return grid[(rgb.abs() <= 1.15).all(dim=1)]


def palette(images: Float[Tensor, "B 3 H W"], *, sample_px: int = 16, bandwidth: float = 0.35) -> Float[Tensor, "B F"]:
    """Square-root colour histograms of the whole picture, its centre and its four quarters.

    Args:
        images: pictures in [-1, 1].
        sample_px: side to which they are averaged first.
        bandwidth: standard deviation of a vote, in units of the opponent space.

    Returns:
        Non-negative features of length 6 K; the dot product of two is a sum of Bhattacharyya coefficients.
    """
    small = F.adaptive_avg_pool2d(images.float(), sample_px)
    basis = torch.tensor(_OPPONENT, device=images.device)
    colours = torch.einsum("kc,bchw->bhwk", basis, small)  # (B, h, w, 3)
    anchors = palette_anchors().to(images.device)
    distance = (colours.unsqueeze(3) - anchors).square().sum(dim=4)  # (B, h, w, K)
    votes = torch.softmax(-distance / (2 * bandwidth**2), dim=3).permute(0, 3, 1, 2)  # (B, K, h, w)
    quarter = sample_px // 4
    centre = votes[:, :, quarter:-quarter, quarter:-quarter].mean(dim=(2, 3))
    whole = votes.mean(dim=(2, 3))
    quarters = F.adaptive_avg_pool2d(votes, 2).flatten(2)  # (B, K, 4)
    # The centre counts double: products and birds stand there, the background does not follow the text.
    parts = torch.cat([whole.unsqueeze(2), 2 * centre.unsqueeze(2), 0.5 * quarters], dim=2).clamp_min(1e-6)
    return parts.sqrt().flatten(1)
