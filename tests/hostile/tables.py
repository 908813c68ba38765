"""Dumps whose tables are broken or hostile, beside sound rows that must still be read."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hostile.building import motif, saved

SECRET = "root:x:0:0"
_HEADER = "sku,name,material,image\n"
_MAPPING = """
[tables]
items = "items.csv"
facts = {{ file = "{file}", rows = "{rows}" }}

[product]
table = "items"
key = "sku"
name = "name"
images = "image"

[[attributes]]
table = "facts"
product = "sku"
name = "name"
value = "value"
"""


@dataclass(frozen=True, kw_only=True)
class TableCase:
    """A dump, by its files, and what its reading must give."""

    name: str
    files: Callable[[], Mapping[str, bytes]]
    """Content by path; a picture `a.png` and a sound product A lie in each."""
    issues: frozenset[str] = frozenset()
    """Codes that must be among the issues."""
    products: Mapping[str, str] = field(default_factory=lambda: {"A": "Vase"})
    """Names by key, all of them."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """Facts of product A by name, some of them."""
    never: tuple[str, ...] = (SECRET, "\x00", "\u202e", "\u200b")
    """What no name and no fact may hold."""


def big_cell(size: int) -> Iterator[bytes]:
    """Yield a table with one cell of `size` bytes, a piece at a time: a gigabyte needs no memory to write."""
    yield (_HEADER + "A,Vase,glass,a.png\nB,Bowl,").encode()
    piece = b"x" * (1 << 20)
    for start in range(0, size, len(piece)):
        yield piece[: min(len(piece), size - start)]
    yield b",a.png\nC,Cup,clay,a.png\n"


def write_sparse_table(path: Path, size: int) -> None:
    """Write a table that claims `size` bytes and takes a block on disk: one row, then a hole of NUL bytes."""
    with path.open("wb") as file:
        file.write((_HEADER + "A,Vase,glass,a.png\n").encode())
        file.truncate(size)


def _rows(*rows: str) -> Mapping[str, bytes]:
    return {"items.csv": (_HEADER + "".join(row + "\n" for row in rows)).encode()}


def _mapped(content: bytes, file: str, rows: str) -> Mapping[str, bytes]:
    return {
        **_rows("A,Vase,glass,a.png"),
        file: content,
        "mapping.toml": _MAPPING.format(file=file, rows=rows).encode(),
    }


def _entity_bomb() -> bytes:
    levels = [b'<!ENTITY e0 "boom">', *(b'<!ENTITY e%d "%s">' % (n, b"&e%d;" % (n - 1) * 10) for n in range(1, 10))]
    return (
        b"<!DOCTYPE facts ["
        + b"".join(levels)
        + b"]><facts><fact><sku>A</sku><name>x</name><value>&e9;</value></fact></facts>"
    )


def _quadratic() -> bytes:
    entity = b"x" * 100_000
    return (
        b'<!DOCTYPE facts [<!ENTITY e "'
        + entity
        + b'">]><facts><fact><sku>A</sku><value>'
        + b"&e;" * 20_000
        + b"</value></fact></facts>"
    )


def _external(system: str) -> bytes:
    return (
        f'<!DOCTYPE facts [<!ENTITY e SYSTEM "{system}">]>'
        "<facts><fact><sku>A</sku><name>x</name><value>&e;</value></fact></facts>"
    ).encode()


def _path(written: str, code: str, name: str) -> TableCase:
    return TableCase(
        name=f"path-{name}",
        files=lambda: _rows("A,Vase,glass,a.png", f'B,Bowl,clay,"{written}"'),
        issues=frozenset({code}),
        products={"A": "Vase", "B": "Bowl"},
    )


def _case(name: str, files: Callable[[], Mapping[str, bytes]], *issues: str, **products: str) -> TableCase:
    return TableCase(name=name, files=files, issues=frozenset(issues), products=products or {"A": "Vase"})


PATHS = [
    _path("/etc/passwd", "FILE_MISSING", "absolute"),
    _path("//server/share/a.png", "FILE_ESCAPES_ROOT", "unc"),
    _path("\\\\server\\share\\a.png", "FILE_ESCAPES_ROOT", "unc-backslashes"),
    _path("C:\\pictures\\a.png", "FILE_ESCAPES_ROOT", "drive"),
    _path("../a.png", "FILE_ESCAPES_ROOT", "parent"),
    _path("x\\..\\..\\a.png", "FILE_ESCAPES_ROOT", "parent-backslashes"),
    _path("file:///etc/passwd", "URL_NOT_FETCHED", "file-address"),
    _path("ftp://example.com/a.png", "URL_NOT_FETCHED", "ftp-address"),
    _path("https://example.com/pictures/other.png", "URL_NOT_FETCHED", "web-address"),
    _path("~/a-file.png", "FILE_MISSING", "home"),
    _path("a\x01.png", "FILE_BAD_PATH", "control-character"),
    _path("x" * 5000 + ".png", "IMG_IN_CELL", "long-name"),
]

CELLS = [
    _case(
        "unclosed-quote",
        lambda: _rows("A,Vase,glass,a.png", 'B,"Bowl,clay,a.png', *(f"C{n},Cup,clay,a.png" for n in range(30))),
        "ROW_QUOTE",
        A="Vase",
        **{f"C{n}": "Cup" for n in range(30)},
    ),
    _case("nul-bytes", lambda: _rows("A,Va\0se,gl\0ass,a.png"), A="Vase"),
    _case("invisible-and-reversed-text", lambda: _rows("A,\u202eVa\u200bse\u2066,gl\ufeffass,a.png"), A="Vase"),
    _case(
        "formulas",
        lambda: _rows("A,=1+1,@SUM(1),a.png", 'B,"=HYPERLINK(""http://example.com"")",+1,a.png'),
        A="=1+1",
        B='=HYPERLINK("http://example.com")',
    ),
    _case("script", lambda: _rows("A,Vase<script>alert(1)</script>,glass,a.png"), A="Vase"),
    _case(
        "too-many-cells",
        lambda: _rows("A,Vase,glass,a.png", "B,Bowl,clay,a.png" + ",x" * 10_000),
        "ROW_COLUMNS",
    ),
]

_SOUND_XML = b"<facts><fact><sku>A</sku><name>glaze</name><value>matt</value></fact></facts>"
_SOUND_JSON = b'{"facts": [{"sku": "A", "name": "glaze", "value": "matt"}]}'

DOCUMENTS = [
    # That the mapping is right, so that only what is hostile keeps the others from being read.
    TableCase(name="sound-xml", files=lambda: _mapped(_SOUND_XML, "facts.xml", "facts/fact"), facts={"glaze": "matt"}),
    TableCase(name="sound-json", files=lambda: _mapped(_SOUND_JSON, "facts.json", "facts"), facts={"glaze": "matt"}),
    _case("entity-bomb", lambda: _mapped(_entity_bomb(), "facts.xml", "facts/fact"), "FILE_UNREADABLE"),
    _case("entity-quadratic", lambda: _mapped(_quadratic(), "facts.xml", "facts/fact"), "FILE_UNREADABLE"),
    _case(
        "entity-of-a-file",
        lambda: _mapped(_external("file:///etc/passwd"), "facts.xml", "facts/fact"),
        "FILE_UNREADABLE",
    ),
    _case(
        "entity-of-an-address",
        lambda: _mapped(_external("http://127.0.0.1:9/x"), "facts.xml", "facts/fact"),
        "FILE_UNREADABLE",
    ),
    _case("xml-cut-off", lambda: _mapped(b"<facts><fact><sku>A</sku>", "facts.xml", "facts/fact"), "FILE_UNREADABLE"),
    _case("xml-deep", lambda: _mapped(b"<f>" * 200_000, "facts.xml", "facts/fact"), "FILE_UNREADABLE"),
    _case("json-deep", lambda: _mapped(b"[" * 200_000, "facts.json", "facts"), "FILE_UNREADABLE"),
    _case("json-cut-off", lambda: _mapped(b'{"facts": [{"sku": "A"', "facts.json", "facts"), "FILE_UNREADABLE"),
]

TABLES = [*PATHS, *CELLS, *DOCUMENTS]


def write_dump(folder: Path, case: TableCase) -> Path:
    """Write a case's files and its picture below `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for path, content in case.files().items():
        (folder / path).write_bytes(content)
    (folder / "a.png").write_bytes(saved(motif(), "PNG"))
    return folder


def write_links(folder: Path, outside: Path) -> Path:
    """Write a dump whose links lead to `outside`, to themselves and nowhere; each is named by a row."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "a.png").write_bytes(saved(motif(), "PNG"))
    (folder / "file.png").symlink_to(outside / "secret.png")
    (folder / "folder").symlink_to(outside)
    (folder / "loop.png").symlink_to(folder / "loop.png")
    (folder / "dangling.png").symlink_to(folder / "none.png")
    (folder / "again").symlink_to(folder)
    names = ("a.png", "file.png", "folder/secret.png", "loop.png", "dangling.png")
    rows = "".join(f"P{number},Vase,glass,{name}\n" for number, name in enumerate(names))
    (folder / "items.csv").write_text(_HEADER + rows)
    return folder
