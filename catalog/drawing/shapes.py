"""The ten kinds of product the sample catalogue draws. Each takes a form word and a material and returns meshes.

A form word is what the spec sheet says of the shape, so every one of them must be visible in the picture.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from catalog.drawing.materials import Material
from catalog.drawing.mesh import Array, Mesh, bar, pillow, revolve, rounded_box, smooth_profile, tube

WHITE_FABRIC = Material(kind="fabric", color=(238, 234, 224))
CORK = Material(kind="wood", color=(196, 150, 102))
DARK_METAL = Material(kind="metal", color=(92, 92, 96))
PALE_WOOD = Material(kind="wood", color=(214, 172, 122))


def _arch(start: tuple[float, float], end: tuple[float, float], bulge: tuple[float, float], pieces: int = 16) -> Array:
    """Return a smooth curve in the picture plane from `start` to `end`, pulled by twice `bulge`."""
    t = np.linspace(0, 1, pieces + 1, dtype=np.float32)[:, None]
    a, b = np.array(start, np.float32), np.array(end, np.float32)
    pull = np.array(bulge, np.float32) * 2
    flat = a * (1 - t) ** 3 + (a + pull) * 3 * t * (1 - t) ** 2 + (b + pull) * 3 * t**2 * (1 - t) + b * t**3
    return np.concatenate([flat, np.zeros_like(flat[:, :1])], axis=1)


def _vessel(outside: list[tuple[float, float]], material: Material, wall: float = 0.07) -> Mesh:
    """Return a hollow revolved body from its outside profile, bottom to rim."""
    outer = smooth_profile([(0.0, outside[0][1]), outside[0], *outside])
    top = outer[-1]
    step = np.gradient(outer, axis=0)
    step /= np.maximum(np.linalg.norm(step, axis=1, keepdims=True), 1e-6)
    inner = (outer + wall * np.stack([-step[:, 1], step[:, 0]], axis=1))[::-1]
    inner = inner[(inner[:, 0] > 0.02) & (inner[:, 1] > outside[0][1] + wall * 0.9)]
    lip = np.array([[top[0] - wall * 0.3, top[1] + wall * 0.3], [top[0] - wall * 0.7, top[1] + wall * 0.3]], np.float32)
    floor = np.array([[0.0, outside[0][1] + wall]], np.float32)
    return revolve(np.concatenate([outer, lip, inner, floor]), material)


def mug(form: str, material: Material) -> list[Mesh]:
    """A cup with a handle: cylindrical, round or tapered."""
    profiles = {
        "cylindrical": [(0.56, 0.0), (0.66, 0.06), (0.68, 0.3), (0.68, 1.0), (0.68, 1.5)],
        "round": [(0.4, 0.0), (0.62, 0.1), (0.78, 0.45), (0.74, 0.95), (0.62, 1.25), (0.64, 1.35)],
        "tapered": [(0.42, 0.0), (0.46, 0.05), (0.55, 0.5), (0.68, 1.1), (0.76, 1.5)],
    }
    top, low = {"cylindrical": (0.66, 0.66), "round": (0.66, 0.74), "tapered": (0.68, 0.47)}[form]
    handle = tube(_arch((low, 0.35), (top, 1.15), (0.33, 0.0)), 0.08, material)
    return [_vessel(profiles[form], material), handle]


def vase(form: str, material: Material) -> list[Mesh]:
    """A vase: round, slim or flared."""
    profiles = {
        "round": [(0.4, 0.0), (0.5, 0.05), (0.95, 0.7), (0.85, 1.3), (0.36, 1.7), (0.3, 1.95), (0.4, 2.1)],
        "slim": [(0.34, 0.0), (0.38, 0.05), (0.48, 0.8), (0.42, 1.7), (0.24, 2.3), (0.22, 2.6), (0.3, 2.75)],
        "flared": [(0.4, 0.0), (0.42, 0.06), (0.36, 0.5), (0.42, 1.1), (0.62, 1.8), (0.86, 2.2)],
    }
    return [_vessel(profiles[form], material)]


def bottle(form: str, material: Material) -> list[Mesh]:
    """A bottle with a stopper: slim, wide or tapered."""
    profiles = {
        "slim": [(0.36, 0.0), (0.42, 0.06), (0.42, 0.8), (0.42, 1.7), (0.34, 2.0), (0.17, 2.3), (0.16, 2.7)],
        "wide": [(0.6, 0.0), (0.68, 0.08), (0.7, 0.6), (0.68, 1.2), (0.5, 1.5), (0.2, 1.7), (0.19, 2.1)],
        "tapered": [(0.58, 0.0), (0.64, 0.06), (0.58, 0.6), (0.4, 1.4), (0.22, 2.1), (0.17, 2.5)],
    }
    profile = profiles[form]
    radius, rim = profile[-1]
    cap = DARK_METAL if material.kind in ("metal", "plastic") else CORK
    stopper = [(0.0, rim - 0.1), (radius * 0.9, rim - 0.1), (radius * 0.9, rim - 0.1), (radius * 1.12, rim + 0.26)]
    stopper += [(radius * 1.12, rim + 0.26), (0.0, rim + 0.28)]
    return [_vessel(profile, material, wall=0.05), revolve(smooth_profile(stopper, 3), cap, around=24)]


def bowl(form: str, material: Material) -> list[Mesh]:
    """A bowl: deep, shallow or footed."""
    profiles = {
        "deep": [(0.4, 0.0), (0.5, 0.06), (0.9, 0.4), (1.06, 0.85), (1.08, 1.1)],
        "shallow": [(0.5, 0.0), (0.6, 0.05), (1.1, 0.25), (1.42, 0.52)],
        "footed": [(0.5, 0.0), (0.46, 0.08), (0.3, 0.26), (0.5, 0.42), (1.0, 0.75), (1.16, 1.2)],
    }
    return [_vessel(profiles[form], material)]


def teapot(form: str, material: Material) -> list[Mesh]:
    """A pot with spout, handle and lid: round, tall or low."""
    width, height = {"round": (1.0, 1.3), "tall": (0.74, 1.75), "low": (1.12, 0.95)}[form]
    body = [(0.55, 0.0), (0.62, 0.04), (1.0, 0.42), (0.94, 0.75), (0.5, 0.98), (0.46, 1.0)]
    lid = [(0.46, 0.985), (0.5, 1.0), (0.5, 1.0), (0.3, 1.08), (0.06, 1.12), (0.06, 1.12), (0.13, 1.2), (0.0, 1.27)]
    shells = [
        revolve(smooth_profile([(r * width, h * height) for r, h in [(0.0, 0.0), *body, (0.0, 1.0)]]), material),
        revolve(smooth_profile([(r * width, h * height) for r, h in lid]), material),
    ]
    spout = _arch((-0.8 * width, 0.4 * height), (-1.55 * width, 0.98 * height), (-0.3, 0.02))
    handle = _arch((0.86 * width, 0.28 * height), (0.84 * width, 0.84 * height), (0.42, 0.06))
    return [*shells, tube(spout, np.linspace(0.24, 0.1, len(spout)), material), tube(handle, 0.085, material)]


def lamp(form: str, material: Material) -> list[Mesh]:
    """A table lamp: conical, cylindrical or domed shade; painted metal has a shade of its own, others a white one."""
    shade_of = material if material.kind in ("metal", "plastic") else WHITE_FABRIC
    shade_of = replace(shade_of, pattern="plain", second=None)
    shades = {
        "conical": [(0.98, 1.55), (0.36, 2.55), (0.32, 2.56), (0.9, 1.56)],
        "cylindrical": [(0.82, 1.55), (0.8, 2.5), (0.76, 2.51), (0.78, 1.56)],
        "domed": [(0.95, 1.6), (0.9, 1.95), (0.62, 2.3), (0.1, 2.45), (0.1, 2.4), (0.85, 1.62)],
    }
    corners = shades[form] if form == "domed" else [corner for corner in shades[form] for _ in range(2)]
    if material.kind in ("ceramic", "glass"):
        foot = [(0.0, 0.0), (0.34, 0.0), (0.4, 0.06), (0.56, 0.5), (0.46, 0.95), (0.14, 1.25), (0.1, 1.4), (0.0, 1.42)]
        stem = [revolve(smooth_profile(foot), material)]
    else:
        plate = [(0.0, 0.0), (0.56, 0.0), (0.56, 0.0), (0.56, 0.09), (0.52, 0.12), (0.0, 0.13)]
        stem = [revolve(smooth_profile(plate), material), bar((0, 0.1, 0), (0, 1.7, 0), 0.075, material, around=14)]
    return [*stem, bar((0, 1.3, 0), (0, 1.9, 0), 0.045, DARK_METAL), revolve(smooth_profile(corners, 4), shade_of)]


def chair(form: str, material: Material) -> list[Mesh]:
    """A chair: slatted back, panelled back or armchair."""
    upholstered = material.kind in ("fabric", "leather")
    frame = PALE_WOOD if upholstered else material
    seat = rounded_box((1.3, 0.26 if upholstered else 0.12, 1.25), material, radius=0.06, swell=0.05 * upholstered)
    parts = [piece.moved(y=1.3) for piece in seat]
    for x in (-0.55, 0.55):
        parts.append(bar((x * 1.05, 0, 0.58), (x, 1.28, 0.5), np.linspace(0.055, 0.08, 9), frame))
        parts.append(bar((x * 1.05, 0, -0.66), (x, 1.28, -0.52), np.linspace(0.055, 0.08, 9), frame))
    if form == "slatted":
        for x in (-0.55, 0.55):
            parts.append(bar((x, 1.25, -0.54), (x, 2.75, -0.74), 0.07, frame, pieces=12))
        for height in (1.75, 2.2, 2.62):
            slat = rounded_box((1.1, 0.2, 0.07), material, radius=0.03)
            parts += [piece.turned(-8, "x").moved(y=height, z=-0.61 - 0.13 * (height - 1.75)) for piece in slat]
        return parts
    back = rounded_box((1.28, 1.25, 0.2 if upholstered else 0.08), material, radius=0.07, swell=0.05 * upholstered)
    parts += [piece.turned(-9, "x").moved(y=1.97, z=-0.65) for piece in back]
    if form == "armchair":
        for x in (-0.68, 0.68):
            arm = rounded_box((0.16, 0.14, 1.2), material, radius=0.05)
            parts += [piece.moved(x=x, y=1.85) for piece in arm]
            parts.append(bar((x, 1.25, 0.5), (x, 1.82, 0.5), 0.06, frame))
    return parts


def table(form: str, material: Material) -> list[Mesh]:
    """A table: round on one foot, square or rectangular on four legs."""
    legs_of = DARK_METAL if material.kind in ("stone", "glass") else material
    if form == "round":
        top = [(0.0, 1.3), (1.3, 1.3), (1.3, 1.3), (1.34, 1.35), (1.3, 1.42), (1.3, 1.42), (0.0, 1.42)]
        foot = [(0.0, 0.0), (0.72, 0.0), (0.72, 0.0), (0.7, 0.06), (0.2, 0.14), (0.1, 0.3), (0.1, 1.1), (0.24, 1.3)]
        return [revolve(smooth_profile(top), material, around=48), revolve(smooth_profile(foot), legs_of)]
    width, depth = {"square": (1.9, 1.9), "rectangular": (2.9, 1.4)}[form]
    parts = [piece.moved(y=1.36) for piece in rounded_box((width, 0.13, depth), material, radius=0.04, pieces=12)]
    for x in (-1, 1):
        for z in (-1, 1):
            foot_at, top_at = (x * (width / 2 - 0.12), z * (depth / 2 - 0.12)), (width / 2 - 0.17, depth / 2 - 0.17)
            start, end = (foot_at[0], 0.0, foot_at[1]), (x * top_at[0], 1.31, z * top_at[1])
            parts.append(bar(start, end, np.linspace(0.06, 0.095, 9), legs_of))
    return parts


def cushion(form: str, material: Material) -> list[Mesh]:
    """A cushion: square, round or rectangular."""
    width, height, corner = {"square": (2.0, 2.0, 5.0), "round": (2.1, 2.1, 2.0), "rectangular": (2.5, 1.5, 5.0)}[form]
    return [half.turned(-8, "x") for half in pillow(width, height, 0.85, material, corner=corner)]


def bag(form: str, material: Material) -> list[Mesh]:
    """A bag: tote with long handles, handbag with one arch, or satchel with a flap."""
    width, height, depth = {"tote": (1.7, 1.75, 0.45), "handbag": (1.8, 1.15, 0.6), "satchel": (1.75, 1.3, 0.5)}[form]
    body = rounded_box((width, height, depth), material, radius=0.12, pieces=12, swell=0.07)
    parts = [piece.moved(y=height / 2) for piece in body]
    strap = replace(material, pattern="plain", second=None)
    rise = {"tote": 0.78, "handbag": 0.5, "satchel": 0.28}[form]
    for z in (-0.14, 0.14) if form == "tote" else (0.0,):
        arch = _arch((-0.42, height - 0.12), (0.42, height - 0.12), (0.0, rise))
        parts.append(tube(arch, 0.06, strap, flat=0.7).moved(z=z))
    if form == "satchel":
        flap = rounded_box((width * 1.02, height * 0.58, 0.06), strap, radius=0.03, pieces=8)
        parts += [piece.moved(y=height * 0.74, z=depth / 2 + 0.09) for piece in flap]
        for x in (-0.45, 0.45):
            buckle = rounded_box((0.13, 0.2, 0.06), Material(kind="metal", color=(206, 170, 96)), radius=0.025)
            parts += [piece.moved(x=x, y=height * 0.46, z=depth / 2 + 0.16) for piece in buckle]
    return parts


SHAPES: dict[str, Callable[[str, Material], list[Mesh]]] = {
    "bag": bag,
    "bottle": bottle,
    "bowl": bowl,
    "chair": chair,
    "cushion": cushion,
    "lamp": lamp,
    "mug": mug,
    "table": table,
    "teapot": teapot,
    "vase": vase,
}
