"""Pieces of the audit screen: rows of the decision log, what checking it found, and links to files."""

from collections.abc import Mapping, Sequence
from html import escape

from catalog.audit import Check
from catalog.records import Decision
from ui import insights, tables
from ui.i18n import Translator
from ui.tables import Column

ORIGINS = ("review", "bulk", "compare", "adjudication", "script", "auto")
"""Where decisions come from."""
DIFFERENCES_SHOWN = 50


def rows(t: Translator, made: Sequence[Decision], *, may_rule: bool = False) -> str:
    """Return rows of the log as a table; each standing verdict has a link to rule on it for who may."""
    return tables.table(
        t("audit.table"),
        [
            Column(t("audit.number"), "number"),
            Column(t("audit.when"), "short"),
            Column(t("audit.person"), "short"),
            Column(t("audit.verdict"), "short"),
            Column(t("audit.product")),
            Column(t("audit.item"), "number"),
            Column(t("audit.why")),
            Column(t("audit.note")),
            Column(t("audit.origin"), "short"),
            Column(t("audit.superseded"), "short"),
        ],
        [
            (
                str(one.id),
                f"{one.decided_at:%Y-%m-%d %H:%M:%S}",
                one.reviewer,
                tables.verdict(t, one.verdict),
                one.product_name,
                _item(t, one, may_rule=may_rule),
                ", ".join(insights.reason(t, code) for code in one.reasons),
                one.note,
                t(f"audit.origin_{one.origin}") if one.origin in ORIGINS else one.origin,
                _standing(t, one),
            )
            for one in made
        ],
        t("audit.nothing"),
    )


def checked(t: Translator, found: Check, when: str) -> str:
    """Return what checking the log found, at a time (UTC) given as text."""
    if found.ok:
        return tables.result(True, t("audit.holds", count=f"{found.decisions:,}", when=when))
    lines = []
    if found.broken is not None:
        lines.append(t("audit.broken", number=found.broken))
    if found.differences:
        lines.append(t("audit.differences", count=f"{len(found.differences):,}"))
    lines += [
        t("audit.difference", item=one.item_id, stored=_state(t, one.stored), derived=_state(t, one.derived))
        for one in found.differences[:DIFFERENCES_SHOWN]
    ]
    return tables.result(False, t("audit.fails", count=f"{found.decisions:,}", when=when), lines)


def downloads(t: Translator, addresses: Mapping[str, str]) -> str:
    """Return links to files to take away: kind → address."""
    links = "".join(
        f'<a href="{escape(address)}">{escape(t("audit.download_as", kind=kind.upper()))}</a>'
        for kind, address in addresses.items()
    )
    return f'<p class="downloads">{links}</p>'


def _item(t: Translator, one: Decision, *, may_rule: bool) -> str:
    if not may_rule or one.superseded or one.verdict in ("void", "skip"):
        return str(one.item_id)
    return tables.Markup(f'{one.item_id} <a href="{ruling_address(one.item_id)}">{escape(t("conflicts.rule_on"))}</a>')


def ruling_address(item_id: int) -> str:
    """Return where a lead rules on an item, seen from another screen."""
    return f"conflicts?item={item_id}"


def _standing(t: Translator, one: Decision) -> str:
    if one.superseded:
        return t("audit.is_superseded")
    return "" if one.supersedes_id is None else t("audit.supersedes", number=one.supersedes_id)


def _state(t: Translator, state: str) -> str:
    return t(f"thresholds.state_{state}")
