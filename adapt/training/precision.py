"""Whether bf16 is worth it here: only where the processor multiplies it natively."""

from contextlib import AbstractContextManager, nullcontext

import torch

from adapt.errors import ConfigError


def use_bf16(choice: str, device: torch.device) -> bool:
    """Resolve `auto`, `bf16` or `fp32`.

    Measured at 64 px on two cores: with AVX-512 BF16 31 pictures/s against 15 in float32; without it bf16 is emulated
    and slower than float32.

    Raises:
        ConfigError: another word.
    """
    if choice not in {"auto", "bf16", "fp32"}:
        raise ConfigError(f"train.precision='{choice}'; allowed are auto, bf16, fp32: --set train.precision=auto")
    if choice != "auto":
        return choice == "bf16"
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported()
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def autocast(device_type: str, *, bf16: bool) -> AbstractContextManager[object]:
    """bf16 where the run uses it."""
    return torch.autocast(device_type, dtype=torch.bfloat16) if bf16 else nullcontext()
