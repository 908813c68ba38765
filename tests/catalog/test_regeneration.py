"""A refused picture is asked for once, with a fresh seed, and served once; an undone decision asks for nothing."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import update

from catalog import people, queue, regeneration, review, roles
from catalog.errors import ReviewRefused
from catalog.generation import enqueue
from catalog.records import Candidate
from catalog.schema import ReviewItemRow
from catalog.store import Catalog


@pytest.fixture
def catalog(queued: Callable[..., Path]) -> Iterator[Catalog]:
    with Catalog.open(queued(3)) as opened:
        yield opened


def refused(catalog: Catalog, item: int, verdict: str = "reject") -> int:
    """Refuse an item's picture and return the decision."""
    reasons = ("distorted",) if verdict == "reject" else ()
    return review.decide_item(catalog, "aki", item, verdict, reasons=reasons, note="bent").id


def candidate(image: Path, asked: regeneration.Regeneration) -> Candidate:
    return Candidate(
        image=image,
        product_id=asked.product_id,
        caption_id=asked.caption_id,
        prompt=asked.prompt,
        seed=asked.seed,
        scores={},
    )


@pytest.mark.parametrize("verdict", ["reject", "changes"])
def test_a_refused_picture_is_asked_for_once_with_a_fresh_seed(catalog: Catalog, verdict: str) -> None:
    decision = refused(catalog, 2, verdict)
    asked = regeneration.request(catalog, decision)
    assert regeneration.request(catalog, decision) == asked
    assert regeneration.pending(catalog) == [asked]
    item = queue.item(catalog, 2)
    assert (asked.item_id, asked.decision_id, asked.state, asked.generation_id) == (2, decision, "queued", None)
    assert (asked.product, asked.prompt, asked.run) == ("shop/MUG-1", item.prompt, item.run)
    other = regeneration.request(catalog, refused(catalog, 3))
    assert len({asked.seed, other.seed, 0, 1, 2}) == 5 and 0 <= asked.seed < 2**32
    assert regeneration.pending(catalog, limit=1) == [asked]


def test_a_corrected_text_replaces_the_one_before_until_it_is_served(catalog: Catalog, picture: Path) -> None:
    decision = refused(catalog, 1)
    regeneration.request(catalog, decision)
    asked = regeneration.request(catalog, decision, prompt=" a blue enamel mug with one handle ")
    assert regeneration.pending(catalog) == [asked] and asked.prompt == "a blue enamel mug with one handle"
    enqueue(catalog, "run-2", [candidate(picture, asked)], priority=regeneration.PRIORITY)
    regeneration.served(catalog, asked.id, "run-2")
    assert regeneration.request(catalog, decision).state == "served"
    with pytest.raises(ReviewRefused, match=r"is served and takes no new text; decide the new picture$"):
        regeneration.request(catalog, decision, prompt="a mug")


def test_the_new_picture_stands_first_in_the_queue_and_the_request_is_served(catalog: Catalog, picture: Path) -> None:
    asked = regeneration.request(catalog, refused(catalog, 1))
    with pytest.raises(ReviewRefused, match=r"run run-2 drew nothing for request 1; draw it: adapt generate"):
        regeneration.served(catalog, asked.id, "run-2")
    assert enqueue(catalog, "run-2", [candidate(picture, asked)], priority=regeneration.PRIORITY) == 1
    done = regeneration.served(catalog, asked.id, "run-2")
    first = queue.items(catalog, state="pending")[0]
    assert (done.state, done.generation_id, first.seed) == ("served", first.generation_id, asked.seed)
    assert regeneration.served(catalog, asked.id, "another") == done
    assert regeneration.pending(catalog) == []
    with pytest.raises(ReviewRefused, match="no request 9 for another picture"):
        regeneration.served(catalog, 9, "run-2")


def test_an_undone_decision_asks_for_nothing(catalog: Catalog) -> None:
    decision = refused(catalog, 1)
    regeneration.request(catalog, decision)
    review.undo_item(catalog, "aki", 1)
    assert regeneration.pending(catalog) == []
    assert (regeneration.drop_undone(catalog), regeneration.drop_undone(catalog)) == (1, 0)
    assert regeneration.request(catalog, decision).state == "dropped"
    again = refused(catalog, 1)
    assert regeneration.request(catalog, again).state == "queued"
    review.undo_item(catalog, "aki", 1)
    late = refused(catalog, 2)
    review.undo_item(catalog, "aki", 2)
    with pytest.raises(ReviewRefused, match=r"was undone or replaced, so it asks for nothing; decide again first$"):
        regeneration.request(catalog, late)


def test_only_who_may_decide_may_ask(catalog: Catalog) -> None:
    decision = refused(catalog, 1)
    review.decide_item(catalog, "ben", 2, "approve")
    people.set_role(catalog, "aki", "ben", "auditor")
    with pytest.raises(roles.NotAllowed, match="ben is auditor and may not decide"):
        regeneration.request(catalog, decision, actor="ben")
    assert regeneration.request(catalog, decision, actor="aki").state == "queued"


def test_what_cannot_be_asked_for_is_one_line(catalog: Catalog) -> None:
    approved = review.decide_item(catalog, "aki", 1, "approve").id
    with pytest.raises(ReviewRefused, match=r"is 'approve'; another picture is asked for by reject or changes$"):
        regeneration.request(catalog, approved)
    for unknown in (99, -1, 2**70):
        with pytest.raises(ReviewRefused, match=rf"no decision {unknown} in the log"):
            regeneration.request(catalog, unknown)
    decision = refused(catalog, 2)
    for prompt in ("", "  ", "a\nmug", "x" * 2001):
        with pytest.raises(ReviewRefused, match="allowed are 1 to 2000 printable characters on one line"):
            regeneration.request(catalog, decision, prompt=prompt)
    assert regeneration.pending(catalog) == []


def test_whoever_asks_for_changes_asks_for_another_picture(catalog: Catalog) -> None:
    decision = review.decide_item(catalog, "aki", 2, "changes", note="thinner").id
    (asked,) = regeneration.pending(catalog)
    assert (asked.item_id, asked.decision_id, asked.state) == (2, decision, "queued")
    assert regeneration.request(catalog, decision) == asked
    review.undo_item(catalog, "aki", 2)
    assert regeneration.pending(catalog) == []
    again = review.decide_item(catalog, "aki", 2, "changes", note="thinner").id
    assert [wish.decision_id for wish in regeneration.pending(catalog)] == [again]


def test_changes_of_many_items_ask_for_a_picture_each_with_its_own_seed(catalog: Catalog) -> None:
    people.sign_in(catalog, "aki")
    made = review.bulk(catalog, "aki", [1, 2, 3], "changes", seen=[1, 2, 3], typed_count=3, note="thinner")
    wishes = regeneration.pending(catalog)
    assert [wish.decision_id for wish in wishes] == [one.id for one in made]
    assert len({wish.seed for wish in wishes} | {0, 1, 2}) == 6


def test_a_ruling_of_changes_asks_once_for_an_item_and_undoing_one_wish_keeps_the_other(catalog: Catalog) -> None:
    people.sign_in(catalog, "lea")
    with catalog.write() as session:
        session.execute(update(ReviewItemRow).values(quorum=2))
    review.decide_item(catalog, "ben", 1, "approve")
    wish = review.decide_item(catalog, "aki", 1, "changes", note="thinner").id
    ruling = review.adjudicate(catalog, "lea", 1, "changes", note="aki is right").id
    assert [one.decision_id for one in regeneration.pending(catalog)] == [wish]
    review.undo(catalog, "aki", decision_id=wish)
    assert [one.decision_id for one in regeneration.pending(catalog)] == [ruling]


def test_a_ruling_of_changes_on_a_rejection_asks_for_another_picture(catalog: Catalog) -> None:
    people.sign_in(catalog, "lea")
    review.decide_item(catalog, "aki", 1, "reject", reasons=("distorted",))
    ruling = review.adjudicate(catalog, "lea", 1, "changes", note="draw it again").id
    assert [one.decision_id for one in regeneration.pending(catalog)] == [ruling]
