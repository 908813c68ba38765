"""Adapters start at zero, change only what they may, merge exactly and load back."""

from pathlib import Path

import pytest
import torch
from text_features import sentence_features
from torch import nn

from adapt.config import NetworkConfig
from adapt.errors import AdaptError
from adapt.fewshot.lora import (
    METHODS,
    adapt_generator,
    freeze_lower_half,
    load_adapter,
    lora_layers,
    merged_copy,
    save_adapter,
    trainable_share,
)
from adapt.models.factory import build_discriminator, build_generator
from adapt.models.interfaces import TextFeatures

CONFIG = NetworkConfig(name="ssa_gan", options={"image_px": 32, "widths": [16, 16, 8, 8], "noise_dim": 8})


Inputs = tuple[torch.Tensor, TextFeatures]


def fresh() -> nn.Module:
    torch.manual_seed(0)
    network = build_generator(CONFIG).eval()
    for name, parameter in network.named_parameters():
        if name.endswith("gate"):
            nn.init.constant_(parameter, 0.5)  # a trained generator's gates are open
    return network


@pytest.fixture
def inputs() -> Inputs:
    torch.manual_seed(1)
    return torch.randn(3, 8), sentence_features(3)


@pytest.mark.parametrize("method", METHODS)
def test_adapted_generator_starts_as_the_source(method: str, inputs: Inputs) -> None:
    wanted = fresh()(*inputs).images
    adapted = adapt_generator(fresh(), method=method, rank=1, alpha=1.0).eval()
    assert torch.allclose(adapted(*inputs).images, wanted, atol=1e-6)
    learning, total = trainable_share(adapted)
    assert 0 < learning <= total and (method == "full") == (learning == total)


def trained(inputs: Inputs) -> nn.Module:
    adapted = adapt_generator(fresh(), method="lora", rank=1, alpha=1.0).eval()
    optimizer = torch.optim.Adam([p for p in adapted.parameters() if p.requires_grad], lr=1e-3, betas=(0.0, 0.9))
    for _ in range(3):
        optimizer.zero_grad()
        adapted(*inputs).images.mean().backward()
        optimizer.step()
    return adapted


def test_merged_copy_draws_the_same_and_leaves_the_adapter_alone(inputs: Inputs) -> None:
    adapted = trained(inputs)
    before = adapted(*inputs).images
    merged = merged_copy(adapted)
    assert torch.allclose(merged(*inputs).images, before, atol=1e-4)
    assert torch.equal(adapted(*inputs).images, before)
    assert merged.state_dict().keys() == fresh().state_dict().keys()


def test_adapter_with_its_base_gives_the_adapted_generator_back(tmp_path: Path, inputs: Inputs) -> None:
    adapted = trained(inputs)
    save_adapter(adapted, tmp_path)
    assert torch.allclose(load_adapter(fresh(), tmp_path)(*inputs).images, adapted(*inputs).images, atol=1e-4)
    size = sum(file.stat().st_size for file in tmp_path.iterdir())
    assert size < 4 * sum(p.numel() for p in adapted.parameters())


def test_disabled_adapter_is_the_source_exactly(inputs: Inputs) -> None:
    adapted = trained(inputs)
    with adapted.disable_adapter():  # type: ignore[operator]
        assert torch.equal(adapted(*inputs).images, fresh()(*inputs).images)


def test_foreign_or_missing_adapter_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(AdaptError, match=r"holds no adapter for this base.*adapt finetune"):
        load_adapter(fresh(), tmp_path)


def test_unknown_method_lists_the_known() -> None:
    with pytest.raises(AdaptError, match=r"fewshot.method='lorra'; allowed are lora, affine, full"):
        adapt_generator(fresh(), method="lorra", rank=2, alpha=2.0)


def test_lower_half_of_the_discriminator_stays_frozen() -> None:
    options = {"image_px": 32, "backbone_px": 64, "head_width": 4, "pixel_width": 2}
    judge = build_discriminator(NetworkConfig(name="projected", options=options))
    before = sum(p.numel() for p in judge.parameters() if p.requires_grad)
    left = freeze_lower_half(judge)
    assert 0 < left < before
    learning = {name for name, p in judge.named_parameters() if p.requires_grad}
    assert all(any(part in name for name in learning) for part in ("text", "realism"))


def test_damaged_adapter_is_refused_in_one_line(inputs: Inputs, tmp_path: Path) -> None:
    save_adapter(trained(inputs), tmp_path)
    weights = tmp_path / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:100])
    with pytest.raises(AdaptError, match="holds no adapter for this base"):
        load_adapter(fresh(), tmp_path)


def test_layers_too_small_for_a_low_rank_are_trained_whole() -> None:
    network = fresh()
    low_rank, whole = lora_layers(network, rank=1)
    assert "blocks.0.conv1" in low_rank and "head.2" in whole and "mapping.0" in whole
    assert not set(low_rank) & set(whole)
    convolutions = {name for name, m in network.named_modules() if isinstance(m, nn.Conv2d | nn.Linear)}
    assert set(low_rank) | set(whole) == convolutions, "no layer is left behind"


def test_rank_too_large_for_every_layer_says_what_to_type() -> None:
    with pytest.raises(AdaptError, match=r"fewshot.rank=64: no layer.*--set fewshot.rank=1 or --set fewshot.method"):
        adapt_generator(fresh(), method="lora", rank=64, alpha=64.0)
