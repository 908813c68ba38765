"""Cells become text that can be read: no markup, nothing invisible, one form for each character, no meaning lost."""

import re
import sys
import time
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from catalog.readers.cells import clean, clean_line, fact_value, html_to_text, language, packed_fact, split_list

PIECES = (
    "<p> </p> <br> <b> </b> <td> <th> <dd> <script> </script> <!-- --> <![CDATA[ ]]> &amp; &lt; &gt; &#60; &nbsp; "
    "amp; lt; < > & ; \u200b x ＜ ＞ ＆ ； ½ ² － カ ー ´ \u0301 \ufe0f 7 = \" ' ㎡ \x1e"
).split(" ")
MARKUP = st.lists(st.sampled_from([*PIECES, " ", "\n"]), max_size=25).map("".join)


@pytest.mark.parametrize(
    ("fragment", "text"),
    [
        ("<p>Solid <b>oak</b></p>", "Solid oak"),
        ("a<br>b<BR/>c<br />d", "a\nb\nc\nd"),
        ("<ul><li>a<ul><li>b</li></ul></li><li>c</li></ul>", "a\nb\nc"),
        ("<table>\n <tr>\n  <th>幅</th>\n  <td><p>120cm</p></td>\n </tr></table>", "幅: 120cm"),
        ("<tr><td>a</td><td>b</td><td>c</td></tr><tr><td>d</td></tr>", "a | b | c\nd"),
        ("<dl><dt>Material:</dt>\n<dd>Oak</dd><dt>Farbe<dd>rot</dl>", "Material: Oak\nFarbe: rot"),
        ("a<script>if (1<2) { x('</p>') }</script>b<style>p{}</style>", "ab"),
        ("a<!-- <p>hidden</p> -->b<!-- never closed", "ab"),
        ("a<!-- <p>never closed", "a"),
        ("<![CDATA[Oak &amp; pine]]>", "Oak & pine"),
        ("&lt;p&gt;Hi &amp;amp; you&lt;/p&gt;", "Hi & you"),
        ("&eacute;&#233;&#xE9;", "ééé"),
        ("<a title='x > y' href=\"q\">link</a>", "link"),
        ("<img src=x onerror=alert(1)>", ""),
        ("<o:p>Word</o:p>", "Word"),
        ("<?xml version='1.0'?><!DOCTYPE html>x", "x"),
    ],
)
def test_clean_reads_html_without_rendering_it(fragment: str, text: str) -> None:
    assert clean(fragment) == text


@pytest.mark.parametrize(
    "text",
    ["a < b and 3 > 2", "<NEW> Mug", "<送料無料> 皿", "AT&T; yes", "q?a=1&copy=2", "10 <50> 60", "R&D", "a <-> b"],
)
def test_clean_leaves_what_only_looks_like_html(text: str) -> None:
    assert clean(text) == text


def test_clean_strips_every_invisible_character_and_keeps_the_rest() -> None:
    for code in range(sys.maxunicode + 1):
        char = chr(code)
        hidden = unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co") and char not in "\t\n\r\x0b\x0c"
        if hidden or code % 97 == 0:
            expected = "ab" if hidden else f"a{char}b" if char not in "\r\x0b\x0c\u2028\u2029\u00a0\n" else None
            assert expected is None or clean(f"a{char}b") == expected, hex(code)


def test_clean_makes_line_breaks_of_all_their_forms() -> None:
    assert clean("a\r\nb\rc\x0bd\u2028e\x00\u200bf \n g") == "a\nb\nc\nd\nef\ng"


@pytest.mark.parametrize(
    ("written", "line"),
    [
        ("ｶﾗｰ：ﾌﾞﾙｰ", "カラー:ブルー"),
        ("ＡＢＣ １２３", "ABC 123"),
        ("10² cm³ ２㎡ ㎝ ㎏ ㎖", "10² cm³ 2m² cm kg ml"),
        ("½ inch, 1½ in, ２¼", "1/2 inch, 1 1/2 in, 2 1/4"),
        ("Acme™ 20º", "Acme™ 20°"),
        ("①㈱", "1(株)"),
        ("20～25cm と 20〜25cm", "20〜25cm と 20〜25cm"),
        ("A－1 −5 B‐2 Aー3", "A-1 -5 B-2 A-3"),
        ("カ－テン ｼ－ﾄ スーパー－セール", "カーテン シート スーパー-セール"),
        ("葛\U000e0100城 ☕\ufe0f", "葛城 ☕"),
        (" a \t b\nc\u3000d ", "a b c d"),
        ("＜b＞x＜/b＞", "x"),
    ],
)
def test_clean_line_gives_one_form_without_loss(written: str, line: str) -> None:
    assert clean_line(written) == line


def test_fact_value_makes_a_list_of_lines() -> None:
    assert fact_value("<li>red</li>\n<li> ﾌﾞﾙｰ</li>") == "red, ブルー"
    assert fact_value("a\r\n\r\nb") == "a, b"
    assert fact_value("plain  text") == "plain text"


@pytest.mark.parametrize(
    ("item", "fact"),
    [
        ("brand:Apple", ("brand", "Apple")),
        (" size = M ", ("size", "M")),
        ("素材：木", ("素材", "木")),
        ("a: b=c", ("a", "b=c")),
        ("http://x/y", None),
        ("12:30", None),
        (": x", None),
        ("x:", None),
        ("a|b:c", None),
        ("x" * 41 + ":y", None),
        ("x" * 40 + ":y", ("x" * 40, "y")),
    ],
)
def test_packed_fact_splits_name_and_value(item: str, fact: tuple[str, str] | None) -> None:
    assert packed_fact(item) == fact


def test_language_and_lists() -> None:
    assert [language(text) for text in ("Mug", "Größe", "皿", "ﾏｸﾞ")] == ["en", "en", "ja", "ja"]
    assert split_list(" a | |b ", "|") == ["a", "b"] and split_list("a|b", None) == ["a|b"]


@settings(deadline=None)
@given(st.one_of(MARKUP, st.text()))
@example("<<b>p>")
@example("&am&amp;p;lt;b>")
@example("<<<<<<<b>b>b>b>b>b>b>")
@example("<b\u200b>")
@example("<b&#8203;>")
def test_clean_is_idempotent_and_never_longer(text: str) -> None:
    once = clean(text)
    assert clean(once) == once
    assert len(once) <= len(text)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f]", once)


@settings(deadline=None)
@given(st.one_of(MARKUP, st.text()))
def test_clean_line_is_idempotent_and_one_line(text: str) -> None:
    once = clean_line(text)
    assert clean_line(once) == once
    assert "\n" not in once and "  " not in once


MANY = 250_000
HOSTILE = {
    "open brackets": "<" * MANY + ">",
    "tags that never close": "<a " * MANY + ">",
    "quotes that never close": '<a "' * MANY + ">",
    "alternating quotes": "<a '" + "\"'" * MANY + ">",
    "comments that never close": "<!--" * MANY + ">",
    "scripts that never close": "<script>" * MANY,
    "tags inside tags": "<" * MANY + "b>" * MANY,
    "ampersands": "&" + "amp;" * MANY,
    "cells": "<td>" * MANY,
    "blanks in a tag": "<a " + " " * MANY + "<b>",
    "blanks": "a" + " " * MANY + ":b" + " " * MANY + "c",
    "colons": ":" * MANY,
    "zero width": "\u200b" * MANY,
    "fractions": "1½" * MANY,
    "superscripts": "²a" * MANY,
    "long vowels": "ー" * MANY,
    "one long name": "<" + "a" * MANY + ">",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_cell_takes_linear_time(name: str) -> None:
    start = time.process_time()
    for function in (clean, clean_line, fact_value, html_to_text, packed_fact, language):
        function(HOSTILE[name])
    # Quadratic time would be minutes.
    assert time.process_time() - start < 30


def test_ordinary_cells_are_cheap() -> None:
    cells = ["AB-12345", "Blue ceramic mug, 300 ml", "ステンレスのマグカップ", "12.5"] * 25_000
    start = time.process_time()
    for cell in cells:
        clean_line(cell)
    assert time.process_time() - start < 10
