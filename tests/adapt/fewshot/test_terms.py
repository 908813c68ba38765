"""Adaptation terms: what they measure, and that they vanish where they should."""

import pytest
import torch
from text_features import sentence_features

from adapt.config import NetworkConfig
from adapt.fewshot.lora import adapt_generator
from adapt.fewshot.terms import FAR, NEAR, Reconstruction, distance_consistency, nearness_of, recorded_blocks
from adapt.models.factory import build_generator
from adapt.training.diffaugment import Augmentation, augment


def test_consistency_is_zero_for_equal_similarities_and_grows_with_change() -> None:
    torch.manual_seed(0)
    source = torch.randn(5, 12)
    rotation = torch.linalg.qr(torch.randn(12, 12)).Q
    assert distance_consistency(source @ rotation, source).abs().item() < 1e-5
    collapsed = torch.ones(5, 12) + 0.01 * source
    assert distance_consistency(collapsed, source).item() > 0.01


def test_source_is_held_to_near_it_and_let_go_far_from_it() -> None:
    assert nearness_of(0.0) == nearness_of(NEAR) == 1.0
    assert nearness_of((NEAR + FAR) / 2) == pytest.approx(0.5)
    assert nearness_of(FAR) == nearness_of(1.0) == 0.0


def test_blocks_are_recorded_inside_an_adapter_too() -> None:
    network = build_generator(NetworkConfig(name="ssa_gan", options={"image_px": 32, "widths": [8, 8, 8, 8]}))
    adapted = adapt_generator(network, method="lora", rank=2, alpha=2.0)
    with recorded_blocks(adapted) as seen:
        adapted(torch.randn(2, 100), sentence_features(2))
    assert [tuple(block.shape) for block in seen] == [(2, 8, side, side) for side in (4, 8, 16, 32)]


def test_reconstruction_prefers_the_described_picture() -> None:
    term = Reconstruction(input_px=32)
    torch.manual_seed(0)
    real = torch.rand(2, 3, 32, 32) * 2 - 1
    near = (real + 0.05 * torch.randn_like(real)).requires_grad_(True)
    far = real.flip(0)
    assert term(real, real).item() < 1e-3
    assert term(near, real).item() < term(far, real).item()
    term(near, real).backward()
    assert near.grad is not None and near.grad.abs().sum() > 0


def test_augmentation_changes_more_when_the_judge_is_sure() -> None:
    augmentation = Augmentation(("translation",), probability=0.5, adapt_images=100)
    augmentation.observe([torch.full((10, 4), 2.0)])
    assert augmentation.probability == 0.6
    for _ in range(20):
        augmentation.observe([torch.full((10, 4), -2.0)])
    assert augmentation.probability == 0.0
    images = torch.rand(2, 3, 8, 8)
    assert torch.equal(augmentation(images, torch.Generator().manual_seed(0)), images)


def test_diffaugment_repeats_with_its_seed_and_passes_gradients() -> None:
    images = (torch.rand(3, 3, 16, 16) * 2 - 1).requires_grad_(True)
    policies = ("color", "translation", "cutout")
    first = augment(images, policies, generator=torch.Generator().manual_seed(1))
    assert torch.equal(first, augment(images, policies, generator=torch.Generator().manual_seed(1)))
    assert first.shape == images.shape and not torch.equal(first, images)
    first.sum().backward()
    assert images.grad is not None and images.grad.abs().sum() > 0
