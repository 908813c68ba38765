"""Which parts of a pretrained generator learn from a few pictures, by method name.

`lora`    low-rank updates of the large convolution and linear layers (Hu et al., arXiv 2106.09685, through peft), with
          the small layers, the text mapping and the conditional affine layers trained whole: those turn new words into
          looks.
`affine`  the mapping and the affine layers alone (Noguchi & Harada, arXiv 1904.01774: scale and shift).
`full`    everything.

Batch norms stay frozen at the source's statistics: an adapter does not carry running statistics.
"""

from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors import SafetensorError
from torch import nn

from adapt.errors import CheckpointError, ConfigError
from adapt.models.style_blocks import EqualisedLinear
from adapt.weights import WeightsError, refuse_not_finite, refuse_pickle

METHODS = ("lora", "affine", "full")
_AFFINE = ("mapping", "affine1", "affine2", "conditioning", "attentions", "style")
"""Modules between the text and the convolutions: SSA-GAN's first three names, AttnGAN's others."""
LOW_RANK_SHARE = 1 / 8
"""A low-rank update is made where it has at most this share of a layer's parameters; smaller layers are trained whole.
Near the picture there is nothing to save: rank 8 of 24 channels bends shapes too little, and its two extra convolutions
over large maps cost more time than the layer itself."""


def adapt_generator(network: nn.Module, *, method: str, rank: int, alpha: float) -> nn.Module:
    """Wrap or mark `network` so that only what the method trains requires a gradient.

    Raises:
        ConfigError: unknown method, or a rank that no layer is large enough for.
    """
    if method not in METHODS:
        raise ConfigError(f"fewshot.method='{method}'; allowed are {', '.join(METHODS)}")
    if method == "full":
        return network.requires_grad_(True)
    if method == "affine":
        network.requires_grad_(False)
        for name, module in network.named_modules():
            if name.rpartition(".")[2] in _AFFINE:
                module.requires_grad_(True)
        return network
    low_rank, whole = lora_layers(network, rank=rank)
    if not low_rank:
        raise ConfigError(
            f"fewshot.rank={rank}: no layer of this base is large enough to gain from it; "
            "try --set fewshot.rank=1 or --set fewshot.method=full"
        )
    config = LoraConfig(r=rank, lora_alpha=alpha, target_modules=low_rank, modules_to_save=whole)
    return get_peft_model(network, config)  # type: ignore[arg-type, return-value]


def lora_layers(network: nn.Module, *, rank: int) -> tuple[list[str], list[str]]:
    """Full names of the layers that get a low-rank update, and of those trained whole.

    Spectrally normalised layers get neither: merging would silently drop the update.
    """
    low_rank: list[str] = []
    whole: list[str] = []
    for name, module in network.named_modules():
        affine = any(part in _AFFINE for part in name.split("."))
        if affine and isinstance(module, EqualisedLinear):
            whole.append(name)
        if not isinstance(module, nn.Conv2d | nn.Linear) or hasattr(module, "parametrizations"):
            continue
        outputs, inputs = len(module.weight), module.weight[0].numel()
        small = rank * (outputs + inputs) > LOW_RANK_SHARE * module.weight.numel()
        (whole if small or affine else low_rank).append(name)
    return low_rank, whole


def freeze_lower_half(discriminator: nn.Module) -> int:
    """Freeze the layers of D that are near the picture (FreezeD, Mo et al., arXiv 2002.10964).

    Within each trunk the first half of the convolutions is frozen; the text heads stay trainable. A frozen backbone is
    frozen anyway.

    Returns:
        How many parameters are left to learn.
    """
    for name, module in discriminator.named_modules():
        if name.rpartition(".")[2] in {"trunk", "downs"}:
            layers = [layer for layer in module.children() if any(True for _ in layer.parameters())]
            for layer in layers[: len(layers) // 2]:
                layer.requires_grad_(False)
    return sum(p.numel() for p in discriminator.parameters() if p.requires_grad)


def save_adapter(network: nn.Module, folder: Path) -> None:
    """Write a LoRA adapter in peft's own layout (adapter_model.safetensors, adapter_config.json)."""
    assert isinstance(network, PeftModel)
    network.save_pretrained(str(folder), safe_serialization=True)


def load_adapter(network: nn.Module, folder: Path) -> nn.Module:
    """The generator with an adapter merged into it.

    Raises:
        CheckpointError: the folder holds no adapter, or one of another architecture.
    """
    try:
        refuse_pickle(folder / "adapter_model.safetensors")
        wrapped = PeftModel.from_pretrained(network, str(folder))  # type: ignore[arg-type]
        refuse_not_finite(wrapped.state_dict(), folder / "adapter_model.safetensors")
        return wrapped.merge_and_unload()  # type: ignore[operator, no-any-return]
    except WeightsError as error:
        raise CheckpointError(str(error)) from error
    except (SafetensorError, ValueError, OSError, KeyError, RuntimeError, TypeError) as error:
        reason = " ".join(str(error).split())[:160]
        raise CheckpointError(f"{folder} holds no adapter for this base ({reason}); run: adapt finetune") from error


def trainable_share(network: nn.Module) -> tuple[int, int]:
    """Parameters that learn, and all parameters."""
    learning = sum(p.numel() for p in network.parameters() if p.requires_grad)
    return learning, sum(p.numel() for p in network.parameters())


@torch.no_grad()
def merged_copy(network: nn.Module) -> nn.Module:
    """A plain generator with the adapter's update folded in; `network` stays as it is."""
    import copy

    clone = copy.deepcopy(network)
    return clone.merge_and_unload() if isinstance(clone, PeftModel) else clone  # type: ignore[operator, no-any-return]
