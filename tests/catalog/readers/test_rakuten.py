"""楽天: item.csv with its side files, and normal-item.csv, where one SKU takes two rows."""

from pathlib import Path

from cp932_dump import read

from catalog.readers.draft import DraftAttribute, DraftCatalogue, DraftProduct
from catalog.records import RowBooks

NORMAL_ITEM = (
    "商品管理番号（商品URL）,商品番号,商品名,倉庫指定,キャッチコピー,PC用商品説明文,商品画像タイプ1,商品画像パス1,商品画像タイプ2,"
    "商品画像パス2,バリエーション項目キー定義,バリエーション項目名定義,バリエーション1選択肢定義,バリエーション2選択肢定義,"
    "選択肢タイプ,商品オプション項目名,商品オプション選択肢1,SKU管理番号,システム連携用SKU番号,バリエーション項目キー1,"
    "バリエーション項目選択肢1,バリエーション項目キー2,バリエーション項目選択肢2,販売価格,在庫数,送料,SKU画像タイプ,SKU画像パス,"
    "カタログID,商品属性（項目）1,商品属性（値）1,商品属性（単位）1,商品属性（項目）2,商品属性（値）2,商品属性（単位）2\n"
    # Two colours in two sizes: five rows and one of choices, the SKU rows without product cells.
    "mug-001,0012,【送料無料】★ 陶器 マグカップ,0,毎日の一杯に,"
    '"<table><tr><th>素材</th><td>陶器</td></tr></table><p>カラー：赤、青<br>電子レンジ可</p>",CABINET,/thum02/mug.jpg,GOLD,'
    "/thum02/mug.jpg,key0|key1,カラー|サイズ,赤|青,S|L,,,,,,,,,,,,,,,,,,,,,\n"
    "mug-001,,,,,,,,,,,,,,s,ラッピング,希望する,,,,,,,,,,,,,,,,,,\n"
    "mug-001,,,,,,,,,,,,,,,,,001,mug-rs,key0,赤,key1,S,1980,5,0,CABINET,/thum02/red.jpg,-,素材,陶器,,重量,210,g\n"
    "mug-001,,,,,,,,,,,,,,,,,002,mug-rl,key0,赤,key1,L,2480,5,0,CABINET,/thum02/red.jpg,,素材,陶器,,重量,320,g\n"
    "mug-001,,,,,,,,,,,,,,,,,003,mug-bs,key0,青,key1,S,1980,5,0,CABINET,/thum02/blue.jpg,,素材,陶器,,重量,210,g\n"
    "mug-001,,,,,,,,,,,,,,,,,003,mug-bs,key0,青,key1,S,1980,5,0,CABINET,/thum02/blue.jpg,,素材,陶器,,重量,210,g\n"
    # One SKU without a choice still takes two rows.
    "vase-1,,ガラス 花瓶,0,,,CABINET,/thum02/vase.jpg,,,,,,,,,,,,,,,,,,,,,,,,,,,\n"
    "vase-1,,,,,,,,,,,,,,,,,normal-inventory,,,,,,3000,1,0,,,,色,透明,,素材,-,\n"
    # A picture that two colours share shows neither of them alone.
    "set-1,,皿,0,,,CABINET,/thum02/none.jpg,,,key0,カラー,白|黒,,,,,,,,,,,,,,,,,,,,,,\n"
    "set-1,,,,,,,,,,,,,,,,,001,,key0,白,,,100,1,0,CABINET,/thum02/both.jpg,,,,,,,\n"
    "set-1,,,,,,,,,,,,,,,,,002,,key0,黒,,,100,1,0,CABINET,/thum02/both.jpg,,,,,,,\n"
    "lost-1,,,,,,,,,,,,,,,,,001,,key0,白,,,100,1,0,,,,,,,,,\n"
)
PICTURES = (
    "R-Cabinet/thum02/mug.jpg", "gold/thum02/mug.jpg", "R-Cabinet/thum02/red.jpg", "R-Cabinet/thum02/blue.jpg",
    "R-Cabinet/thum02/vase.jpg", "R-Cabinet/thum02/both.jpg",
)  # fmt: skip


def facts(attributes: list[DraftAttribute]) -> list[tuple[str, str, str | None]]:
    return [(fact.name, fact.value, fact.unit) for fact in attributes if fact.kind == "fact"]


def shown(product: DraftProduct) -> dict[str, str | None]:
    return {picture.path: picture.variant_key for picture in product.pictures}


def variants(product: DraftProduct) -> dict[str, tuple[str, list[tuple[str, str, str | None]]]]:
    return {variant.key: (variant.sku, facts(variant.attributes)) for variant in product.variants}


def system(number: str) -> tuple[str, str, None]:
    return ("システム連携用sku番号", number, None)


def issues(catalogue: DraftCatalogue) -> list[tuple[str, int | None]]:
    return [(issue.reason, issue.line) for issue in catalogue.issues]


def test_normal_item_rows_are_one_product_with_its_skus(tmp_path: Path) -> None:
    catalogue = read(tmp_path, {"normal-item.csv": NORMAL_ITEM}, PICTURES)
    assert (catalogue.reader, catalogue.encoding) == ("rakuten", "cp932")
    mug, vase, plate = catalogue.products
    assert (mug.sku, mug.name, mug.description) == (
        "mug-001", "【送料無料】★ 陶器 マグカップ", "素材: 陶器\nカラー：赤、青\n電子レンジ可"
    )  # fmt: skip
    assert facts(mug.attributes) == [("商品番号", "0012", None), ("素材", "陶器", None)]
    assert variants(mug) == {
        "001": (
            "001",
            [
                ("カラー", "赤", None),
                ("サイズ", "S", None),
                ("重量", "210", "g"),
                system("mug-rs"),
            ],
        ),
        "002": (
            "002",
            [
                ("カラー", "赤", None),
                ("サイズ", "L", None),
                ("重量", "320", "g"),
                system("mug-rl"),
            ],
        ),
        "003": (
            "003",
            [
                ("カラー", "青", None),
                ("サイズ", "S", None),
                ("重量", "210", "g"),
                system("mug-bs"),
            ],
        ),
    }
    assert shown(mug) == {PICTURES[0]: None, PICTURES[1]: None, PICTURES[2]: "001", PICTURES[3]: "003"}
    assert facts(vase.attributes) == [("色", "透明", None)] and vase.variants == []
    assert shown(vase) == {PICTURES[4]: None}
    assert [variant.sku for variant in plate.variants] == ["001", "002"] and shown(plate) == {PICTURES[5]: None}
    assert issues(catalogue) == [
        ("ROW_DUP_KEY", 7), ("FILE_MISSING", 10), ("ROW_UNKNOWN_KEY", 13)
    ]  # fmt: skip
    assert catalogue.rows == RowBooks(read=12, accepted=10, duplicate=1, quarantined=1)


ITEM = (
    "コントロールカラム,商品管理番号（商品URL）,商品番号,PC用キャッチコピー,商品名,販売価格,送料,PC用商品説明文,商品画像URL,"
    "商品画像名（ALT）,在庫タイプ,項目選択肢別在庫用横軸項目名,項目選択肢別在庫用縦軸項目名,ポイント変倍率\n"
    "u,bag-1,,,帆布 トートバッグ,3980,1,■素材：綿100%<br>【サイズ】幅30cm,"
    "https://image.example.test/shop/cabinet/bags/b1.jpg https://image.example.test/shop/cabinet/bags/b1_2.jpg,,2,"
    "カラー,サイズ,10\n"
    "n,cup-1,,,①㈱髙﨑 湯呑,980,0,,https://image.example.test/shop/cabinet/cups/none.jpg,,1,,,\n"
    "d,old-1,,,昔の皿,980,0,,,,1,,,\n"
    "u,bag-1,,,帆布 トートバッグ,3980,1,,,,2,,,\n"
)
SELECT = (
    "項目選択肢用コントロールカラム,商品管理番号（商品URL）,選択肢タイプ,項目選択肢項目名,項目選択肢,"
    "項目選択肢別在庫用横軸選択肢,項目選択肢別在庫用横軸選択肢子番号,項目選択肢別在庫用縦軸選択肢,"
    "項目選択肢別在庫用縦軸選択肢子番号,項目選択肢別在庫用在庫数,画像URL\n"
    "n,bag-1,s,ギフト包装,あり,,,,,,\n"
    "n,bag-1,i,,,生成り,-nat,S,-s,3,\n"
    "n,bag-1,i,,,紺,-nvy,S,-s,3,https://image.example.test/shop/cabinet/bags/b1_2.jpg\n"
    "n,ghost,i,,,紺,-nvy,,,3,\n"
)
ITEM_CAT = (
    "コントロールカラム,商品管理番号（商品URL）,商品名,表示先カテゴリ,優先度,URL\n"
    "n,bag-1,帆布 トートバッグ,バッグ\\トート,1,\n"
    "n,cup-1,湯呑,食器,1,\n"
)


def test_item_with_stock_options_and_categories(tmp_path: Path) -> None:
    tables = {"dl-item.csv": ITEM, "dl-select.csv": SELECT, "dl-item-cat.csv": ITEM_CAT}
    catalogue = read(tmp_path, tables, ("cabinet/bags/b1.jpg", "cabinet/bags/b1_2.jpg"))
    bag, cup = catalogue.products
    assert (bag.sku, bag.name, bag.category) == ("bag-1", "帆布 トートバッグ", "バッグ > トート")
    assert facts(bag.attributes) == [("素材", "綿100%", None), ("サイズ", "幅30cm", None)]
    assert variants(bag) == {
        "bag-1-nat-s": ("bag-1-nat-s", [("カラー", "生成り", None), ("サイズ", "S", None)]),
        "bag-1-nvy-s": ("bag-1-nvy-s", [("カラー", "紺", None), ("サイズ", "S", None)]),
    }
    assert shown(bag) == {"cabinet/bags/b1.jpg": None, "cabinet/bags/b1_2.jpg": "bag-1-nvy-s"}
    # NFKC, but ① and ㈱ came through CP932 at all.
    assert (cup.name, cup.category, shown(cup)) == ("1(株)髙﨑 湯呑", "食器", {})
    assert issues(catalogue) == [
        ("URL_NOT_FETCHED", 3), ("ROW_DELETED", 4), ("ROW_DUP_KEY", 5), ("ROW_UNKNOWN_KEY", 5)
    ]  # fmt: skip
    assert catalogue.rows == RowBooks(read=10, accepted=7, duplicate=1, quarantined=2)


def test_item_of_a_shop_that_moved_to_skus_is_read_once(tmp_path: Path) -> None:
    item = "商品管理番号（商品URL）,商品名,PC用商品説明文\nvase-1,ガラス 花瓶,\nnew-1,木の皿,\n"
    catalogue = read(tmp_path, {"item.csv": item, "normal-item.csv": NORMAL_ITEM}, PICTURES)
    assert [product.sku for product in catalogue.products] == ["mug-001", "vase-1", "set-1", "new-1"]
    assert catalogue.rows == RowBooks(read=14, accepted=11, duplicate=2, quarantined=1)
