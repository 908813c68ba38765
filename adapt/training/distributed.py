"""What changes when a run has several processes: how they start, what they share, and what none may do alone.

A batch is drawn from (seed, step) as a whole and each process takes its own pictures of it, so that the number of
processes changes no data. Terms that compare pictures see those of all processes, with gradient.

Rules that keep gradients whole, each of which fails silently when broken: one backward a player and step, networks
called through `forward` alone, no `static_graph` (its first backward with a penalty is not synchronised).
"""

import inspect
import logging
from collections.abc import Mapping
from typing import Any

import torch
import torch.distributed as dist
from lightning_fabric import Fabric
from lightning_fabric.strategies import DDPStrategy
from torch import Tensor, nn

from adapt.errors import ConfigError, TrainingError

_LOG = logging.getLogger(__name__)

_BUFFERS = next(
    name
    for name in ("forward_sync_buffers", "broadcast_buffers")  # the second is what older versions of torch call it
    if name in inspect.signature(nn.parallel.DistributedDataParallel).parameters
)


def make_fabric(devices: int, nodes: int, *, accelerator: str = "auto") -> Fabric:
    """One process a device; several are launched and joined at once."""
    if devices * nodes == 1:
        return Fabric(devices=1, accelerator=accelerator)
    # Buffers need no broadcast: synchronised or frozen batch norms and spectral norms move alike everywhere, and
    # writing into them between two passes would spoil the backward of the first.
    buffers: dict[str, Any] = {_BUFFERS: False}
    strategy = DDPStrategy(static_graph=False, **buffers)
    fabric = Fabric(devices=devices, num_nodes=nodes, accelerator=accelerator, strategy=strategy)
    fabric.launch()
    return fabric


def equal_shares(batch_size: int, pictures: int, *, processes: int, accumulate: int) -> int:
    """Pictures of a whole batch: `batch_size`, or as many as there are, in equal parts.

    A mean over unequal parts would not be the mean over the batch.

    Raises:
        ConfigError: `batch_size` does not fall into equal parts, or there are fewer pictures than parts.
    """
    parts = processes * accumulate
    how = f"{processes} process{'es' if processes > 1 else ''} times train.accumulate={accumulate}"
    if batch_size % parts:
        raise ConfigError(
            f"data.batch_size={batch_size} does not fall into {parts} equal parts ({how}): "
            f"--set data.batch_size={max(batch_size // parts, 1) * parts}"
        )
    if pictures < parts:
        raise ConfigError(f"{pictures} pictures for {parts} parts of a batch ({how}); use fewer devices or parts")
    size = min(batch_size, pictures // parts * parts)
    if size < batch_size:
        _LOG.warning(
            "data.batch_size=%d, but there are %d training pictures: a step takes %d", batch_size, pictures, size
        )
    return size


def synchronise_batch_norms(fabric: Fabric, generator: nn.Module) -> None:
    """Let batch norms of `generator` see the pictures of all processes, in place; there is no such layer on a CPU."""
    if fabric.world_size > 1 and fabric.device.type == "cuda":
        nn.SyncBatchNorm.convert_sync_batchnorm(generator)


def forbid_calls_past_forward(network: nn.Module) -> None:
    """Let layers of `network` run inside its own `forward` alone.

    A layer that is called by itself gives gradients that no process hears of, without an error.

    Raises:
        TrainingError: (later) a layer was called from outside.
    """
    depth = 0

    def enter(*arguments: Any) -> None:
        nonlocal depth
        depth += 1

    def leave(*arguments: Any) -> None:
        nonlocal depth
        depth -= 1

    def check(layer: nn.Module, inputs: Any) -> None:
        if not depth:
            raise TrainingError(
                f"a {type(layer).__name__} of {type(network).__name__} was called past its forward, where gradients of "
                "several processes are not joined: put the call into forward, or train with --devices 1"
            )

    network.register_forward_pre_hook(enter)
    network.register_forward_hook(leave, always_call=True)
    for child in network.children():
        child.register_forward_pre_hook(check)


def mean_over_processes(fabric: Fabric, values: Mapping[str, Tensor]) -> dict[str, float]:
    """The mean of each scalar over all processes; the one place where a step waits for its device."""
    together = torch.stack(list(values.values()))
    if fabric.world_size > 1:
        dist.all_reduce(together)
        together = together / fabric.world_size
    return dict(zip(values, together.tolist(), strict=True))


def world_size() -> int:
    """Number of processes that train together."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


class _Gather(torch.autograd.Function):
    """Rows of all processes, in order; each row's gradient is the sum of what all processes have for it."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor) -> Tensor:
        ctx.count = len(rows)
        parts = [torch.empty_like(rows) for _ in range(dist.get_world_size())]
        dist.all_gather(parts, rows.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        whole = gradients[0].contiguous().clone()
        dist.all_reduce(whole)
        start = dist.get_rank() * ctx.count
        return whole[start : start + ctx.count]


def gathered(rows: Tensor) -> Tensor:
    """`rows` (B, …) of every process, (W · B, …), with gradient; the same number on each. Alone: `rows`.

    A loss of gathered rows is the same on each process. Its gradient arrives W times at each row, and averaging the
    processes' gradients takes that factor out again: what is left is the gradient of the loss over the whole batch.
    """
    if world_size() == 1:
        return rows
    if rows.dtype == torch.bool:
        return gathered(rows.byte()).bool()
    whole: Tensor = _Gather.apply(rows.contiguous())
    return whole


def widest(length: int, device: torch.device) -> int:
    """The largest `length` of all processes."""
    if world_size() == 1:
        return length
    longest = torch.tensor(length, device=device)
    dist.all_reduce(longest, op=dist.ReduceOp.MAX)
    return int(longest)
