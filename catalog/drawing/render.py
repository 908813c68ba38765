"""Draws meshes as product photos: white sweep, two soft boxes, soft shadow.

Visibility is PIL's: triangles are painted far to near into a picture of face numbers. The view is parallel, so
everything a face carries (normal, position, texture) is an exact linear function of the pixel, and shading is a few
array operations.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from catalog.drawing.materials import GLOSS, Material, albedo, bumps, linear
from catalog.drawing.mesh import Mesh, rotation

Array = NDArray[np.floating[Any]]

_OVERSAMPLE = 1.5
_KEY = np.array([-0.5, 0.72, 0.48], np.float32) / np.linalg.norm([-0.5, 0.72, 0.48])
_FILL = np.array([0.85, 0.25, 0.46], np.float32) / np.linalg.norm([0.85, 0.25, 0.46])
_SHADOW_PX = 192


@dataclass(frozen=True, kw_only=True)
class View:
    """Where the camera stands."""

    turn: float
    """Degrees the product is turned to the right."""
    above: float
    """Degrees the camera looks down."""

    def matrix(self) -> Array:
        """Return the rotation from world to view axes (x right, y up, z to the viewer)."""
        return np.asarray(rotation(self.above, "x") @ rotation(self.turn, "y"), np.float32)


@dataclass(frozen=True, kw_only=True)
class _Scene:
    """All triangles, turned into view and placed on the picture."""

    screen: Array  # (P, 3): pixel x, pixel y, depth towards the viewer
    normals: Array  # (P, 3), view axes
    position: Array  # (P, 3), world
    texture: Array  # (P, 2)
    faces: NDArray[np.int32]  # (F, 3)
    owner: NDArray[np.int32]  # (F,) number of the material
    materials: tuple[Material, ...]
    scale: float  # pixels a unit
    turn: Array  # (3, 3) world to view
    origin: Array  # (2,) pixel of the view origin


def render(meshes: Sequence[Mesh], view: View, *, size_px: int = 256) -> Image.Image:
    """Return an RGB photo of the meshes on white, `size_px` square."""
    drawn_px = round(size_px * _OVERSAMPLE)
    scene = _arrange(meshes, view, drawn_px)
    picture = _floor(scene, drawn_px)
    translucent = np.array([material.translucent for material in scene.materials])[scene.owner]
    facing = _facing(scene, np.array([0, 0, 1], np.float32))
    depth = _layer(scene, ~translucent & facing, picture, np.full(picture.shape[:2], -np.inf, np.float32))
    if translucent.any():
        for side in (~facing, facing):
            _layer(scene, translucent & side, picture, depth)
    encoded = np.clip(picture, 0, 1) ** np.float32(1 / 2.2) * 255 + 0.5
    image = Image.fromarray(encoded.astype(np.uint8))
    # Bilinear rather than Lanczos: a lens is never as sharp as a polygon edge.
    return image.resize((size_px, size_px), Image.Resampling.BILINEAR)


def _arrange(meshes: Sequence[Mesh], view: View, size_px: int) -> _Scene:
    """Join the meshes, fit them into the frame with a margin, stand them a little below the middle."""
    materials = tuple(dict.fromkeys(mesh.material for mesh in meshes))
    offsets = np.cumsum([0, *(len(mesh.points) for mesh in meshes)])
    position = np.concatenate([mesh.points for mesh in meshes])
    turn = view.matrix()
    seen = position @ turn.T
    low, high = seen[:, :2].min(axis=0), seen[:, :2].max(axis=0)
    scale = 0.78 * size_px / float((high - low).max())
    middle = (low + high) / 2
    origin = np.array([size_px / 2 - middle[0] * scale, size_px * 0.51 + middle[1] * scale], np.float32)
    screen = np.stack([origin[0] + seen[:, 0] * scale, origin[1] - seen[:, 1] * scale, seen[:, 2]], axis=1)
    return _Scene(
        screen=screen.astype(np.float32),
        normals=np.concatenate([mesh.normals for mesh in meshes]) @ turn.T,
        position=position,
        texture=np.concatenate([mesh.texture for mesh in meshes]),
        faces=np.concatenate([mesh.faces + offset for mesh, offset in zip(meshes, offsets, strict=False)]),
        owner=np.repeat(
            [materials.index(mesh.material) for mesh in meshes], [len(mesh.faces) for mesh in meshes]
        ).astype(np.int32),
        materials=materials,
        scale=scale,
        turn=turn,
        origin=origin,
    )


def _facing(scene: _Scene, towards: Array) -> NDArray[np.bool_]:
    """Return which faces turn their outside towards a direction given in view axes."""
    return np.asarray((scene.normals @ towards)[scene.faces].sum(axis=1) > 0)


def _paint(corners: Array, depth: Array, values: NDArray[np.int64], size_px: int) -> NDArray[np.int32]:
    """Paint triangles far to near with whole-number values; 0 is empty. `corners` is (F, 3, 2) in pixels."""
    canvas = Image.new("I", (size_px, size_px), 0)
    polygon = ImageDraw.Draw(canvas).polygon
    order = np.argsort(depth, kind="stable")
    for points, value in zip(corners[order].reshape(-1, 6).tolist(), values[order].tolist(), strict=True):
        polygon(points, fill=value)
    return np.asarray(canvas, np.int32)


def _layer(scene: _Scene, chosen: NDArray[np.bool_], picture: Array, behind: Array) -> Array:
    """Shade the chosen faces over `picture` where they lie in front of `behind`; return the nearer depths."""
    numbers = np.flatnonzero(chosen)
    if numbers.size == 0:
        return behind
    corners = scene.screen[scene.faces[numbers]]
    ids = _paint(corners[..., :2], corners[..., 2].mean(axis=1), numbers + 1, picture.shape[0])
    rows, columns = np.nonzero(ids)
    face = ids[rows, columns] - 1
    values = _interpolate(scene, face, columns, rows)
    depth, normal = values[:, 0], values[:, 1:4]
    near = depth > behind[rows, columns]
    rows, columns, face, values, normal = rows[near], columns[near], face[near], values[near], normal[near]
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-6)
    lit = _lit(scene, values[:, 4:7])
    for number, material in enumerate(scene.materials):
        mine = scene.owner[face] == number
        if not mine.any():
            continue
        color, alpha = _shade(material, normal[mine], values[mine, 4:7], values[mine, 7:9], lit[mine], scene.turn)
        at = (rows[mine], columns[mine])
        picture[at] = picture[at] * (1 - alpha) + color
    result = behind.copy()
    result[rows, columns] = values[:, 0]
    return result


def _interpolate(scene: _Scene, face: NDArray[np.int32], columns: NDArray[np.int64], rows: NDArray[np.int64]) -> Array:
    """Return depth, normal, position and texture at pixel centres, (N, 9)."""
    used, index = np.unique(face, return_inverse=True)
    corners = scene.faces[used]
    screen = scene.screen[corners].astype(np.float64)
    carried = np.concatenate([scene.screen[:, 2:], scene.normals, scene.position, scene.texture], axis=1)[corners]
    first = screen[:, 0, :2]
    edges = screen[:, 1:, :2] - first[:, None]  # (F, 2, 2)
    area = edges[:, 0, 0] * edges[:, 1, 1] - edges[:, 0, 1] * edges[:, 1, 0]
    area = np.where(np.abs(area) < 1e-3, np.inf, area)
    offset = np.stack([columns + 0.5, rows + 0.5], axis=1) - first[index]
    e1, e2, size = edges[index, 0], edges[index, 1], area[index]
    second = np.clip((offset[:, 0] * e2[:, 1] - offset[:, 1] * e2[:, 0]) / size, -0.5, 1.5)
    third = np.clip((e1[:, 0] * offset[:, 1] - e1[:, 1] * offset[:, 0]) / size, -0.5, 1.5)
    weights = np.stack([1 - second - third, second, third], axis=1).astype(np.float32)
    return np.asarray(np.einsum("nk,nkc->nc", weights, carried[index].astype(np.float32)), np.float32)


def _lit(scene: _Scene, position: Array) -> Array:
    """Return how much of the key light reaches each position, 0 to 1, with a soft edge."""
    to_light = _KEY @ scene.turn  # key direction in world axes
    side = np.cross([0, 1, 0], to_light)
    side /= np.linalg.norm(side)
    axes = np.stack([side, np.cross(to_light, side), to_light]).astype(np.float32)
    seen = scene.position @ axes.T
    low, high = seen.min(axis=0), seen.max(axis=0)
    scale = (_SHADOW_PX - 5) / float((high - low)[:2].max())
    opaque = ~np.array([material.translucent for material in scene.materials])[scene.owner]
    # Only sides turned away from the light cast: a lit surface can then not shade itself by rounding.
    opaque &= ~_facing(scene, _KEY)
    if not opaque.any():
        return np.ones(len(position), np.float32)
    corners = ((seen - low) * scale + 2)[scene.faces[opaque]]
    nearest = corners[..., 2].mean(axis=1)
    depth = _paint(corners[..., :2], nearest, (nearest * 16).astype(np.int64) + 1, _SHADOW_PX) / 16
    spot = (position @ axes.T - low) * scale + 2
    total = np.zeros(len(position), np.float32)
    offsets = ((-5.0, -2.0), (2.0, -5.0), (5.0, 2.0), (-2.0, 5.0), (-1.6, -1.4), (1.5, -1.7), (1.7, 1.5), (-1.4, 1.6))
    thickness, edge = 0.13 * scale, 0.03 * scale
    for x, y in offsets:
        column = np.clip(spot[:, 0] + x, 0, _SHADOW_PX - 1).astype(np.int32)
        row = np.clip(spot[:, 1] + y, 0, _SHADOW_PX - 1).astype(np.int32)
        total += np.clip((spot[:, 2] + thickness - depth[row, column]) / edge, 0, 1)
    return total / len(offsets)


def _shade(
    material: Material, normal: Array, position: Array, texture: Array, lit: Array, turn: Array
) -> tuple[Array, Array]:
    """Return light towards the viewer and how much it hides, for surface points of one material."""
    away = normal[:, 2] < 0
    normal = np.where(away[:, None], -normal, normal)
    slope = bumps(material, texture)
    normal = normal + slope[:, :1] * turn[:, 0] + slope[:, 1:] * turn[:, 1]
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    facing = np.clip(normal[:, 2], 0, 1)
    base = albedo(material, position, texture)
    key = np.clip((normal @ _KEY + 0.15) / 1.15, 0, 1) * lit
    fill = np.clip((normal @ _FILL + 0.3) / 1.3, 0, 1)
    sky = 0.5 + 0.5 * normal[:, 1]
    height = np.clip(position[:, 1] / 0.5, 0, 1)
    ambient = (0.24 + 0.2 * sky) * (0.7 + 0.3 * height)
    diffuse = ambient + 0.86 * key + 0.2 * fill
    reflectance, blur = GLOSS[material.kind]
    mirrored = 2 * normal[:, 2:] * normal - np.array([0, 0, 1], np.float32)
    studio = _studio(mirrored, blur)[:, None] * (0.55 + 0.45 * lit[:, None])
    fresnel = reflectance + (1 - reflectance) * (1 - blur) * (1 - facing) ** 5
    if material.translucent:
        return _glass(base, facing, studio[:, 0], fresnel)
    if material.metallic:
        tint = base + (1 - base) * ((1 - facing) ** 5)[:, None]
        color = 0.22 * base * diffuse[:, None] + 0.9 * tint * studio
    else:
        sheen = 0.12 * (1 - facing) ** 3 if material.kind == "fabric" else 0.0 * facing
        color = base * (diffuse + sheen)[:, None] * (1 - 0.6 * fresnel[:, None]) + fresnel[:, None] * studio
    return np.asarray(color, np.float32), np.ones((len(color), 1), np.float32)


def _glass(base: Array, facing: Array, studio: Array, fresnel: Array) -> tuple[Array, Array]:
    """Return the added light and the darkening of one pass through a tinted wall, thicker where seen edge on."""
    path = 0.16 + 0.5 * (1 - facing) ** 2.2
    rim = 0.06 + 0.62 * np.clip((1 - facing - 0.35) / 0.65, 0, 1) ** 2
    through = np.exp(-path[:, None] * 2.6 * (1 - base)) * (1 - rim[:, None])
    glow = (1 - through) * base * 0.3
    return np.asarray(glow + (fresnel * studio)[:, None], np.float32), np.asarray(1 - through, np.float32)


def _studio(direction: Array, blur: float) -> Array:
    """Return the brightness of the studio seen along `direction`: two soft boxes, white floor, grey walls."""
    x, y, z = direction.T
    soft = 0.06 + 0.5 * blur
    walls = 0.34 + 0.3 * np.clip(y, 0, 1)
    floor = 0.78 / (1 + np.exp((y + 0.28) / (0.05 + 0.25 * blur)))
    key = _window(x, -0.62, 0.24, soft) * _window(y, 0.42, 0.36, soft) * (z > -0.9)
    strip = _window(x, 0.74, 0.09, soft) * _window(y, 0.15, 0.62, soft)
    power = 1.0 / (1 + 2.2 * blur)
    return np.asarray(walls + floor + power * (2.6 * key + 1.3 * strip), np.float32)


def _window(value: Array, middle: float, half: float, soft: float) -> Array:
    return np.asarray(1 / (1 + np.exp((np.abs(value - middle) - half) / (soft * 0.35))), np.float32)


def _floor(scene: _Scene, size_px: int) -> Array:
    """Return the white sweep with the product's shadow: dark where it touches, wide and pale away from the key."""
    small = size_px // 4
    points = scene.position.copy()
    height = points[:, 1:2].copy()
    to_light = (_KEY * np.array([1, 1, 0.35], np.float32)) @ scene.turn
    cast = -to_light[[0, 2]] / max(float(to_light[1]), 0.3)
    shown = _facing(scene, _KEY)  # the lit half of a closed form casts its whole shadow
    light = np.ones((small, small), np.float32)
    clear = np.array([material.translucent for material in scene.materials])[scene.owner]
    for stretch, blur_px, strength, ceiling in ((0.0, 2.0, 0.42, 0.12), (0.12, 7.0, 0.30, 0.8), (0.4, 15.0, 0.22, 9.0)):
        flat = points.copy()
        flat[:, [0, 2]] += np.minimum(height, ceiling) * cast * stretch
        flat[:, 1] = 0
        seen = flat @ scene.turn.T
        screen = np.stack(
            [scene.origin[0] + seen[:, 0] * scene.scale, scene.origin[1] - seen[:, 1] * scene.scale], axis=1
        )
        low_enough = height[scene.faces].min(axis=(1, 2)) < ceiling
        mask = Image.new("L", (small, small), 0)
        polygon = ImageDraw.Draw(mask).polygon
        for see_through in (True, False):
            kept = scene.faces[shown & low_enough & (clear == see_through)]
            for corners in (screen[kept] / 4).reshape(-1, 6).tolist():
                polygon(corners, fill=110 if see_through else 255)
        shade = np.asarray(mask.filter(ImageFilter.GaussianBlur(blur_px * small / 256)), np.float32) / 255
        light *= 1 - strength * shade
    sweep = 0.985 - 0.05 * np.linspace(0, 1, small, dtype=np.float32)[:, None] ** 3
    grown = Image.fromarray(light * sweep).resize((size_px, size_px), Image.Resampling.BILINEAR)
    tinted = np.asarray(grown, np.float32)[..., None] * np.ones(3, np.float32)
    if clear.any():
        tint = linear(scene.materials[int(scene.owner[clear][0])].color)
        tinted *= 1 - 0.5 * (1 - tinted) * (1 - tint)
    return tinted
