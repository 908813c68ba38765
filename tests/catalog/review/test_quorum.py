"""Several people on one item: how many must agree, what they may know of each other, and who counts twice."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from catalog import policies, queue, review
from catalog.errors import ReviewRefused
from catalog.policy import Policy
from catalog.store import Catalog


def needs_two(desk: Any) -> None:
    policies.save(desk.catalog, "lea", Policy(quorum=2), "two see more", clock=desk.clock)


def test_quorum_of_two_needs_two_people(either_desk: Any) -> None:
    desk = either_desk
    needs_two(desk)
    assert desk.say("aki", "approve", 1).policy_version == 1
    assert desk.state(1) == "pending"
    with pytest.raises(ReviewRefused, match="item 1 is decided by you already and cannot be claimed"):
        desk.claim("aki", 1)
    assert desk.claim("aki")[0] == 2
    desk.say("ben", "approve", 1)
    assert desk.state(1) == "approved"
    assert review.replay(desk.catalog).differences == ()


def test_a_rejection_beside_an_approval_is_a_conflict(desk: Any) -> None:
    needs_two(desk)
    desk.say("aki", "approve", 1)
    desk.say("ben", "reject", 1)
    assert desk.state(1) == "conflict"
    with pytest.raises(ReviewRefused, match="item 1 is conflict"):
        desk.claim("chen", 1)


def test_an_item_of_its_own_quorum_needs_more_than_the_policy_asks(desk: Any) -> None:
    with desk.catalog.write() as session:
        session.execute(text("UPDATE review_item SET quorum = 3 WHERE id = 1"))
    for name, state in (("aki", "pending"), ("ben", "pending"), ("chen", "approved")):
        desk.say(name, "approve", 1)
        assert desk.state(1) == state


def test_a_possible_copy_needs_a_second_person(copies: Any) -> None:
    copies.say("aki", "approve", 1)
    assert copies.state(1) == "pending"
    copies.say("ben", "approve", 1)
    assert copies.state(1) == "approved"
    copies.say("aki", "reject", 2)
    assert copies.state(2) == "rejected"


def test_a_stricter_policy_makes_a_copy_of_what_was_queued_before(desk: Any) -> None:
    policies.save(desk.catalog, "lea", Policy(copy_similarity=0.6), "stricter", clock=desk.clock)
    desk.say("aki", "approve", 1)
    assert desk.state(1) == "pending"
    assert review.replay(desk.catalog).differences == ()


def test_undo_and_again_counts_one_person_once(desk: Any) -> None:
    needs_two(desk)
    desk.say("aki", "approve", 1)
    undone = review.undo(desk.catalog, "aki", clock=desk.clock)
    assert undone.claimed is not None
    review.release(desk.catalog, 1, undone.claimed.lease_token or "")
    desk.say("aki", "approve", 1)
    assert desk.state(1) == "pending"


def test_second_opinions_are_drawn_by_the_policy(queued: Callable[..., Path], picture: Path) -> None:
    from catalog.generation import enqueue
    from catalog.records import Candidate

    rules = Policy(second_opinion_share=0.3)
    drawn = [Candidate(image=picture, product_id=1, caption_id=None, prompt="p", seed=n, scores={}) for n in range(60)]
    with Catalog.open(queued(1)) as catalog:
        enqueue(catalog, "more", drawn, policy=rules)
        items = queue.items(catalog, run="more", limit=100)
    wanted = {item.generation_id for item in items if rules.second_opinion(item.generation_id)}
    assert {item.generation_id for item in items if item.quorum == 2} == wanted
    assert 8 <= len(wanted) <= 28


def test_colleagues_are_hidden_until_one_has_decided(either_desk: Any) -> None:
    desk = either_desk
    needs_two(desk)
    desk.say("aki", "approve", 1)

    def seen_by(name: str, item_id: int = 1) -> list[str]:
        rows = queue.decisions(desk.catalog, item_id=item_id, as_seen_by=name)
        return [row.reviewer for row in rows]

    assert seen_by("aki") == ["aki"]
    for name in ("ben", "lea", "olga", "ada", "nobody"):
        assert seen_by(name) == [], name
    desk.say("ben", "skip", 1)
    assert seen_by("ben") == ["ben"], "a skip is no opinion"
    desk.say("ben", "approve", 1)
    assert seen_by("ben") == ["ben", "ben", "aki"]
    assert seen_by("chen") == []
    assert seen_by("lea") == seen_by("olga") == seen_by("ada") == ["ben", "ben", "aki"]


def test_a_lead_sees_no_conflict_that_waits_for_a_ruling(desk: Any) -> None:
    needs_two(desk)
    desk.say("aki", "approve", 1)
    desk.say("ben", "reject", 1)
    assert queue.decisions(desk.catalog, item_id=1, as_seen_by="lea") == []
    review.adjudicate(desk.catalog, "lea", 1, "approve", note="fine", clock=desk.clock)
    assert len(queue.decisions(desk.catalog, item_id=1, as_seen_by="lea")) == 3


def test_who_undid_after_seeing_a_colleague_is_not_blind_any_more(desk: Any) -> None:
    needs_two(desk)
    desk.say("aki", "approve", 1)
    desk.say("ben", "reject", 1)
    review.undo_item(desk.catalog, "ben", 1, clock=desk.clock)
    desk.say("ben", "approve", 1)
    said = [made for made in queue.decisions(desk.catalog) if made.verdict != "void"]
    assert [made.blind for made in said[::-1]] == [True, True, False]
