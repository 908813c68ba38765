"""Many writers at once, and writers that die or find the disk full: no decision is lost, doubled or half."""

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text

from catalog import decision_log, people, queue, review
from catalog.errors import CatalogUnwritable
from catalog.policy import Policy
from catalog.store import Catalog

WRITERS = 12


@pytest.mark.timeout(900)  # 1,200 transactions one after the other; a busy machine takes its time
@pytest.mark.parametrize("items", [48, pytest.param(400, marks=pytest.mark.slow)])
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_twelve_writers_lose_and_double_nothing(
    request: pytest.FixtureRequest, queued: Callable[..., Path], database: str, items: int
) -> None:
    url = request.getfixturevalue("postgres_url") if database == "postgresql" else None
    workspace, no_wait = queued(items, url=url), Policy(min_view_s=0)

    def work(name: str) -> list[int]:
        mine = []
        with Catalog.open(workspace, url=url) as own:
            while (item := review.claim(own, name, policy=no_wait)) is not None:
                token = item.lease_token or ""
                review.mark_shown(own, item.id, token)
                verdict, reasons = ("approve", ()) if item.id % 2 else ("reject", ("other",))
                made = review.decide(own, item.id, token, verdict, reasons=reasons, policy=no_wait)
                assert (made.reviewer, made.repeated) == (name, False)
                mine.append(item.id)
        return mine

    with ThreadPoolExecutor(WRITERS) as pool:
        shares = list(pool.map(work, [f"reviewer {number}" for number in range(WRITERS)]))
    assert sorted(item for share in shares for item in share) == list(range(1, items + 1))
    with Catalog.open(workspace, url=url) as catalog:
        assert len(queue.decisions(catalog, limit=2 * items)) == items
        counts = queue.progress(catalog)
        assert (counts.approved, counts.rejected, counts.pending) == (items // 2, items // 2, 0)
        assert decision_log.first_broken_decision(catalog) is None
        assert review.replay(catalog).differences == ()


_DYING = """
import sys
from pathlib import Path
from sqlalchemy import event
from sqlalchemy.orm import Session
from catalog import review
from catalog.policy import Policy
from catalog.store import Catalog

def wait(session):
    print("written", flush=True)
    sys.stdin.read()

no_wait = Policy(min_view_s=0)
with Catalog.open(Path(sys.argv[1]), url=sys.argv[2] or None) as catalog:
    item = review.claim(catalog, "aki")
    review.mark_shown(catalog, item.id, item.lease_token)
    event.listen(Session, "before_commit", wait)
    review.decide(catalog, item.id, item.lease_token, "approve", policy=no_wait)
"""


def _kill_once_written(repository: Path, script: str, *arguments: str) -> None:
    """Run a script in a process of its own and kill it when it says that it has written, before its commit."""
    writer = subprocess.Popen(
        [sys.executable, "-c", script, *arguments], cwd=repository, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert writer.stdout is not None and writer.stdout.readline() == b"written\n"
    finally:
        writer.kill()
        writer.communicate()


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_writer_killed_before_its_commit_leaves_nothing(
    request: pytest.FixtureRequest, queued: Callable[..., Path], repository: Path, database: str
) -> None:
    url = request.getfixturevalue("postgres_url") if database == "postgresql" else None
    workspace = queued(1, url=url)
    _kill_once_written(repository, _DYING, str(workspace), url or "")
    with Catalog.open(workspace, url=url) as catalog:
        assert queue.decisions(catalog) == []
        item = queue.item(catalog, 1)
        assert (item.state, item.lease_owner) == ("pending", "aki")
        assert review.claim(catalog, "ben") is None
        later = datetime.now(UTC) + timedelta(seconds=Policy().lease_s + 1)
        taken = review.claim(catalog, "ben", clock=lambda: later)
        assert taken is not None and taken.lease_owner == "ben"
        assert review.replay(catalog).differences == ()


def test_a_full_disk_is_one_line_and_the_claim_lives_on(desk: Any) -> None:
    number, token = desk.claim("aki")
    with desk.catalog.engine.connect() as connection:
        pages = connection.scalar(text("PRAGMA page_count"))

    def no_more(connection: Any, *_: Any) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages}")

    event.listen(desk.catalog.engine, "checkout", no_more)
    with pytest.raises(CatalogUnwritable, match="free some disk space") as caught:
        for _ in range(200):
            review.skip(desk.catalog, number, token, note="x" * 2000, clock=desk.clock)
            number, token = desk.claim("aki", number)
    assert "\n" not in str(caught.value)
    event.remove(desk.catalog.engine, "checkout", no_more)
    with desk.catalog.engine.connect() as connection:
        connection.execute(text("PRAGMA max_page_count = 1000000"))
    desk.clock.forward(400)
    review.decide(desk.catalog, *desk.claim("aki", number), "approve", clock=desk.clock)
    assert desk.state(number) == "approved"
    assert decision_log.first_broken_decision(desk.catalog) is None


def test_a_locked_catalogue_is_one_line(desk: Any) -> None:
    number, token = desk.claim("aki")

    def no_patience(connection: Any, *_: Any) -> None:
        connection.execute("PRAGMA busy_timeout = 0")

    event.listen(desk.catalog.engine, "checkout", no_patience)
    other = sqlite3.connect(desk.catalog.workspace / "catalog.db", isolation_level=None)  # another process, as it were
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(CatalogUnwritable, match="the catalogue was busy") as caught:
        review.decide(desk.catalog, number, token, "approve", clock=desk.clock)
    assert "\n" not in str(caught.value)
    other.close()
    assert review.decide(desk.catalog, number, token, "approve", clock=desk.clock).verdict == "approve"


_DYING_IN_BULK = """
import sys
from pathlib import Path
from sqlalchemy import event
from catalog import review
from catalog.store import Catalog

def wait(connection, cursor, statement, *rest):
    if statement.startswith(sys.argv[3]):
        print("written", flush=True)
        sys.stdin.read()

with Catalog.open(Path(sys.argv[1]), url=sys.argv[2] or None) as catalog:
    event.listen(catalog.engine, "after_cursor_execute", wait)
    ids = list(range(1, 41))
    review.bulk(catalog, "lea", ids, "reject", reasons=("other",), seen=ids, typed_count=40)
"""


@pytest.mark.parametrize("statement", ["INSERT INTO decision ", "INSERT INTO decision_reason", "UPDATE review_item"])
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_bulk_verdict_killed_between_its_statements_leaves_nothing(
    request: pytest.FixtureRequest, queued: Callable[..., Path], repository: Path, database: str, statement: str
) -> None:
    url = request.getfixturevalue("postgres_url") if database == "postgresql" else None
    workspace = queued(40, url=url)
    with Catalog.open(workspace, url=url) as catalog:
        people.sign_in(catalog, "lea", role="lead")
    _kill_once_written(repository, _DYING_IN_BULK, str(workspace), url or "", statement)
    with Catalog.open(workspace, url=url) as catalog:
        assert queue.decisions(catalog) == [] and queue.progress(catalog).pending == 40
        ids = list(range(1, 41))
        made = review.bulk(catalog, "lea", ids, "reject", reasons=("other",), seen=ids, typed_count=40)
        assert [one.item_id for one in made] == ids
        assert decision_log.first_broken_decision(catalog) is None
        assert review.replay(catalog).differences == ()


def test_a_full_disk_leaves_no_half_of_a_bulk_verdict(queued: Callable[..., Path]) -> None:
    with Catalog.open(queued(40)) as catalog:
        people.sign_in(catalog, "lea", role="lead")
        ids, note = list(range(1, 41)), "x" * 2000
        with catalog.engine.connect() as connection:
            pages = connection.scalar(text("PRAGMA page_count"))

        def no_more(connection: Any, *_: Any) -> None:
            connection.execute(f"PRAGMA max_page_count = {pages + 3}")

        event.listen(catalog.engine, "checkout", no_more)
        options: dict[str, Any] = {"reasons": ("other",), "note": note, "seen": ids, "typed_count": 40}
        with pytest.raises(CatalogUnwritable, match="free some disk space") as caught:
            review.bulk(catalog, "lea", ids, "reject", **options)
        assert "\n" not in str(caught.value)
        event.remove(catalog.engine, "checkout", no_more)
        with catalog.engine.connect() as connection:
            connection.execute(text("PRAGMA max_page_count = 1000000"))
        assert queue.decisions(catalog) == [] and queue.progress(catalog).pending == 40
        assert len(review.bulk(catalog, "lea", ids, "reject", **options)) == 40
        assert decision_log.first_broken_decision(catalog) is None
