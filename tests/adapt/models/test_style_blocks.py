"""Style blocks: derived random numbers, modulation against its definition, mixing, equalised rates."""

import pytest
import torch
from torch.nn import functional as F

from adapt.models.derived_noise import derived_normal, derived_uniform, noise_seeds
from adapt.models.style_blocks import (
    AdainConv,
    EqualisedConv,
    EqualisedLinear,
    MixedStyles,
    ModulatedConv,
    blurred,
    pixel_noise,
)


def test_derived_numbers_follow_from_the_noise_alone() -> None:
    noise = torch.randn(4, 100, generator=torch.Generator().manual_seed(0))
    seeds = noise_seeds(noise)
    before = torch.get_rng_state()
    numbers = derived_normal(seeds, 50, stream=1)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(numbers[2:3], derived_normal(noise_seeds(noise[2:3]), 50, stream=1))
    assert not torch.equal(numbers, derived_normal(seeds, 50, stream=2))
    moved = noise.clone()
    moved[0, 50] += 1e-6
    assert noise_seeds(moved)[0] != seeds[0] and torch.equal(noise_seeds(moved)[1:], seeds[1:])
    assert noise_seeds(noise.flip(1))[0] != seeds[0]
    assert len(set(noise_seeds(torch.randn(5000, 2)).tolist())) > 4990  # hardly any two share a seed


def test_derived_numbers_have_their_distribution() -> None:
    seeds = noise_seeds(torch.randn(64, 8, generator=torch.Generator().manual_seed(1)))
    uniform, normal = derived_uniform(seeds, 4096, stream=0), derived_normal(seeds, 4096, stream=3)
    assert uniform.min() > 0 and uniform.max() < 1 and abs(uniform.mean() - 0.5) < 0.003
    counts = torch.histc(uniform, bins=64, min=0, max=1)
    assert (counts / counts.mean() - 1).abs().max() < 0.07  # 4096 a bin: four standard deviations are 0.06
    assert abs(normal.mean()) < 0.01 and abs(normal.std() - 1) < 0.01 and abs((normal**4).mean() - 3) < 0.1
    rows = torch.corrcoef(normal)
    assert (rows - torch.eye(64)).abs().max() < 0.08  # pictures do not share their noise
    assert abs((normal[:, 1:] * normal[:, :-1]).mean()) < 0.01  # nor do neighbours


def test_modulated_convolution_is_the_papers_with_a_set_of_weights_a_picture() -> None:
    torch.manual_seed(0)
    layer, x, style = ModulatedConv(3, 5, 4, enlarge=False), torch.randn(2, 3, 6, 6), torch.randn(2, 4)
    scale = layer.style(style)
    expected = []
    for picture, own in zip(x, scale, strict=True):
        weight = layer.conv.scaled_weight() * own[None, :, None, None]
        weight = weight / (weight.square().sum(dim=(1, 2, 3), keepdim=True) + 1e-8).sqrt()
        expected.append(F.conv2d(picture[None], weight, padding=1))
    drawn = layer(x, style, noise_seeds(style), 0)
    assert torch.allclose(drawn, F.leaky_relu(torch.cat(expected), 0.2) * 2**0.5, atol=1e-5)


def test_adain_gives_each_channel_the_styles_mean_and_spread() -> None:
    torch.manual_seed(0)
    layer, style = AdainConv(3, 5, 4, enlarge=True), torch.randn(2, 4)
    drawn = layer(torch.randn(2, 3, 8, 8), style, noise_seeds(style), 0)
    scale, shift = layer.style(style).chunk(2, dim=1)
    assert drawn.shape == (2, 5, 16, 16)
    assert torch.allclose(drawn.mean(dim=(2, 3)), shift, atol=1e-4)
    assert torch.allclose(drawn.std(dim=(2, 3), correction=0), (scale + 1).abs(), atol=1e-2)


@pytest.mark.parametrize("kind", [AdainConv, ModulatedConv])
def test_noise_acts_only_once_its_strength_is_learned(kind: type[AdainConv] | type[ModulatedConv]) -> None:
    torch.manual_seed(0)
    layer, x, style = kind(3, 3, 4, enlarge=False), torch.randn(1, 3, 8, 8), torch.randn(1, 4)
    one, other = torch.tensor([1]), torch.tensor([2])
    assert torch.equal(layer(x, style, one, 0), layer(x, style, other, 0))
    torch.nn.init.ones_(layer.noise_strength)
    assert not torch.allclose(layer(x, style, one, 0), layer(x, style, other, 0), atol=0.1)
    assert not torch.equal(pixel_noise(one, x, 0), pixel_noise(one, x, 1))


def test_blur_is_the_binomial_filter() -> None:
    x = torch.randn(2, 3, 7, 7)
    row = torch.tensor([1.0, 2.0, 1.0]) / 4
    kernel = torch.outer(row, row).expand(3, 1, 3, 3)
    assert torch.allclose(blurred(x), F.conv2d(x, kernel, padding=1, groups=3), atol=1e-6)


def test_equalised_layers_keep_unit_variance_and_scale_the_rate() -> None:
    torch.manual_seed(0)
    for factor in (1.0, 0.01):
        linear = EqualisedLinear(256, 512, lr_factor=factor)
        assert abs(float(linear(torch.randn(64, 256)).std().detach()) - 1) < 0.05
        assert abs(float(linear.weight.std().detach()) * factor - 1) < 0.05
    conv = EqualisedConv(64, 64, 3, gain=1.0)
    assert abs(float(conv(torch.randn(2, 64, 16, 16))[:, :, 1:-1, 1:-1].std().detach()) - 1) < 0.05


def test_style_mixing_is_for_training_and_changes_the_finer_layers_of_most_pictures() -> None:
    torch.manual_seed(0)
    styles = MixedStyles(6, 4, 8, 10, mixing_prob=0.9)
    latent, code = torch.randn(400, 6), torch.randn(400, 4)
    mixed, plain = styles.train()(latent, code), styles.eval()(latent, code)
    assert torch.equal(styles.train()(latent, code), mixed)  # the latents decide: a resumed run mixes alike
    assert torch.equal(plain, plain[:, :1].expand(-1, 10, -1))
    other = (mixed != plain).any(dim=2)  # (B, L)
    assert 0.84 < float(other[:, -1].float().mean()) < 0.96
    assert not other[:, 0].any() and (other.int().diff(dim=1) >= 0).all()
    assert len(set(other.sum(dim=1).tolist())) == 10
    never = MixedStyles(6, 4, 8, 10, mixing_prob=0.0).train()
    assert torch.equal(never(latent, code), never.eval()(latent, code))
