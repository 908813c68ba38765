"""Checkpoint of a DAMSM pretraining, so that an interrupted one goes on where it stopped.

All that is drawn comes from one stream, whose state is kept: on a CPU the result is that of an uninterrupted training.
On a GPU dropout has random numbers of its own, which are not.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from adapt.training.checkpoint import TrainingState

SAVE_EVERY = 250
"""Steps between checkpoints: two minutes on a CPU."""


@dataclass(kw_only=True)
class Position:
    """How far the training is."""

    step: int = 0
    order: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    """Rows that are left of this pass."""
    history: list[dict[str, float]] = field(default_factory=list)
    """Losses of the steps that the report is about."""


@dataclass(frozen=True, kw_only=True)
class DamsmCheckpoint:
    """Reads and writes one file; the objects are updated in place when it is read."""

    path: Path | None
    """None keeps nothing."""
    modules: nn.Module
    optimizer: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LRScheduler
    rng: np.random.Generator

    def save(self, position: Position) -> None:
        """Write everything, in place of what was there."""
        if self.path is None:
            return
        extra = {
            "order": position.order.tolist(),
            "history": position.history,
            "numpy": self.rng.bit_generator.state,
            "torch": torch.get_rng_state().numpy().tobytes().hex(),
            "schedule": self.schedule.state_dict(),
            "learning_rate": self.optimizer.param_groups[0]["lr"],
        }
        self._state.save(self.path, step=position.step, images_seen=0, extra=extra)

    def load(self) -> Position:
        """Read everything back; the start where there is no file.

        Raises:
            CheckpointError: damaged, or of another training.
        """
        if self.path is None or not self.path.is_file():
            return Position()
        saved: dict[str, Any] = self._state.load(self.path)
        self.rng.bit_generator.state = saved["numpy"]
        torch.set_rng_state(torch.frombuffer(bytearray.fromhex(saved["torch"]), dtype=torch.uint8))
        self.schedule.load_state_dict(saved["schedule"])
        for group in self.optimizer.param_groups:
            group["lr"] = saved["learning_rate"]
        order = np.array(saved["order"], dtype=np.int64)
        return Position(step=int(saved["step"]), order=order, history=saved["history"])

    @property
    def _state(self) -> TrainingState:
        return TrainingState(networks={"damsm": self.modules}, optimizers={"damsm": self.optimizer})
