"""Start a generator from an earlier one: learn text and colour at 32 px, where steps are cheap, then grow."""

from pathlib import Path

from torch import nn

from adapt.errors import CheckpointError
from adapt.training.checkpoint import network_tensors, read_discriminator, read_tensors
from adapt.training.inference import GENERATOR_FILE


def grow_from(folder: Path, generator: nn.Module, discriminator: nn.Module) -> tuple[int, int]:
    """Copy every weight of a run or base whose name and shape the new networks share.

    The moving average starts the generator, since it is the better one.

    Returns:
        How many tensors were taken over, and how many stay fresh.

    Raises:
        CheckpointError: the folder has no weights of both networks, or nothing fits.
    """
    average, _ = read_tensors(folder / GENERATOR_FILE)
    judge = read_discriminator(folder)
    taken = fresh = 0
    for module, tensors in ((generator, average), (discriminator, judge)):
        own = network_tensors(module)
        fitting = {
            name: tensors[name].to(value.dtype)
            for name, value in own.items()
            if name in tensors and tensors[name].shape == value.shape
        }
        module.load_state_dict(fitting, strict=False)
        taken, fresh = taken + len(fitting), fresh + len(own) - len(fitting)
    if not taken:
        raise CheckpointError(f"nothing in {folder.name} fits the new model; choose widths that begin like its own")
    return taken, fresh
