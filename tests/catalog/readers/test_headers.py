"""Names of columns in the languages of shops lead to what the columns hold."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.readers.headers import FACTS, SYNONYMS, is_known_header, normalise, role_of, shown


@pytest.mark.parametrize(
    ("header", "role"),
    [
        ("SKU", "sku"), ("Artikelnummer", "sku"), ("UGS", "sku"), ("Référence", "sku"), ("ＳＫＵ管理番号", "sku"),
        ("独自商品コード", "sku"), ("商品型番", "sku"), ("货号", "sku"), ("código", "sku"),
        ("JANコード", "gtin"), ("GTIN(JANコード)", "gtin"), ("Variant Barcode", "gtin"), ("EAN-13", "gtin"),
        ("Handle", "parent"), ("URL handle", "parent"), ("item_group_id", "parent"), ("商品ID", "parent"),
        ("商品管理番号（商品URL）", "parent"), ("Übergeordnetes Produkt", "parent"), ("親品番", "parent"),
        ("Title", "name"), ("商品名", "name"), ("Bezeichnung", "name"), ("Nom", "name"), ("Nombre", "name"),
        ("désignation", "name"), ("titulo", None), ("título", "name"),
        ("Kategorien", "category"), ("カテゴリーパス", "category"), ("google_product_category", "category"),
        ("Kurzbeschreibung", "text"), ("Description courte", "text"), ("Descripción", "text"),
        ("PC用キャッチコピー", "text"),
        ("Body (HTML)", "text"), ("商品説明(詳細)", "text"), ("product_highlight", "text"),
        ("Bilder", "image"), ("Imágenes", "image"), ("lien image", "image"), ("商品画像パス12", "image"),
        ("additional_image_link", "image"), ("拡大画像名", "image"), ("Image 2", "image"),
        ("Regulärer Preis", "drop"), ("Tarif promo", "drop"), ("Precio normal", "drop"), ("在庫数", "drop"),
        ("ポイント変倍率", "drop"), ("Variant Price", "drop"),
        ("Farbe", None), ("色", None), ("oak", None), ("", None), ("x" * 10_000, None),
    ],
)  # fmt: skip
def test_role_of_knows_localised_headers(header: str, role: str | None) -> None:
    hit = role_of(header)
    assert (hit[0] if hit else None) == role


@pytest.mark.parametrize(
    "header", ["Farbe", "GRÖSSE", "色", "サイズ", "couleur", "颜色", "商品コード", "Nom", "weight"]
)
def test_is_known_header_counts_facts_too(header: str) -> None:
    assert is_known_header(header)


@pytest.mark.parametrize("cell", ["", "Mug", "A-1", "白", "12.5", "x" * 10_000])
def test_values_are_no_known_headers(cell: str) -> None:
    assert not is_known_header(cell)


def test_no_name_stands_for_two_things_or_twice() -> None:
    names = [normalise(name) for names in SYNONYMS.values() for name in names]
    known = {"filename", "bodyhtml"}  # each written in two ways on purpose
    assert {name for name in names if names.count(name) > 1} <= known
    assert not set(names) & set(map(normalise, FACTS))
    assert all(names)


def test_shown_is_for_people() -> None:
    assert shown("Weight (lbs)") == "weight" and shown("高さ（cm）") == "高さ" and shown("baseColor") == "base color"


@settings(deadline=None)
@given(st.text(max_size=60))
def test_headers_never_raise(header: str) -> None:
    hit = role_of(header)
    assert hit is None or hit[0] in SYNONYMS
    assert is_known_header(header) in (True, False)
