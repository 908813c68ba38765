"""A small renderer for product pictures: meshes, materials and a studio with soft light. Needs PIL and NumPy only."""

from catalog.drawing.materials import Material
from catalog.drawing.mesh import Mesh
from catalog.drawing.render import View, render

__all__ = ["Material", "Mesh", "View", "render"]
