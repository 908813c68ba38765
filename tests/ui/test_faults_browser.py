"""What goes wrong while people decide, with real processes: a killed server, a locked database, files that are gone."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from browser import BROWSER_TEST, Server, visit
from review_desk import CANDIDATE, READY, expects

from catalog import decision_log, queue, review
from catalog.schema import ReviewItemRow
from catalog.store import Catalog

pytestmark = BROWSER_TEST


@pytest.fixture(scope="module")
def place(fill_queue: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Server]]:
    """Run `adapt review` for a workspace of thirty candidates; the one server in the list may be replaced."""
    workspace = fill_queue(tmp_path_factory.mktemp("faults") / "workspace", 30)
    servers = [Server(workspace)]
    yield servers
    servers[0].stop()


def log_of(workspace: Path, reviewer: str) -> list[tuple[int, str]]:
    """Return what somebody decided, oldest first; the whole chain must hold and each state must follow from it."""
    with Catalog.open(workspace) as catalog:
        assert decision_log.first_broken_decision(catalog) is None
        assert review.replay(catalog).differences == ()
        return [(made.item_id, made.verdict) for made in queue.decisions(catalog, reviewer=reviewer, limit=100)[::-1]]


def ready(page: Any, *, after: int | None = None) -> int:
    """Wait until a decision may count, on another item than `after`; return the item."""
    if after is not None:
        page.wait_for_selector(f"{CANDIDATE}:not([data-item='{after}'])")
    page.wait_for_selector(READY)
    return int(page.get_attribute(CANDIDATE, "data-item"))


@contextmanager
def locked(workspace: Path) -> Iterator[None]:
    """Hold the lock that every writer needs, as another process would."""
    other = sqlite3.connect(workspace / "catalog.db", isolation_level=None, timeout=30)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.rollback()
        other.close()


def killed_and_started_again(servers: list[Server]) -> None:
    workspace, port = servers[0].workspace, servers[0].port
    servers[0].kill()
    servers[0] = Server(workspace, port)


def test_server_killed_between_key_and_commit_loses_and_doubles_nothing(chromium: Any, place: list[Server]) -> None:
    workspace = place[0].workspace
    page = visit(chromium, f"{place[0].url}/review?reviewer=aki")
    first = ready(page)
    with locked(workspace):
        page.keyboard.press("a")
        # The server waits for the lock with the decision in hand; nothing of it may be there afterwards.
        page.wait_for_timeout(500)
        place[0].kill()
    assert log_of(workspace, "aki") == []
    place[0] = Server(workspace, place[0].port)
    # The page finds the new server by itself, and says what it shows now.
    second = ready(page, after=first)
    page.keyboard.press("a")
    third = ready(page, after=second)
    assert log_of(workspace, "aki") == [(second, "approve")]

    # Killed right after the commit, perhaps before the answer: the decision is there, once.
    page.keyboard.press("a")
    until = time.monotonic() + 30
    while len(log_of(workspace, "aki")) < 2 and time.monotonic() < until:
        pass
    killed_and_started_again(place)
    fourth = ready(page, after=third)
    page.keyboard.press("a")
    ready(page, after=fourth)
    assert log_of(workspace, "aki") == [(second, "approve"), (third, "approve"), (fourth, "approve")]
    with Catalog.open(workspace) as catalog:
        assert queue.item(catalog, first).state == "pending"
    page.context.close()


def test_database_locked_for_a_while_and_for_good_loses_nothing(chromium: Any, place: list[Server]) -> None:
    workspace = place[0].workspace
    page = visit(chromium, f"{place[0].url}/review?reviewer=ben")
    first = ready(page)
    with locked(workspace):
        page.keyboard.press("a")
        page.wait_for_timeout(1500)
    second = ready(page, after=first)
    assert log_of(workspace, "ben") == [(first, "approve")]

    page.keyboard.press("n")
    page.keyboard.type("the lid is missing")
    page.keyboard.press("Escape")
    with locked(workspace):
        page.keyboard.press("1")
        page.keyboard.press("x")
        line = expects(page, ".rd-work .rd-notice")
        line.to_contain_text("The server does not answer. Your choice is kept")
        line.to_contain_text("the catalogue was busy for 30 s")
        assert page.inner_text(".rd-work .rd-notice").count("\n") == 0
        expects(page, ".rd-note textarea").to_have_value("the lid is missing")
    assert log_of(workspace, "ben") == [(first, "approve")]
    page.wait_for_selector(READY)
    page.keyboard.press("x")
    ready(page, after=second)
    assert log_of(workspace, "ben") == [(first, "approve"), (second, "reject")]
    with Catalog.open(workspace) as catalog:
        assert queue.decisions(catalog, item_id=second)[0].note == "the lid is missing"
    page.context.close()


def test_picture_file_missing_or_damaged_is_said_and_cannot_be_approved(chromium: Any, place: list[Server]) -> None:
    workspace = place[0].workspace
    with Catalog.open(workspace) as catalog:
        free = [item for item in queue.items(catalog, state="pending") if item.lease_owner is None][:2]
        files = [next(workspace.glob(f"blobs/**/{item.image_sha256}*")) for item in free]
        gone, kept = files[0].read_bytes(), files[1].read_bytes()
        files[0].unlink()
        files[1].write_bytes(kept[:-9] + b"corrupted")
        with catalog.write() as session:
            for item in free:
                session.get_one(ReviewItemRow, item.id).priority = -1
    page = visit(chromium, f"{place[0].url}/review?reviewer=cleo")
    for number, item in enumerate(free):
        expects(page, ".rd").to_have_attribute("data-item", str(item.id))
        expects(page, ".cv-candidate .cv-none").to_contain_text("missing or damaged")
        page.keyboard.press("a")
        expects(page, ".rd-work .rd-notice").to_contain_text("missing or damaged")
        page.wait_for_selector(READY)
        page.keyboard.press("s") if number else [page.keyboard.press(key) for key in "7x"]
    ready(page)
    assert log_of(workspace, "cleo") == [(free[0].id, "reject"), (free[1].id, "skip")]
    files[0].write_bytes(gone)
    files[1].write_bytes(kept)
    page.context.close()


def test_undo_lasts_after_a_reload_and_a_double_click_decides_once(chromium: Any, place: list[Server]) -> None:
    workspace = place[0].workspace
    page = visit(chromium, f"{place[0].url}/review?reviewer=dora")
    first = ready(page)
    page.locator(".rd-act.rd-approve").dblclick()
    second = ready(page, after=first)
    assert log_of(workspace, "dora") == [(first, "approve")]
    page.keyboard.press("u")
    assert ready(page, after=second) == first
    page.reload()
    assert ready(page) == first, "what was undone is there again after a reload"
    expects(page, ".rd-history").to_contain_text("Undone")
    assert log_of(workspace, "dora") == [(first, "approve"), (first, "void")]
    page.keyboard.press("a")
    ready(page, after=first)
    assert log_of(workspace, "dora") == [(first, "approve"), (first, "void"), (first, "approve")]
    page.context.close()


def test_lease_that_ran_out_shows_who_has_it_now_and_keeps_the_note(chromium: Any, place: list[Server]) -> None:
    workspace = place[0].workspace
    page = visit(chromium, f"{place[0].url}/review?reviewer=emil")
    item = ready(page)
    page.keyboard.press("n")
    page.keyboard.type("the handle is on the wrong side")
    page.keyboard.press("Escape")
    with Catalog.open(workspace) as catalog:
        with catalog.write() as session:
            session.get_one(ReviewItemRow, item).lease_until = review.utc_now()
        assert review.claim(catalog, "fay", item_id=item) is not None
    page.keyboard.press("2")
    page.keyboard.press("x")
    ready(page, after=item)
    expects(page, ".rd-kept blockquote").to_have_text("the handle is on the wrong side")
    expects(page, ".rd-work .rd-notice").to_contain_text("someone else took it")
    assert log_of(workspace, "emil") == []
    page.context.close()
