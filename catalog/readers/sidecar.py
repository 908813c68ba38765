"""Texts that lie beside pictures, PDF among them: running text, and `Label: value` lines as facts."""

from __future__ import annotations

import re

from catalog.paths import DumpFile
from catalog.phrases import say, told
from catalog.readers import headers
from catalog.readers.cells import clean, clean_line, packed_fact
from catalog.readers.draft import DraftAttribute
from catalog.readers.encoding import decode_text
from catalog.readers.spec_sheet import read_pdf
from catalog.records import Issue

MAX_TEXT_BYTES = 4 << 20
MAX_FACT_CHARS = 200
# Files about the dump, not about a product.
ABOUT_THE_DUMP = frozenset(
    {
        "readme",
        "license",
        "license_afl",
        "licence",
        "copying",
        "source",
        "changelog",
        "notice",
        "requirements",
        "authors",
        *("read me", "readme_ja", "readme-ja", "readme_en", "readme_first", "はじめに", "お読みください"),
        *("はじめにお読みください", "利用規約", "terms", "copyright", "disclaimer"),
    }
)
_MAX_NAME_CHARS = 120
_TITLE_LINES = 4
"""Lines at the beginning of a spec sheet among which its title stands, behind the name of the company at most."""
_NO_TITLES = re.compile(
    r"(?:(?:product|technical|item|article) )?(?:data ?sheets?|spec(?:ification)?s?(?: sheet)?|information|info)"
    r"|(?:produkt|technisches )?datenblatt|fiche (?:technique|produit)|page \d.*"
    r"|(?:製品|商品)?(?:仕様書?|情報|カタログ|説明書)",
    re.I,
)
_NOT_FACTS = frozenset({"title", "name", "description", "url", "link", "source", "http", "https"})


def read_text(file: DumpFile, encoding: str | None = None) -> str | Issue:
    """Return a text file's cleaned content, or the issue that says why it was not taken."""
    if file.suffix == ".pdf":
        pages = read_pdf(file)
        return pages if isinstance(pages, Issue) else clean(pages)
    try:
        data = file.read(MAX_TEXT_BYTES)
    except OSError as error:
        reason = getattr(error, "code", "FILE_UNREADABLE")
        return Issue(source=file.path, reason=reason, detail=told(error))
    if len(data) > MAX_TEXT_BYTES:
        return Issue(
            source=file.path, reason="TXT_TOO_LONG", detail=say("longer than {limit} MiB", limit=MAX_TEXT_BYTES >> 20)
        )
    if data[:4096].count(0) > 16 and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return Issue(source=file.path, reason="TXT_NOT_TEXT", detail=say("binary data under a text file's name"))
    return clean(decode_text(data, encoding)[0])


def text_attribute(file: DumpFile, text: str, stem: str = "") -> DraftAttribute:
    """Return a file's text as an attribute, named after what its name adds to the product's own stem."""
    own = file.stem.casefold()
    rest = own.removeprefix(stem.casefold()).strip("_-. ") if stem else own.rpartition("_")[2]
    return DraftAttribute(name=rest or "description", value=text, source=file.path, kind="text")


def facts_of(file: DumpFile, text: str) -> list[DraftAttribute]:
    """Return the facts of a text whose lines mostly read `Label: value`; an ordinary text has none.

    A spec sheet has titles, notes and addresses around its facts, so a smaller share is enough there.
    """
    lines = [line for line in text.split("\n") if line.strip()]
    pairs = [pair for line in lines if (pair := packed_fact(line)) is not None]
    least = max(2, 0.2 * len(lines)) if file.suffix == ".pdf" else 0.5 * len(lines)
    if len(lines) < 2 or len(pairs) < least:
        return []
    return [
        DraftAttribute(name=clean_line(name).lower(), value=clean_line(value), source=file.path)
        for name, value in pairs
        if clean_line(name).lower() not in _NOT_FACTS and 0 < len(clean_line(value)) <= MAX_FACT_CHARS
    ]


def is_only_code(name: str) -> bool:
    """Whether a name is a code such as `4012345010008` or `AB-1200`, and says nothing of the thing."""
    digits = sum(character.isdigit() for character in name)
    return digits > 0 and digits >= sum(character.isalpha() for character in name)


def stated_name(text: str) -> str:
    """Return the value of the first line such as `Product: Kettle` or `品名：やかん`, or ""."""
    for line in text.split("\n"):
        pair = packed_fact(line)
        if pair is not None and is_name_label(pair[0]) and _may_be_name(name := clean_line(pair[1])):
            return name
    return ""


def is_name_label(label: str) -> bool:
    """Whether the value behind a label is the name of the product."""
    return (headers.role_of(label) or ("",))[0] == "name"


def titles(file: DumpFile, text: str) -> list[str]:
    """Return the lines that may be the title of a spec sheet, or of a text in Markdown, the first one first."""
    lines = [line for line in text.split("\n") if line.strip()][:_TITLE_LINES]
    if file.suffix == ".md":
        lines = [line.strip().lstrip("#") for line in lines if re.match(r"#{1,2} ", line.strip())]
    elif file.suffix == ".pdf":
        lines = [line for line in lines if packed_fact(line) is None]
    else:
        return []
    return [title for title in map(clean_line, lines) if _may_be_name(title)]


def _may_be_name(text: str) -> bool:
    if not 1 < len(text) <= _MAX_NAME_CHARS or is_only_code(text) or text.endswith((".", "。")):
        return False
    return _NO_TITLES.fullmatch(text) is None
