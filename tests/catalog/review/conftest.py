"""A queue of three mugs with people of every role, and a clock that moves when told to."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from catalog import people, queue, review
from catalog.records import Decision
from catalog.store import Catalog


class Clock:
    """A clock that moves when told to."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 5, 1, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def forward(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


class Desk:
    """A catalogue under review: ada is admin, lea leads, olga audits, everybody else reviews."""

    def __init__(self, catalog: Catalog, clock: Clock) -> None:
        self.catalog, self.clock = catalog, clock
        for name, role in (("ada", "admin"), ("lea", "lead"), ("olga", "auditor")):
            people.sign_in(catalog, name, role=role)

    def claim(self, name: str, item_id: int | None = None) -> tuple[int, str]:
        """Claim an item and look at it for a second."""
        item = review.claim(self.catalog, name, item_id=item_id, clock=self.clock)
        assert item is not None and item.lease_token is not None
        review.mark_shown(self.catalog, item.id, item.lease_token, clock=self.clock)
        self.clock.forward(1)
        return item.id, item.lease_token

    def say(self, name: str, verdict: str, item_id: int | None = None, **options: Any) -> Decision:
        """Claim, look and decide."""
        if verdict == "reject":
            options.setdefault("reasons", ("other",))
        number, token = self.claim(name, item_id)
        return review.decide(self.catalog, number, token, verdict, clock=self.clock, **options)

    def state(self, item_id: int) -> str:
        """Return the stored state of an item."""
        return queue.item(self.catalog, item_id).state


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def catalog(queued: Callable[..., Path]) -> Iterator[Catalog]:
    with Catalog.open(queued(3)) as opened:
        yield opened


@pytest.fixture
def desk(catalog: Catalog, clock: Clock) -> Desk:
    return Desk(catalog, clock)


@pytest.fixture(params=["sqlite", "postgresql"])
def either_desk(request: pytest.FixtureRequest, queued: Callable[..., Path], clock: Clock) -> Iterator[Desk]:
    """The desk on each database."""
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else None
    with Catalog.open(queued(3, url=url), url=url) as opened:
        yield Desk(opened, clock)


@pytest.fixture
def copies(queued: Callable[..., Path], clock: Clock) -> Iterator[Desk]:
    """A desk whose three pictures may all be copies of a real photo."""
    with Catalog.open(queued(3, similarity=0.99)) as opened:
        yield Desk(opened, clock)
