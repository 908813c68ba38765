"""The candidates that one tab holds to compare them: all of one product, claimed together, given back together."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

import streamlit as st

from catalog import gallery, review
from catalog.records import ReviewItem
from ui import lines, workspace

SCREEN = "compare"
LEAST = 2
"""Fewer candidates are nothing to compare."""
TRIES = 20
"""Products that are tried in one run; colleagues may take what was free a moment ago."""
_HELD = "compare_held"
_PASSED = "compare_passed"
_WANTED = "compare_wanted"
_LAST = "compare_last"
_SHOWN = "compare_shown"


def current() -> tuple[ReviewItem, ...]:
    """Return what this tab holds, as it was when claimed."""
    found: tuple[ReviewItem, ...] = st.session_state.get(_HELD, ())
    return found


def ensure(name: str) -> tuple[ReviewItem, ...]:
    """Return the candidates to compare: those this tab holds, or else those of the next product; none when none is."""
    held = current()
    if held and not _live(held):
        give_back()
        lines.say(SCREEN, "message.lease_lost", "warning")
    elif len(held) >= LEAST:
        return held
    give_back()
    catalog = workspace.catalog()
    for _ in range(TRIES):
        product = _next(name)
        if product is None:
            return ()
        hold(review.claim_candidates(catalog, name, product))
        if len(current()) >= LEAST:
            return current()
        give_back()
        pass_over(product)
    return ()


def hold(items: Iterable[ReviewItem]) -> None:
    """Hold these and no others; what was shown of others does not count for them."""
    st.session_state[_HELD] = tuple(items)
    st.session_state[_SHOWN] = frozenset()
    tokens = _tokens()
    tokens.clear()
    tokens.update({item.id: item.lease_token for item in current() if item.lease_token is not None})


def give_back() -> None:
    """Release everything that is held."""
    for item in current():
        review.release(workspace.catalog(), item.id, item.lease_token or "")
    hold(())


def step_away() -> None:
    """Release everything, because the person looks at another screen, and compare the same product on coming back."""
    if current():
        product = current()[0].product_id
        give_back()
        want(product)


def leave_out(item_id: int) -> None:
    """Release one candidate whose picture cannot be shown, and compare the rest."""
    kept, shown = tuple(item for item in current() if item.id != item_id), shown_items()
    for item in current():
        if item.id == item_id:
            review.release(workspace.catalog(), item.id, item.lease_token or "")
    product = current()[0].product_id
    hold(kept)
    st.session_state[_SHOWN] = shown - {item_id}
    if len(kept) < LEAST:
        pass_over(product)


def note_shown(items: Iterable[int]) -> None:
    """Note that the browser shows these pictures; from now on a choice may count."""
    catalog, wanted = workspace.catalog(), set(items)
    marked = [
        replace(item, first_shown_at=review.mark_shown(catalog, item.id, item.lease_token or ""))
        if item.id in wanted
        else item
        for item in current()
    ]
    st.session_state[_HELD] = tuple(marked)
    st.session_state[_SHOWN] = shown_items() | {item.id for item in marked if item.id in wanted}


def shown_items() -> frozenset[int]:
    """Return the held items that the browser has shown."""
    found: frozenset[int] = st.session_state.get(_SHOWN, frozenset())
    return found


def renew() -> None:
    """Hold all of them for longer."""
    catalog = workspace.catalog()
    st.session_state[_HELD] = tuple(
        replace(item, lease_until=review.renew(catalog, item.id, item.lease_token or "")) for item in current()
    )


def forget() -> None:
    """Hold nothing any more, because a decision ended the claims."""
    hold(())


def want(product_id: int | None) -> None:
    """Compare this product next, whether it was passed over or not."""
    st.session_state[_WANTED] = product_id


def pass_over(product_id: int) -> None:
    """Leave a product out for as long as the tab is open."""
    st.session_state[_PASSED] = (*st.session_state.get(_PASSED, ()), product_id)


def offer_passed_again() -> None:
    """Offer products that were passed over once more."""
    st.session_state[_PASSED] = ()


def remember(decision_id: int, product_id: int) -> None:
    """Note the last choice, which can be undone."""
    st.session_state[_LAST] = (decision_id, product_id)


def take_last() -> tuple[int, int] | None:
    """Return (decision, product) of the last choice, once; None when there is none."""
    last: tuple[int, int] | None = st.session_state.pop(_LAST, None)
    return last


def _next(name: str) -> int | None:
    wanted: int | None = st.session_state.pop(_WANTED, None)
    if wanted is not None:
        return wanted
    return gallery.next_to_compare(workspace.catalog(), name, passed=st.session_state.get(_PASSED, ()))


def _live(held: tuple[ReviewItem, ...]) -> bool:
    now = {item.id: item for item in gallery.records(workspace.catalog(), [item.id for item in held])}
    moment = datetime.now(UTC)
    return all(
        item.id in now
        and now[item.id].lease_token == item.lease_token
        and (now[item.id].lease_until or moment) > moment
        for item in held
    )


def _release(tokens: dict[int, str]) -> None:
    for item_id, token in tokens.items():
        review.release(workspace.catalog(), item_id, token)


@st.cache_resource(scope="session", on_release=_release, show_spinner=False)
def _tokens() -> dict[int, str]:
    """Claims to give back when the tab is closed. Only a fast path: a lease that nobody renews ends by itself."""
    return {}
