"""What the gallery shows: one dictionary of plain values for the browser."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from catalog.policy import Policy
from catalog.records import ReviewItem
from ui import identity, image_route
from ui.decision_table import ruling_address
from ui.gallery import picks
from ui.i18n import Translator
from ui.labels import score

SIGNS = {"pending": "◌", "conflict": "⇄", "approved": "✓", "rejected": "✕", "changes": "✎", "not_chosen": "○"}
"""A sign beside each state, so that colour alone never tells."""
TEXTS = (
    "conflicts.rule_on",
    "grid.close",
    "grid.gone",
    "grid.keys",
    "grid.next",
    "grid.open",
    "grid.open_one",
    "grid.picked_here",
    "grid.place",
    "grid.previous",
    "grid.put_back",
    "grid.sample_line",
    "grid.sample_title",
    "grid.seen",
    "grid.take",
    "grid.tiles",
    "grid.view",
    "picture.missing",
)


def contents(
    t: Translator,
    items: Sequence[ReviewItem],
    sample: Sequence[ReviewItem],
    rules: Policy,
    *,
    pickable: bool,
    may_rule: bool,
) -> dict[str, Any]:
    """Return what the gallery shows.

    Args:
        t: Strings of the tab's language.
        items: The pictures of this page.
        sample: Picked ones that have to be opened.
        rules: Say what may be a copy and how long a picture must be looked at.
        pickable: Whether the person may decide many at a time.
        may_rule: Whether the person may overrule a verdict.
    """
    here = {item.id for item in (*items, *sample)}
    visitor, person = st.context.cookies.get(image_route.COOKIE), identity.signed_in_name()

    def tile(item: ReviewItem) -> dict[str, Any]:
        risk = rules.copy_risk(item.nearest_similarity)
        return {
            "id": item.id,
            "name": item.product_name,
            "prompt": item.prompt,
            "alt": t("picture.generated_alt", name=item.product_name),
            "state": t(f"grid.state_{item.state}"),
            "sign": SIGNS[item.state],
            "risk": t("grid.risk_copy") if risk else None,
            "flag": t("grid.flagged") if item.flagged and not risk else None,
            "scores": [f"{score(t, name)} {value:.3f}" for name, value in sorted(item.scores.items())],
            "address": ruling_address(item.id) if may_rule and item.state != "pending" else None,
            "thumbnail": image_route.address(item.image_sha256, visitor, "preview", person=person),
            "original": image_route.address(item.image_sha256, visitor, person=person),
        }

    picks.offer(here)
    return {
        "language": t.language,
        "texts": {key: t(key) for key in TEXTS},
        "items": [tile(item) for item in items],
        "sample": [tile(item) for item in sample],
        "picked": [item for item in picks.picked() if item in here],
        "seen": sorted(picks.seen() & here),
        "revision": picks.revision(),
        "min_view_ms": int(rules.min_view_s * 1000),
        "pickable": pickable,
    }
