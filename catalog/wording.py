"""Facts → wordings: templates in TOML, rendered in a sandbox, one paraphrase group and shorter captions a product.

Templates of a company are user input, so they run in Jinja2's immutable sandbox with strict undefined names, no
attribute access, no arithmetic that could fill the memory and only the filters below. A rendered caption is kept only
with the facts that its text really holds.
"""

import hashlib
import random
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import jinja2
from jinja2 import StrictUndefined, TemplateError, meta
from jinja2.sandbox import ImmutableSandboxedEnvironment, SecurityError

from catalog import grammar
from catalog.errors import CatalogError
from catalog.phrases import say, told
from catalog.sayable import NAME
from catalog.slots import Slots

SHIPPED = Path(__file__).parent / "templates"
OWN_FOLDER = "templates"
"""Folder in a workspace whose `<lang>.toml` replaces the shipped templates of that language."""
LANGUAGES = ("en", "ja")
LENGTHS = {"short": 0.3, "medium": 0.4, "full": 0.3}
"""Share of each length among a product's wordings."""
_SHORT = (3, 6)
"""Words that a short English caption should have."""
_LONGEST = 400
"""Characters a caption may have; more is a template gone wrong."""


@dataclass(frozen=True, kw_only=True)
class Template:
    """One template of one language."""

    id: str
    length: str
    text: str
    uses: frozenset[str]
    """Variables it reads; a fact it never reads is a fact it does not state."""
    compiled: jinja2.Template = field(repr=False, compare=False)


@dataclass(frozen=True, kw_only=True)
class Templates:
    """All templates of a language."""

    lang: str
    version: str
    """Changes when the file does; stored with each caption."""
    items: tuple[Template, ...]

    def render(self, template: Template, variables: Mapping[str, Any]) -> str:
        """Render one template.

        Raises:
            CatalogError: The template asks for an unknown name or for something the sandbox refuses.
        """
        try:
            text = template.compiled.render(variables)
        except (TemplateError, SecurityError, TypeError, ValueError, ArithmeticError) as error:
            raise CatalogError(
                say(
                    "template {id!r} ({lang}): {error}; correct it or remove it",
                    id=template.id,
                    lang=self.lang,
                    error=_line(error),
                )
            ) from error
        if len(text) > _LONGEST:
            raise CatalogError(
                say(
                    "template {id!r} ({lang}) gives {size} characters, at most {most}; shorten it",
                    id=template.id,
                    lang=self.lang,
                    size=len(text),
                    most=_LONGEST,
                )
            )
        return " ".join(text.split())


@dataclass(frozen=True, kw_only=True)
class Wording:
    """One caption before it is stored."""

    text: str
    template: str
    length: str
    facts: Mapping[str, str]


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja2 without attributes, globals and unbounded operators."""

    intercepted_binops = frozenset({"*", "**", "//", "%"})

    def __init__(self) -> None:
        """Set up the sandbox with the caption filters only."""
        super().__init__(undefined=StrictUndefined, autoescape=False)
        self.globals.clear()
        self.filters = {
            "a": grammar.indefinite,
            "words": grammar.words,
            "listing": grammar.listing,
            "with": _with,
            "join": _join,
        }

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Refuse every attribute: variables are strings and lists."""
        return False

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Refuse the operators that could build huge strings."""
        raise SecurityError(f"operator {operator} is not allowed in a caption template")


def _with(items: Sequence[str], comma: str = "") -> str:
    listed = grammar.listing(items)
    return f"{comma} with {listed}" if listed else ""


def _join(items: Iterable[str], separator: str = "") -> str:
    return str(separator).join(item for item in items if item)


def load(lang: str, workspace: Path | None = None) -> Templates:
    """Read the templates of a language: the workspace's own if there are any, else those that ship.

    Raises:
        CatalogError: Unknown language, or a file that is no list of templates.
    """
    if lang not in LANGUAGES:
        raise CatalogError(
            say(
                "no caption templates for language {lang!r}; use one of {allowed}",
                lang=lang,
                allowed=", ".join(LANGUAGES),
            )
        )
    own = workspace / OWN_FOLDER / f"{lang}.toml" if workspace is not None else None
    path = own if own is not None and own.is_file() else SHIPPED / f"{lang}.toml"
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CatalogError(
            say("templates {path} cannot be read ({error}); make the file readable", path=path, error=told(error))
        ) from error
    return _compile(lang, path, data)


@lru_cache(maxsize=4)
def _compile(lang: str, path: Path, data: bytes) -> Templates:
    """Check and compile templates; compiling takes longer than writing a product's captions, so it is kept."""
    try:
        listed = tomllib.loads(data.decode("utf-8")).get("template", [])
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CatalogError(
            say("templates {path} cannot be read ({error}); save valid TOML in UTF-8", path=path, error=str(error))
        ) from error
    environment = Sandbox()
    items = tuple(_template(entry, path, environment) for entry in listed)
    if not any(item.length != "short" for item in items):
        raise CatalogError(say("templates {path} hold no [[template]] of length medium or full; add one", path=path))
    return Templates(lang=lang, version=hashlib.sha256(data).hexdigest()[:12], items=items)


def _template(entry: Any, path: Path, environment: Sandbox) -> Template:
    if not isinstance(entry, dict) or not all(isinstance(entry.get(key), str) for key in ("id", "length", "text")):
        raise CatalogError(
            say("templates {path}: a [[template]] needs id, length and text, got {entry!r}", path=path, entry=entry)
        )
    if entry["length"] not in LENGTHS:
        raise CatalogError(
            say(
                "templates {path}: {id!r} has length {length!r}; use one of {allowed}",
                path=path,
                id=entry["id"],
                length=entry["length"],
                allowed=", ".join(LENGTHS),
            )
        )
    try:
        uses = meta.find_undeclared_variables(environment.parse(entry["text"]))
    except TemplateError as error:
        raise CatalogError(
            say("templates {path}: {id!r}: {error}; correct it", path=path, id=entry["id"], error=_line(error))
        ) from error
    compiled = environment.from_string(entry["text"])
    return Template(id=entry["id"], length=entry["length"], text=entry["text"], uses=frozenset(uses), compiled=compiled)


def _line(error: Exception) -> str:
    return " ".join(str(error).split())


def shares(count: int) -> dict[str, int]:
    """Split `count` wordings into lengths, 30/40/30: 10 → 3 short, 4 medium, 3 full."""
    short, full = round(count * LENGTHS["short"]), round(count * LENGTHS["full"])
    return {"short": short, "medium": count - short - full, "full": full}


def word(slots: Slots, templates: Templates, *, count: int, seed: str) -> list[Wording]:
    """Write up to `count` different captions of one product.

    Medium and full ones state every fact that can be said in the language: a paraphrase group. Short ones state fewer.

    Args:
        slots: The product's facts in words of the templates' language.
        templates: Templates to choose from.
        count: Captions wanted; fewer come back when the facts give no more different texts.
        seed: Any text; equal seeds give equal captions.
    """
    if not slots.noun:
        return []
    rng = random.Random(hashlib.sha256(seed.encode()).digest())
    drafts: dict[str, list[Wording]] = {length: [] for length in LENGTHS}
    for template in rng.sample(templates.items, len(templates.items)):
        draft = _draft(template, slots, templates, rng)
        if draft is not None:
            drafts[template.length].append(draft)
    # One caption is the product's name; of the others a short one says more than the bare noun where it can.
    drafts["short"].sort(
        key=lambda draft: (
            NAME not in draft.facts,
            len(draft.facts) < min(2, len(slots.general)),
            templates.lang == "en" and not _SHORT[0] <= len(draft.text.split()) <= _SHORT[1],
        )
    )
    wanted = shares(count)
    chosen: dict[str, Wording] = {}
    for length in ("full", "medium", "short"):
        for draft in drafts[length]:
            if wanted[length] and draft.text not in chosen:
                chosen[draft.text] = draft
                wanted[length] -= 1
    # Few facts make few different texts of one length: fill up from whatever is left.
    for draft in (*drafts["medium"], *drafts["full"], *drafts["short"]):
        if len(chosen) < count:
            chosen.setdefault(draft.text, draft)
    order = {item.id: index for index, item in enumerate(templates.items)}
    return sorted(chosen.values(), key=lambda wording: order[wording.template])


def _draft(template: Template, slots: Slots, templates: Templates, rng: random.Random) -> Wording | None:
    text = templates.render(template, slots.variables(rng))
    stated = slots.stated(text, template.uses)
    incomplete = template.length != "short" and stated != slots.general
    if not text or "noun" not in stated or incomplete or _stutters(text):
        return None
    return Wording(text=text, template=template.id, length=template.length, facts=stated)


def _stutters(text: str) -> bool:
    """Whether a word stands twice in a row ("orange orange")."""
    return re.search(r"\b(\w+)[ -]\1\b", text) is not None
