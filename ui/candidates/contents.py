"""What the compare screen shows: one dictionary of plain values for the browser."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from catalog.policy import Policy
from catalog.records import ReviewItem
from ui import image_route, lines, real_photos
from ui.candidates import held
from ui.i18n import Translator
from ui.labels import score

TEXTS = (
    "compare.again",
    "compare.ask",
    "compare.candidate",
    "compare.choose",
    "compare.empty",
    "compare.empty_detail",
    "compare.fit",
    "compare.hold",
    "compare.no_answer",
    "compare.original_of",
    "compare.pass",
    "compare.stage",
    "compare.undo",
    "compare.zoom_in",
    "compare.zoom_out",
    "message.too_fast",
    "picture.original",
)


def contents(t: Translator, items: Sequence[ReviewItem], rules: Policy) -> dict[str, Any]:
    """Return what the screen shows for the held candidates, or that there are none."""
    line = lines.read(t, held.SCREEN)
    return {
        "language": t.language,
        "texts": {key: t(key) for key in TEXTS},
        "product": _product(t, items[0]) if items else None,
        "items": [_candidate(t, item, rules) for item in items],
        "photo": _photo(t, items, rules) if items else None,
        "min_view_ms": int(rules.min_view_s * 1000),
        "seen_ms": _seen_ms(items),
        "lease_ms": _lease_ms(items),
        "notice": None if line is None else {"text": line[0], "kind": line[1]},
    }


def _product(t: Translator, item: ReviewItem) -> dict[str, str]:
    return {"name": item.product_name, "under": f"{t('spec.sku')} {item.product.partition('/')[2]}"}


def _candidate(t: Translator, item: ReviewItem, rules: Policy) -> dict[str, Any]:
    risk = rules.copy_risk(item.nearest_similarity)
    return {
        "id": item.id,
        "prompt": item.prompt,
        "alt": t("picture.generated_alt", name=item.product_name),
        "address": image_route.address(item.image_sha256, st.context.cookies.get(image_route.COOKIE)),
        "risk": t("picture.copy_risk", limit=f"{rules.copy_similarity:.2f}") if risk else None,
        "flag": t("picture.flagged") if item.flagged and not risk else None,
        "scores": " · ".join(f"{score(t, name)} {value:.3f}" for name, value in sorted(item.scores.items())),
    }


def _photo(t: Translator, items: Sequence[ReviewItem], rules: Policy) -> dict[str, str] | None:
    """Return one real photo for all candidates: what a possible copy among them is near to, else the product's own."""
    item = next((each for each in items if rules.copy_risk(each.nearest_similarity)), items[0])
    photo = next(real_photos.shown(t, item, rules), None)
    if photo is None:
        return None
    return {
        "address": image_route.address(photo.image_sha256, st.context.cookies.get(image_route.COOKIE)),
        "label": photo.label,
        "side": photo.side,
        "alt": photo.alt,
    }


def _seen_ms(items: Sequence[ReviewItem]) -> int | None:
    """Return for how long all of them have been on screen; None while one is not."""
    shown = [item.first_shown_at for item in items if item.id in held.shown_items()]
    moments = [moment for moment in shown if moment is not None]
    if not items or len(moments) < len(items):
        return None
    return max(0, int((datetime.now(UTC) - max(moments)).total_seconds() * 1000))


def _lease_ms(items: Sequence[ReviewItem]) -> int | None:
    ends = [item.lease_until for item in items if item.lease_until is not None]
    return max(0, int((min(ends) - datetime.now(UTC)).total_seconds() * 1000)) if ends else None
