"""Tables of the settings screen as HTML. Everything that comes from the catalogue is escaped here, once."""

from collections.abc import Mapping, Sequence
from html import escape

from catalog.people import Person
from catalog.policies import PolicyVersion
from catalog.policy import Policy
from ui import tables
from ui.i18n import Translator

PEOPLE = 200
"""People in the table; the choice below it has everybody."""
VERSIONS = 20
STYLE = """
<style>
.settings table {border-collapse: collapse; width: 100%; font-size: .94rem}
.settings th, .settings td {text-align: left; padding: .35rem .8rem .35rem 0; vertical-align: top;
  overflow-wrap: anywhere;
  border-bottom: 1px solid color-mix(in srgb, currentColor 22%, transparent); line-height: 1.45}
.settings th {font-weight: 600}
.settings caption {text-align: left; font-weight: 600; padding: .2rem 0 .4rem}
.settings kbd {font: inherit; font-weight: 650; color: inherit; background: none; border: 1px solid currentColor;
  border-radius: .3rem;
  padding: 0 .4rem; box-shadow: none}
.settings .scroll {max-height: 26rem; overflow: auto}
.settings th:last-child, .settings td:last-child {padding-right: 0}
.settings h2 {font-size: 1.15rem; font-weight: 650; margin: 0; padding: 0}
.settings p {margin: .2rem 0; font-size: .95rem; line-height: 1.5}
</style>
"""


def heading(text: str, *lines: str) -> str:
    """Return the head of a section with lines under it."""
    said = "".join(f"<p>{escape(line)}</p>" for line in lines)
    return f'<div class="settings"><h2>{escape(text)}</h2>{said}</div>'


def keys(t: Translator, held: Mapping[str, str]) -> str:
    """Return which key does what."""
    rows = [(escape(t(f"action.{action}")), f"<kbd>{escape(key.upper())}</kbd>") for action, key in held.items()]
    return _table(t("settings.keys_table"), (t("settings.action"), t("settings.key")), rows)


def people(t: Translator, everyone: Sequence[Person]) -> str:
    """Return who is known here with their role, and whether they may act."""
    rows = [
        (
            f"<bdi>{escape(person.name)}</bdi>",
            escape(t(f"roles.{person.role}")),
            escape(t(f"settings.source_{person.source}")),
            f"✓ {escape(t('settings.active'))}" if person.active else f"✕ {escape(t('settings.stopped'))}",
        )
        for person in everyone[:PEOPLE]
    ]
    heads = (t("settings.name"), t("settings.role"), t("settings.source"), t("settings.state"))
    return _table(t("settings.people_table", count=len(everyone)), heads, rows)


def rules(t: Translator, policy: Policy) -> str:
    """Return the rules in force."""
    rows = [
        (t("settings.quorum"), str(policy.quorum)),
        (t("settings.lease"), t("settings.seconds", value=f"{policy.lease_s:g}")),
        (t("settings.min_view"), t("settings.seconds", value=f"{policy.min_view_s:g}")),
        (t("settings.second_opinions"), f"{100 * policy.second_opinion_share:g} %"),
        (t("settings.skip_reason"), t("settings.yes" if policy.skip_needs_reason else "settings.no")),
        (t("settings.copy_limit"), f"{policy.copy_similarity:.2f}"),
    ]
    escaped = [(escape(name), escape(value)) for name, value in rows]
    return _table(t("settings.rules_table", version=policy.version), (t("settings.rule"), t("settings.value")), escaped)


def versions(t: Translator, saved: Sequence[PolicyVersion]) -> str:
    """Return the last versions of the rules with who saved them and why; "" before the first."""
    rows = [
        (
            str(version.policy.version),
            f"<bdi>{escape(version.author)}</bdi>",
            tables.moment(version.created_at),
            f'<span dir="auto">{escape(version.note)}</span>',
        )
        for version in saved[:VERSIONS]
    ]
    heads = (t("settings.version"), t("settings.author"), t("settings.when"), t("settings.note_head"))
    return _table(t("settings.versions_table"), heads, rows) if rows else ""


def _table(caption: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table of cells that are escaped already; a scrolling region must be reachable by keyboard."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in heads)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return (
        f'<div class="settings"><div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}"><table>'
        f"<caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div></div>"
    )
