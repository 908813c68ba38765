"""The decision log leaves for the browser and person that were given the address, and for nobody else."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route
from starlette.testclient import TestClient

from catalog import people, policies, review
from catalog.audit import Search
from catalog.policy import Policy
from catalog.store import Catalog
from ui import download_route, image_route
from ui.download_route import address
from ui.proxy import TrustedHeader

VISITOR = "0123456789abcdef" * 2
PROXY = 'identity = "proxy"\nproxy_header = "X-User"\nproxy_addresses = ["10.0.0.4"]\n'
REFUSED = "not allowed; open the audit screen again and take the file from there"


@pytest.fixture
def logged(queued: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Catalog]:
    """Return a function that serves a log of four decisions, under `[review]` settings."""

    def serve(settings: str = "") -> Catalog:
        workspace = queued(3)
        (workspace / "adapt.toml").write_text(f"[review]\n{settings}", encoding="utf-8")
        monkeypatch.setenv("ADAPT_WORKSPACE", str(workspace))
        catalog = Catalog.open(workspace)
        for name, role in (("ada", "admin"), ("lea", "lead"), ("olga", "auditor"), ("aki", "reviewer")):
            people.sign_in(catalog, name, role=role, source="proxy" if settings else "local")
        review.decide_item(catalog, "aki", 1, "reject", reasons=("blurred",), note='=HYPERLINK("x")')
        review.undo_item(catalog, "aki", 1)
        review.decide_item(catalog, "aki", 2, "approve")
        review.decide_item(catalog, "lea", 3, "approve")
        return catalog

    return serve


@pytest.fixture
def visitor() -> Iterator[TestClient]:
    """A browser of this machine with a visitor's cookie."""
    route = Route(download_route.ROUTE, download_route.decisions, methods=["GET"])
    app = Starlette(routes=[route], middleware=[Middleware(TrustedHeader)])
    with TestClient(app, cookies={image_route.COOKIE: VISITOR}, client=("10.0.0.4", 50_000)) as client:
        yield client


def test_download_is_an_attachment_that_nobody_keeps(logged: Callable[..., Catalog], visitor: TestClient) -> None:
    logged()
    answer = visitor.get(address("jsonl", Search(reviewer="aki"), VISITOR, "olga"))
    assert answer.status_code == 200
    assert [json.loads(line)["id"] for line in answer.text.splitlines()] == [3, 2, 1]
    assert answer.headers["content-disposition"] == 'attachment; filename="decisions.jsonl"'
    assert answer.headers["cache-control"] == "no-store" and answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-length"] == str(len(answer.content))
    assert "sandbox" in answer.headers["content-security-policy"]


def test_download_as_csv_holds_no_formula(logged: Callable[..., Catalog], visitor: TestClient) -> None:
    logged()
    answer = visitor.get(address("csv", Search(), VISITOR, "olga"))
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [row["id"] for row in rows] == ["4", "3", "2", "1"] and rows[3]["note"] == '\'=HYPERLINK("x")'


@pytest.mark.parametrize(
    ("search", "found"),
    [
        (Search(verdict="approve", product="mug-1"), ["4", "3"]),
        (Search(item_id=1, origin="script"), ["1"]),
        (Search(since=datetime(2001, 1, 1, tzinfo=UTC), until=datetime(2002, 1, 1, tzinfo=UTC)), []),
        (Search(product='"}, é\n&person=ada'), []),
    ],
)
def test_download_holds_the_rows_of_the_search(
    logged: Callable[..., Catalog], visitor: TestClient, search: Search, found: list[str]
) -> None:
    logged()
    text = visitor.get(address("csv", search, VISITOR, "ada")).text
    assert [row["id"] for row in csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))] == found


def test_download_is_refused_to_who_may_not_read_the_log(logged: Callable[..., Catalog], visitor: TestClient) -> None:
    catalog = logged()
    for person in ("aki", "nobody", ""):
        answer = visitor.get(address("csv", Search(), VISITOR, person))
        assert (answer.status_code, answer.text, answer.headers["cache-control"]) == (403, REFUSED, "no-store"), person
    given = address("csv", Search(), VISITOR, "olga")
    assert visitor.get(given).status_code == 200
    people.set_role(catalog, "ada", "olga", "reviewer")
    assert visitor.get(given).status_code == 403


def test_download_shows_a_lead_what_the_screen_shows(logged: Callable[..., Catalog], visitor: TestClient) -> None:
    catalog = logged()
    policies.save(catalog, "ada", Policy(quorum=2), "two")
    review.decide_item(catalog, "aki", 1, "approve")
    rows = {who: visitor.get(address("jsonl", Search(), VISITOR, who)).text.count("\n") for who in ("olga", "lea")}
    assert rows["olga"] == 5 and rows["lea"] < 5


def test_download_cannot_be_guessed_copied_or_changed(logged: Callable[..., Catalog], visitor: TestClient) -> None:
    logged()
    given = address("csv", Search(reviewer="aki"), VISITOR, "olga")
    forged = [
        given.partition("?")[0],
        given[:-1] + ("0" if given[-1] != "0" else "1"),
        given.replace("person=olga", "person=ada"),
        given.replace("aki", "lea"),
        given.replace("decisions.csv", "decisions.jsonl"),
        given.replace("decisions.csv", "..%2fcatalog.db"),
        given.replace("until=", "until=9"),
        given.replace(urlencode({"search": '{"reviewer": "aki"}'}), "search=%7B"),
        address("csv", Search(), None, "olga"),
        address("csv", Search(), "f" * 32, "olga"),
    ]
    assert len(set(forged)) == len(forged)
    assert {visitor.get(other).status_code for other in forged} <= {403, 404}
    visitor.cookies.clear()
    assert visitor.get(given).status_code == 403
    assert visitor.get(given, headers={"Cookie": f"{image_route.COOKIE}={'e' * 32}"}).status_code == 403


def test_download_is_for_the_signed_in_person(logged: Callable[..., Catalog], visitor: TestClient) -> None:
    logged(PROXY)
    given = address("csv", Search(), VISITOR, "olga")
    assert visitor.get(given, headers={"X-User": "olga"}).status_code == 200
    for headers in ({}, {"X-User": "lea"}, {"X-User": "aki"}):
        assert visitor.get(given, headers=headers).status_code == 403, headers


def test_download_says_that_the_log_cannot_be_read(
    logged: Callable[..., Catalog], visitor: TestClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    logged()
    full = tmp_path / "full"
    full.mkdir(mode=0o700)
    monkeypatch.setattr("tempfile.tempdir", str(full / "gone"))
    answer = visitor.get(address("csv", Search(), VISITOR, "olga"))
    assert (answer.status_code, answer.text) == (503, "the log cannot be read now; try again")


def test_download_leaves_no_file_behind(
    logged: Callable[..., Catalog], visitor: TestClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    logged()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = set(tmp_path.iterdir())
    for person in ("olga", "aki"):
        visitor.get(address("csv", Search(), VISITOR, person))
    assert set(tmp_path.iterdir()) == before
