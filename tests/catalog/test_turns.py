"""Writers take turns in the order they came, and one that does not get its turn is told."""

import threading
from pathlib import Path

import pytest

from catalog import database
from catalog.errors import CatalogUnwritable
from catalog.store import Catalog
from catalog.turns import Turns


def test_turns_come_in_order() -> None:
    turns, order, waiting = Turns(), [], []
    with turns.mine(1):
        for number in range(5):
            queued = threading.Event()

            def take(number: int = number, queued: threading.Event = queued) -> None:
                queued.set()
                with turns.mine(30) as came:
                    order.append((number, came))

            waiting.append(threading.Thread(target=take))
            waiting[-1].start()
            assert queued.wait(30)
            while len(turns._waiting) < number + 2:
                pass
        assert order == []
    for thread in waiting:
        thread.join()
    assert order == [(number, True) for number in range(5)]


def test_who_gives_up_is_passed_over() -> None:
    turns = Turns()
    with turns.mine(1) as first, turns.mine(0) as second:
        assert (first, second) == (True, False)
    with turns.mine(0) as third:
        assert third


def test_a_writer_without_a_turn_is_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT_S", 0)
    with (
        Catalog.open(tmp_path) as catalog,
        catalog.write(),
        pytest.raises(CatalogUnwritable, match="the catalogue was busy for 0 s"),
        catalog.write(),
    ):
        pass
