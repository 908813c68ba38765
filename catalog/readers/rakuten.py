"""楽天 RMS exports: `item.csv` with `select.csv` and `item-cat.csv`, and `normal-item.csv` since SKUs.

Recognised by `商品管理番号（商品URL）` beside `SKU管理番号`, or beside what only an item.csv has. An item.csv has a row
for each product; variants are the stock rows (`選択肢タイプ` i) of select.csv, categories are in item-cat.csv. What
came with SKUs is read by `rakuten_sku`.
"""

from __future__ import annotations

from catalog.phrases import say
from catalog.readers import rakuten_sku
from catalog.readers.cells import clean_line
from catalog.readers.draft import DraftAttribute, DraftCatalogue
from catalog.readers.drafting import Drafting, NamedRow
from catalog.readers.mall import add_facts, add_text, category_of, column_name, has_columns
from catalog.readers.rakuten_sku import KEY, Places, is_deleted, link
from catalog.readers.table_set import TableSet
from catalog.readers.tabular import Table

NAME = "rakuten"
_CATEGORY = "表示先カテゴリ"
_OPTION_TYPE = "選択肢タイプ"
_STOCK_OPTION = "i"
_ITEM_MARKS = ("PC用商品説明文", "PC用販売説明文", "スマートフォン用商品説明文", "商品画像URL", "PC用キャッチコピー")
_TEXTS = (
    "PC用商品説明文", "PC用販売説明文", "スマートフォン用商品説明文", "PC用キャッチコピー", "モバイル用キャッチコピー",
)  # fmt: skip
_FACTS = ("商品番号", "カタログID")
_AXES = (
    ("項目選択肢別在庫用横軸項目名", "項目選択肢別在庫用横軸選択肢"),
    ("項目選択肢別在庫用縦軸項目名", "項目選択肢別在庫用縦軸選択肢"),
)
"""Column of item.csv that names an axis → column of select.csv that holds the value; a SKU ends in its `…子番号`."""


def read(tables: TableSet) -> DraftCatalogue:
    """Read the 楽天 exports of a dump; without products if there are none."""
    kinds: dict[str, list[Table]] = {}
    for found in tables:
        headed = found.with_header()
        if kind := _kind(headed):
            kinds.setdefault(kind, []).append(headed)
    if not kinds.keys() & {"sku", "item"}:
        return DraftCatalogue(reader=NAME)
    drafting = Drafting(NAME, tables.dump, unique_skus=False)
    places = rakuten_sku.cabinets(tables.dump)
    for table in kinds.get("sku", ()):
        rakuten_sku.read_rows(list(drafting.rows(table, column_name)), places, drafting)
        drafting.evidence.append(
            say("{path}: a 楽天 normal-item.csv of {count} rows", path=table.file.path, count=len(table.rows))
        )
    items: dict[str, NamedRow] = {}
    for table in kinds.get("item", ()):
        items |= _read_items(table, places, drafting)
    for table in kinds.get("select", ()):
        _read_options(table, items, places, drafting)
    for table in kinds.get("category", ()):
        _read_categories(table, drafting)
    first = next(iter(kinds.get("sku", kinds.get("item", []))))
    return drafting.done(encoding=first.encoding)


def _kind(table: Table) -> str:
    if not has_columns(table.header, [KEY]):
        return ""
    if has_columns(table.header, ["SKU管理番号"]):
        return "sku"
    if has_columns(table.header, [_CATEGORY]):
        return "category"  # It repeats 商品名, and is no table of products.
    if has_columns(table.header, [_OPTION_TYPE]):
        return "select"
    known = has_columns(table.header, ["商品名"]) and any(has_columns(table.header, [mark]) for mark in _ITEM_MARKS)
    return "item" if known else ""


def _read_items(table: Table, places: Places, drafting: Drafting) -> dict[str, NamedRow]:
    rows: dict[str, NamedRow] = {}
    for row in drafting.rows(table, column_name):
        if is_deleted(row, drafting):
            continue
        product = drafting.product(row.place, row[KEY], row["商品名"])
        if product is None:
            continue
        rows[product.sku] = row
        add_facts(product, row, _FACTS, drafting)
        for column in _TEXTS:
            add_text(product, column, row[column], drafting)
        for address in row["商品画像URL"].split():
            link(product, row, address, places, drafting)
    drafting.evidence.append(
        say("{path}: a 楽天 item.csv of {count} rows", path=table.file.path, count=len(table.rows))
    )
    return rows


def _read_options(table: Table, items: dict[str, NamedRow], places: Places, drafting: Drafting) -> None:
    choices = 0
    for row in drafting.rows(table, column_name):
        product = drafting.products.get(row[KEY])
        if product is None:
            drafting.reject(
                row.place, "ROW_UNKNOWN_KEY", say("options of {row!r}, which has no row in item.csv", row=row[KEY])
            )
        elif is_deleted(row, drafting, "項目選択肢用コントロールカラム"):
            continue
        elif row[_OPTION_TYPE] != _STOCK_OPTION:
            drafting.accept(row.place)  # What a buyer may ask for, such as wrapping, does not show in a picture.
            choices += 1
        else:
            item = items.get(product.sku)
            facts, sku = [], product.sku
            for axis, column in _AXES:
                sku += row[f"{column}子番号"]
                if row[column]:
                    name = (item[axis] if item is not None else "") or "選択肢"
                    facts.append(
                        DraftAttribute(name=clean_line(name).lower(), value=clean_line(row[column]), source=column)
                    )
            variant = drafting.variant(product, row.place, sku, "", facts)
            for address in row["画像URL"].split():
                link(product, row, address, places, drafting, variant=variant)
    if choices:
        drafting.evidence.append(
            say(
                "{path}: {choices} rows offer choices without stock, and were left out",
                path=table.file.path,
                choices=choices,
            )
        )


def _read_categories(table: Table, drafting: Drafting) -> None:
    for row in drafting.rows(table, column_name):
        product = drafting.products.get(row[KEY])
        if product is None:
            drafting.reject(
                row.place, "ROW_UNKNOWN_KEY", say("a category of {row!r}, which has no row in item.csv", row=row[KEY])
            )
        elif not is_deleted(row, drafting):
            drafting.accept(row.place)
            product.category = product.category or category_of(row[_CATEGORY], r"[\\¥>]")
