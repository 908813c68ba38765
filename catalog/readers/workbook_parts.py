"""The parts of an `.xlsx` that its cells do not show: pictures, error cells, zero-padded number formats.

A workbook of this kind is a zip of XML files. Pictures lie beside the sheets and are joined to cells
through two files of relations; those placed inside a cell go through three more.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError

import defusedxml.ElementTree
from defusedxml import DefusedXmlException

from catalog.archives import Listing

MAX_PART_BYTES = 512 << 20
_CELL = rb'<c r="([A-Z]{1,3})(\d{1,7})"'
_ERROR = re.compile(_CELL + rb'([^>]*\bt="e"[^>]*)>')
_VALUE_MARK = re.compile(_CELL + rb'[^>]*\bvm="(\d+)"')
_COLUMN = re.compile(rb' r="([A-Z]{1,3})\d')
_ROW = re.compile(rb' r="[A-Z]{0,3}(\d{5,})"')
_PADDED = re.compile(r"0{2,}")

Cell = tuple[int, int]
"""Row and column, counted from 0."""


class WorkbookParts:
    """The XML files of one workbook."""

    def __init__(self, listing: Listing) -> None:
        """Read which file holds which sheet; an `.xls` or `.ods` simply has none."""
        self._files = listing.files
        targets = self._relations("xl/workbook.xml")
        self._sheets = {
            sheet.get("name", ""): targets.get(_attribute(sheet, "id"), "")
            for sheet in self._elements("xl/workbook.xml", "sheet")
        }

    def sheet(self, name: str) -> bytes:
        """Return a sheet's XML; empty when there is none."""
        return self._read(self._sheets.get(name, ""))

    def pictures(self, name: str, sheet: bytes) -> list[tuple[Cell, Cell, str]]:
        """Return (first cell, last cell, path in the dump) of each picture on a sheet, top to bottom."""
        found = []
        part = self._sheets.get(name, "")
        for drawing in self._relations(part, "/drawing").values():
            media = self._relations(drawing)
            for anchor in (*self._elements(drawing, "twoCellAnchor"), *self._elements(drawing, "oneCellAnchor")):
                first, last = _corner(anchor, "from"), _corner(anchor, "to")
                for blip in _under(anchor, "blip"):
                    target = media.get(_attribute(blip, "embed"), "")
                    if first and target in self._files:
                        found.append((first, last or first, self._files[target].path))
        if b'vm="' in sheet:
            found += self._in_cells(sheet)
        return sorted(found)

    def _in_cells(self, sheet: bytes) -> Iterator[tuple[Cell, Cell, str]]:
        """Yield pictures that are the value of a cell: its mark leads to a rich value, that to a relation."""
        rich, relations = "xl/richData/rdrichvalue.xml", "xl/richData/richValueRel.xml"
        marks = [
            rc.get("v", "") for bk in self._elements("xl/metadata.xml", "valueMetadata") for rc in _under(bk, "rc")
        ]
        values = [rvb.get("i", "") for rvb in self._elements("xl/metadata.xml", "rvb")]
        firsts = [next((v.text or "" for v in _under(rv, "v")), "") for rv in self._elements(rich, "rv")]
        targets = self._relations(relations)
        media = [targets.get(_attribute(rel, "id"), "") for rel in self._elements(relations, "rel")]
        for column, row, mark in _VALUE_MARK.findall(sheet):
            try:
                target = media[int(firsts[int(values[int(marks[int(mark) - 1])])])]
            except (IndexError, ValueError):
                continue
            if target in self._files:
                cell = (int(row) - 1, column_number(column.decode()))
                yield cell, cell, self._files[target].path

    def errors(self, sheet: bytes) -> list[str]:
        """Return the cells that show an error such as `#N/A`, as Excel names them; a picture in a cell is none."""
        if b't="e"' not in sheet:
            return []
        return [f"{column.decode()}{row.decode()}" for column, row, rest in _ERROR.findall(sheet) if b"vm=" not in rest]

    def padded(self, sheet: bytes) -> dict[Cell, int]:
        """Return the cells whose number format is only zeros, as of `00042`, with the digits they show."""
        formats = {
            item.get("numFmtId", ""): len(item.get("formatCode", ""))
            for item in self._elements("xl/styles.xml", "numFmt")
            if _PADDED.fullmatch(item.get("formatCode", ""))
        }
        if not formats:
            return {}
        styles = [
            xf.get("numFmtId", "") for xfs in self._elements("xl/styles.xml", "cellXfs") for xf in _under(xfs, "xf")
        ]
        wanted = {str(index).encode(): formats[style] for index, style in enumerate(styles) if style in formats}
        pattern = re.compile(_CELL + rb'[^>]*\bs="(' + b"|".join(wanted or [b"-"]) + rb')"')
        return {
            (int(row) - 1, column_number(column.decode())): wanted[style]
            for column, row, style in pattern.findall(sheet)
        }

    @staticmethod
    def area(sheet: bytes) -> int:
        """Return rows times columns up to the farthest cell, at least roughly: readers reserve room for all of it."""
        columns = {column_number(column.decode()) + 1 for column in set(_COLUMN.findall(sheet))}
        rows = max(map(int, _ROW.findall(sheet)), default=9999)
        return rows * max(columns, default=1)

    # --- XML -------------------------------------------------------------------------------------

    def _read(self, part: str) -> bytes:
        file = self._files.get(part)
        try:
            data = file.read(MAX_PART_BYTES) if file is not None else b""
        except OSError:
            return b""  # the reader of the cells meets the same damage, and says so
        return data if len(data) <= MAX_PART_BYTES else b""

    def _elements(self, part: str, tag: str) -> Iterator[Element]:
        data = self._read(part)
        try:
            root = defusedxml.ElementTree.fromstring(data) if data else None
        except (ParseError, DefusedXmlException, ValueError):
            root = None
        return iter(()) if root is None else _under(root, tag)

    def _relations(self, part: str, kind: str = "") -> dict[str, str]:
        """Return the targets of a part's relations by their id, as paths in the workbook."""
        folder, _, name = part.rpartition("/")
        found = {}
        for relation in self._elements(f"{folder}/_rels/{name}.rels", "Relationship"):
            target = relation.get("Target", "")
            if relation.get("TargetMode") != "External" and relation.get("Type", "").endswith(kind):
                found[relation.get("Id", "")] = posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
        return found


def column_number(letters: str) -> int:
    """Return a column's number from 0: A → 0, AA → 26."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def _under(element: Element, tag: str) -> Iterator[Element]:
    return (child for child in element.iter() if isinstance(child.tag, str) and child.tag.rpartition("}")[2] == tag)


def _attribute(element: Element, name: str) -> str:
    """Return an attribute whatever its namespace."""
    return next(
        (value for key, value in element.attrib.items() if key.startswith("{") and key.endswith("}" + name)), ""
    )


def _corner(anchor: Element, tag: str) -> Cell | None:
    corner = next(_under(anchor, tag), None)
    try:
        return None if corner is None else (
            int(next(_under(corner, "row")).text or ""),
            int(next(_under(corner, "col")).text or ""),
        )  # fmt: skip
    except (StopIteration, ValueError):
        return None
