"""Headings, tables, figures and results of the overview screens. What comes from the catalogue is escaped here, once.

A table is a real one, read cell by cell by a screen reader; Streamlit's own draws on a canvas.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from pathlib import Path

from ui.i18n import Translator

STYLE = f"<style>{Path(__file__).with_name('static').joinpath('overview.css').read_text(encoding='utf-8')}</style>"
SIGNS = {"approve": "✓", "reject": "✕", "skip": "→", "changes": "✎", "not_chosen": "○", "void": "↺"}
"""A sign beside each verdict, so that colour alone never tells."""


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


@dataclass(frozen=True)
class Column:
    """A column of a table."""

    title: str
    kind: str = "text"
    """`text`; `number`, set to the right; `short`, never broken."""


def heading(title: str, *lines: str) -> str:
    """Return the head of a screen: its title and what one has to know first."""
    said = "".join(f"<p>{escape(line)}</p>" for line in lines)
    return f'<div class="page"><h1>{escape(title)}</h1>{said}</div>'


def part(title: str, line: str = "") -> str:
    """Return the head of a part of a screen."""
    return f'<h2 class="part">{escape(title)}</h2>' + (aside(line) if line else "")


def aside(line: str) -> str:
    """Return a plain line of text."""
    return f'<p class="aside">{escape(line)}</p>'


def table(caption: str, columns: Sequence[Column], rows: Iterable[Sequence[str]], nothing: str) -> str:
    """Return a table in a region of its own, which scrolls with the arrow keys.

    Args:
        caption: What the table shows; also the name of the region.
        columns: One a cell.
        rows: Cells: text, or `Markup`.
        nothing: What stands there when there are no rows.
    """
    head = "".join(f'<th scope="col" class="{column.kind}">{escape(column.title)}</th>' for column in columns)
    body = "".join(
        f"<tr>{''.join(_cell(column, cell) for column, cell in zip(columns, row, strict=True))}</tr>" for row in rows
    )
    if not body:
        return f'<div class="scroll"><div class="nothing">{escape(nothing)}</div></div>'
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}"><table>'
        f"<caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def facts(values: Sequence[tuple[str, str, str]]) -> str:
    """Return figures: (name, value, a line below it or nothing)."""
    shown = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}<small>{escape(below)}</small></dd></div>"
        for name, value, below in values
    )
    return f'<dl class="facts">{shown}</dl>'


def result(good: bool, line: str, details: Sequence[str] = ()) -> str:
    """Return what a check found; screen readers speak it.

    Args:
        good: Whether all is as it should be; told by a sign and by colour.
        line: What was found.
        details: More lines.
    """
    more = f"<ul>{''.join(f'<li>{escape(detail)}</li>' for detail in details)}</ul>" if details else ""
    kind, sign = ("good", "✓") if good else ("bad", "✕")
    return f'<div class="result {kind}" role="status">{sign} {escape(line)}{more}</div>'


def refusal(t: Translator, key: str, detail: str) -> str:
    """Return a line about what was not done; `detail` is the service's own sentence."""
    lang = "" if t.can_say(detail) else ' lang="en"'
    return f'<div class="result bad" role="status">✕ {escape(t(key))} <span{lang}>{escape(t.said(detail))}</span></div>'


def verdict(t: Translator, code: str) -> Markup:
    """Return a verdict as a cell: a sign and a word."""
    return Markup(f"{SIGNS[code]}&nbsp;{escape(t(f'verdict.{code}'))}")


def moment(when: datetime) -> str:
    """Return a time (UTC) as text that sorts."""
    return f"{when:%Y-%m-%d %H:%M}"


def _cell(column: Column, cell: str) -> str:
    # Names and notes come in any direction of writing, and must not turn what stands beside them.
    inner = cell if isinstance(cell, Markup) else f"<bdi>{escape(cell)}</bdi>"
    return f'<td class="{column.kind}">{inner}</td>'
