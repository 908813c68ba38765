"""MakeShop: three sizes of one picture, categories behind a yen sign, options in a second file."""

from pathlib import Path

from cp932_dump import read

from catalog.readers.draft import DraftAttribute, DraftProduct
from catalog.records import RowBooks

ITEMS = (
    "商品特定コード指定,更新時間フラグ,システム商品コード,独自商品コード,カテゴリー識別コード,カテゴリーパス,商品名,重量,販売価格,"
    "ポイント,製造元,原産地,数量,送料個別設定,オプション１名称,オプション２名称,オプショングループ,拡大画像名,"
    "普通画像名,縮小画像名,追加商品画像1,画像説明文1,追加商品画像2,画像説明文2,PC用メイン商品説明文,JANコード,"
    "ブランド名,MPN(メーカー型番),色,サイズ,素材,柄,消費税率\n"
    "1,1,000000000011,0007,ct1,キッチン\\マグカップ,≪新作≫ 磁器 マグカップ,,1200,1,朝凪窯,日本,9,0,カラー,サイズ,,"
    "m_l.jpg,m_m.jpg,m_s.jpg,m_1.jpg,取っ手のアップ,m_9.jpg,,<p>軽い</p>,0490000000020,朝凪,AN-7,白/紺,φ8×高さ9cm,磁器,縞,10\n"
    "1,1,000000000012,,ct1,家具,ラグ,2kg,9800,1,,,9,0,,,,r_l.jpg,r_m.jpg,,,,,,,,,,,,綿,,10\n"
    "1,1,000000000013,0007,ct1,家具,同じ番号の皿,,9800,1,,,9,0,,,,,,,,,,,,,,,,,,,10\n"
)
OPTIONS = (
    "商品特定コード指定,オプション特定コード指定,システム商品コード,独自商品コード,商品名,商品カテゴリーパス,オプション独自コード,"
    "オプション1項目,オプション2項目,販売価格,数量,JANコード\n"
    "1,1,000000000011,0007,マグカップ,キッチン,0007-w,白,M,1200,5,\n"
    "1,1,000000000011,,マグカップ,キッチン,0007-n,紺,M,1200,5,\n"
    "1,1,000000000099,0099,消えた品,キッチン,0099-n,紺,,1200,5,\n"
)


def facts(attributes: list[DraftAttribute]) -> list[tuple[str, str]]:
    return [(fact.name, fact.value) for fact in attributes if fact.kind == "fact"]


def shown(product: DraftProduct) -> list[tuple[str, str | None]]:
    return [(picture.path, picture.variant_key) for picture in product.pictures]


def test_items_take_the_largest_size_of_a_picture(tmp_path: Path) -> None:
    pictures = ("img/m_l.jpg", "img/m_m.jpg", "img/m_s.jpg", "img/m_1.jpg", "img/r_m.jpg")
    catalogue = read(tmp_path, {"item.csv": ITEMS, "option.csv": OPTIONS}, pictures)
    assert (catalogue.reader, catalogue.encoding) == ("makeshop", "cp932")
    mug, rug = catalogue.products
    assert (mug.sku, mug.name, mug.category, mug.description) == (
        "0007", "≪新作≫ 磁器 マグカップ", "キッチン > マグカップ", "軽い"
    )  # fmt: skip
    assert facts(mug.attributes) == [
        ("製造元", "朝凪窯"), ("原産地", "日本"), ("janコード", "0490000000020"), ("ブランド名", "朝凪"),
        ("mpn(メーカー型番)", "AN-7"), ("色", "白/紺"), ("サイズ", "φ8×高さ9cm"), ("素材", "磁器"), ("柄", "縞"),
    ]  # fmt: skip
    assert [(text.name, text.value) for text in mug.attributes if text.kind == "text"] == [
        ("pc用メイン商品説明文", "軽い"), ("画像説明文1", "取っ手のアップ")
    ]  # fmt: skip
    assert [(variant.key, variant.sku, facts(variant.attributes)) for variant in mug.variants] == [
        ("0007-w", "0007-w", [("カラー", "白"), ("サイズ", "M")]),
        ("0007-n", "0007-n", [("カラー", "紺"), ("サイズ", "M")]),
    ]
    assert shown(mug) == [("img/m_l.jpg", None), ("img/m_1.jpg", None)]
    assert (rug.sku, facts(rug.attributes)) == ("000000000012", [("重量", "2kg"), ("素材", "綿")])
    assert shown(rug) == [("img/r_m.jpg", None)]
    assert [(issue.reason, issue.line, issue.severity) for issue in catalogue.issues] == [
        ("FILE_MISSING", 2, "error"), ("FILE_MISSING", 3, "warning"), ("ROW_DUP_KEY", 4, "error"),
        ("ROW_UNKNOWN_KEY", 4, "error"),
    ]  # fmt: skip
    assert catalogue.rows == RowBooks(read=6, accepted=4, duplicate=1, quarantined=1)
