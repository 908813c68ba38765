"""Which parts of a pretrained generator learn from a few pictures, by method name.

`lora`    low-rank updates of every convolution and linear layer (Hu et al., arXiv 2106.09685, through peft), with the
          text mapping and the conditional affine layers trained whole: they are small and turn new words into looks.
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

METHODS = ("lora", "affine", "full")
_WHOLE = ("mapping", "affine1", "affine2")


def adapt_generator(network: nn.Module, *, method: str, rank: int, alpha: float) -> nn.Module:
    """Wrap or mark `network` so that only what the method trains requires a gradient.

    Raises:
        ConfigError: unknown method.
    """
    if method not in METHODS:
        raise ConfigError(f"fewshot.method='{method}'; allowed are {', '.join(METHODS)}")
    if method == "full":
        return network.requires_grad_(True)
    if method == "affine":
        network.requires_grad_(False)
        for name, module in network.named_modules():
            if name.rpartition(".")[2] in _WHOLE:
                module.requires_grad_(True)
        return network
    config = LoraConfig(r=rank, lora_alpha=alpha, target_modules=lora_targets(network), modules_to_save=list(_WHOLE))
    return get_peft_model(network, config)  # type: ignore[arg-type, return-value]


def lora_targets(network: nn.Module) -> list[str]:
    """Full names of the layers that get a low-rank update.

    Layers that are trained whole are left out, and so are spectrally normalised ones: merging would silently drop the
    update.
    """
    targets = []
    for name, module in network.named_modules():
        if not isinstance(module, nn.Conv2d | nn.Linear):
            continue
        if any(part in _WHOLE for part in name.split(".")) or hasattr(module, "parametrizations"):
            continue
        targets.append(name)
    return targets


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
        wrapped = PeftModel.from_pretrained(network, str(folder))  # type: ignore[arg-type]
        return wrapped.merge_and_unload()  # type: ignore[operator, no-any-return]
    except (SafetensorError, ValueError, OSError, KeyError, RuntimeError) as error:
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
