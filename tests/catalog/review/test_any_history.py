"""Whatever people do in whatever order, the log alone says what is stored, is whole, and nobody counts twice."""

import shutil
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import text

from catalog import audit, flags, people, policies, queue, regeneration, review
from catalog.errors import ReviewRefused
from catalog.generation import enqueue
from catalog.policy import COPY_QUORUM, Policy
from catalog.records import Candidate, Decision
from catalog.store import Catalog

ITEMS = 3
EXAMPLES = 10
"""Histories of fifty moves each."""
NAMES = st.sampled_from(("ada", "lea", "aki", "ben"))
ANY_ITEM = st.integers(1, ITEMS)
SOME_ITEMS = st.lists(ANY_ITEM, min_size=1, max_size=ITEMS, unique=True)
VERDICT = st.sampled_from(review.DECIDABLE)
RULING = st.sampled_from(review.RULINGS)


def options_of(verdict: str) -> dict[str, Any]:
    """Return what a verdict needs."""
    return {"reject": {"reasons": ("other",)}, "changes": {"note": "thinner"}}.get(verdict, {})


class Histories(RuleBasedStateMachine):
    """People at work on three pictures, one of which may be a copy."""

    template: Path
    """A workspace to begin with; copied for each history."""
    picture: Path
    folder: Callable[[], Path]

    def __init__(self) -> None:
        super().__init__()
        workspace = self.folder() / "w"
        shutil.copytree(self.template, workspace)
        self.catalog = Catalog.open(workspace)
        self.moment = datetime(2026, 5, 1, 9, tzinfo=UTC)
        self.claims: list[tuple[int, str]] = []
        self.written = 0
        self.drawn = 0

    def teardown(self) -> None:
        self.catalog.close()

    def clock(self) -> datetime:
        return self.moment

    def move(self, act: Callable[[], Any]) -> Any:
        """Do something that the rules may refuse; return what it returned, None when they did."""
        before = self.rows()
        try:
            return act()
        except ReviewRefused as refused:
            assert "\n" not in str(refused)
            assert self.rows() == before, "what is refused writes nothing"
            return None

    def rows(self) -> int:
        with self.catalog.read() as session:
            return int(session.scalar(text("SELECT count(*) FROM decision")) or 0)

    # --- one picture ---------------------------------------------------------------------------------

    @rule(name=NAMES, item=st.none() | ANY_ITEM, run=st.none() | st.just("mugs"), skipped=st.booleans())
    def claim(self, name: str, item: int | None, run: str | None, skipped: bool) -> None:
        options: dict[str, Any] = {"item_id": item, "run": run, "include_skipped": skipped, "clock": self.clock}
        taken = self.move(lambda: review.claim(self.catalog, name, **options))
        if taken is not None:
            self.claims.append((taken.id, taken.lease_token))

    @rule(back=st.integers(1, 4), verdict=VERDICT, look=st.sampled_from((True, True, True, False)))
    def decide_claimed(self, back: int, verdict: str, look: bool) -> None:
        if len(self.claims) < back:
            return
        item, token = self.claims[-back]
        if look:
            with suppress(ReviewRefused):
                review.mark_shown(self.catalog, item, token, clock=self.clock)
            self.moment += timedelta(seconds=1)
        self.count(
            self.move(
                lambda: review.decide(self.catalog, item, token, verdict, clock=self.clock, **options_of(verdict))
            )
        )

    @rule(name=NAMES, place=st.integers(0, 9), verdict=VERDICT)
    def decide_what_waits(self, name: str, place: int, verdict: str) -> None:
        waiting = queue.items(self.catalog, state="pending") or queue.items(self.catalog)
        item, options = waiting[place % len(waiting)].id, options_of(verdict)
        self.moment += timedelta(seconds=400)  # nobody's claim lives on
        self.count(
            self.move(lambda: review.decide_item(self.catalog, name, item, verdict, clock=self.clock, **options))
        )

    @rule(back=st.integers(1, 3), name=NAMES, on=st.booleans())
    def flag(self, back: int, name: str, on: bool) -> None:
        if len(self.claims) >= back:
            item, token = self.claims[-back]
            self.move(lambda: flags.set_flag(self.catalog, name, item, token, on, clock=self.clock))

    @rule(name=NAMES, back=st.integers(0, 6))
    def undo(self, name: str, back: int) -> None:
        """Undo the last decision, or any earlier one of a person, superseded or not."""
        mine = queue.decisions(self.catalog, reviewer=name, limit=20)
        wanted = None if back == 0 or back > len(mine) else mine[back - 1].id
        before = self.rows()
        undone = self.move(lambda: review.undo(self.catalog, name, decision_id=wanted, clock=self.clock))
        if undone is not None:
            assert undone.decision.verdict == "void"
            self.written += self.rows() - before
            if undone.claimed is not None:
                self.claims.append((undone.claimed.id, undone.claimed.lease_token))

    # --- many pictures, and leads --------------------------------------------------------------------

    @rule(name=NAMES, items=SOME_ITEMS, verdict=RULING)
    def bulk(self, name: str, items: list[int], verdict: str) -> None:
        options = {"seen": items, "typed_count": len(items), "clock": self.clock} | options_of(verdict)
        self.count(self.move(lambda: review.bulk(self.catalog, name, items, verdict, **options)))

    @rule(name=NAMES, items=SOME_ITEMS)
    def choose(self, name: str, items: list[int]) -> None:
        act = lambda: review.choose(self.catalog, name, items[0], items[1:], scripted=True, clock=self.clock)  # noqa: E731
        self.count(self.move(act))

    @rule(name=NAMES, item=ANY_ITEM, verdict=RULING)
    def adjudicate(self, name: str, item: int, verdict: str) -> None:
        options = {"note": "seen"} | options_of(verdict)
        self.count(self.move(lambda: review.adjudicate(self.catalog, name, item, verdict, clock=self.clock, **options)))

    @rule(
        quorum=st.sampled_from((1, 1, 2, 3)),
        similarity=st.sampled_from((0.5, 0.97)),
        low=st.sampled_from((None, None, 0.325, 0.5)),
        screen=st.booleans(),
    )
    def change_the_rules(self, quorum: int, similarity: float, low: float | None, screen: bool) -> None:
        rules = Policy(
            quorum=quorum, copy_similarity=similarity, auto_reject={} if low is None else {"text_match": low}
        )
        policies.save(self.catalog, "ada", rules, "", clock=self.clock)
        if screen:
            self.written += review.screen(self.catalog, "ada", clock=self.clock)

    @rule(
        name=st.sampled_from(("lea", "aki", "ben")),
        role=st.sampled_from(("lead", "lead", "reviewer", "auditor")),
        active=st.sampled_from((True, True, False)),
    )
    def change_who_may(self, name: str, role: str, active: bool) -> None:
        self.move(lambda: people.set_role(self.catalog, "ada", name, role))
        self.move(lambda: people.set_active(self.catalog, "ada", name, active))

    # --- time, rounds, wishes ------------------------------------------------------------------------

    @rule(seconds=st.sampled_from((400.0, 400.0, 60.0, 0.2, -120.0)))
    def let_time_pass(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)

    @rule(item=ANY_ITEM)
    def begin_a_round(self, item: int) -> None:
        with self.catalog.write() as session:
            session.execute(
                text(
                    "UPDATE review_item SET round = round + 1, state = 'pending', lease_owner = NULL,"
                    " lease_token = NULL, lease_until = NULL, first_shown_at = NULL WHERE id = :item"
                ),
                {"item": item},
            )

    @rule(name=NAMES)
    def ask_for_another_picture(self, name: str) -> None:
        mine = queue.decisions(self.catalog, reviewer=name, limit=1)
        wish = self.move(lambda: regeneration.request(self.catalog, mine[0].id, actor=name)) if mine else None
        if wish is not None and wish.state == "queued":
            drawn = Candidate(
                image=self.picture,
                product_id=wish.product_id,
                caption_id=wish.caption_id,
                prompt=wish.prompt,
                seed=wish.seed,
                scores={"text_match": 0.0},
            )
            run = f"again {self.drawn}"
            self.drawn += enqueue(self.catalog, run, [drawn], priority=regeneration.PRIORITY)
            regeneration.served(self.catalog, wish.id, run, clock=self.clock)

    # --- what always holds ---------------------------------------------------------------------------

    def count(self, made: Decision | list[Decision] | None) -> None:
        rows = [] if made is None else made if isinstance(made, list) else [made]
        self.written += sum(not row.repeated for row in rows)

    @invariant()
    def the_log_is_whole_and_says_what_is_stored(self) -> None:
        found = audit.check(self.catalog, "ada")
        assert found.broken is None and found.differences == ()
        assert found.decisions == self.written, "nothing is lost or doubled"

    @invariant()
    def nobody_counts_twice_and_what_is_approved_was_approved_by_enough(self) -> None:
        rules = {version.policy.version: version.policy for version in policies.versions(self.catalog)}
        log = queue.decisions(self.catalog, limit=1000)
        for item in queue.items(self.catalog, limit=100):
            own = [made for made in log if made.item_id == item.id and made.round == item.round]
            stand = [made for made in own if not made.superseded and made.verdict not in ("void", "skip")]
            assert len({made.reviewer for made in stand}) == len(stand)
            ruled = any(made.origin == "adjudication" for made in stand)
            if item.state != "approved" or ruled:
                continue
            least = rules.get(max(own, key=lambda made: made.id).policy_version, Policy()).quorum
            assert {made.verdict for made in stand} == {"approve"} and people.RULES not in {m.reviewer for m in stand}
            assert len(stand) >= max(1, least if own[0].verdict != "skip" else 1, COPY_QUORUM if item.flagged else 1)


def test_the_log_alone_gives_every_state_after_any_history(
    fill_queue: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory, picture: Path
) -> None:
    template = fill_queue(tmp_path_factory.mktemp("history") / "w", ITEMS)
    with Catalog.open(template) as catalog:
        for name, role in (("ada", "admin"), ("lea", "lead"), ("aki", "reviewer"), ("ben", "reviewer")):
            people.sign_in(catalog, name, role=role)
        with catalog.write() as session:
            session.execute(text(f"UPDATE generation SET nearest_similarity = 0.99 WHERE id = {ITEMS}"))
            session.execute(text(f"UPDATE review_item SET flagged = true, quorum = 2 WHERE id = {ITEMS}"))
    Histories.template, Histories.picture = template, picture
    Histories.folder = staticmethod(lambda: tmp_path_factory.mktemp("history"))
    run_state_machine_as_test(
        Histories,
        settings=settings(
            max_examples=EXAMPLES, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
