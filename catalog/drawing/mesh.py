"""Triangle meshes with normals and texture coordinates: revolved, swept and rounded forms.

World axes: x to the right, y up from the floor at 0, z towards the viewer. One unit is about ten centimetres.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.drawing.materials import Material

Array = NDArray[np.floating[Any]]


@dataclass(frozen=True, kw_only=True)
class Mesh:
    """Triangles of one material."""

    points: Array
    """Corner positions, (P, 3)."""
    normals: Array
    """Unit normals that point outwards, (P, 3)."""
    texture: Array
    """Texture coordinates in world units, (P, 2)."""
    faces: NDArray[np.int32]
    """Corner numbers, (F, 3)."""
    material: Material
    """How the surface looks."""

    def moved(self, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> "Mesh":
        """Return a copy shifted by the given distances."""
        return _replace(self, points=self.points + np.array([x, y, z], np.float32), normals=self.normals)

    def turned(self, degrees: float, axis: str = "y") -> "Mesh":
        """Return a copy turned about an axis through the origin."""
        matrix = rotation(degrees, axis)
        return _replace(self, points=self.points @ matrix.T, normals=self.normals @ matrix.T)


def _replace(mesh: Mesh, *, points: Array, normals: Array) -> Mesh:
    return Mesh(points=points, normals=normals, texture=mesh.texture, faces=mesh.faces, material=mesh.material)


def rotation(degrees: float, axis: str) -> Array:
    """Return the 3×3 matrix of a turn about "x", "y" or "z"."""
    sine, cosine = np.sin(np.radians(degrees)), np.cos(np.radians(degrees))
    first, second = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    matrix = np.eye(3, dtype=np.float32)
    matrix[first, first] = matrix[second, second] = cosine
    matrix[first, second], matrix[second, first] = -sine, sine
    return matrix


def _grid(points: Array, normals: Array, texture: Array, material: Material) -> Mesh:
    """Join a (R, C) lattice of corners into triangles."""
    rows, columns = points.shape[:2]
    first = np.arange((rows - 1) * columns).reshape(rows - 1, columns)[:, :-1].ravel()
    quads = np.stack([first, first + 1, first + columns + 1, first + columns], axis=1)
    faces = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]).astype(np.int32)
    length = np.linalg.norm(normals, axis=-1, keepdims=True)
    return Mesh(
        points=points.reshape(-1, 3).astype(np.float32),
        normals=(normals / np.maximum(length, 1e-6)).reshape(-1, 3).astype(np.float32),
        texture=texture.reshape(-1, 2).astype(np.float32),
        faces=faces,
        material=material,
    )


def smooth_profile(corners: Sequence[tuple[float, float]], steps: int = 4) -> Array:
    """Return a curve through `corners` (Catmull-Rom), `steps` points to a span; a repeated corner stays sharp."""
    knots = np.array([corners[0], *corners, corners[-1]], np.float32)
    t = np.linspace(0, 1, steps, endpoint=False, dtype=np.float32)[:, None]
    spans = []
    for before, start, end, after in zip(knots[:-3], knots[1:-2], knots[2:-1], knots[3:], strict=True):
        if np.allclose(start, end):
            continue
        bend = 2 * start + (end - before) * t + (2 * before - 5 * start + 4 * end - after) * t**2
        spans.append(0.5 * (bend + (3 * start - before - 3 * end + after) * t**3))
    return np.concatenate([*spans, knots[-1:]])


def revolve(profile: Array, material: Material, *, around: int = 32) -> Mesh:
    """Turn a profile of (radius, height) about the y axis; walk it so that the outside is on its right going up."""
    step = np.gradient(profile, axis=0)
    angle = np.linspace(0, 2 * np.pi, around + 1, dtype=np.float32)
    circle = np.stack([np.sin(angle), np.zeros_like(angle), np.cos(angle)], axis=-1)
    up = np.array([0, 1, 0], np.float32)
    points = profile[:, None, :1] * circle + profile[:, None, 1:] * up
    normals = step[:, None, 1:] * circle - step[:, None, :1] * up
    along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(profile, axis=0), axis=1))])
    texture = np.stack(
        np.broadcast_arrays(angle[None, :] * max(float(profile[:, 0].max()), 0.05), along[:, None]), axis=-1
    )
    if material.kind == "wood":  # turned from one block: the grain runs through, not around
        texture = np.stack([points[..., 0], points[..., 1] + points[..., 2]], axis=-1)
    return _grid(points, normals, texture, material)


def tube(path: Array, radius: Array | float, material: Material, *, around: int = 9, flat: float = 1.0) -> Mesh:
    """Sweep a circle along a path of points; `flat` below 1 presses it into a strap."""
    direction = np.gradient(path, axis=0)
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    helper = np.array([0, 0, 1], np.float32) if abs(direction[:, 2]).max() < 0.9 else np.array([1, 0, 0], np.float32)
    side = np.cross(direction, helper)
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    other = np.cross(side, direction)
    angle = np.linspace(0, 2 * np.pi, around + 1, dtype=np.float32)[None, :, None]
    radii = np.broadcast_to(np.asarray(radius, np.float32), (len(path),))[:, None, None]
    offset = np.cos(angle) * side[:, None] * flat + np.sin(angle) * other[:, None]
    normals = np.cos(angle) * side[:, None] + np.sin(angle) * other[:, None] * flat
    along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
    texture = np.stack(np.broadcast_arrays(angle[:, :, 0] * 0.1, along[:, None]), axis=-1)
    walls = _grid(path[:, None] + offset * radii, normals, texture, material)
    return _capped(walls, path[[0, -1]], np.stack([-direction[0], direction[-1]]), around + 1)


def _capped(walls: Mesh, centres: Array, outward: Array, ring: int) -> Mesh:
    """Close both ends of a swept tube whose rings have `ring` corners."""
    points, normals, texture, faces = [walls.points], [walls.normals], [walls.texture], [walls.faces]
    count = len(walls.points)
    for end, rim in enumerate((walls.points[:ring], walls.points[-ring:])):
        points += [rim, centres[end : end + 1]]
        normals.append(np.repeat(outward[end : end + 1], ring + 1, axis=0))
        texture.append(np.zeros((ring + 1, 2), np.float32))
        corner = np.arange(count, count + ring - 1)
        faces.append(np.stack([corner, corner + 1, np.full(ring - 1, count + ring)], axis=1).astype(np.int32))
        count += ring + 1
    return Mesh(
        points=np.concatenate(points).astype(np.float32),
        normals=np.concatenate(normals).astype(np.float32),
        texture=np.concatenate(texture),
        faces=np.concatenate(faces),
        material=walls.material,
    )


def bar(
    start: tuple[float, float, float],
    end: tuple[float, float, float],
    radius: Array | float,
    material: Material,
    *,
    pieces: int = 8,
    around: int = 10,
) -> Mesh:
    """Return a straight round bar; `radius` may hold one value a piece end to taper it."""
    t = np.linspace(0, 1, pieces + 1, dtype=np.float32)[:, None]
    path = np.array(start, np.float32) * (1 - t) + np.array(end, np.float32) * t
    return tube(path, np.asarray(radius, np.float32), material, around=around)


def rounded_box(
    size: tuple[float, float, float], material: Material, *, radius: float = 0.06, pieces: int = 6, swell: float = 0.0
) -> list[Mesh]:
    """Return the six sides of a box centred at the origin; `swell` bulges its sides like a filled bag."""
    half = np.array(size, np.float32) / 2
    radius = min(radius, float(half.min()) * 0.999)
    sides = []
    for axis in range(3):
        u_axis, v_axis = (axis + 1) % 3, (axis + 2) % 3
        u, v = (_edge_heavy(half[a], radius, pieces) for a in (u_axis, v_axis))
        for sign in (1.0, -1.0):
            surface = np.empty((len(u), len(v), 3), np.float32)
            surface[..., axis] = sign * half[axis]
            surface[..., u_axis], surface[..., v_axis] = u[:, None], v[None, :]
            core = np.clip(surface, -(half - radius), half - radius)
            outward = surface - core
            outward /= np.linalg.norm(outward, axis=-1, keepdims=True)
            bulge = swell * (1 - (u[:, None] / half[u_axis]) ** 2) * (1 - (v[None, :] / half[v_axis]) ** 2)
            points = core + radius * outward
            points[..., axis] += sign * bulge
            lean = 2 * swell / half
            outward[..., u_axis] += lean[u_axis] * (u / half[u_axis])[:, None] * (1 - (v / half[v_axis]) ** 2)[None]
            outward[..., v_axis] += lean[v_axis] * (v / half[v_axis])[None] * (1 - (u / half[u_axis]) ** 2)[:, None]
            texture = np.stack(np.broadcast_arrays(u[:, None], v[None, :]), axis=-1)
            if axis == 0:
                texture = texture[..., ::-1]
            sides.append(_grid(points, outward, texture, material))
    return sides


def _edge_heavy(half: float, radius: float, pieces: int) -> Array:
    """Return positions from -half to half with extra ones in the rounded edges."""
    edge = half - radius * (1 - np.sin(np.linspace(0, np.pi / 2, 4)))
    inner = np.linspace(-(half - radius), half - radius, pieces + 1)
    return np.unique(np.concatenate([-edge, inner, edge])).astype(np.float32)


def pillow(
    width: float,
    height: float,
    depth: float,
    material: Material,
    *,
    corner: float = 4.0,
    pieces: int = 22,
    wrinkle: float = 0.012,
    seed: int = 0,
) -> list[Mesh]:
    """Return a stuffed cushion standing upright; `corner` 2 is round, larger is squarer."""
    edge = np.sin(np.linspace(-np.pi / 2, np.pi / 2, pieces + 1, dtype=np.float32))
    x, y = np.meshgrid(edge, edge, indexing="ij")
    if corner <= 2:
        x, y = x * np.sqrt(1 - y**2 / 2), y * np.sqrt(1 - x**2 / 2)
        full = np.clip(1 - x**2 - y**2, 0, 1)
    else:
        full = np.clip((1 - np.abs(x) ** corner) * (1 - np.abs(y) ** corner), 0, 1)
        pinch = 0.05
        x, y = x * (1 - pinch * (1 - y**2)), y * (1 - pinch * (1 - x**2))
    phase = np.random.default_rng(seed).uniform(0, 6, 4)
    folds = np.sin(9 * x + 3 * y + phase[0]) * np.sin(2.5 * y + phase[1]) + np.sin(8 * y - 4 * x + phase[2])
    rise = depth / 2 * full**0.45 + wrinkle * folds * full**0.5
    halves = []
    for sign in (1.0, -1.0):
        points = np.stack([x * width / 2, (y + 1) * height / 2, sign * rise], axis=-1).astype(np.float32)
        normals = np.cross(np.gradient(points, axis=0), np.gradient(points, axis=1)) * sign
        texture = np.stack([points[..., 0], points[..., 1]], axis=-1)
        halves.append(_grid(points, normals, texture, material))
    return halves
