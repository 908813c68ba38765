"""A review that people have been at for some days, made by the services: every screen has something to show of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from catalog import export, flags, people, policies, queue, review
from catalog.records import ReviewItem
from catalog.store import Catalog

PEOPLE = {
    "admin-1": "admin",
    "lead-1": "lead",
    "auditor-1": "auditor",
    "reviewer-1": "reviewer",
    "reviewer-2": "reviewer",
}
SCORE = "text_match"
TURNS = ("reviewer-1", "reviewer-2", "reviewer-1", "lead-1", "reviewer-1")
"""Who decides, in turn."""
DAYS = 6
FLAG_EVERY = 6
"""Of so many pictures one is marked for a second opinion."""
DISAGREE_EVERY = 4
"""Of so many second opinions one is another verdict."""
REASONS = (("wrong_shape",), ("wrong_colour",), ("distorted",), ("missing_part", "wrong_shape"), ("blurred",))
NOTES = ("", "", "The handle is missing.", "")


@dataclass
class WorkingDays:
    """A clock that is moved on by what people do."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now

    def after(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def work(catalog: Catalog, count: int, *, until: datetime) -> None:
    """Decide the first `count` pictures over the days before `until`.

    The verdicts follow the score: the lower third is rejected. Some pictures get a second opinion, some of those
    another verdict; of these conflicts one is settled. Somebody skips, somebody asks for changes, one verdict is
    undone, and what is approved is delivered once.
    """
    for name, role in PEOPLE.items():
        people.sign_in(catalog, name, role=role)
    items = queue.items(catalog, state="pending", limit=1_000_000)
    values = sorted(item.scores[SCORE] for item in items)
    clock = WorkingDays(until - timedelta(days=DAYS))
    low = values[len(values) // 20]
    rules = replace(policies.current(catalog), auto_reject={SCORE: low})
    policies.save(catalog, "lead-1", rules, "What matches its text worst is not worth a look.", clock=clock)
    days = _shares(count)
    second: list[ReviewItem] = []
    for number, item in enumerate(items[:count]):
        if number in days:
            clock.now = until - timedelta(days=DAYS - days.index(number))
        rejected = item.scores[SCORE] < values[len(values) // 3]
        flagged = number % FLAG_EVERY == FLAG_EVERY - 1
        # Whoever settles conflicts later judges none of what gets a second opinion.
        name = TURNS[0] if flagged else TURNS[number % len(TURNS)]
        _decide(catalog, clock, name, item, number, rejected=rejected, flagged=flagged)
        if flagged and not rejected:
            second.append(item)
    for number, item in enumerate(second):
        _decide(catalog, clock, "reviewer-2", item, number, rejected=number % DISAGREE_EVERY == DISAGREE_EVERY - 1)
    _aftermath(catalog, clock, items[count : count + 3])
    export.export(catalog, actor="lead-1")


def go_on(catalog: Catalog, sku: str, *, until: datetime) -> None:
    """Decide as `work` does until the next picture is one of a product."""
    clock, number = WorkingDays(until), 0
    while (held := review.claim(catalog, "reviewer-1", clock=clock)) is not None:
        assert held.lease_token is not None
        review.release(catalog, held.id, held.lease_token)
        if queue.specification(catalog, held.id).sku == sku:
            return
        clock.now = until
        _decide(catalog, clock, "reviewer-1", held, number, rejected=number % 4 == 3)
        number += 1


def _shares(count: int) -> list[int]:
    """Return at which picture each day begins; some days are longer than others."""
    return [round(count * share) for share in (0, 0.12, 0.31, 0.47, 0.7, 0.82)]


def _decide(
    catalog: Catalog,
    clock: WorkingDays,
    name: str,
    item: ReviewItem,
    number: int,
    *,
    rejected: bool,
    flagged: bool = False,
) -> None:
    token = _shown(catalog, clock, name, item, 2 + number * 7 % 11 / 2)
    if flagged:
        flags.set_flag(catalog, name, item.id, token, True, clock=clock)
    verdict, reasons = ("reject", REASONS[number % len(REASONS)]) if rejected else ("approve", ())
    note = NOTES[number % len(NOTES)] if rejected else ""
    review.decide(catalog, item.id, token, verdict, reasons=reasons, note=note, clock=clock)


def _shown(catalog: Catalog, clock: WorkingDays, name: str, item: ReviewItem, seconds: float) -> str:
    """Have somebody hold and look at an item; return the claim's token."""
    held = review.claim(catalog, name, item_id=item.id, clock=clock)
    assert held is not None and held.lease_token is not None
    review.mark_shown(catalog, item.id, held.lease_token, clock=clock)
    clock.after(seconds)
    return held.lease_token


def _aftermath(catalog: Catalog, clock: WorkingDays, more: Sequence[ReviewItem]) -> None:
    asked, passed, undone = more
    token = _shown(catalog, clock, "reviewer-1", asked, 6)
    review.request_changes(catalog, asked.id, token, note="Seen from the front, please.", clock=clock)
    token = _shown(catalog, clock, "reviewer-2", passed, 3)
    review.skip(catalog, passed.id, token, note="Not sure about the colour.", clock=clock)
    first, *_ = review.conflicts(catalog)
    review.adjudicate(
        catalog, "lead-1", first.item.id, "approve", note="The form is close enough for a draft.", clock=clock
    )
    _decide(catalog, clock, "reviewer-2", undone, 0, rejected=False)
    review.undo_item(catalog, "reviewer-2", undone.id, clock=clock)
