"""The mark that says whether anything was added."""

from collections.abc import Callable
from pathlib import Path

from catalog import people, policies, review
from catalog.freshness import mark
from catalog.policy import Policy
from catalog.store import Catalog


def test_mark_changes_with_what_is_decided_and_ruled_and_with_nothing_else(queued: Callable[..., Path]) -> None:
    with Catalog.open(queued(2)) as catalog:
        people.sign_in(catalog, "aki")
        marks = [mark(catalog)]
        review.claim(catalog, "aki", item_id=2)
        assert mark(catalog) == marks[0]
        review.decide_item(catalog, "aki", 1, "approve")
        marks.append(mark(catalog))
        policies.save(catalog, "aki", Policy(quorum=2), "")
        marks.append(mark(catalog))
    assert len(set(marks)) == 3


def test_mark_of_an_empty_catalogue_is_zero(workspace: Path) -> None:
    with Catalog.open(workspace) as catalog:
        found = mark(catalog)
    assert (found.decision, found.item, found.policy) == (0, 0, 0)
