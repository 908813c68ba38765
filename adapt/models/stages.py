"""Sides of the pictures that a generator of several stages draws, and its discriminators judge."""

from adapt.errors import ConfigError


def stage_sides(image_px: int, stages: int) -> tuple[int, ...]:
    """Sides of `stages` pictures that end at `image_px`, smallest first."""
    return tuple(image_px >> i for i in reversed(range(stages)))


def check_stages(section: str, image_px: int, stages: int) -> None:
    """Refuse sides that are no powers of two, or begin below 8 px.

    Raises:
        ConfigError: which field is wrong, and what to set.
    """
    if image_px < 8 or image_px & (image_px - 1):
        raise ConfigError(f"{section}.image_px={image_px}; it is a power of two ≥ 8: --set {section}.image_px=64")
    if stages < 1 or image_px >> (stages - 1) < 8:
        most = (image_px // 8).bit_length()
        raise ConfigError(
            f"{section}.stages={stages}; {image_px} px has 1 to {most} stages of 8 px and more: "
            f"--set {section}.stages={min(3, most)}"
        )
