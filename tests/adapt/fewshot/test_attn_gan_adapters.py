"""AttnGAN adapts by every method, with and without style blocks, and an adapter merges and loads back."""

from pathlib import Path

import pytest
import torch
from torch import nn

from adapt.config import NetworkConfig
from adapt.fewshot.lora import METHODS, adapt_generator, load_adapter, lora_layers, merged_copy, save_adapter
from adapt.models.factory import build_generator
from adapt.models.interfaces import TextFeatures

OPTIONS = {"image_px": 32, "width": 16, "latent_dim": 6, "condition_dim": 4, "sentence_dim": 12, "word_dim": 10}
KINDS = {
    "plain": OPTIONS,
    "adain": OPTIONS | {"style_blocks": True},
    "modulated": OPTIONS | {"style_blocks": True, "style_reading": "modulated"},
}


def fresh(kind: str) -> nn.Module:
    torch.manual_seed(0)
    return build_generator(NetworkConfig(name="attn_gan", options=KINDS[kind])).eval()


def inputs() -> tuple[torch.Tensor, TextFeatures]:
    rng = torch.Generator().manual_seed(1)
    words, sentence = torch.randn(3, 4, 10, generator=rng), torch.randn(3, 12, generator=rng)
    text = TextFeatures(words=words, sentence=sentence, mask=torch.ones(3, 4, dtype=torch.bool))
    return torch.randn(3, 10, generator=rng), text


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_method_learns_and_starts_as_the_source(kind: str, method: str, tmp_path: Path) -> None:
    noise, text = inputs()
    wanted = fresh(kind)(noise, text).images
    adapted = adapt_generator(fresh(kind), method=method, rank=1, alpha=1.0).eval()
    assert torch.allclose(adapted(noise, text).images, wanted, atol=1e-6)
    optimizer = torch.optim.Adam([p for p in adapted.parameters() if p.requires_grad], lr=1e-2, betas=(0.0, 0.9))
    adapted(noise, text).images.square().mean().backward()
    optimizer.step()
    learned = adapted(noise, text).images
    assert not torch.allclose(learned, wanted, atol=1e-3)
    # Instance norms after a dozen layers enlarge the rounding of merged sums.
    assert torch.allclose(merged_copy(adapted)(noise, text).images, learned, atol=1e-4)
    if method == "lora":
        save_adapter(adapted, tmp_path)
        assert torch.allclose(load_adapter(fresh(kind), tmp_path)(noise, text).images, learned, atol=1e-4)


def test_layers_between_text_and_picture_are_trained_whole() -> None:
    for kind, expected in (
        ("plain", {"conditioning.linear", "attentions.1.project"}),
        ("adain", {"conditioning.linear", "trunk.styles.mapping.0", "trunk.stem.layers.1.style"}),
    ):
        _, whole = lora_layers(fresh(kind), rank=1)
        assert expected <= set(whole)
