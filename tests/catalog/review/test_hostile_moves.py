"""Moves of people who mean no good, clocks and rules that change under them: nothing is lost, doubled or unlogged."""

import math
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from catalog import audit, flags, people, policies, queue, review
from catalog.errors import CatalogError, ReviewRefused
from catalog.policy import Policy
from catalog.roles import NotAllowed

HOSTILE_NUMBERS = (0, -1, 2**63, 2**70)
HOSTILE_TEXT = "a\0b\ud800c\u202ed\x1b[2J\r\n終"


@pytest.fixture
def whole(either_desk: Any) -> Iterator[Any]:
    """The desk on each database; after the attack the log must be whole and say what is stored."""
    yield either_desk
    found = audit.check(either_desk.catalog, "ada")
    assert found.broken is None and found.differences == ()


def log(desk: Any) -> list[tuple[int, str, str]]:
    return [(made.item_id, made.reviewer, made.verdict) for made in queue.decisions(desk.catalog, limit=99)[::-1]]


# --- claims ------------------------------------------------------------------------------------------


def test_a_token_of_another_item_or_time_decides_nothing(whole: Any) -> None:
    _, token = whole.claim("aki", 1)
    other, _ = whole.claim("ben", 2)
    for item, stolen in ((other, token), (1, ""), (1, HOSTILE_TEXT), (1, "' OR 1=1 --")):
        with pytest.raises(review.LeaseLost):
            review.decide(whole.catalog, item, stolen, "approve", clock=whole.clock)
        assert not review.release(whole.catalog, item, stolen)
    whole.clock.forward(400)
    whole.claim("chen", 1)
    with pytest.raises(review.LeaseLost):
        review.decide(whole.catalog, 1, token, "approve", clock=whole.clock)
    assert log(whole) == []


@pytest.mark.parametrize("number", HOSTILE_NUMBERS)
def test_numbers_of_no_row_are_refused_in_one_line(whole: Any, number: int) -> None:
    catalog, clock = whole.catalog, whole.clock
    whole.say("aki", "approve", 1)
    attacks: tuple[Callable[[], object], ...] = (
        lambda: review.claim(catalog, "aki", item_id=number, clock=clock),
        lambda: review.decide(catalog, number, "0" * 32, "approve", clock=clock),
        lambda: review.renew(catalog, number, "0" * 32, clock=clock),
        lambda: review.mark_shown(catalog, number, "0" * 32, clock=clock),
        lambda: review.undo(catalog, "aki", decision_id=number, clock=clock),
        lambda: review.adjudicate(catalog, "lea", number, "approve", note="x", clock=clock),
        lambda: review.bulk(catalog, "lea", [number], "changes", note="x", seen=[number], typed_count=1, clock=clock),
        lambda: review.choose(catalog, "aki", number, [2], scripted=True, clock=clock),
        lambda: review.decide_item(catalog, "aki", number, "approve", clock=clock),
        lambda: review.undo_item(catalog, "aki", number, clock=clock),
    )
    for attack in attacks:
        with pytest.raises(ReviewRefused) as caught:
            attack()
        assert "\n" not in str(caught.value)
    assert review.claim_candidates(catalog, "aki", number, clock=clock) == []
    assert not review.release(catalog, number, "0" * 32)
    assert log(whole) == [(1, "aki", "approve")]


def test_two_tabs_of_one_person_decide_an_item_once(whole: Any) -> None:
    first, token = whole.claim("aki", 1)
    second, other = whole.claim("aki")
    assert first != second
    with pytest.raises(ReviewRefused, match="item 1 is held by aki"):
        review.claim(whole.catalog, "aki", item_id=1, clock=whole.clock)
    review.decide(whole.catalog, first, token, "approve", clock=whole.clock)
    review.decide(whole.catalog, second, other, "approve", clock=whole.clock)
    again = review.decide(whole.catalog, first, token, "reject", reasons=("other",), clock=whole.clock)
    assert again.repeated and again.verdict == "approve"
    assert log(whole) == [(1, "aki", "approve"), (2, "aki", "approve")]


def test_a_claim_of_a_run_takes_nothing_else(whole: Any) -> None:
    with whole.catalog.write() as session:
        session.execute(text("UPDATE generation SET run = 'late' WHERE id IN (2, 3)"))
    claim = review.claim
    taken = [claim(whole.catalog, name, run="late", clock=whole.clock) for name in ("aki", "ben", "chen")]
    assert [None if item is None else item.id for item in taken] == [2, 3, None]
    whole.clock.forward(400)
    with pytest.raises(ReviewRefused, match="item 1 is of run mugs, not of late; leave the run out"):
        claim(whole.catalog, "aki", run="late", item_id=1, clock=whole.clock)
    whole.say("aki", "skip", 2)
    whole.say("aki", "approve", 3)
    assert claim(whole.catalog, "aki", run="late", clock=whole.clock) is None
    again = claim(whole.catalog, "aki", run="late", include_skipped=True, clock=whole.clock)
    assert again is not None and again.id == 2
    for unknown in ("lat", HOSTILE_TEXT, "", "' OR 1=1 --"):
        with pytest.raises(ReviewRefused, match=r"no candidates of a run .*there are those of: ") as caught:
            claim(whole.catalog, "aki", run=unknown, clock=whole.clock)
        assert "\n" not in str(caught.value)


def test_claims_of_a_run_race_without_doubles(whole: Any) -> None:
    with whole.catalog.write() as session:
        session.execute(text("UPDATE generation SET run = 'late' WHERE id IN (2, 3)"))
    taken: list[int | None] = []

    def work(name: str) -> None:
        item = review.claim(whole.catalog, name, run="late", clock=whole.clock)
        taken.append(None if item is None else item.id)

    threads = [threading.Thread(target=work, args=(f"r{number}",)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(item or 0 for item in taken) == [0, 0, 0, 0, 2, 3]


# --- clocks ------------------------------------------------------------------------------------------


def test_a_clock_that_is_set_back_shows_no_picture_too_early(whole: Any) -> None:
    number, token = whole.claim("aki", 1)
    whole.clock.forward(-3600)
    with pytest.raises(review.TooFast):
        review.decide(whole.catalog, number, token, "approve", clock=whole.clock)
    shown = review.mark_shown(whole.catalog, number, token, clock=whole.clock)
    assert shown == whole.clock(), "the picture is on screen now, whatever the clock said before"
    with pytest.raises(review.TooFast):
        review.decide(whole.catalog, number, token, "approve", clock=whole.clock)
    whole.clock.forward(1)
    assert review.decide(whole.catalog, number, token, "approve", clock=whole.clock).dwell_ms == 1000


def test_a_machine_whose_clock_runs_ahead_takes_a_claim_over_and_nothing_twice(whole: Any) -> None:
    number, token = whole.claim("aki", 1)

    def ahead() -> Any:
        return whole.clock() + timedelta(minutes=10)

    taken = review.claim(whole.catalog, "ben", item_id=1, clock=ahead)
    assert taken is not None
    with pytest.raises(review.LeaseLost):
        review.decide(whole.catalog, number, token, "approve", clock=whole.clock)
    assert log(whole) == []


@pytest.mark.parametrize("seconds", [-3600, 40 * 86400])
def test_times_on_screen_that_cannot_be_are_kept_within_bounds(whole: Any, seconds: float) -> None:
    whole.claim("lea", 1)
    whole.clock.forward(seconds)
    with whole.catalog.write() as session:
        session.execute(text("UPDATE review_item SET lease_until = '2099-01-01 00:00:00' WHERE id = 1"))
    options: dict[str, Any] = {"seen": [1, 2], "typed_count": 2, "clock": whole.clock}
    made = review.bulk(whole.catalog, "lea", [1, 2], "reject", reasons=("other",), **options)
    assert [one.dwell_ms for one in made] == [0 if seconds < 0 else 2**31 - 1, None]


# --- text --------------------------------------------------------------------------------------------


def test_a_note_keeps_its_words_and_loses_what_no_database_takes(whole: Any) -> None:
    made = whole.say("aki", "changes", 1, note=HOSTILE_TEXT)
    assert made.note == "ab\ufffdc\u202ed[2J\n終"
    review.adjudicate(whole.catalog, "lea", 1, "approve", note=HOSTILE_TEXT, clock=whole.clock)
    policies.save(whole.catalog, "ada", Policy(), HOSTILE_TEXT, clock=whole.clock)
    assert policies.versions(whole.catalog)[0].note == made.note


def test_a_note_that_is_too_long_is_refused_not_cut(whole: Any) -> None:
    long, fits = "終" * 100_000, "終" * 2000
    number, token = whole.claim("aki", 1)
    attacks: tuple[Callable[[], object], ...] = (
        lambda: review.decide(whole.catalog, number, token, "approve", note=long, clock=whole.clock),
        lambda: review.decide_item(whole.catalog, "aki", 2, "approve", note=long, clock=whole.clock),
        lambda: review.adjudicate(whole.catalog, "lea", 1, "approve", note=long, clock=whole.clock),
        lambda: review.choose(whole.catalog, "aki", 2, [3], note=long, scripted=True, clock=whole.clock),
        lambda: policies.save(whole.catalog, "ada", Policy(), long),
    )
    for attack in attacks:
        with pytest.raises(ReviewRefused, match="the note has 100,000 characters; allowed are 2,000"):
            attack()
    assert review.decide(whole.catalog, number, token, "approve", note=fits, clock=whole.clock).note == fits


def test_words_that_are_none_reach_no_database(whole: Any) -> None:
    number, token = whole.claim("aki", 1)
    attacks: tuple[dict[str, Any], ...] = (
        {"verdict": HOSTILE_TEXT},
        {"verdict": "void"},
        {"verdict": "not_chosen"},
        {"verdict": "reject", "reasons": (HOSTILE_TEXT,)},
        {"verdict": "reject", "reasons": ("low_score",)},
        {"verdict": "approve", "checks": {HOSTILE_TEXT: "match"}},
        {"verdict": "approve", "checks": {"colour": HOSTILE_TEXT}},
    )
    for attack in attacks:
        with pytest.raises(ReviewRefused) as caught:
            review.decide(whole.catalog, number, token, clock=whole.clock, **attack)
        assert "\n" not in str(caught.value)
        str(caught.value).encode()
    made = review.decide(whole.catalog, number, token, "approve", idempotency_key=HOSTILE_TEXT, clock=whole.clock)
    assert log(whole) == [(1, "aki", "approve")] and made.reviewer == "aki"


@pytest.mark.parametrize("name", [HOSTILE_TEXT, "a\u202eb", "(policy)", "\ud800"])
def test_names_that_are_none_do_nothing(whole: Any, name: str) -> None:
    with pytest.raises(ReviewRefused):
        review.claim(whole.catalog, name, clock=whole.clock)
    with pytest.raises(ReviewRefused):
        review.undo(whole.catalog, name, clock=whole.clock)


# --- undo --------------------------------------------------------------------------------------------


def test_nobody_undoes_what_another_decided(whole: Any) -> None:
    made = whole.say("aki", "approve", 1)
    for name in ("ben", "lea", "ada"):
        with pytest.raises(review.NothingToUndo):
            review.undo(whole.catalog, name, decision_id=made.id, clock=whole.clock)
        with pytest.raises(review.NothingToUndo):
            review.undo_item(whole.catalog, name, 1, clock=whole.clock)
    assert whole.state(1) == "approved"


def test_one_decision_is_undone_once_by_many_clicks_at_a_time(whole: Any) -> None:
    first, made = whole.say("aki", "approve", 1), whole.say("aki", "approve", 2)
    said: list[str] = []

    def click() -> None:
        try:
            review.undo(whole.catalog, "aki", decision_id=made.id, clock=whole.clock)
            said.append("undone")
        except review.AlreadyChanged:
            said.append("changed")

    threads = [threading.Thread(target=click) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == ["changed"] * 5 + ["undone"]
    assert [row for row in log(whole) if row[2] == "void"] == [(2, "aki", "void")]
    assert whole.state(1) == "approved" and first.item_id == 1


def test_a_decision_after_an_undo_is_a_new_one_however_it_is_made(whole: Any) -> None:
    catalog, clock = whole.catalog, whole.clock
    for _ in range(3):
        made = review.decide_item(catalog, "aki", 1, "approve", clock=clock)
        assert not made.repeated and whole.state(1) == "approved"
        review.undo_item(catalog, "aki", 1, clock=clock)
        assert whole.state(1) == "pending"
    number, token = whole.claim("aki", 1)
    old = review.decide(catalog, number, token, "approve", idempotency_key="k", clock=clock)
    undone = review.undo(catalog, "aki", clock=clock)
    assert undone.claimed is not None
    late = review.decide(catalog, number, token, "approve", idempotency_key="k", clock=clock)
    assert late.repeated and late.superseded and late.id == old.id, "a click from before the undo changes nothing"
    assert whole.state(1) == "pending"
    with pytest.raises(ReviewRefused, match="held by aki"):
        review.decide_item(catalog, "aki", 1, "approve", clock=clock)
    new_token = undone.claimed.lease_token or ""
    review.mark_shown(catalog, 1, new_token, clock=clock)
    clock.forward(1)
    made = review.decide(catalog, 1, new_token, "reject", reasons=("other",), idempotency_key="k", clock=clock)
    assert not made.repeated and whole.state(1) == "rejected"
    assert [row[2] for row in log(whole)] == ["approve", "void"] * 4 + ["reject"]


def test_undoing_a_skip_after_a_verdict_lets_nobody_count_twice(whole: Any) -> None:
    policies.save(whole.catalog, "ada", Policy(quorum=2), "", clock=whole.clock)
    skipped = whole.say("lea", "skip", 1)
    whole.say("lea", "approve", 1)
    review.undo(whole.catalog, "lea", decision_id=skipped.id, clock=whole.clock)
    whole.say("ben", "reject", 1)
    review.adjudicate(whole.catalog, "lea", 1, "approve", note="fine", clock=whole.clock)
    heads = [made for made in queue.decisions(whole.catalog, item_id=1) if not made.superseded]
    assert sorted((made.reviewer, made.verdict) for made in heads if made.verdict != "void") == [
        ("ben", "reject"),
        ("lea", "approve"),
    ]


# --- several people, and rules that change ------------------------------------------------------------


def test_a_lead_alone_makes_no_quorum_by_ruling_on_an_own_verdict(whole: Any) -> None:
    policies.save(whole.catalog, "ada", Policy(quorum=2), "", clock=whole.clock)
    whole.say("lea", "approve", 1)
    with pytest.raises(ReviewRefused, match="needs more than one person, and only lea has judged it") as caught:
        review.adjudicate(whole.catalog, "lea", 1, "approve", note="mine", clock=whole.clock)
    assert "\n" not in str(caught.value) and whole.state(1) == "pending"
    review.adjudicate(whole.catalog, "lea", 1, "reject", reasons=("other",), note="mine", clock=whole.clock)
    assert whole.state(1) == "rejected", "taking one's own approval back needs nobody"
    whole.say("aki", "reject", 2)
    review.adjudicate(whole.catalog, "lea", 2, "approve", note="fine", clock=whole.clock)
    assert whole.state(2) == "approved"


def test_a_quorum_that_changes_between_two_votes(whole: Any) -> None:
    policies.save(whole.catalog, "ada", Policy(quorum=2), "", clock=whole.clock)
    whole.say("aki", "approve", 1)
    policies.save(whole.catalog, "ada", Policy(quorum=3), "", clock=whole.clock)
    whole.say("ben", "approve", 1)
    assert whole.state(1) == "pending"
    policies.save(whole.catalog, "ada", Policy(quorum=1), "", clock=whole.clock)
    assert audit.check(whole.catalog, "ada").ok, "what waits was said under the rules before"
    whole.say("chen", "skip", 1)
    assert whole.state(1) == "pending", "who passes a picture on approves it for nobody"
    review.undo(whole.catalog, "chen", clock=whole.clock)
    assert whole.state(1) == "pending", "nor does taking that back"
    whole.clock.forward(400)
    whole.say("chen", "approve", 1)
    assert whole.state(1) == "approved"


def test_rules_that_change_while_a_picture_is_on_screen_hold_for_its_decision(whole: Any) -> None:
    number, token = whole.claim("aki", 1)
    policies.save(whole.catalog, "ada", Policy(min_view_s=30, copy_similarity=0.6), "", clock=whole.clock)
    with pytest.raises(review.TooFast, match="for 30 s"):
        review.decide(whole.catalog, number, token, "approve", clock=whole.clock)
    whole.clock.forward(30)
    assert review.decide(whole.catalog, number, token, "approve", clock=whole.clock).policy_version == 1
    assert whole.state(1) == "pending", "by now it may be a copy"


@pytest.mark.parametrize("fall", ["inactive", "auditor"])
def test_who_may_not_decide_any_more_neither_decides_nor_keeps_a_picture(whole: Any, fall: str) -> None:
    number, token = whole.claim("aki", 1)
    if fall == "inactive":
        people.set_active(whole.catalog, "ada", "aki", False)
    else:
        people.set_role(whole.catalog, "ada", "aki", fall)
    attacks: tuple[Callable[[], object], ...] = (
        lambda: review.decide(whole.catalog, number, token, "approve", clock=whole.clock),
        lambda: review.renew(whole.catalog, number, token, clock=whole.clock),
        lambda: review.claim(whole.catalog, "aki", clock=whole.clock),
        lambda: review.claim_candidates(whole.catalog, "aki", 1, clock=whole.clock),
        lambda: review.choose(whole.catalog, "aki", 1, [2], scripted=True, clock=whole.clock),
        lambda: review.undo(whole.catalog, "aki", clock=whole.clock),
        lambda: flags.set_flag(whole.catalog, "aki", number, token, True, clock=whole.clock),
    )
    for attack in attacks:
        with pytest.raises(NotAllowed):
            attack()
    assert log(whole) == []
    whole.clock.forward(400)
    whole.say("ben", "approve", 1)
    assert whole.state(1) == "approved"


def test_taking_a_mark_away_approves_nothing(whole: Any) -> None:
    number, token = whole.claim("aki", 1)
    assert flags.set_flag(whole.catalog, "aki", number, token, True, clock=whole.clock)
    review.decide(whole.catalog, number, token, "approve", clock=whole.clock)
    assert whole.state(1) == "pending"
    number, token = whole.claim("lea", 1)
    with pytest.raises(ReviewRefused, match="item 1 was judged under its mark, which stays") as caught:
        flags.set_flag(whole.catalog, "lea", number, token, False, clock=whole.clock)
    assert "\n" not in str(caught.value)
    assert audit.check(whole.catalog, "ada").ok
    review.decide(whole.catalog, number, token, "approve", clock=whole.clock)
    assert whole.state(1) == "approved"


def test_what_was_said_in_an_earlier_round_counts_no_more(whole: Any) -> None:
    made = whole.say("aki", "approve", 1)
    with whole.catalog.write() as session:
        session.execute(text("UPDATE review_item SET round = 2, state = 'pending' WHERE id = 1"))
    whole.say("aki", "reject", 1)
    policies.save(whole.catalog, "ada", Policy(quorum=2), "", clock=whole.clock)
    review.undo(whole.catalog, "aki", decision_id=made.id, clock=whole.clock)
    assert whole.state(1) == "rejected"
    whole.say("ben", "approve", 2)
    with whole.catalog.write() as session:
        session.execute(text("UPDATE review_item SET round = 2, state = 'pending' WHERE id = 2"))
    policies.save(whole.catalog, "ada", Policy(quorum=1), "", clock=whole.clock)
    second = whole.say("ben", "approve", 2)
    policies.save(whole.catalog, "ada", Policy(quorum=2), "", clock=whole.clock)
    first = min(row.id for row in queue.decisions(whole.catalog, item_id=2))
    review.undo(whole.catalog, "ben", decision_id=first, clock=whole.clock)
    assert whole.state(2) == "approved" and second.round == 2


# --- rules that are none ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "rules",
    [
        {"lease_s": math.nan},
        {"lease_s": 1e300},
        {"min_view_s": math.inf},
        {"quorum": 1.5},
        {"quorum": math.nan},
        {"audit_share": math.nan},
        {"second_opinion_share": -0.1},
        {"copy_similarity": math.nan},
        {"auto_reject": {"text_match": math.nan}},
        {"auto_reject": {"text_match": "high"}},
        {"auto_reject": {"": 0.5}},
    ],
)
def test_rules_that_are_none_are_refused(rules: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(rules))) as caught:
        replace(Policy(), **rules)
    assert "\n" not in str(caught.value)


def test_errors_of_the_review_are_errors_of_the_catalogue() -> None:
    assert issubclass(NotAllowed, CatalogError) and issubclass(review.LeaseLost, CatalogError)
