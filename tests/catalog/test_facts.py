"""Facts of products: what is visible, what the text states, what must not be claimed."""

from dataclasses import replace

import pytest

from catalog import glossary
from catalog.attribute_slots import slot_of
from catalog.facts import facts_of
from catalog.glossary import Glossary
from catalog.product_names import clean_name
from catalog.records import Attribute, Product, Variant
from catalog.spec_text import colour_phrase, visual_facts


@pytest.fixture(scope="module")
def terms() -> Glossary:
    return glossary.load()


def product(name: str, category: str = "", text: str = "", *, lang: str = "en", **attributes: str) -> Product:
    listed = tuple(Attribute(name=name, value=value, lang=lang) for name, value in attributes.items())
    return Product(
        id=1, source="shop", sku="1", name=name, category=category, lang=lang, status="active", description=text,
        attributes=listed,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("record", "facts"),
    [
        (
            product("Golden-Delicious", "Apple", "Golden Delicious has a white pulp and a greenish yellow shell."),
            {"noun": "apple", "kind": "golden delicious", "skin colour": "greenish yellow"},
        ),
        (
            product("Red-Delicious", "Apple", "Red Delicious is a dark red apple with relatively soft pulp."),
            {"noun": "apple", "kind": "red delicious", "colour": "dark red"},
        ),
        (product("Bravo-Orange-Juice", "Juice", "Ready orange juice."), {"noun": "juice", "kind": "bravo orange"}),
        (
            product("Tropicana-Golden-Grapefruit", "Juice", "Tropicana Golden Grape is a ready to drink juice."),
            {"noun": "juice", "kind": "tropicana golden grapefruit"},
        ),
        (
            product("Grey Fabric Sofa", "Home > Furniture", color="gray", price="295.00", weight="40 kg"),
            {"noun": "sofa", "colour": "grey", "material": "fabric"},
        ),
        (product("Black Eaves Chair", color="black"), {"noun": "chair", "kind": "eaves", "colour": "black"}),
        (product("Wooden Side Desk", color="wood"), {"noun": "desk", "kind": "side", "material": "wood"}),
        (product("Acme Kettle M185 500ml", brand="Acme"), {"noun": "kettle"}),
        (product("USB Cable", "Electronics > Computers"), {"noun": "cable", "kind": "USB"}),
        (
            product("Mug", color="Navy / White", material="60% ceramic", finish="matte", handle="wood"),
            {
                "noun": "mug", "colour": "navy blue, white", "material": "ceramic", "finish": "matte",
                "handle material": "wood",
            },
        ),
        (
            product("オーク突板 丸テーブル", "家具", lang="ja", 脚="スチール", 脚の色="ブラック", 価格="9800"),
            {
                "noun": "table", "material": "wood veneer", "shape": "round", "legs material": "steel",
                "legs colour": "black",
            },
        ),
        (
            product("【送料無料】蓋付き ガラス瓶", lang="ja", カラー="ﾌﾞﾙｰ"),
            {"noun": "bottle", "material": "glass", "lid": "yes", "colour": "blue"},
        ),
        (product("大理石風テーブル", lang="ja"), {"noun": "table"}),
        (
            product("【送料無料】≪新作≫ ＼楽天1位／ 陶器 マグカップ 赤 ★ポイント10倍", lang="ja"),
            {"noun": "mug", "material": "earthenware", "colour": "red"},
        ),
        (
            product("オーク丸テーブル 幅120cm", lang="ja", 本体カラー="ﾅﾁｭﾗﾙ", 素材1="ｵｰｸ材"),
            {"noun": "table", "colour": "natural", "material": "oak", "shape": "round"},
        ),
        (
            product("ラグ", lang="ja", 素材="表面：ウール／裏面：綿", 色="その他", 柄="-"),
            {"noun": "rug", "material": "wool"},
        ),
        (
            product(
                "皿", lang="ja", JANコード="0490", カタログID="0490", 価格="980", 税率="10", 送料区分="無料", 
                保証="1年", 倉庫指定="0", ポイント変倍率="10", 在庫数="3", 総個数="5", 梱包サイズ="60",
                カラーバリエーション="赤、青",
            ),
            {"noun": "plate"},
        ),
        (product("㈱髙﨑工芸社 陶器 湯呑", lang="ja"), {"noun": "cup", "material": "earthenware"}),
        (product("ペンさしホルダア", lang="ja"), {}),
        (product("白ワイングラス", lang="ja"), {"noun": "wine glass"}),
        (product("金縁の皿 大", lang="ja"), {"noun": "plate", "size": "large"}),
        (product("マグカップ オレンジ", lang="ja"), {"noun": "mug", "colour": "orange"}),
        (product("オレンジジュース", lang="ja"), {"noun": "juice"}),
    ],
)  # fmt: skip
def test_facts_are_visible_and_general(terms: Glossary, record: Product, facts: dict[str, str]) -> None:
    assert facts_of(record, terms).facts == facts


@pytest.mark.parametrize("value", ["-", "なし", "その他", "各色", "フリーサイズ", "N/A"])
def test_value_that_says_nothing_is_no_unknown_term(terms: Glossary, value: str) -> None:
    assert facts_of(product("皿", lang="ja", 色=value), terms).unknown == []


def test_maker_in_a_name_is_no_unknown_term(terms: Glossary) -> None:
    assert facts_of(product("①㈱髙﨑 湯呑", lang="ja"), terms).unknown == []


def test_name_without_a_noun_is_listed_by_its_unknown_word(terms: Glossary) -> None:
    unknown = facts_of(product("陶器の銘々ざる 5個セット", lang="ja"), terms).unknown
    assert [(term.term, term.attribute) for term in unknown] == [("銘々ざる", "name")]


def test_form_without_a_name_is_read_by_its_value(terms: Glossary) -> None:
    forms = tuple(
        Variant(
            id=number, key=value, sku=value,
            attributes=(
                Attribute(name="規格分類1", value=value, variant_id=number),
                Attribute(name="規格分類2", value="S", variant_id=number),
            ),
        )
        for number, value in enumerate(("紺", "生成り"), 1)
    )  # fmt: skip
    cushion = replace(product("リネン クッション 紺", lang="ja", 色="紺/生成り"), variants=forms)
    assert facts_of(cushion, terms).facts == {"noun": "cushion", "material": "linen"}
    assert facts_of(cushion, terms, variant=forms[1]).facts == {
        "noun": "cushion", "material": "linen", "colour": "beige"
    }  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "It is sweeter than the red apple.",
        "The peel may vary from light green to dark green.",
        "An apple with yellow or orange pulp.",
        "The pulp is white.",
        "Unlike a red apple, it keeps well.",
        "Goes with a green salad.",
        "Not a red apple.",
        "A clear and natural apple for classic recipes.",
    ],
)
def test_visual_facts_claim_nothing_the_text_leaves_open(terms: Glossary, text: str) -> None:
    assert visual_facts(text, {"apple"}, terms) == {}


@pytest.mark.parametrize(
    ("text", "noun", "facts"),
    [
        ("Granny Smith is a green apple with white, firm pulp.", "apple", {"colour": "green"}),
        (
            "Aubergine, or eggplant as it is also called, is usually dark violet.",
            "aubergine",
            {"colour": "dark purple"},
        ),
        ("The orange red color of the carrot comes from carotene.", "carrots", {"colour": "orange red"}),
        ("A charming white wooden chair featuring a balloon.", "chair", {"colour": "white", "material": "wood"}),
        ("The chair frame is made of solid wood.", "chair", {"frame material": "wood"}),
        ("Stems host large white flowers that last for months.", "orchid", {"flowers colour": "white"}),
        ("Round tomatoes with vines in the package.", "tomato", {"shape": "round"}),
    ],
)
def test_visual_facts_read_what_is_written(terms: Glossary, text: str, noun: str, facts: dict[str, str]) -> None:
    assert visual_facts(text, {noun}, terms) == facts


@pytest.mark.parametrize(
    ("text", "phrase"),
    [("Gray", "grey"), ("dark violet", "dark purple"), ("tan-brown", "tan-brown"), ("light", None), ("pretty", None)],
)
def test_colour_phrase_is_general_or_none(terms: Glossary, text: str, phrase: str | None) -> None:
    assert colour_phrase(text, terms) == phrase


def test_unknown_terms_are_reported_not_guessed(terms: Glossary) -> None:
    sheet = facts_of(product("マグカップ", lang="ja", 色="みそ色"), terms)
    assert sheet.facts == {"noun": "mug"}
    assert [(term.term, term.attribute, term.used) for term in sheet.unknown] == [("みそ色", "色", False)]
    sheet = facts_of(product("Mug", color="glacier", material="XC-90"), terms)
    assert sheet.facts == {"noun": "mug", "colour": "glacier"}
    assert [(term.term, term.used) for term in sheet.unknown] == [("glacier", True), ("XC-90", False)]


def test_variant_attributes_replace_and_never_leak_into_the_product(terms: Glossary) -> None:
    colours = [
        Variant(
            id=number, key=colour, sku=colour, attributes=(Attribute(name="color", value=colour, variant_id=number),)
        )
        for number, colour in enumerate(("mint", "pearl white"), start=1)
    ]
    record = product("Modern Cafe Chair", text="A red chair.", color="blue", material="oak")
    record = Product(**{**record.__dict__, "variants": tuple(colours)})
    assert "colour" not in facts_of(record, terms).facts
    assert facts_of(record, terms, variant=colours[0]).facts["colour"] == "light green"
    assert facts_of(record, terms, variant=colours[1]).facts["colour"] == "ivory"
    assert facts_of(record, terms, variant=colours[1]).facts["material"] == "oak"


@pytest.mark.parametrize(
    ("name", "slot"),
    [("Colour", "colour"), ("本体色", "colour"), ("Price", ""), ("JANコード", ""), ("高さ", ""), ("sparkle", None)],
)
def test_slot_of_knows_visible_and_hidden_attributes(name: str, slot: str | None) -> None:
    assert slot_of(name) == slot


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("Golden-Delicious", "golden delicious"),
        ("32-Inch Monitor", "32-inch monitor"),
        ("NEW! Acme Kettle (2025) - Best Seller", "kettle"),
        ("ELECTRIC KETTLE", "electric kettle"),
        ("Nikkormat SLR Camera", "nikkormat SLR camera"),
    ],
)
def test_clean_name_drops_noise(terms: Glossary, name: str, clean: str) -> None:
    assert clean_name(name, "Acme", terms) == clean


@pytest.mark.parametrize(
    ("name", "text", "facts"),
    [
        ("IMG_0001", "A red leather handbag with gold buckle. New!", {"noun": "handbag", "colour": "red"}),
        ("item7", "赤い椅子", {"noun": "chair", "colour": "red"}),
        ("item7", "", {}),
    ],
)
def test_a_name_that_names_nothing_leaves_it_to_the_text(
    terms: Glossary, name: str, text: str, facts: dict[str, str]
) -> None:
    found = dict(facts_of(product(name, text=text), terms).facts)
    assert {key: found.get(key) for key in facts} == facts and bool(found) == bool(facts)


@pytest.mark.parametrize(
    ("colour", "material", "facts"),
    [
        ("ウォールナット", "アルミ", {"colour": "dark brown", "material": "aluminium"}),
        ("ウォールナット", "ラバーウッド", {"colour": "dark brown", "material": "rubberwood"}),
        ("オークナチュラル", "スチール", {"colour": "natural", "material": "steel"}),
        ("ブロンズ", "磁器", {"colour": "bronze", "material": "porcelain"}),
        ("WH", "磁器", {"colour": "white", "material": "porcelain"}),
        ("BR/BK", "磁器", {"colour": "brown, black", "material": "porcelain"}),
        ("ＮＶＹ", "磁器", {"colour": "navy blue", "material": "porcelain"}),
    ],
)
def test_column_of_colours_states_colours_alone(
    terms: Glossary, colour: str, material: str, facts: dict[str, str]
) -> None:
    sheet = facts_of(product("片手鍋", lang="ja", カラー=colour, 素材=material), terms)
    assert sheet.facts == {"noun": "pot"} | facts
    assert sheet.unknown == []


def test_wood_as_a_colour_is_a_tone_even_where_no_material_is_stated(terms: Glossary) -> None:
    assert facts_of(product("Pot", color="walnut"), terms).facts == {"noun": "pot", "colour": "dark brown"}
    sheet = facts_of(product("Pot", color="wood", material="steel"), terms)
    assert sheet.facts == {"noun": "pot", "material": "steel"}
    assert [(term.term, term.used) for term in sheet.unknown] == [("wood", False)]


def test_own_column_comes_before_what_stands_in_another(terms: Glossary) -> None:
    bag = product("Bag", material="black leather", color="red")
    assert facts_of(bag, terms).facts == {"noun": "bag", "colour": "red", "material": "leather"}


@pytest.mark.parametrize(("name", "value"), [("color", "ZQ"), ("カラー", "ZQ"), ("material", "QX"), ("finish", "zz")])
def test_short_value_that_no_term_covers_is_listed(terms: Glossary, name: str, value: str) -> None:
    sheet = facts_of(product("Mug", **{name: value}), terms)
    assert sheet.facts == {"noun": "mug"}
    assert [(term.term, term.attribute, term.used) for term in sheet.unknown] == [(value, name, False)]


def test_abbreviation_of_a_colour_is_one_only_in_a_column_of_colours(terms: Glossary) -> None:
    assert facts_of(product("WH Mug", text="To be WH or BK.", material="BK"), terms).facts.get("colour") is None


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("Copper kettle No. 1234", "copper kettle"),
        ("Kitchen Scale Model 5", "kitchen scale"),
        ("Pfanne Modell 12", "pfanne"),
        ("Bar stool Art. Nr. 4711", "bar stool"),
        ("Teapot Type B12", "teapot"),
        ("XK-900 Model Kettle", "kettle"),
        ("Model Ship", "model ship"),
        ("Art Print", "art print"),
    ],
)
def test_clean_name_drops_what_goes_with_a_code(terms: Glossary, name: str, clean: str) -> None:
    assert clean_name(name, "", terms) == clean
