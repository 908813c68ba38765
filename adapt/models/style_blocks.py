"""Style blocks: a mapping network, and convolutions that a style modulates, in two readings.

`adain` is StyleGAN's (Karras et al., arXiv 1812.04948): convolution, blur, noise, instance norm, scale and shift by the
style. `modulated` is StyleGAN2's (Karras et al., arXiv 1912.04958, section 2.2): the style scales the convolution's
input channels, and its output is divided by the length that this gives the weights.

Differs from the papers: pictures are drawn by AttnGAN's stages and heads, without progressive growing or skip outputs;
noise is derived from z (`derived_noise`); both readings enlarge by nearest neighbours and blur after the convolution.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count, pairwise
from typing import Literal, get_args

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from adapt.models.derived_noise import derived_normal, derived_uniform, noise_seeds

StyleReading = Literal["adain", "modulated"]
STYLE_READINGS: tuple[str, ...] = get_args(StyleReading)
_MIXING_STREAM, _LATENT_STREAM, _FIRST_PIXEL_STREAM = 0, 1, 2


class EqualisedLinear(nn.Module):
    """A linear layer whose weights have unit variance and are scaled as they are used (equalised learning rate)."""

    def __init__(
        self, in_features: int, out_features: int, *, gain: float = 1.0, lr_factor: float = 1.0, bias: float = 0.0
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_features, in_features) / lr_factor)
        self.bias = nn.Parameter(torch.full((out_features,), bias / lr_factor))
        self.scale, self.lr_factor = gain * lr_factor / in_features**0.5, lr_factor

    def forward(self, x: Float[Tensor, "B D"]) -> Float[Tensor, "B E"]:
        """X · Wᵀ + b with both scaled."""
        return F.linear(x, self.weight * self.scale, self.bias * self.lr_factor)


class EqualisedConv(nn.Module):
    """A convolution without bias under an equalised learning rate; keeps the picture's size."""

    def __init__(self, in_channels: int, out_channels: int, kernel_px: int, *, gain: float = 2**0.5) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, kernel_px, kernel_px))
        self.scale = gain / (in_channels * kernel_px**2) ** 0.5

    def scaled_weight(self) -> Tensor:
        """The weights as they are used."""
        return self.weight * self.scale

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B E H W"]:
        """Convolve."""
        return F.conv2d(x, self.scaled_weight(), padding=self.weight.shape[2] // 2)


class MappingNetwork(nn.Sequential):
    """Latent and sentence code → style w, through eight layers that learn at a hundredth of the rate."""

    def __init__(self, in_dim: int, style_dim: int, *, layers: int = 8) -> None:
        parts: list[nn.Module] = []
        for index in range(layers):
            width = in_dim if index == 0 else style_dim
            parts += [EqualisedLinear(width, style_dim, gain=2**0.5, lr_factor=0.01), nn.LeakyReLU(0.2)]
        super().__init__(*parts)


class MixedStyles(nn.Module):
    """One style for each layer of a picture; in training, from a random layer on, that of another latent.

    The text's code stays the picture's own, so that a mixed picture is still one of its caption.
    """

    def __init__(self, latent_dim: int, condition_dim: int, style_dim: int, layers: int, *, mixing_prob: float) -> None:
        super().__init__()
        self.mapping = MappingNetwork(latent_dim + condition_dim, style_dim)
        self.layers, self.mixing_prob = layers, mixing_prob

    def forward(self, latent: Float[Tensor, "B Z"], code: Float[Tensor, "B C"]) -> Float[Tensor, "B L W"]:
        """Styles of every layer."""
        style = self._style(latent, code)[:, None].expand(-1, self.layers, -1)
        if not self.training or not self.mixing_prob:
            return style
        seeds = noise_seeds(latent)
        other = self._style(derived_normal(seeds, latent.shape[1], stream=_LATENT_STREAM), code)[:, None]
        chance, place = derived_uniform(seeds, 2, stream=_MIXING_STREAM).unbind(dim=1)
        first = (1 + place * (self.layers - 1)).long()  # at least one layer keeps the first style
        mixed = torch.arange(self.layers, device=latent.device) >= first[:, None]
        mixed &= (chance < self.mixing_prob)[:, None]
        return torch.where(mixed[..., None], other, style)

    def _style(self, latent: Tensor, code: Tensor) -> Tensor:
        latent = latent * (latent.float().square().mean(dim=1, keepdim=True) + 1e-8).rsqrt()
        return self.mapping(torch.cat([latent, code.to(latent.dtype)], dim=1))


@contextmanager
def unmixed(network: nn.Module) -> Iterator[None]:
    """Let every picture keep one style, as in evaluation: for pictures that are compared with another network's."""
    mixed = [part for part in network.modules() if isinstance(part, MixedStyles) and part.training]
    for part in mixed:
        part.training = False
    try:
        yield
    finally:
        for part in mixed:
            part.training = True


class AdainConv(nn.Module):
    """Convolution, noise, instance norm, then scale and shift by the style."""

    def __init__(self, in_channels: int, out_channels: int, style_dim: int, *, enlarge: bool) -> None:
        super().__init__()
        self.enlarge = enlarge
        self.conv = EqualisedConv(in_channels, out_channels, 3)
        self.noise_strength = nn.Parameter(torch.zeros(out_channels, 1, 1))
        self.bias = nn.Parameter(torch.zeros(out_channels, 1, 1))
        self.style = EqualisedLinear(style_dim, 2 * out_channels)

    def forward(self, x: Tensor, style: Tensor, seeds: Tensor, stream: int) -> Tensor:
        """X (B, C, H, W), style (B, W) → (B, C', H or 2H, W or 2W)."""
        x = self.conv(enlarged(x) if self.enlarge else x)
        x = blurred(x) if self.enlarge else x
        noise = pixel_noise(seeds, x, stream)
        x = F.leaky_relu(x + (self.noise_strength * noise).to(x.dtype) + self.bias.to(x.dtype), 0.2)
        scale, shift = self.style(style)[:, :, None, None].to(x.dtype).chunk(2, dim=1)
        return F.instance_norm(x) * (scale + 1) + shift


class ModulatedConv(nn.Module):
    """Convolution whose weights the style scales by input channel and normalises by output channel, then noise."""

    def __init__(self, in_channels: int, out_channels: int, style_dim: int, *, enlarge: bool) -> None:
        super().__init__()
        self.enlarge = enlarge
        self.conv = EqualisedConv(in_channels, out_channels, 3, gain=1.0)
        self.noise_strength = nn.Parameter(torch.zeros(1, 1, 1))
        self.bias = nn.Parameter(torch.zeros(out_channels, 1, 1))
        self.style = EqualisedLinear(style_dim, in_channels, bias=1.0)

    def forward(self, x: Tensor, style: Tensor, seeds: Tensor, stream: int) -> Tensor:
        """X (B, C, H, W), style (B, W) → (B, C', H or 2H, W or 2W)."""
        scale = self.style(style).float()  # (B, C)
        # Scaling a convolution's input and output is scaling its weights, without a set of weights a picture.
        lengths = scale.square() @ self.conv.scaled_weight().float().square().sum(dim=(2, 3)).T  # (B, C')
        x = enlarged(x) if self.enlarge else x
        x = self.conv(x * scale[:, :, None, None].to(x.dtype))
        x = x * (lengths + 1e-8).rsqrt()[:, :, None, None].to(x.dtype)
        x = blurred(x) if self.enlarge else x
        noise = pixel_noise(seeds, x, stream)
        x = x + (self.noise_strength * noise).to(x.dtype) + self.bias.to(x.dtype)
        return F.leaky_relu(x, 0.2) * 2**0.5


class StyleStage(nn.Module):
    """Style blocks over a chain of resolutions, two layers each; all but the first block may enlarge."""

    def __init__(
        self, widths: list[int], style_dim: int, *, reading: str, enlarge_first: bool, first_layer: int
    ) -> None:
        super().__init__()
        kind = AdainConv if reading == "adain" else ModulatedConv
        self.first_layer = first_layer
        self.layers = nn.ModuleList()
        for index, (before, after) in enumerate(pairwise(widths)):
            self.layers.append(kind(before, after, style_dim, enlarge=enlarge_first or index > 0))
            self.layers.append(kind(after, after, style_dim, enlarge=False))

    def forward(
        self, x: Float[Tensor, "B C H W"], styles: Float[Tensor, "B L W"], seeds: Int[Tensor, " B"]
    ) -> Float[Tensor, "B E h w"]:
        """Draw on with this stage's share of the styles."""
        for index, layer in zip(count(self.first_layer), self.layers, strict=False):
            x = layer(x, styles[:, index], seeds, _FIRST_PIXEL_STREAM + index)
        return x


def enlarged(x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C h w"]:
    """Twice the side, by nearest neighbours."""
    return F.interpolate(x, scale_factor=2, mode="nearest")


def blurred(x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
    """The binomial filter [1 2 1] in both directions; two averages of 2 × 2 are faster than a depthwise convolution."""
    return F.avg_pool2d(F.avg_pool2d(F.pad(x, (1, 1, 1, 1)), 2, stride=1), 2, stride=1)


def pixel_noise(seeds: Int[Tensor, " B"], like: Float[Tensor, "B C H W"], stream: int) -> Float[Tensor, "B 1 H W"]:
    """Standard normal noise a pixel, of the size of `like`."""
    height, width = like.shape[2:]
    return derived_normal(seeds, height * width, stream=stream).view(-1, 1, height, width)
