"""The lines of `review_speed.py`: each measures one thing on a server of its own."""

from __future__ import annotations

import shutil
import statistics
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import review_pages as pages
from bench import Line
from review_server import Server, serving
from review_workspace import LEAD, NEW

WARM_UP = 3
"""Key presses that are not counted: the first ones compile statements."""
GRID = 60
GRID_DRAWN = f"probe.drawn('.gal-pick img', {GRID})"
SESSIONS = 10
DECISIONS = 5
NEXT_S = {10_000: 0.4, 100_000: 0.6}
"""Candidates in the queue → seconds within which the next picture is wanted, 95th percentile."""
SCREENS = {
    "home": "document.querySelector('.batch')",
    "compare": "probe.drawn('.cand-pane img', 2)",
    "conflicts": "probe.drawn('.dispute .surround img', 2)",
    "thresholds": "probe.drawn('.thumbs img', 12)",
    "insights": "document.querySelectorAll('.scroll').length > 3",
    "export": "document.querySelector('.st-key-count-export')",
    "audit": "document.querySelector('.scroll table')",
    "settings": "document.querySelector('.st-key-key_action')",
}
"""Screen → what it shows when it is whole, pictures included."""
WORK = {
    "export: count what would leave": ("export", "count-export", "document.querySelectorAll('.facts').length > 0"),
    "audit: check the whole log": ("audit", "check-log", "document.querySelector('.result')"),
}
"""What a button does that takes its time, and says so → screen, button, what shows the result."""


@dataclass(kw_only=True)
class Bench:
    """What is measured on, and the figures so far."""

    playwright: Any
    workspace: Path
    """Never changed: servers run on copies of its database."""
    candidates: int
    presses: int
    figures: dict[str, Any] = field(default_factory=dict)

    @contextmanager
    def server(self) -> Iterator[Server]:
        """Start a server on a fresh copy, without any thumbnail."""
        with tempfile.TemporaryDirectory(prefix="review_speed_") as folder:
            copy = Path(folder)
            shutil.copy(self.workspace / "catalog.db", copy / "catalog.db")
            (copy / "blobs").symlink_to(self.workspace / "blobs")
            with serving(copy) as server:
                yield server

    def line(self, measured: str, values: Sequence[float], wanted_s: float | None = None, of: str = "worst") -> Line:
        """Keep times in ms under their name, and return their line; `of` is what is wanted: `p95` or `worst`."""
        ordered = sorted(values)
        p95 = ordered[min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))]
        self.figures[measured] = {"n": len(ordered), "p50_ms": statistics.median(ordered), "p95_ms": p95} | {
            "max_ms": ordered[-1],
            "all_ms": [round(value, 1) for value in values],
        }
        asked = p95 if of == "p95" else ordered[-1]
        said = f"{statistics.median(ordered) / 1000:.2f} s"
        if len(ordered) > 1:
            said += f"; p95 {p95 / 1000:.2f} s, worst {ordered[-1] / 1000:.2f} s; n = {len(ordered)}"
        return Line(
            measured=f"{measured}, {self.candidates:,} candidates",
            ours=said,
            result=f"{asked / 1000:.2f} s",
            wanted="" if wanted_s is None else f"<= {wanted_s:g} s",
            met=None if wanted_s is None else asked <= 1000 * wanted_s,
        )


def keys(bench: Bench) -> Iterator[Line]:
    """From the key that decides until the next picture is painted, as fast as the rules let one decide."""
    wanted, rest = NEXT_S.get(bench.candidates), max(5, bench.presses // 3)
    with bench.server() as server, pages.browser(bench.playwright) as chromium:
        page = pages.tab(chromium)
        pages.candidate_ms(page, server.url, NEW[0])
        for _ in range(WARM_UP):
            pages.key_ms(page, "a")
        before = server.cpu_s()
        approvals = [pages.key_ms(page, "a") for _ in range(bench.presses)]
        spent = (server.cpu_s() - before) / bench.presses
        yield bench.line("next picture after `A` (approve)", approvals, wanted, "p95")
        for what, pressed in (("`X` `1` (reject)", ("x", "1")), ("`S` (skip)", ("s",)), ("`U` (undo)", ("u",))):
            times = [pages.key_ms(page, *pressed) for _ in range(rest)]
            yield bench.line(f"next picture after {what}", times, wanted, "p95")
    bench.figures["server CPU of an approval, s"] = spent
    yield Line(
        measured=f"the server's CPU time of an approval, {bench.candidates:,} candidates",
        ours=f"{1000 * spent:.0f} ms",
        result=f"{1000 * spent:.0f} ms",
    )


def first(bench: Bench) -> Iterator[Line]:
    """The first picture: of a server that just started in an empty browser, in a new tab, and after a reload."""
    with bench.server() as server, pages.browser(bench.playwright) as chromium:
        page = pages.tab(chromium)
        yield bench.line("first page, server and browser cold", [pages.candidate_ms(page, server.url, NEW[0])], 4)
        again = [pages.candidate_ms(page, server.url, NEW[0]) for _ in range(5)]
        yield bench.line("first page, second visit", again, 2)
        fresh = []
        for name in NEW[1:6]:
            other = pages.tab(chromium)
            fresh.append(pages.candidate_ms(other, server.url, name))
            other.context.close()
        yield bench.line("first page, server warm, browser without cache", fresh, 2)


def grid(bench: Bench) -> Iterator[Line]:
    """Sixty thumbnails: the next page of the grid, and the grid opened from another screen."""
    with bench.server() as server, pages.browser(bench.playwright) as chromium:
        page = pages.tab(chromium)
        address = f"{server.url}/grid?reviewer={LEAD}&size={GRID}"
        pages.opening_ms(page, address, GRID_DRAWN)
        made_new = [_turn(page) for _ in range(5)]
        yield bench.line("next 60 thumbnails of the grid, never made before", made_new, 1)
        other = pages.tab(chromium)
        pages.opening_ms(other, address, GRID_DRAWN)
        yield bench.line("next 60 thumbnails, made before, browser without them", [_turn(other) for _ in range(5)], 1)
        opened = []
        for _ in range(5):
            pages.link_ms(other, "home", SCREENS["home"])
            opened.append(pages.link_ms(other, "grid", "probe.drawn('.gal-pick img', 24)"))
        yield bench.line("grid opened from home", opened)


def _turn(page: Any) -> float:
    """Turn to the next page of the grid."""
    page.evaluate("() => { window.gone = document.querySelector('.gal-pick').dataset.item; }")
    changed = f"document.querySelector('.gal-pick')?.dataset.item !== window.gone && {GRID_DRAWN}"
    return pages.click_ms(page, page.get_by_label("Next page"), changed)


def memory(bench: Bench) -> Iterator[Line]:
    """The server's memory while people sit in front of it who decided some pictures each."""
    with bench.server() as server, pages.browser(bench.playwright) as chromium:
        held = []
        for name in NEW[:SESSIONS]:
            page = pages.tab(chromium)
            pages.candidate_ms(page, server.url, name)
            for _ in range(DECISIONS):
                pages.key_ms(page, "a")
            held.append(server.memory_mb())
    bench.figures["memory by open sessions, MB"] = [round(each, 1) for each in held]
    for sessions, wanted in ((1, None), (SESSIONS, 1500)):
        own = held[sessions - 1]
        yield Line(
            measured=f"memory (PSS) of the server, {sessions} open, {DECISIONS} decisions each,"
            f" {bench.candidates:,} candidates",
            ours=f"{own:.0f} MB",
            result=f"{own:.0f} MB",
            wanted="" if wanted is None else f"< {wanted} MB",
            met=None if wanted is None else own < wanted,
        )


def screens(bench: Bench) -> Iterator[Line]:
    """Every other screen from its link, the first time on this server and again; and the two buttons that count."""
    with bench.server() as server, pages.browser(bench.playwright) as chromium:
        page = pages.tab(chromium)
        pages.opening_ms(page, f"{server.url}/review?reviewer={LEAD}", "probe.candidate()")
        for screen, holds in SCREENS.items():
            times = [pages.link_ms(page, screen, holds)]
            pages.link_ms(page, "review", "probe.candidate()")
            times.append(pages.link_ms(page, screen, holds))
            yield bench.line(f"{screen}, first and second time", times, 3)
        for what, (screen, button, holds) in WORK.items():
            pages.link_ms(page, screen, SCREENS[screen])
            target = page.locator(f".st-key-{button} button")
            yield bench.line(f"{what} (says that it works)", [pages.click_ms(page, target, holds)])


ROWS: Mapping[str, Callable[[Bench], Iterator[Line]]] = {
    "keys": keys, "first": first, "grid": grid, "memory": memory, "screens": screens,
}  # fmt: skip
"""What is measured by name."""
