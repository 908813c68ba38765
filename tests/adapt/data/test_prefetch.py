"""Batches made ahead are the ones that would have been made in time."""

import threading

import pytest
import torch

from adapt.data.prefetch import Prefetch
from adapt.errors import AdaptError


class Counted:
    """Batches that are random numbers of their step; notes who made which."""

    batch_size = 4

    def __init__(self) -> None:
        self.made: list[int] = []
        self.threads: set[str] = set()
        self.ready = {number: threading.Event() for number in range(20)}

    def batch(self, step: int, *, device: torch.device | str = "cpu") -> torch.Tensor:
        if step == 13:
            raise AdaptError("no batch 13")
        self.threads.add(threading.current_thread().name)
        numbers = torch.rand(4, generator=torch.Generator().manual_seed(step))
        self.made.append(step)
        self.ready[step].set()
        return numbers


@pytest.mark.parametrize("ahead", [0, 1, 3])
def test_batches_are_the_same_with_and_without_reading_ahead(ahead: int) -> None:
    source = Counted()
    with Prefetch(source, ahead=ahead, stop=10) as coming:
        for step in (0, 1, 2, 3, 7, 8, 9, 2):  # a resumed run starts anywhere
            assert torch.equal(coming.batch(step), Counted().batch(step))
    assert max(source.made) == 9


def test_next_batches_are_made_while_the_step_runs() -> None:
    source = Counted()
    with Prefetch(source, ahead=2, stop=10) as coming:
        coming.batch(0)
        assert source.ready[1].wait(10) and source.ready[2].wait(10)  # nobody has asked for them yet
        assert threading.current_thread().name not in source.threads
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("batches")]


def test_error_of_a_batch_reaches_who_asks_for_it() -> None:
    with Prefetch(Counted(), ahead=2, stop=20) as coming:
        coming.batch(12)
        with pytest.raises(AdaptError, match="no batch 13"):
            coming.batch(13)
        coming.batch(14)
