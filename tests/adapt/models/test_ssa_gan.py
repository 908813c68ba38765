"""SSA-GAN and the projected discriminator: shapes, gradients, one picture, one batch learned by heart."""

import pytest
import torch
import torch.nn.functional as F
from text_features import sentence_features

from adapt.config import NetworkConfig
from adapt.errors import AdaptError
from adapt.losses.adversarial import hinge_generator
from adapt.models.factory import build_discriminator, build_generator
from adapt.models.ssa_gan import ConditionalAffine, DownBlock, SSCBlock

SMALL = NetworkConfig(name="ssa_gan", options={"image_px": 32, "widths": [16, 16, 8, 8], "noise_dim": 8})
JUDGES = {
    "ssa_gan": {"image_px": 32, "width": 8},
    "projected": {"image_px": 32, "backbone_px": 64, "head_width": 8, "pixel_width": 4},
    "projected, mixed": {
        "image_px": 32,
        "backbone_px": 64,
        "head_width": 8,
        "pixel_width": 4,
        "mixing": True,
        "head_px": 4,
    },
}


@pytest.mark.parametrize("batch", [1, 3])
def test_generator_draws_pictures_in_range(batch: int) -> None:
    torch.manual_seed(0)
    generator = build_generator(SMALL).eval()
    drawing = generator(torch.randn(batch, 8), sentence_features(batch))
    assert len(drawing.stages) == 1 and not drawing.terms
    assert drawing.images.shape == (batch, 3, 32, 32) and float(drawing.images.detach().abs().max()) <= 1


def test_generator_gives_every_parameter_a_gradient_once_the_gates_open() -> None:
    torch.manual_seed(0)
    generator = build_generator(SMALL)
    optimizer = torch.optim.SGD(generator.parameters(), lr=0.1)
    for _ in range(3):  # gates start at 0: what is behind them learns from the second step on
        optimizer.zero_grad()
        generator(torch.randn(4, 8), sentence_features(4)).images.square().mean().backward()
        optimizer.step()
    silent = [name for name, p in generator.named_parameters() if p.grad is None or not p.grad.abs().sum()]
    # A convolution's bias before a batch norm is taken out by the mean again.
    assert all(name.endswith("bias") for name in silent), silent


def test_generator_widths_must_reach_the_picture() -> None:
    with pytest.raises(AdaptError, match=r"model.widths has 4 entries, which ends at 32 px"):
        build_generator(NetworkConfig(name="ssa_gan", options={"image_px": 64, "widths": [8, 8, 8, 8]}))


def test_unknown_names_list_the_near_ones() -> None:
    with pytest.raises(AdaptError, match=r"unknown model 'ssagan'.*try ssa_gan"):
        build_generator(NetworkConfig(name="ssagan"))
    with pytest.raises(AdaptError, match=r"unknown key 'model.width' of ssa_gan: .*--set model.widths"):
        build_generator(NetworkConfig(name="ssa_gan", options={"width": 3}))


@pytest.mark.parametrize("name", sorted(JUDGES))
def test_discriminator_judges_each_sentence_by_itself(name: str) -> None:
    torch.manual_seed(0)
    judge = build_discriminator(NetworkConfig(name=name.partition(",")[0], options=JUDGES[name])).eval()
    images, sentences = torch.rand(2, 3, 32, 32) * 2 - 1, torch.randn(2, 3, 384)
    together = judge((images,), sentences)
    alone = judge((torch.zeros(2, 3, 16, 16), images), sentences[:, 1:2])  # smaller stages are not its business
    assert together.realism == ()
    for head, single in zip(together.matching, alone.matching, strict=True):
        assert head.shape[:2] == (2, 3)
        assert torch.allclose(head[:, 1:2], single, atol=1e-5)


@pytest.mark.parametrize("name", sorted(JUDGES))
def test_discriminator_sends_gradients_to_pictures_and_its_own_weights(name: str) -> None:
    torch.manual_seed(0)
    judge = build_discriminator(NetworkConfig(name=name.partition(",")[0], options=JUDGES[name]))
    images = (torch.rand(2, 3, 32, 32) * 2 - 1).requires_grad_(True)
    hinge_generator(judge((images,), torch.randn(2, 1, 384)).matching).backward()
    assert images.grad is not None and images.grad.abs().sum() > 0
    for parameter_name, parameter in judge.named_parameters():
        if not parameter.requires_grad:
            assert parameter_name.startswith(("backbone.", "mixing."))
            assert parameter.grad is None
        elif "gate" not in parameter_name and "residual" not in parameter_name:  # behind a gate that starts at 0
            assert parameter.grad is not None, parameter_name


def test_generator_learns_one_batch_by_heart() -> None:
    torch.manual_seed(0)
    generator = build_generator(SMALL)
    noise, texts = torch.randn(4, 8), sentence_features(4)
    wanted = torch.tensor([-0.8, -0.2, 0.3, 0.9]).view(4, 1, 1, 1).expand(4, 3, 32, 32)
    optimizer = torch.optim.Adam(generator.parameters(), lr=2e-3, betas=(0.0, 0.9))
    for _ in range(60):
        optimizer.zero_grad()
        loss = (generator(noise, texts).images - wanted).square().mean()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.02


def test_blocks_enlarge_inside_and_draw_what_the_published_order_draws() -> None:
    torch.manual_seed(0)
    block = SSCBlock(6, 4, 5, init_std=0.5, gate_init=0.7, predicts_mask=False).double()
    small, condition, mask = torch.randn(3, 6, 4, 4), torch.randn(3, 5), torch.rand(3, 1, 8, 8)
    small, condition, mask = (tensor.double() for tensor in (small, condition, mask))

    def affine(layer: ConditionalAffine, x: torch.Tensor) -> torch.Tensor:
        gamma, beta = (branch(condition)[:, :, None, None] for branch in (layer.gamma, layer.beta))
        return (gamma * mask + 1) * x + beta * mask

    large = small.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
    residual = block.conv1(affine(block.affine1, F.batch_norm(large, None, None, training=True)).relu())
    residual = block.conv2(affine(block.affine2, F.batch_norm(residual, None, None, training=True)).relu())
    expected = block.shortcut(large) + block.gate * residual
    assert torch.allclose(block(small, condition, mask)[0], expected, atol=1e-9)


def test_down_block_pools_before_its_shortcut_as_after_it() -> None:
    torch.manual_seed(0)
    block = DownBlock(3, 5).double()
    x = torch.randn(2, 3, 8, 8).double()
    assert torch.allclose(block(x), F.avg_pool2d(block.shortcut(x), 2), atol=1e-12)
