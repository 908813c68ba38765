"""The link of the audit screen in a real browser: it saves a file, and its address is worth nothing to others."""

import csv
import json
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from browser import BROWSER_TEST, PATIENCE_MS, serving

from catalog import people, review
from catalog.store import Catalog

pytestmark = BROWSER_TEST


def test_log_is_saved_by_the_link_and_by_nobody_else(
    queued: Callable[..., Path], chromium: Any, tmp_path: Path
) -> None:
    workspace = queued(3)
    with Catalog.open(workspace) as catalog:
        people.sign_in(catalog, "olga", role="admin")
        review.decide_item(catalog, "olga", 1, "reject", reasons=("blurred",), note="=1+1")
    with serving(workspace) as address:
        page = chromium.new_context().new_page()
        page.goto(f"{address}/audit?reviewer=olga&lang=en")
        for kind in ("CSV", "JSONL"):
            link = page.get_by_role("link", name=f"Download as {kind}")
            link.wait_for(timeout=PATIENCE_MS)
            with page.expect_download(timeout=PATIENCE_MS) as started:
                link.click()
            started.value.save_as(tmp_path / started.value.suggested_filename)
        assert link.is_visible(), "the screen stays"
        (row,) = csv.DictReader((tmp_path / "decisions.csv").open(encoding="utf-8-sig"))
        assert row["note"] == "'=1+1"
        assert json.loads((tmp_path / "decisions.jsonl").read_text())["note"] == "=1+1"
        copied = link.evaluate("link => link.href")
        try:
            urllib.request.urlopen(copied)  # another browser: no cookie
        except urllib.error.HTTPError as error:
            assert error.code == 403
        else:
            raise AssertionError("a copied address was answered")
