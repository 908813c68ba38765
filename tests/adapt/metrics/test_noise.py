"""Noise and its truncation."""

import pytest
import torch

from adapt.errors import AdaptError
from adapt.metrics.noise import Truncation, draw_noise


def test_draw_noise_is_plain_normal_noise_of_the_seed() -> None:
    expected = torch.randn(3, 5, generator=torch.Generator().manual_seed(7))
    assert torch.equal(draw_noise(3, 5, seed=7), expected)


def test_psi_shortens_the_noise() -> None:
    assert torch.equal(draw_noise(3, 5, seed=7, truncation=Truncation.parse("psi:0.5")), draw_noise(3, 5, seed=7) / 2)


def test_truncnorm_cuts_at_two_keeps_the_order_and_has_the_known_spread() -> None:
    plain = draw_noise(2000, 50, seed=0)
    cut = draw_noise(2000, 50, seed=0, truncation=Truncation.parse("truncnorm:0.88"))
    assert cut.abs().max() <= 2 * 0.88
    assert torch.equal(cut.flatten().argsort()[::999], plain.flatten().argsort()[::999])
    # variance of a standard normal cut at ±2: 1 - 2 · 2 φ(2) / (2 Φ(2) - 1) = 0.7737
    assert cut.std().item() == pytest.approx(0.88 * 0.7737**0.5, rel=0.01)


@pytest.mark.parametrize("text", ["psi", "psi:0", "psi:1.1", "psi:nan", "cut:0.5", "truncnorm:a", ""])
def test_truncation_refuses_in_one_line_what_it_cannot_read(text: str) -> None:
    with pytest.raises(AdaptError, match="write psi:F or truncnorm:F") as error:
        Truncation.parse(text)
    assert "\n" not in str(error.value)


def test_truncation_is_written_as_it_is_read() -> None:
    assert str(Truncation.parse("truncnorm:0.88")) == "truncnorm:0.88"
