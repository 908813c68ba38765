"""Start a larger generator from a smaller one: learn text and colour at 32 px, where steps are cheap, then grow."""

from pathlib import Path

from torch import nn

from adapt.errors import CheckpointError
from adapt.training.checkpoint import network_tensors, read_tensors


def grow_from(run: Path, generator: nn.Module, discriminator: nn.Module) -> tuple[int, int]:
    """Copy every weight of `run` whose name and shape the new networks share.

    The moving average starts the generator, since it is the better one.

    Returns:
        How many tensors were taken over, and how many stay fresh.

    Raises:
        CheckpointError: the run has no checkpoint, or nothing fits.
    """
    tensors, _ = read_tensors(run / "checkpoint.safetensors")
    taken = fresh = 0
    for module, prefix in ((generator, "network/average/"), (discriminator, "network/discriminator/")):
        own = network_tensors(module)
        fitting = {
            name: tensors[prefix + name]
            for name, value in own.items()
            if prefix + name in tensors and tensors[prefix + name].shape == value.shape
        }
        module.load_state_dict(fitting, strict=False)
        taken, fresh = taken + len(fitting), fresh + len(own) - len(fitting)
    if not taken:
        raise CheckpointError(f"nothing in {run.name} fits the new model; choose widths that begin like its own")
    return taken, fresh
