"""Texts that can be said again in Japanese."""

import ast
import copy
import errno
import os
import pickle
import re
import string
from collections.abc import Iterator
from pathlib import Path

from catalog import messages
from catalog.errors import IngestRefused
from catalog.phrases import Phrase, joined, mapped, packed, say, stated, told, translated, unpacked
from catalog.worker import decode, encode

JAPANESE = re.compile(r"[\u3041-\u30ff\u4e00-\u9fff]")
PASSED_ON = re.compile(r"[\W_]*")
"""A template of placeholders and signs only is the same in every language."""


def fields(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}


def said_in_the_source(repository: Path) -> Iterator[tuple[str, set[str]]]:
    """Yield each template of a `say(...)` with the names of its values."""
    packages = [path for name in ("catalog", "ui") for path in sorted((repository / name).rglob("*.py"))]
    for path in [*packages, repository / "adapt" / "cli" / "ingest.py"]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "say":
                assert isinstance(node.args[0], ast.Constant), f"{path}:{node.lineno} is no plain text"
                yield str(node.args[0].value), {str(keyword.arg) for keyword in node.keywords}


def test_every_phrase_of_the_source_is_in_japanese_and_no_other(repository: Path) -> None:
    phrases = messages.load("ja").phrases
    found = dict(said_in_the_source(repository))
    assert len(found) > 250
    words = {template for template in found if not PASSED_ON.fullmatch(re.sub(r"\{[^}]*\}", "", template))}
    assert words - phrases.keys() == set()
    of_the_system = {os.strerror(number) for number in errno.errorcode}
    assert phrases.keys() - found.keys() - of_the_system == set()


def test_japanese_phrases_have_the_placeholders_of_the_english_ones(repository: Path) -> None:
    phrases = messages.load("ja").phrases
    for template, names in said_in_the_source(repository):
        if names:
            assert fields(template) == names, template
            assert fields(phrases.get(template, template)) == names, template


def test_phrase_is_its_english_text_and_can_be_said_in_japanese() -> None:
    text = say(
        "{written} is not in the dump{similar}", written="'a.jpg'", similar=say("; similar: {names}", names="b.jpg")
    )
    assert text == "'a.jpg' is not in the dump; similar: b.jpg" and hash(text) == hash(str(text))
    assert messages.load("ja").said(text) == "'a.jpg' はダンプにありません。似た名前: b.jpg"
    assert messages.load("en").said(text) == text
    assert messages.load("ja").said("written by hand") == "written by hand"


def test_phrase_without_values_keeps_its_braces() -> None:
    text = say('write { file = "products.csv" }')
    assert text == 'write { file = "products.csv" }'
    assert messages.load("ja").said(text) == '{ file = "products.csv" } と書いてください'


def test_values_that_look_like_templates_are_not_filled() -> None:
    text = say("{written} is no file name", written="'{0} {written!r} {x.y}'")
    assert messages.load("ja").said(text) == "'{0} {written!r} {x.y}' はファイル名ではありません"
    assert translated(joined("\n", [text, "{plain}"]), messages.load("ja").phrases).endswith("ではありません\n{plain}")


def test_phrase_survives_copies_workers_and_the_database() -> None:
    text = say(
        "{path}: {detail}",
        path="a.jpg",
        detail=say("{width} x {height} px; at least {limit} px a side are needed", width=9, height=8, limit=32),
    )
    for again in (pickle.loads(pickle.dumps(text)), copy.deepcopy(text), decode(encode(text)), unpacked(packed(text))):
        assert isinstance(again, Phrase) and again == text == "a.jpg: 9 x 8 px; at least 32 px a side are needed"
        assert messages.load("ja").said(again) == "a.jpg: 9 x 8 px。一辺 32 px 以上が必要です"
    assert packed("plain") == unpacked("plain") == "plain"
    assert stated(text) == {"path": "a.jpg", "detail": "9 x 8 px; at least 32 px a side are needed"}
    assert stated("plain") == {}


def test_values_of_a_phrase_can_be_changed() -> None:
    text = joined("; ", [say("left out: {left}", left="a\nb"), "c\nd"])
    flat = mapped(text, lambda part: part.replace("\n", " "))
    assert flat == "left out: a b; c d"
    assert messages.load("ja").said(flat) == "除外: a b; c d"


def test_error_tells_the_phrase_it_was_raised_with() -> None:
    assert isinstance(told(IngestRefused(say("no file"))), Phrase)
    assert told(OSError(2, "No such file or directory", "x")) == "No such file or directory"
    assert told(ValueError("odd", 3)) == "('odd', 3)"
