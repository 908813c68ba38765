"""What the desk shows: one dictionary of plain values for the browser, read from the catalogue once an item."""

from datetime import UTC, datetime
from typing import Any

import streamlit as st

from catalog import people, policies, queue, redrawn
from catalog.percentiles import percentiles
from catalog.policy import REJECT_REASONS, Policy
from catalog.records import Decision, ReviewItem
from catalog.siblings import siblings
from ui import image_route, keys, real_photos, state, workspace
from ui.i18n import Translator
from ui.labels import score
from ui.review import checklist, texts

STRIP = 20
"""Decisions in the list of the last ones."""
SIGNS = {"approve": "✓", "reject": "✕", "skip": "»", "changes": "✎", "void": "↺", "not_chosen": "○"}
"""A sign beside each verdict, so that colour alone never tells."""


def contents(t: Translator, name: str, item: ReviewItem | None) -> dict[str, Any]:
    """Return what the desk shows for the held item, or that there is none.

    Args:
        t: Strings of the tab's language.
        name: The reviewer.
        item: The held item.
    """
    token = None if item is None else item.lease_token
    key = (token, t.language, name, state.past())
    data = state.drawn(key)
    if data is None:
        data = _read(t, name, item)
        state.keep_drawn(key, data)
    loaded = None if item is None else state.picture_loaded(item)
    line = state.notice()
    return data | {
        "reviewer": name,
        "held": None if item is None else item.id,
        "left": state.left(),
        "seen_ms": _seen_ms(item) if loaded is not None else None,
        "lost": loaded is False,
        "lease_ms": _lease_ms(item),
        "notice": None if line is None else {"text": t(line.key, **line.values), "kind": line.kind},
    }


def _read(t: Translator, name: str, item: ReviewItem | None) -> dict[str, Any]:
    catalog = workspace.catalog()
    counts, rules, person = queue.progress(catalog, name), policies.current(catalog), people.person(catalog, name)
    # Twice as many rows: those that only say that something was undone are not shown.
    rows = queue.decisions(catalog, reviewer=name, limit=2 * STRIP)
    made = [decision for decision in rows if decision.verdict != "void"][:STRIP]
    past = next((decision for decision in made if decision.id == state.past()), None)
    shown = item if past is None else queue.item(catalog, past.item_id)
    return {
        "language": t.language,
        "texts": texts.strings(t),
        "keys": keys.keys_of(None if person is None else person.settings.get(keys.SETTING)),
        "fixed_keys": dict(keys.FIXED_KEYS),
        "reasons": [{"code": code, "label": t(f"reason.{code}")} for code in REJECT_REASONS],
        "skip_needs_reason": rules.skip_needs_reason,
        "min_view_ms": int(rules.min_view_s * 1000),
        "progress": {
            "total": counts.total,
            "pending": counts.pending,
            "approved": counts.approved,
            "rejected": counts.rejected,
            "mine": counts.decided_by_me,
            "skipped": counts.skipped_by_me,
        },
        "history": [_decision(t, decision) for decision in made],
        "past": None if past is None else _decision(t, past),
        "item": None if shown is None else _item(t, shown, rules),
    }


def _item(t: Translator, item: ReviewItem, rules: Policy) -> dict[str, Any]:
    catalog = workspace.catalog()
    there = image_route.intact(catalog, item.image_sha256)
    spec = queue.specification(catalog, item.id)
    under = [spec.category, f"{t('spec.sku')} {spec.sku}"]
    if spec.variant:
        under.append(f"{t('spec.variant')} {spec.variant}")
    risk = rules.copy_risk(item.nearest_similarity)
    return {
        "id": item.id,
        "name": spec.name,
        "under": " · ".join(part for part in under if part),
        "prompt": item.prompt,
        "description": spec.description,
        "origin": f"{t('spec.run')} {item.run} · {t('spec.seed')} {item.seed}",
        "address": _address(item.image_sha256) if there else None,
        "alt": t("picture.generated_alt", name=spec.name),
        "flagged": item.flagged,
        "flag": t("picture.flagged") if item.flagged and not risk else None,
        "risk": t("picture.copy_risk", limit=f"{rules.copy_similarity:.2f}") if risk else None,
        "again": _again(t, item),
        "photos": [_photo(photo) for photo in real_photos.shown(t, item, rules)],
        "siblings": _siblings(item),
        "attributes": checklist.rows(spec.attributes),
        "scores": _scores(t, item),
    }


def _again(t: Translator, item: ReviewItem) -> str | None:
    """Say what a redrawn picture was asked for; None for another one."""
    wish = redrawn.wish_behind(workspace.catalog(), item)
    if wish is None:
        return None
    why = [", ".join(t(f"reason.{code}") for code in wish.reasons if code in REJECT_REASONS)]
    if wish.note:
        why.append(t("picture.again_note", note=wish.note))
    return t("picture.again", why=" — ".join(part for part in why if part))


def _photo(photo: real_photos.ShownPhoto) -> dict[str, str]:
    return {
        "address": _address(photo.image_sha256),
        "thumbnail": _address(photo.image_sha256, "thumbnail"),
        "label": photo.label,
        "side": photo.side,
        "alt": photo.alt,
    }


def _siblings(item: ReviewItem) -> list[dict[str, Any]]:
    found = siblings(workspace.catalog(), item)
    if len(found) < 2:
        return []
    return [
        {
            "thumbnail": _address(sibling.image_sha256, "thumbnail"),
            "address": _address(sibling.image_sha256),
            "prompt": sibling.prompt,
            "outlier": sibling.outlier,
            "current": sibling.current,
        }
        for sibling in found
    ]


def _scores(t: Translator, item: ReviewItem) -> list[dict[str, Any]]:
    if not item.scores:
        return []
    standing = percentiles(workspace.catalog(), item)
    return [
        {
            "name": score(t, name),
            "value": f"{value:.3f}",
            "percentile": round(standing[name]) if name in standing else None,
        }
        for name, value in sorted(item.scores.items())
    ]


def _decision(t: Translator, made: Decision) -> dict[str, Any]:
    verdict = "void" if made.superseded else made.verdict
    return {
        "id": made.id,
        "item": made.item_id,
        "name": made.product_name,
        "thumbnail": _address(made.image_sha256, "thumbnail"),
        "verdict": verdict,
        "sign": SIGNS[verdict],
        "word": t(f"verdict.{verdict}"),
        "why": ", ".join(t(f"reason.{code}") for code in made.reasons if code in REJECT_REASONS),
        "note": made.note,
        "when": made.decided_at.isoformat(),
        "superseded": made.superseded,
    }


def _lease_ms(item: ReviewItem | None) -> int | None:
    if item is None or item.lease_until is None:
        return None
    return max(0, int((item.lease_until - datetime.now(UTC)).total_seconds() * 1000))


def _seen_ms(item: ReviewItem | None) -> int | None:
    """Return for how long the picture has been on screen by the server's clock, which is the one that counts."""
    if item is None or item.first_shown_at is None:
        return None
    return max(0, int((datetime.now(UTC) - item.first_shown_at).total_seconds() * 1000))


def _address(sha256: str, size: str = "original") -> str:
    return image_route.address(sha256, st.context.cookies.get(image_route.COOKIE), size)
