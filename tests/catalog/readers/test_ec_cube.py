"""EC-CUBE: one row a 規格, products told apart by their 商品ID, pictures as a quoted list of bare names."""

from pathlib import Path

from cp932_dump import read

from catalog.readers.draft import DraftAttribute, DraftProduct
from catalog.records import RowBooks

PRODUCT = (
    "商品ID,公開ステータス(ID),公開ステータス(名称),商品名,ショップ用メモ欄,商品説明(一覧),商品説明(詳細),検索ワード,"
    "フリーエリア,商品規格ID,販売種別(ID),販売種別(名称),規格分類1(ID),規格分類1(名称),規格分類2(ID),規格分類2(名称),商品コード,在庫数,"
    "通常価格,販売価格,送料,商品画像,商品カテゴリ(ID),商品カテゴリ(名称),タグ(ID),タグ(名称),税率,素材\n"
    "1,1,公開,リネン クッション,仕入先に確認,,<p>ふんわり</p>,座布団,,1,1,A,3,紺,7,S,cu-ns,5,,2800,,"
    '"cu_1.jpg,cu_2.jpg","1,4","寝具,クッション",,,10,リネン\n'
    "1,1,公開,リネン クッション,仕入先に確認,,<p>ふんわり</p>,座布団,,2,1,A,4,生成り,7,S,cu-es,5,,2800,,"
    '"cu_1.jpg,cu_2.jpg","1,4","寝具,クッション",,,10,リネン\n'
    "1,1,公開,リネン クッション,仕入先に確認,,<p>ふんわり</p>,座布団,,2,1,A,4,生成り,7,S,cu-es,5,,2800,,"
    '"cu_1.jpg,cu_2.jpg","1,4","寝具,クッション",,,10,リネン\n'
    "2,1,公開,ﾎﾜｲﾄ 花瓶,,白い一輪挿し,,,<b>日本製</b>,9,1,A,,,,,00012,3,,1200,,none.jpg,,,,,10,陶器\n"
    "3,1,公開,,,,,,,10,1,A,3,赤,,,x-1,3,,1200,,,,,,,10,\n"
    ",1,公開,迷子の皿,,,,,,11,1,A,,,,,x-2,3,,1200,,,,,,,10,\n"
)


def facts(attributes: list[DraftAttribute]) -> list[tuple[str, str]]:
    return [(fact.name, fact.value) for fact in attributes if fact.kind == "fact"]


def shown(product: DraftProduct) -> list[tuple[str, str | None]]:
    return [(picture.path, picture.variant_key) for picture in product.pictures]


def test_product_rows_are_forms_of_one_product(tmp_path: Path) -> None:
    pictures = ("html/upload/save_image/cu_1.jpg", "html/upload/save_image/cu_2.jpg")
    catalogue = read(tmp_path, {"product.csv": PRODUCT}, pictures)
    assert (catalogue.reader, catalogue.encoding) == ("ec_cube", "cp932")
    cushion, vase = catalogue.products
    assert (cushion.sku, cushion.name, cushion.category, cushion.description) == (
        "1", "リネン クッション", "寝具 > クッション", "ふんわり"
    )  # fmt: skip
    assert facts(cushion.attributes) == [("素材", "リネン")]
    assert [(variant.key, variant.sku, facts(variant.attributes)) for variant in cushion.variants] == [
        ("cu-ns", "cu-ns", [("規格分類1", "紺"), ("規格分類2", "S")]),
        ("cu-es", "cu-es", [("規格分類1", "生成り"), ("規格分類2", "S")]),
    ]
    # The pictures belong to the product: no row says which form one shows.
    assert shown(cushion) == [(pictures[0], None), (pictures[1], None)]
    assert (vase.sku, vase.name, vase.description, vase.variants) == ("2", "ホワイト 花瓶", "白い一輪挿し", [])
    assert facts(vase.attributes) == [("素材", "陶器"), ("商品コード", "00012")]
    assert [(issue.reason, issue.line) for issue in catalogue.issues] == [
        ("ROW_NO_KEY", 7), ("ROW_DUP_KEY", 4), ("FILE_MISSING", 5), ("ROW_NO_NAME", 6)
    ]  # fmt: skip
    assert catalogue.rows == RowBooks(read=6, accepted=3, duplicate=1, quarantined=2)


def test_product_table_with_columns_dropped_and_renamed_is_still_grouped(tmp_path: Path) -> None:
    header = "商品ID,商品コード,商品名,規格分類１（名称）,色,商品画像\n"
    table = header + "7,k-1,木の椅子,大,茶,k.jpg\n7,k-2,木の椅子,小,茶,k.jpg\n"
    catalogue = read(tmp_path, {"product.csv": table}, ("k.jpg",))
    (chair,) = catalogue.products
    assert (catalogue.reader, facts(chair.attributes)) == ("ec_cube", [("色", "茶")])
    assert [variant.sku for variant in chair.variants] == ["k-1", "k-2"] and catalogue.issues == []
