"""MakeShop product CSV: one row a product, its picture in three sizes, further ones numbered; options in a side file.

`拡大画像名`, `普通画像名` and `縮小画像名` are sizes of the same picture: the largest that is there is taken. The side
file of options has `オプション独自コード` and values for the axes that `オプション１名称` and `オプション２名称` name.
"""

from __future__ import annotations

from catalog.phrases import say
from catalog.readers.cells import clean_line
from catalog.readers.draft import DraftAttribute, DraftCatalogue, DraftProduct
from catalog.readers.drafting import Drafting, NamedRow
from catalog.readers.mall import add_facts, add_text, category_of, column_name, first_there, has_columns, numbered
from catalog.readers.table_set import TableSet
from catalog.readers.tabular import Table

NAME = "makeshop"
_SYSTEM, _OWN = "システム商品コード", "独自商品コード"
_OPTION = "オプション独自コード"
_SIZES = ("拡大画像名", "普通画像名", "縮小画像名")
_TEXTS = ("PC用メイン商品説明文", "PC用追加説明文", "商品説明", "スマホ商品説明1", "スマホ商品説明2")
_FACTS = (
    "素材",
    "色",
    "サイズ",
    "柄",
    "製造元",
    "ブランド名",
    "原産地",
    "JANコード",
    "MPN(メーカー型番)",
    "重量",
    "性別",
    "年齢層",
)
_MOST_PICTURES, _MOST_AXES = 20, 2


def read(tables: TableSet) -> DraftCatalogue:
    """Read the MakeShop exports of a dump; without products if there are none."""
    products: list[Table] = []
    options: list[Table] = []
    for found in tables:
        headed = found.with_header()
        if any(has_columns(headed.header, [_OWN, "商品名", mark]) for mark in (_SYSTEM, "カテゴリーパス")):
            (options if has_columns(headed.header, [_OPTION]) else products).append(headed)
    if not products:
        return DraftCatalogue(reader=NAME)
    drafting = Drafting(NAME, tables.dump)
    owners: dict[str, tuple[DraftProduct, NamedRow]] = {}
    for table in products:
        for row in drafting.rows(table, column_name):
            _read_row(row, owners, drafting)
        drafting.evidence.append(
            say("{path}: a MakeShop export of {count} rows", path=table.file.path, count=len(table.rows))
        )
    for table in options:
        for row in drafting.rows(table, column_name):
            _read_option(row, owners, drafting)
        drafting.evidence.append(
            say("{path}: the options of {count} rows are variants", path=table.file.path, count=len(table.rows))
        )
    for product, _ in owners.values():
        # A page may state the colour of one form as if it were everybody's; each form states its own.
        own = {(fact.name, fact.value) for variant in product.variants for fact in variant.attributes}
        product.attributes = [fact for fact in product.attributes if (fact.name, fact.value) not in own]
    return drafting.done(encoding=products[0].encoding)


def _read_row(row: NamedRow, owners: dict[str, tuple[DraftProduct, NamedRow]], drafting: Drafting) -> None:
    category = category_of(row["カテゴリーパス"], r"[\\¥>]")
    product = drafting.product(row.place, row[_OWN] or row[_SYSTEM], row["商品名"], category)
    if product is None:
        return
    for code in (row[_OWN], row[_SYSTEM]):
        if code:
            owners.setdefault(code, (product, row))
    add_facts(product, row, _FACTS, drafting)
    for column in _TEXTS:
        add_text(product, column, row[column], drafting)
    sizes = [row[size] for size in _SIZES if row[size]]
    chosen = first_there(sizes, row, drafting)
    drafting.pictures(product, row.place, [chosen])
    if sizes and chosen != sizes[0]:
        detail = say(
            "{sizes!r} is not in the dump; its smaller size {chosen!r} was taken", sizes=sizes[0], chosen=chosen
        )
        drafting.report(row.place, "FILE_MISSING", detail, "warning")
    for number, name in numbered(row, "追加商品画像{}", _MOST_PICTURES):
        drafting.pictures(product, row.place, [name])
        drafting.text(product, f"画像説明文{number}", row[f"画像説明文{number}"], f"画像説明文{number}")


def _read_option(row: NamedRow, owners: dict[str, tuple[DraftProduct, NamedRow]], drafting: Drafting) -> None:
    owner = owners.get(row[_OWN]) or owners.get(row[_SYSTEM])
    if owner is None:
        code = row[_OWN] or row[_SYSTEM]
        drafting.reject(
            row.place, "ROW_UNKNOWN_KEY", say("an option of {code!r}, which has no row of its own", code=code)
        )
        return
    product, head = owner
    facts = [
        DraftAttribute(
            name=clean_line(head[f"オプション{number}名称"] or "選択肢").lower(),
            value=clean_line(value),
            source=f"オプション{number}項目",
        )
        for number, value in numbered(row, "オプション{}項目", _MOST_AXES)
    ]
    if facts:
        drafting.variant(product, row.place, row[_OPTION], "", facts)
    else:
        drafting.reject(row.place, "ROW_UNUSED", say("an option of {sku!r} without a value", sku=product.sku))
