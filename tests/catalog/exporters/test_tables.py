"""No cell of a table runs as a formula, breaks a row or turns the direction of writing."""

import csv
import io

import pytest

from catalog.exporters.tables import TableFile, cell


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("blue mug", "blue mug"),
        ("=1+1", "'=1+1"),
        ("  =1+1", "'=1+1"),
        ("\t@SUM(A1)", "'@SUM(A1)"),
        ("-5 °C", "'-5 °C"),
        ("+81", "'+81"),
        ("＝1+1", "'＝1+1"),
        ("\u200b=1+1", "'=1+1"),
        ("a\r\nb\u2028c\x00d", "a b c d"),
        ("\u202egpj.exe", "gpj.exe"),
        ("a, \"b\"; 'c'", "a, \"b\"; 'c'"),
        (None, ""),
        (-0.25, "-0.25"),
        (3, "3"),
        (True, "true"),
    ],
)
def test_cell_is_one_line_and_no_formula(value: object, expected: str) -> None:
    assert cell(value) == expected


@pytest.mark.parametrize("delimiter", [",", "\t"])
def test_table_is_read_back_as_it_was(delimiter: str) -> None:
    file = io.BytesIO()
    table = TableFile(file, ("name", "text"), delimiter=delimiter, for_people=True)
    table.add(("マグ", 'a,b\t"c"\nd'))
    text = file.getvalue().decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    assert rows == [["name", "text"], ["マグ", 'a,b "c" d']]
