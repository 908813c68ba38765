"""The dominant colour of a picture, as one of eleven English colour words.

Each pixel gets a name by fixed bounds on lightness, chroma and hue in CIELAB (D65). Pixels vote with a weight that is
high in the middle and where the colour differs from all four corners, which are background in most product and bird
pictures; the name with most votes is dominant.

The bounds were fitted once, by random search, on 427 bird photographs of the training split whose ten human captions
agree on one colour (black, white, grey, brown, red, yellow or blue) and then fixed: the measure agrees with the
captions on 66 % of those and 79 % of 42 held-out ones (28 % and 30 % when captions are shuffled). It errs towards
black and brown in shade and sees green where grass shows through. It shares no code with the losses.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from adapt.data.colour_words import COLOURS

NEUTRAL_CHROMA, NEUTRAL_CHROMA_WARM = 12.0, 7.0
"""Below these a pixel is black, grey or white; browns are close to grey, so warm hues get the lower bound."""
BLACK_LIGHTNESS, WHITE_LIGHTNESS, DARK_LIGHTNESS = 36.0, 70.0, 18.0
BROWN_CHROMA = 28.0
CORNER_DISTANCE, CENTRE_SPREAD, WEIGHT_FLOOR = 25.0, 0.2, 0.04
"""Colour distance that marks foreground, spread of the centre weight in picture sides, weight of sure background."""

_RGB_TO_XYZ = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
_WHITE_POINT = (0.9505, 1.0, 1.089)
_BLACK, _WHITE, _GREY, _BROWN = (COLOURS.index(name) for name in ("black", "white", "grey", "brown"))
_HUES = (  # upper bound in degrees, name
    (45.0, "red"),
    (70.0, "orange"),
    (100.0, "yellow"),
    (200.0, "green"),
    (305.0, "blue"),
    (350.0, "purple"),
    (360.0, "red"),
)


def to_lab(images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B 3 H W"]:
    """Gamma-encoded RGB in [-1, 1] → CIELAB: lightness 0 to 100, a and b about -110 to 110."""
    encoded = (images.float().clamp(-1, 1) + 1) / 2
    linear = torch.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    xyz = torch.einsum("kc,bchw->bkhw", images.new_tensor(_RGB_TO_XYZ, dtype=torch.float32), linear)
    ratio = xyz / images.new_tensor(_WHITE_POINT, dtype=torch.float32)[:, None, None]
    cube = torch.where(ratio > 0.008856, ratio.clamp_min(1e-8) ** (1 / 3), 7.787 * ratio + 16 / 116)
    x, y, z = cube.unbind(1)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], dim=1)


def pixel_names(lab: Float[Tensor, "B 3 H W"]) -> Int[Tensor, "B H W"]:
    """Index into `COLOURS` for each pixel."""
    lightness, a, b = lab.unbind(1)
    chroma = (a.square() + b.square()).sqrt()
    hue = torch.rad2deg(torch.atan2(b, a)) % 360
    names = torch.full_like(hue, COLOURS.index("red"), dtype=torch.long)
    lower = 0.0
    for upper, name in _HUES:
        names[(hue >= lower) & (hue < upper)] = COLOURS.index(name)
        lower = upper
    names[((hue < 30) | (hue >= 330)) & (lightness > 62)] = COLOURS.index("pink")
    warm = (hue > 20) & (hue < 100)
    names[warm & (chroma < BROWN_CHROMA)] = _BROWN
    # Dark orange is brown although it is vivid; light straw is yellow although it is not.
    names[(hue >= 30) & (hue < 72) & (lightness < 45) & (chroma < BROWN_CHROMA + 15)] = _BROWN
    names[(hue >= 85) & (hue < 100) & (lightness > 70) & (chroma >= BROWN_CHROMA - 5)] = COLOURS.index("yellow")
    bound = torch.where(warm & (lightness < 75), NEUTRAL_CHROMA_WARM, NEUTRAL_CHROMA)
    neutral = chroma < bound
    names[neutral] = _GREY
    names[neutral & (lightness < BLACK_LIGHTNESS)] = _BLACK
    names[neutral & (lightness > WHITE_LIGHTNESS)] = _WHITE
    names[lightness < DARK_LIGHTNESS] = _BLACK
    return names


def foreground_weights(lab: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B H W"]:
    """Vote of each pixel; those of a picture sum to one."""
    height, width = lab.shape[-2:]
    k = max(min(height, width) // 8, 1)
    patches = (lab[..., :k, :k], lab[..., :k, -k:], lab[..., -k:, :k], lab[..., -k:, -k:])
    corners = torch.stack([patch.mean(dim=(2, 3)) for patch in patches], dim=1)  # (B, 4, 3)
    distance = (lab[:, None] - corners[..., None, None]).square().sum(dim=2).amin(dim=1)  # (B, H, W), squared
    foreground = 1 - torch.exp(-distance / (2 * CORNER_DISTANCE**2))
    rows = torch.linspace(-0.5, 0.5, height, device=lab.device)[:, None]
    columns = torch.linspace(-0.5, 0.5, width, device=lab.device)[None, :]
    centre = torch.exp(-(rows.square() + columns.square()) / (2 * CENTRE_SPREAD**2))
    weights = (foreground + WEIGHT_FLOOR) * centre
    return weights / weights.sum(dim=(1, 2), keepdim=True)


def colour_shares(images: Float[Tensor, "B 3 H W"], *, batch_images: int = 256) -> Float[Tensor, "B K"]:
    """Share of the votes for each of `COLOURS`."""
    parts = []
    for part in images.split(batch_images):
        lab = to_lab(part)
        names, weights = pixel_names(lab), foreground_weights(lab)
        votes = torch.zeros(len(part), len(COLOURS), device=part.device)
        parts.append(votes.scatter_add_(1, names.flatten(1), weights.flatten(1)))
    return torch.cat(parts)


def dominant_colours(images: Float[Tensor, "B 3 H W"]) -> list[str]:
    """The colour word with most votes, for each picture in [-1, 1]."""
    return [COLOURS[index] for index in colour_shares(images).argmax(dim=1).tolist()]
