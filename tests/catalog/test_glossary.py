"""Finding terms in English and Japanese text, and reading a company's own glossary."""

from pathlib import Path

import pytest

from catalog import glossary
from catalog.errors import CatalogError
from catalog.glossary import Glossary


@pytest.fixture(scope="module")
def shipped() -> Glossary:
    return glossary.load()


def _stated(shipped: Glossary, text: str) -> list[str]:
    return [match.senses[0].concept for match in shipped.parse(text).matches if match.stated]


@pytest.mark.parametrize(
    ("text", "concepts"),
    [
        ("オーク突板 丸テーブル", ["wood veneer", "round", "table"]),
        ("赤いマグカップ", ["red", "mug"]),
        ("ﾎﾜｲﾄ 陶器 花瓶", ["white", "earthenware", "vase"]),
        ("SUS304 水筒", ["stainless steel", "water bottle"]),
        ("白×青 ボーダー Tシャツ", ["white", "blue", "striped", "t-shirt"]),
        ("Grey Fabric Sofa", ["grey", "fabric", "sofa"]),
        ("faux leather handbags", ["imitation leather", "handbags"]),
        ("ペンダントライト", ["pendant lamp"]),
    ],
)
def test_parse_takes_the_longest_terms(shipped: Glossary, text: str, concepts: list[str]) -> None:
    assert _stated(shipped, text) == concepts


@pytest.mark.parametrize("text", ["トランプ", "lamplight", "bluetooth", "茶道教室"])
def test_parse_finds_no_term_inside_another_word(shipped: Glossary, text: str) -> None:
    assert shipped.parse(text).matches == ()
    assert shipped.parse(text).unknown == (text,)


@pytest.mark.parametrize(
    ("text", "concept"),
    [("蓋なし 容器", "lid"), ("without lid", "lid"), ("oak effect", "oak"), ("ステンレス調", "stainless steel")],
)
def test_parse_marks_what_is_denied_or_an_imitation(shipped: Glossary, text: str, concept: str) -> None:
    match = next(match for match in shipped.parse(text).matches if match.senses[0].concept == concept)
    assert not match.stated


def test_parse_reports_unknown_words(shipped: Glossary) -> None:
    assert shipped.parse("錆御納戸のニャンコマグカップ 40cm").unknown == ("錆御納戸", "ニャンコマグカップ", "cm")


def test_shipped_glossary_has_words_for_each_concept_in_both_languages(shipped: Glossary) -> None:
    assert sum(1 for kind, _ in shipped.concepts if kind != "ban") > 250
    for kind, concept in shipped.concepts:
        assert shipped.words(kind, concept, "en"), (kind, concept)
        assert shipped.words(kind, concept, "ja"), (kind, concept)


def test_own_glossary_adds_replaces_and_switches_off(tmp_path: Path) -> None:
    (tmp_path / "glossary.csv").write_text(
        "\ufeffterm,lang,concept,en,ja,kind,status\n"
        "みそ色,ja,miso brown,miso brown,みそ色,colour,ok\n"
        "BK-01,en,black,,,colour,ok\n"
        "mustard,en,,,,colour,off\n",
        encoding="utf-8",
    )
    own = glossary.load(tmp_path)
    assert own.concept("みそ色", "colour") == "miso brown"
    assert own.words("colour", "miso brown", "en") == ("miso brown",)
    assert own.concept("bk-01", "colour") == "black"
    assert own.concept("mustard", "colour") is None
    assert own.version != glossary.load().version


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"term,lang\nx,en\n", "lacks column kind; its header is: term,lang"),
        (b"term,lang,concept,en,ja,kind,status\nx,en,x,x,,hue,ok\n", "line 2: kind 'hue' is not one of colour"),
        ("色".encode("cp932"), "save it as UTF-8 CSV"),
    ],
)
def test_load_refuses_a_bad_file_in_one_line(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "glossary.csv").write_bytes(content)
    with pytest.raises(CatalogError, match=message) as raised:
        glossary.load(tmp_path)
    assert "\n" not in str(raised.value)
