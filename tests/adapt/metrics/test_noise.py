"""Noise and its truncation."""

import pytest
import torch

from adapt.config import NetworkConfig
from adapt.errors import AdaptError
from adapt.metrics.noise import Truncation, check_truncation, draw_noise
from adapt.models.factory import build_generator


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


def test_truncation_is_refused_where_style_blocks_would_undo_it() -> None:
    options = {"image_px": 16, "stages": 2, "width": 4, "sentence_dim": 8, "word_dim": 8, "residual_blocks": 1}
    plain, styled = (
        build_generator(NetworkConfig(name="attn_gan", options=options | {"style_blocks": choice})).eval()
        for choice in (False, True)
    )
    noise, code = draw_noise(3, 100, seed=0), torch.zeros(3, 100)
    styles = styled.trunk.styles  # type: ignore[union-attr]
    assert torch.allclose(styles(noise, code), styles(0.5 * noise, code), atol=1e-6)  # type: ignore[operator]
    check_truncation(None, styled)
    check_truncation(Truncation.parse("psi:0.5"), plain)
    for text in ("psi:0.5", "truncnorm:0.88"):
        with pytest.raises(AdaptError, match=rf"^truncation {text} .*style blocks.*leave --truncation out$"):
            check_truncation(Truncation.parse(text), styled)
