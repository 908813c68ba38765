"""Opening an overview screen under AppTest, and reading what it drew."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from catalog import people
from catalog.store import Catalog

UI = Path(__file__).resolve().parents[1] / "ui"
ROLES = {"ada": "admin", "lea": "lead", "olga": "auditor", "aki": "reviewer"}


def open_page(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, screen: str, name: str = "ada", **query: str
) -> AppTest:
    """Open a screen of a workspace as somebody of `ROLES`."""
    monkeypatch.setenv("ADAPT_WORKSPACE", str(workspace))
    with Catalog.open(workspace) as catalog:
        for person, role in ROLES.items():
            people.sign_in(catalog, person, role=role)
    app = AppTest.from_file(UI / "main.py", default_timeout=120)
    app.query_params.update({"reviewer": name, "lang": "en", **query})
    app.switch_page(f"app_pages/{screen}.py")
    app.run()
    assert not app.exception
    return app


def html_of(app: AppTest) -> str:
    """Return all HTML that the screen drew, without its style sheets."""
    return "\n".join(
        body for element in app.get("html") if not (body := str(element.proto.body)).lstrip().startswith("<style")
    )


def words_of(app: AppTest) -> str:
    """Return the text of that HTML, in one line."""
    return " ".join(re.sub(r"<[^>]*>", " ", html_of(app)).split())


def keys_of(app: AppTest) -> set[str]:
    """Return the keys of all buttons."""
    return {button.key or "" for button in app.button}


def rows_of(app: AppTest, caption: str) -> list[list[str]]:
    """Return the cells of the table whose caption begins so, without its head."""
    for table in re.findall(r"<table>.*?</table>", html_of(app), re.S):
        if re.search(rf"<caption>{re.escape(caption)}", table):
            body = table.partition("<tbody>")[2]
            return [
                [re.sub(r"<[^>]*>", "", cell).replace("&nbsp;", " ") for cell in re.findall(r"<td.*?</td>", row)]
                for row in re.findall(r"<tr>.*?</tr>", body, re.S)
            ]
    raise AssertionError(f"no table {caption!r}")


def named(element: object) -> bool:
    """Say whether a widget has an accessible name."""
    return bool(getattr(element, "label", "").strip())


HOSTILE = '<img src=x onerror=alert(1)>‮=HYPERLINK("x") :red[**x**] $x$'
"""A text that is HTML, a formula, Markdown and turns the direction of writing."""


def drew_hostile_as_text(app: AppTest) -> bool:
    """Say whether `HOSTILE` is on screen, and only as text."""
    body = html_of(app)
    return "&lt;img src=x onerror=alert(1)&gt;" in body and "<img src=x" not in body


def facts_of(app: AppTest) -> Mapping[str, str]:
    """Return the figures of the screen: name → value with what stands below it."""
    found = re.findall(r"<dt>(.*?)</dt><dd>(.*?)<small>(.*?)</small></dd>", html_of(app))
    return {name: f"{value} {below}".strip() for name, value, below in found}
