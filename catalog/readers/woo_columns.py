"""What the columns of a WooCommerce export are: its header is in the shop's language, its numbered pairs tell it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from catalog.readers.tabular import Table

TYPES = frozenset({"simple", "variable", "variation", "grouped", "external"})
_SAMPLE_ROWS = 200
_MOST_NUMBER = 500
_NAMES = {
    "id": ("id",),
    "sku": ("sku", "artikelnummer", "art.-nr.", "ugs", "código", "referencia"),
    "name": ("name", "nom", "nombre", "nome", "naam", "名前", "商品名", "名称"),
    "short": (
        "short description", "kurzbeschreibung", "description courte", "descripción corta", "breve descrizione",
        "korte beschrijving", "短い説明", "簡単な説明", "商品の簡単な説明",
    ),
    "text": ("description", "beschreibung", "descripción", "descrizione", "beschrijving", "説明", "商品説明"),
    "categories": (
        "categories", "kategorien", "catégories", "categorías", "categorie", "categorieën", "カテゴリー",
        "商品カテゴリー",
    ),
    "images": ("images", "bilder", "immagini", "imágenes", "afbeeldingen", "画像", "商品画像"),
    "parent": (
        "parent", "übergeordnet", "übergeordnetes produkt", "superior", "genitore", "hoofd", "bovenliggend", "親",
        "親商品",
    ),
    "brands": ("brands", "brand", "marken", "marques", "marcas", "marchi", "merken", "ブランド"),
}  # fmt: skip
_MEASURES = {
    "weight": ("weight", "gewicht", "poids", "peso", "重量", "重さ"),
    "length": ("length", "länge", "longueur", "longitud", "lunghezza", "lengte", "長さ"),
    "width": ("width", "breite", "largeur", "anchura", "ancho", "larghezza", "breedte", "幅"),
    "height": ("height", "höhe", "hauteur", "altura", "alto", "altezza", "hoogte", "高さ"),
}
_CANONICAL = {written: name for name, forms in _NAMES.items() for written in forms}
_MEASURE_OF = {written: name for name, forms in _MEASURES.items() for written in forms}
_PAIR = re.compile(r"att?ribu|eigenschap|egenskab|属性", re.I)
_NAME_WORD = re.compile(r"\bnam|\bnom|naam|名")
_VALUE_WORD = re.compile(r"valu|wert|valeur|valor|waarde|値")
_NUMBER = re.compile(r"(?<!\d)(\d{1,3})(?!\d)")
_UNIT = re.compile(r"^(.+?)\s*[(（]\s*(kg|g|lbs|lb|oz|m|cm|mm|in|yd)\s*[)）]$")


@dataclass(kw_only=True)
class WooColumns:
    """Which columns are what, by the names `column_name` gives them."""

    type: int
    """Index of the column of product types."""
    pairs: list[tuple[str, str]] = field(default_factory=list)
    """(column of the attribute's name, column of its values), by number."""
    measures: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Column → (name of the measure, its unit)."""
    meta: list[str] = field(default_factory=list)
    """Columns of custom fields."""


def find_columns(table: Table) -> WooColumns | None:
    """Return the columns of a WooCommerce export with its header, or None for any other table."""
    header = [_folded(name) for name in table.header]
    pairs = _pairs(header)
    type_column = _type_column(table)
    english = {"type", "sku", "name", "parent", "images"} <= set(header)
    if type_column is None or "name" not in map(column_name, header) or not (pairs or english):
        return None
    columns = WooColumns(type=type_column, pairs=pairs)
    for name in header:
        if (found := _UNIT.match(name)) and found[1] in _MEASURE_OF:
            columns.measures[name] = (_MEASURE_OF[found[1]], found[2])
        # A name that begins with an underscore is a setting of a plug-in.
        elif name.startswith("meta:") and not re.match(r"meta:\s*(_|$|rank_math|wp_|yoast|elementor)", name):
            columns.meta.append(name)
    return columns


def _folded(header: str) -> str:
    return " ".join(header.casefold().replace("\u2019", "'").split())


def column_name(header: str) -> str:
    """Return the canonical name of a column, or its own in lower case."""
    return _CANONICAL.get(_folded(header), _folded(header))


def _type_column(table: Table) -> int | None:
    """Return the column of product types: `simple`, `variation`, `simple, virtual` stand there in every language."""
    rows = table.rows[:_SAMPLE_ROWS]
    for index in range(len(table.header)):
        cells = [cell for row in rows if (cell := row.cells[index].strip().lower())]
        known = sum(cell.partition(",")[0].strip() in TYPES for cell in cells)
        if cells and known >= 0.8 * len(rows):
            return index
    return None


def _pairs(header: list[str]) -> list[tuple[str, str]]:
    numbered: dict[int, list[str]] = {}
    for name in header:
        if _PAIR.search(name) and not name.startswith("meta:") and (found := _NUMBER.search(name)):
            numbered.setdefault(int(found[1]), []).append(name)
    pairs = []
    for _, group in sorted(numbered.items())[:_MOST_NUMBER]:
        bare = {name: _PAIR.sub("", name) for name in group}
        value = next((name for name in group if _VALUE_WORD.search(bare[name])), None)
        label = next((name for name in group if name != value and _NAME_WORD.search(bare[name])), None)
        if label is not None and value is not None:
            pairs.append((label, value))
    return pairs
