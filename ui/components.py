"""Pieces that several screens share. Everything that comes from the catalogue is escaped here, once."""

from html import escape
from pathlib import Path

STYLE = f"<style>{Path(__file__).with_name('static').joinpath('frame.css').read_text(encoding='utf-8')}</style>"


def unseen_title(title: str) -> str:
    """Return a screen's heading for those who listen; for screens whose pictures need the height."""
    return f'<h1 class="unseen">{escape(title)}</h1>'


def note(text: str, kind: str = "info") -> str:
    """Return a one-line message; screen readers speak it."""
    return f'<div class="note {escape(kind)}" role="status">{escape(text)}</div>'
