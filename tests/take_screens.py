"""Make the pictures of the README: every screen in English and Japanese, with nothing but the demo's drawn catalogue.

`uv run python tests/take_screens.py [DEMO]` takes a demo that nobody has reviewed (default `adapt-demo`; made first
where there is none), copies it, has the copy reviewed by `worked_queue`, and writes PNG files to `tests/screens/`.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from browser import CHROMIUM, FLAGS, serving
from PIL import Image
from playwright.sync_api import sync_playwright
from scenes import SCENES
from worked_queue import go_on, work

from catalog import queue
from catalog.store import Catalog

FOLDER = Path(__file__).with_name("screens")
MOST_BYTES = 2_500_000
"""Of all pictures together."""
SIZE = {"width": 1400, "height": 900}
LOCALES = {"en": "en-US", "ja": "ja-JP"}
SHOWN = (
    "review",
    "home",
    "grid",
    "compare",
    "conflicts",
    "thresholds",
    "insights",
    "export",
    "audit",
    "settings",
    "entrance",
)
ALSO_DARK = ("review",)
DECIDED = 140
"""Pictures decided over some days."""
PRODUCTS = {"en": "LAMP-001", "ja": "TEAPOT-001"}
"""What is under review when the pictures are taken: a product that is described in the language of the screen."""
COLOURS = 256
WITHOUT_FOLDER = """(folder) => {
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) texts.currentNode.data = texts.currentNode.data.replaceAll(folder, '');
}"""


def main(demo: Path) -> None:
    """Make all pictures and say how large they are."""
    adapt("-w", str(demo), "demo")
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder) / "adapt-demo"
        shutil.copytree(demo, workspace)
        prepare(workspace)
        with serving(workspace) as url, sync_playwright() as playwright:
            chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            for language, sku in PRODUCTS.items():
                with Catalog.open(workspace) as catalog:
                    go_on(catalog, sku, until=datetime.now(UTC))
                take_all(chromium, url, language, folder)
            chromium.close()
    total = sum(path.stat().st_size for path in FOLDER.glob("*.png"))
    print(f"{len(list(FOLDER.glob('*.png')))} pictures in {FOLDER}, {total / 1e6:.2f} MB")
    if total > MOST_BYTES:
        sys.exit(f"more than {MOST_BYTES / 1e6:.1f} MB; take fewer pictures or fewer colours")


def prepare(workspace: Path) -> None:
    """Draw more wordings, so that there is something to compare, and have some days of review done."""
    with Catalog.open(workspace) as catalog:
        if queue.progress(catalog).pending != queue.progress(catalog).total:
            sys.exit("this demo has been reviewed already; make another with: adapt -w FOLDER demo")
    run = json.loads((workspace / "demo.json").read_text(encoding="utf-8"))["run"]
    drawn = ("--captions", "4", "--per-caption", "2", "--source", "demo-catalogue", "--run", run)
    adapt("-w", str(workspace), "generate", *drawn)
    with Catalog.open(workspace) as catalog:
        work(catalog, DECIDED, until=datetime.now(UTC))


def adapt(*words: str) -> None:
    """Run a command as it is typed."""
    subprocess.run([sys.executable, "-m", "adapt.cli", *words], check=True)


def take_all(chromium: Any, url: str, language: str, folder: str) -> None:
    """Take every screen in a language; the name of the temporary `folder` is left out of what they say."""
    for name in SHOWN:
        for scheme in ("light", "dark") if name in ALSO_DARK else ("light",):
            context = chromium.new_context(
                locale=LOCALES[language], viewport=SIZE, color_scheme=scheme, reduced_motion="reduce"
            )
            page = SCENES[name].open(context, url, language)
            page.evaluate("document.activeElement.blur()")
            page.evaluate(WITHOUT_FOLDER, f"{folder}/")
            page.mouse.move(0, 0)
            suffix = "" if scheme == "light" else "-dark"
            save(page.screenshot(), FOLDER / f"{name}-{language}{suffix}.png")
            context.close()


def save(png: bytes, path: Path) -> None:
    """Write a screen with a palette of its own, which is a third of its size."""
    with Image.open(BytesIO(png)) as picture:
        rgb = picture.convert("RGB")
    few = rgb.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, kmeans=2, dither=Image.Dither.NONE)
    few.save(path, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "adapt-demo"))
