"""Pictures side by side, alternating or subtracted, under one zoom; a part that components put into their page.

The script declares `class CompareView`; the markup is what it works on; neither holds anything from the catalogue.
"""

from pathlib import Path

_FOLDER = Path(__file__).parent
_MARKUP = (_FOLDER / "index.html").read_text(encoding="utf-8")
STYLE = (_FOLDER / "index.css").read_text(encoding="utf-8")
_SCRIPTS = ("elements.js", "outbox.js", "zoom.js", "index.js")
SCRIPT = "\n".join((_FOLDER / name).read_text(encoding="utf-8") for name in _SCRIPTS)


def markup(below: str) -> str:
    """Return the markup; `below` is what stands under the candidate, beside the choice of photos."""
    return _MARKUP.replace("<!-- below the candidate -->", below)
