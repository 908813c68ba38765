"""Palette features see colour and place, and can be climbed."""

import torch
import torch.nn.functional as F

from adapt.losses.palette import palette, palette_anchors


def plain(red: float, green: float, blue: float) -> torch.Tensor:
    return torch.tensor([red, green, blue]).view(1, 3, 1, 1).expand(1, 3, 32, 32)


def similarity(a: torch.Tensor, b: torch.Tensor) -> float:
    return F.cosine_similarity(palette(a), palette(b)).item()


def test_palette_tells_colours_apart_and_shades_less() -> None:
    red, dark_red, blue = plain(1, -1, -1), plain(0.6, -1, -1), plain(-1, -1, 1)
    assert similarity(red, red) > 0.999
    assert similarity(red, dark_red) > similarity(red, blue) + 0.1


def test_palette_sees_where_a_colour_is() -> None:
    middle, edge = plain(1, 1, 1).clone(), plain(1, 1, 1).clone()
    middle[:, :, 8:24, 8:24] = -1
    edge[:, :, :8, :] = -1
    assert similarity(middle, edge) < 0.95


def test_palette_is_a_bounded_function_of_batch_rows() -> None:
    pictures = torch.rand(4, 3, 20, 20) * 2 - 1
    together, alone = palette(pictures), palette(pictures[2:3])
    assert torch.allclose(together[2:3], alone, atol=1e-6)
    assert together.shape == (4, 6 * len(palette_anchors())) and bool((together >= 0).all())


def test_palette_gradient_moves_a_picture_towards_a_colour() -> None:
    picture = plain(0.0, 0.0, 0.0).clone().requires_grad_(True)
    wanted = palette(plain(0.8, -0.6, -0.6))
    before = F.cosine_similarity(palette(picture), wanted)
    before.sum().backward()
    assert picture.grad is not None
    after = F.cosine_similarity(palette(picture + 20 * picture.grad), wanted)
    assert after.item() > before.item()
