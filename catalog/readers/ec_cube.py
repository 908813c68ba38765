"""EC-CUBE 4 product CSV: one row a 規格 (form), all rows of a product with its 商品ID and its texts repeated.

A shop may rename and drop columns, so the few names that tie rows together are asked for. The table does not say what a
規格 is: only its value, `赤`, is written, and what kind of fact that is gets decided when captions are written.
"""

from __future__ import annotations

from catalog.phrases import say
from catalog.readers.cells import clean_line
from catalog.readers.draft import DraftAttribute, DraftCatalogue
from catalog.readers.drafting import Drafting, NamedRow
from catalog.readers.mall import add_facts, add_text, column_name
from catalog.readers.table_set import TableSet

NAME = "ec_cube"
SIGNATURE = frozenset({"商品ID", "商品名", "商品コード"})
_MARKS = frozenset(
    {
        "商品規格ID", "規格分類1(名称)", "規格分類2(名称)", "規格分類1(ID)", "商品説明(詳細)", "商品説明(一覧)",
        "商品説明", "公開ステータス(ID)", "ショップ用メモ欄", "フリーエリア", "販売種別(ID)", "商品種別(ID)",
    }
)  # fmt: skip
_TEXTS = ("商品説明(詳細)", "商品説明(一覧)", "商品説明", "フリーエリア")
_FORMS = ("規格分類1(名称)", "規格分類2(名称)")
_CATEGORY = "商品カテゴリ(名称)"


def read(tables: TableSet) -> DraftCatalogue:
    """Read the EC-CUBE exports of a dump; without products if there are none."""
    exports = []
    for found in tables:
        headed = found.with_header()
        names = {column_name(header) for header in headed.header}
        if names >= SIGNATURE and names & _MARKS:
            exports.append(headed)
    if not exports:
        return DraftCatalogue(reader=NAME)
    drafting = Drafting(NAME, tables.dump)
    groups: dict[str, list[NamedRow]] = {}
    for table in exports:
        rows = list(drafting.rows(table, column_name))
        # A file that registers new products has no 商品ID yet.
        column = "商品ID" if any(row["商品ID"] for row in rows) else "商品コード"
        for row in rows:
            if not (key := row[column]):
                detail = say("no {column}; name {name!r}", column=column, name=row["商品名"][:60])
                drafting.reject(row.place, "ROW_NO_KEY", detail)
            elif row["商品削除フラグ"] == "1":
                drafting.reject(row.place, "ROW_DELETED", say("商品削除フラグ is 1: the shop deletes {key!r}", key=key))
            else:
                groups.setdefault(key, []).append(row)
        drafting.evidence.append(
            say("{path}: an EC-CUBE export of {count} rows", path=table.file.path, count=len(table.rows))
        )
    for key, rows in groups.items():
        _read_product(key, rows, drafting)
    drafting.evidence.append(
        say("{variants} rows are forms (規格) of a product with several", variants=drafting.variants)
    )
    return drafting.done(encoding=exports[0].encoding)


def _read_product(key: str, rows: list[NamedRow], drafting: Drafting) -> None:
    first = next((row for row in rows if row["商品名"]), rows[0])
    product = drafting.product(first.place, key, first["商品名"], _category(first))
    if product is None:
        for row in rows:
            if row is not first:
                drafting.reject(
                    row.place, "ROW_UNKNOWN_KEY", say("a form of 商品ID {key!r}, which has no name", key=key)
                )
        return
    add_facts(product, first, (), drafting)
    for column in _TEXTS:
        add_text(product, column, first[column], drafting)
    seen: dict[tuple[str, ...], NamedRow] = {}
    named: set[str] = set()
    for row in rows:
        forms = tuple(row[column] for column in _FORMS)
        known = seen.setdefault(forms, row)
        if known is not row:
            detail = say(
                "商品ID {key!r} with 規格 {forms!r} was taken by line {line}",
                key=key,
                forms="/".join(forms),
                line=known.place.line,
            )
            drafting.duplicate(row.place, detail)
            continue
        if any(forms):
            drafting.variant(product, row.place, row["商品コード"], "", _facts(row))
        else:
            drafting.fact(product, "商品コード", row["商品コード"], "商品コード")
        # Every row repeats the product's list: what is missing is said once.
        drafting.pictures(product, row.place, [name for name in row["商品画像"].split(",") if name not in named])
        named.update(row["商品画像"].split(","))


def _facts(row: NamedRow) -> list[DraftAttribute]:
    return [
        DraftAttribute(name=column.partition("(")[0], value=clean_line(row[column]), source=column)
        for column in _FORMS
        if row[column]
    ]


def _category(row: NamedRow) -> str:
    # A list of the levels a product stands on; the last one is the narrowest.
    return " > ".join(clean_line(level) for level in row[_CATEGORY].split(",") if level.strip())
