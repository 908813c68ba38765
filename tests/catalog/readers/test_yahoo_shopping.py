"""Yahoo!ショッピング: no column names a picture, so the names of the files must say whose they are."""

from pathlib import Path

from cp932_dump import read

from catalog.readers.draft import DraftAttribute, DraftProduct
from catalog.records import RowBooks

HEADER = "path,name,code,sub-code,price,options,headline,caption,explanation,jan,product-category,postage-set\n"
DATA = HEADER + (
    "家具:椅子,【送料無料】オーク 丸スツール,st-1,,9800,,毎日座る,"
    '"素材：オーク<br>サイズ：幅40×奥行40×高さ45cm<br>カラー：白、黒<script>x()</script>",,0490000000013,1,1\n'
    '"食器:皿\n食器:皿:小皿",陶器 小皿,st-1_2,カラー:赤#サイズ:S=dish-r&カラー:青#サイズ:S=dish-b,'
    "800,カラー 赤 青,,,,,1,1\n"
    "食器,湯呑,ST-10,,800,,,,,,1,1\n"
    "食器,急須,pot,カラー=pot-r,800,,,,,,1,1\n"
    "食器,,nameless,,800,,,,,,1,1\n"
    "食器,湯呑,ST-10,,800,,,,,,1,1\n"
)
PICTURES = (
    "img/ST-1.jpg", "img/st-1_1.jpg", "img/st-1_10.jpg", "img/st-1_21.jpg", "img/st-1_2.jpg", "img/st-1_2_1.jpg",
    "img/dish-b.jpg", "img/DISH-R.jpg", "img/dish-r_1.jpg", "img/st-10.jpg", "img/st-10_1.jpg", "lib/st-10_1.gif",
)  # fmt: skip


def facts(attributes: list[DraftAttribute]) -> list[tuple[str, str]]:
    return [(fact.name, fact.value) for fact in attributes if fact.kind == "fact"]


def shown(product: DraftProduct) -> list[tuple[str, str | None]]:
    return [(picture.path, picture.variant_key) for picture in product.pictures]


def test_data_is_joined_with_pictures_by_their_names(tmp_path: Path) -> None:
    catalogue = read(tmp_path, {"data.csv": DATA}, PICTURES)
    assert (catalogue.reader, catalogue.encoding) == ("yahoo_shopping", "cp932")
    stool, dish, cup, pot = catalogue.products
    assert (stool.sku, stool.name, stool.category) == ("st-1", "【送料無料】オーク 丸スツール", "家具 > 椅子")
    # Several colours in a text are a choice; no picture shows them all.
    assert facts(stool.attributes) == [
        ("jan", "0490000000013"), ("素材", "オーク"), ("サイズ", "幅40×奥行40×高さ45cm")
    ]  # fmt: skip
    assert stool.description == "素材：オーク\nサイズ：幅40×奥行40×高さ45cm\nカラー：白、黒"
    # `st-1_2` is a product of its own, `st-1_21` is beyond what the mall has, and 10 comes after 1.
    assert shown(stool) == [("img/ST-1.jpg", None), ("img/st-1_1.jpg", None), ("img/st-1_10.jpg", None)]
    assert (dish.sku, dish.category) == ("st-1_2", "食器 > 皿 > 小皿")
    assert [(variant.key, variant.sku, facts(variant.attributes)) for variant in dish.variants] == [
        ("dish-r", "dish-r", [("カラー", "赤"), ("サイズ", "S")]),
        ("dish-b", "dish-b", [("カラー", "青"), ("サイズ", "S")]),
    ]
    assert shown(dish) == [
        ("img/st-1_2.jpg", None), ("img/st-1_2_1.jpg", None), ("img/DISH-R.jpg", "dish-r"),
        ("img/dish-r_1.jpg", "dish-r"), ("img/dish-b.jpg", "dish-b"),
    ]  # fmt: skip
    assert (cup.sku, shown(cup)) == ("ST-10", [("img/st-10.jpg", None)])
    assert (pot.sku, pot.variants, pot.pictures) == ("pot", [], [])
    assert [(issue.reason, issue.line, issue.severity) for issue in catalogue.issues] == [
        ("VARIANT_UNREADABLE", 6, "error"), ("ROW_NO_NAME", 7, "error"), ("ROW_DUP_KEY", 8, "error"),
        ("FILE_AMBIGUOUS", 5, "error"), ("FILE_MISSING", 6, "warning"),
    ]  # fmt: skip
    assert catalogue.rows == RowBooks(read=6, accepted=4, duplicate=1, quarantined=1)


def test_data_with_picture_addresses_uses_them(tmp_path: Path) -> None:
    data = HEADER.replace("postage-set", "item-image-urls") + (
        "食器,皿,a,,800,,,,,,1,https://item-shopping.example.test/i/n/first.jpg;https://item-shopping.example.test/i/n/b.jpg\n"
    )
    catalogue = read(tmp_path, {"data.csv": data}, ("first.jpg", "b.jpg", "a_1.jpg"))
    assert shown(catalogue.products[0]) == [("first.jpg", None), ("b.jpg", None), ("a_1.jpg", None)]
    assert catalogue.issues == []
