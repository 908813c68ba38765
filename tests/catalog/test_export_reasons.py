"""Whatever people did: each candidate leaves or stays for one reason, and the reason is true."""

import contextlib
import csv
import json
import shutil
from collections import Counter
from pathlib import Path

import pytest
from approved_pictures import Thing, draw
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from catalog import decision_log, export, people, review
from catalog.errors import CatalogError, ExportRefused
from catalog.schema import DecisionRow, GenerationRow, ReviewItemRow
from catalog.store import Catalog

pytestmark = pytest.mark.slow
CANDIDATES = 8
BY_VERDICTS = {
    "undecided",
    "rejected",
    "changes",
    "conflict",
    "not_chosen",
    "quorum",
    "copy_risk_needs_second_reviewer",
}
BY_FILES = {"picture_missing", "not_generated"}
ITEMS = st.integers(1, CANDIDATES)
MOVES = st.one_of(
    st.tuples(
        st.sampled_from(["approve", "approve", "approve", "reject", "changes", "skip", "undo"]),
        st.sampled_from(["aki", "ben", "lea"]),
        ITEMS,
    ),
    st.tuples(st.sampled_from(["rule approve", "rule reject", "choose"]), st.just("lea"), ITEMS),
    st.tuples(st.sampled_from(["risky", "flagged", "two", "gone", "photo"]), st.just(""), ITEMS),
)
TRAITS = {
    "risky": "UPDATE generation SET nearest_similarity = 0.99 WHERE id = :id",
    "flagged": "UPDATE review_item SET flagged = true WHERE id = :id",
    "two": "UPDATE review_item SET quorum = 2 WHERE id = :id",
    "photo": "UPDATE image SET kind = 'catalogue' WHERE sha256 = (SELECT image_sha256 FROM generation WHERE id = :id)",
}
"""What a candidate may be, beside what people say of it."""


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace of undecided candidates of two products."""
    workspace = draw(tmp_path_factory.mktemp("drawn") / "workspace", (Thing(sku="A"), Thing(sku="B")), CANDIDATES // 2)
    with Catalog.open(workspace) as catalog:
        for name, role in (("lea", "admin"), ("aki", "reviewer"), ("ben", "reviewer")):
            people.sign_in(catalog, name, role=role)
    return workspace


def move(catalog: Catalog, what: str, name: str, item: int) -> None:
    if what in TRAITS:
        with catalog.write() as session:
            session.execute(text(TRAITS[what]), {"id": item})
    elif what == "gone":
        catalog.blobs.path(sha256_of(catalog, item)).unlink(missing_ok=True)
    elif what == "undo":
        review.undo_item(catalog, name, item)
    elif what.startswith("rule"):
        reasons = ("other",) if what == "rule reject" else ()
        review.adjudicate(catalog, name, item, what.split()[1], note="seen", reasons=reasons)
    elif what == "choose":
        review.choose(catalog, name, item, [item % CANDIDATES + 1], scripted=True)
    else:
        reasons = ("other",) if what == "reject" else ()
        review.decide_item(catalog, name, item, what, reasons=reasons, note="thin")


def sha256_of(catalog: Catalog, item: int) -> str:
    with catalog.read() as session:
        return str(session.get_one(GenerationRow, item).image_sha256)


def standing(catalog: Catalog) -> dict[int, Counter[str]]:
    """Item → the verdicts that nobody superseded."""
    with catalog.read() as session:
        found: dict[int, Counter[str]] = {number: Counter() for number in session.scalars(select(ReviewItemRow.id))}
        for row in session.scalars(decision_log.head_rows().where(DecisionRow.verdict.not_in(("void", "skip")))):
            found[row.item_id][row.verdict] += 1
        return found


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=st.lists(MOVES, min_size=4, max_size=20))
def test_export_accounts_for_every_candidate(
    drawn: Path, tmp_path_factory: pytest.TempPathFactory, history: list[tuple[str, str, int]]
) -> None:
    workspace = tmp_path_factory.mktemp("history") / "workspace"
    shutil.copytree(drawn, workspace)
    with Catalog.open(workspace) as catalog:
        for step in history:
            with contextlib.suppress(CatalogError):  # a move the rules refuse changes nothing
                move(catalog, *step)
        counted = export.export(catalog, dry_run=True)
        assert counted.images + sum(counted.excluded.values()) == CANDIDATES
        try:
            made = export.export(catalog)
        except ExportRefused as error:
            assert counted.images == 0 and "no approved picture to export" in str(error)
            return
        assert (made.images, made.excluded) == (counted.images, counted.excluded)
        left = left_out(made.path)
        leaving = [json.loads(line)["item_id"] for line in (made.path / "manifest.jsonl").open()]
        assert sorted([*leaving, *left]) == list(range(1, CANDIDATES + 1))
        assert Counter(left.values()) == counted.excluded and set(left.values()) <= BY_VERDICTS | BY_FILES
        said, traits = standing(catalog), {(what, item) for what, _, item in history}
        ruled = {item for what, _, item in history if what.startswith("rule")}
        for item in leaving:
            asked = 2 if {("risky", item), ("flagged", item)} & traits else 1
            assert said[item]["approve"] >= asked and not {("gone", item), ("photo", item)} & traits
            assert item in ruled or (set(said[item]) == {"approve"} and said[item]["approve"] >= 1)
        for item, reason in left.items():
            assert_true(reason, said[item], item, traits, item in ruled)


def left_out(folder: Path) -> dict[int, str]:
    with (folder / "excluded.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = [(int(row["item"]), row["reason"]) for row in csv.DictReader(file)]
    assert len(dict(rows)) == len(rows)
    return dict(rows)


def assert_true(reason: str, said: Counter[str], item: int, traits: set[tuple[str, int]], ruled: bool) -> None:
    """Check that a reason for staying is one."""
    if reason == "undecided":
        assert not said["approve"], (item, said)
    elif reason == "conflict":
        assert len(said) > 1, (item, said)
    elif reason in ("rejected", "changes", "not_chosen"):
        verdict = {"rejected": "reject", "changes": "changes", "not_chosen": "not_chosen"}[reason]
        assert said[verdict] and (ruled or set(said) == {verdict}), (item, said)
    elif reason == "quorum":
        assert ("two", item) in traits and said["approve"] == 1, (item, said)
    elif reason == "copy_risk_needs_second_reviewer":
        assert {("risky", item), ("flagged", item)} & traits and said["approve"] == 1, (item, said)
    else:
        assert said["approve"] and ({"picture_missing": "gone", "not_generated": "photo"}[reason], item) in traits
