"""Bring loaded pictures of any colour mode to 8-bit sRGB on white, strip by strip so that memory stays flat."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageCms, TiffImagePlugin

from catalog.errors import ImageRejected
from catalog.phrases import say

Flags = dict[str, bool | int | float]
_STRIP_PIXELS = 2_000_000
_PROFILE_SPACES = {"RGB": "RGB", "CMYK": "CMYK", "L": "GRAY"}
_WHITE = 255


class GreyRange(NamedTuple):
    """How a file of more than 8 bit codes grey."""

    full: int
    """The value of white, or of black when inverted."""
    inverted: bool


def srgb_strips(picture: Image.Image, flags: Flags) -> Iterator[Image.Image]:
    """Yield a loaded picture from top to bottom as RGB strips of its width and an even height (but for the last).

    Colours go through the embedded profile, 16 bit is scaled, and what is see-through lies on white.

    Args:
        picture: Picture with its pixels loaded.
        flags: Takes what was unusual; complete once the last strip is out.

    Raises:
        ImageRejected: The pixels are of a kind without a fixed white.
    """
    width, height = picture.size
    grey_range = _grey_range(picture)
    rows = max(8, _STRIP_PIXELS // width // 8 * 8)
    masked, visible = False, 0
    for top in range(0, height, rows):
        strip = picture if rows >= height else picture.crop((0, top, width, min(top + rows, height)))
        colours, mask = _colours_and_mask(strip, flags, grey_range)
        opaque = mask is None or mask.getextrema()[0] == _WHITE
        if mask is None or opaque:
            visible += colours.width * colours.height * _WHITE
        else:
            masked = True
            visible += int(np.asarray(mask).sum(dtype=np.int64))
            colours = Image.composite(colours, Image.new("RGB", colours.size, "white"), mask)
        yield colours
    if masked:
        flags["alpha"] = True
        flags["alpha_share"] = round(visible / (width * height * _WHITE), 4)


def _grey_range(picture: Image.Image) -> GreyRange:
    if not isinstance(picture, TiffImagePlugin.TiffImageFile):
        return GreyRange(0xFFFF, inverted=False)
    bits, photometric = picture.tag_v2.get(258, (16,)), picture.tag_v2.get(262)
    return GreyRange((1 << min(int(bits[0]), 16)) - 1, inverted=photometric == 0)


def _colours_and_mask(
    picture: Image.Image, flags: Flags, grey_range: GreyRange
) -> tuple[Image.Image, Image.Image | None]:
    mode, profile = picture.mode, picture.info.get("icc_profile")
    if mode.startswith("I") or mode == "F":
        return _sixteen_bit(picture, flags, grey_range)
    if mode == "CMYK":
        flags["cmyk"] = True
        managed = _to_srgb(picture, profile, flags)
        if managed is None:
            # Without a profile nobody knows the inks; the plain formula is the same on every machine.
            flags["cmyk_guessed"] = True
        return managed or picture.convert("RGB"), None
    if mode == "LAB":
        flags["lab"] = True
        return _applied(ImageCms.buildTransform(_lab(), _srgb(), "LAB", "RGB"), picture), None
    mask = None
    if mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in picture.info:
        picture = (picture.convert("LA") if mode == "La" else picture).convert("RGBA")
        mask = picture.getchannel("A")
    if picture.mode not in ("RGB", "L"):
        picture = picture.convert("RGB")  # a profile describes the colours behind a palette, not its numbers
    return _to_srgb(picture, profile, flags) or picture.convert("RGB"), mask


def _sixteen_bit(picture: Image.Image, flags: Flags, grey_range: GreyRange) -> tuple[Image.Image, Image.Image | None]:
    values = np.asarray(picture)
    if picture.mode == "F" or values.min() < 0 or values.max() > grey_range.full:
        raise ImageRejected(
            "IMG_FORMAT_BLOCKED", say("pixels of 32 bit without a fixed white; export it as 8 or 16 bit")
        )
    flags["sixteen_bit"] = True
    # 16 bit to 8 bit: 65535 = 257 * 255. `convert("RGB")` would clip everything above 255 to white.
    grey = ((values.astype(np.uint32) * 255 + grey_range.full // 2) // grey_range.full).astype(np.uint8)
    clear = picture.info.get("transparency")
    mask = Image.fromarray(np.where(values == clear, 0, 255).astype(np.uint8)) if isinstance(clear, int) else None
    return Image.fromarray(255 - grey if grey_range.inverted else grey).convert("RGB"), mask


def _to_srgb(picture: Image.Image, embedded: bytes | None, flags: Flags) -> Image.Image | None:
    """Convert to sRGB by the embedded profile; None when there is none, it is sRGB already, or it is unusable."""
    if not embedded:
        return None
    try:
        transform = _transform(embedded, picture.mode)
        if transform is None:
            return None
        converted = _applied(transform, picture)
    except (ImageCms.PyCMSError, OSError, ValueError):
        flags["icc_unusable"] = True
        return None
    flags["icc"] = True
    return converted


def _applied(transform: ImageCms.ImageCmsTransform, picture: Image.Image) -> Image.Image:
    converted = ImageCms.applyTransform(picture, transform)
    assert converted is not None  # only a change in place returns nothing
    return converted


@lru_cache(maxsize=16)
def _transform(embedded: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """Return what turns pixels into sRGB, None for sRGB itself; a shop has few profiles, each in many files."""
    profile = ImageCms.ImageCmsProfile(io.BytesIO(embedded))
    if mode != "CMYK" and "srgb" in ImageCms.getProfileDescription(profile).lower():
        return None  # in grey pictures too, where cameras leave it
    space = profile.profile.xcolor_space.strip()
    if space != _PROFILE_SPACES[mode]:
        raise ValueError(f"a profile for {space} in a picture of {mode}")
    return ImageCms.buildTransform(profile, _srgb(), mode, "RGB")


@lru_cache(maxsize=1)
def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


@lru_cache(maxsize=1)
def _lab() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
