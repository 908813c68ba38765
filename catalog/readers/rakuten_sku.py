"""楽天 normal-item.csv: a row for the product, then one a SKU whose product cells are blank, even for a single SKU.

`バリエーション項目キー定義` (`key0|key1`) and `…項目名定義` (`カラー|サイズ`) name the axes, and a SKU's row refers to
their keys. Pictures are written relative to R-Cabinet, or to 楽天GOLD where their type says so. Rows of
`商品オプション` offer choices.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from catalog.paths import Dump
from catalog.phrases import say
from catalog.readers.cells import clean_line, fact_value
from catalog.readers.draft import DraftAttribute, DraftProduct, DraftVariant
from catalog.readers.drafting import Drafting, NamedRow
from catalog.readers.mall import add_facts, add_text, is_stated, numbered

KEY = "商品管理番号(商品URL)"
_SKU = "SKU管理番号"
_TEXTS = ("PC用商品説明文", "PC用販売説明文", "スマートフォン用商品説明文", "キャッチコピー")
_FACTS = ("商品番号",)
_SKU_FACTS = ("システム連携用SKU番号", "カタログID")
_MOST_PICTURES, _MOST_AXES, _MOST_FACTS = 20, 6, 100
_OPTION = ("選択肢タイプ", "商品オプション項目名")
_FOLDERS = {"CABINET": ("cabinet", "r-cabinet", "rcabinet"), "GOLD": ("gold",)}
_Facts = list[DraftAttribute]
Places = Mapping[str, tuple[str, ...]]


def read_rows(rows: Sequence[NamedRow], places: Places, drafting: Drafting) -> None:
    """Read the rows of a normal-item.csv in their order.

    Args:
        rows: All rows of one file; a SKU belongs to the product whose key it repeats, or stands below.
        places: What `cabinets` found.
        drafting: Takes the products.
    """
    heads: dict[str, NamedRow] = {}
    repeated: set[str] = set()
    skus: dict[str, dict[str, NamedRow]] = {}
    above = ""
    for row in rows:
        key = above = row[KEY] or above
        if row["商品名"]:
            if not is_deleted(row, drafting) and not _read_head(row, key, heads, places, drafting):
                repeated.add(key)
        elif key in repeated and key not in heads:
            drafting.duplicate(row.place, say("belongs to {key!r}, which an earlier file holds", key=key))
        elif key not in heads:
            drafting.reject(
                row.place, "ROW_UNKNOWN_KEY", say("belongs to {key!r}, which has no row with a 商品名", key=key)
            )
        elif not row[_SKU]:
            _read_option(row, drafting)
        if row[_SKU] and key in heads:
            known = skus.setdefault(key, {}).setdefault(row[_SKU], row)
            if known is not row:
                drafting.duplicate(
                    row.place,
                    say(
                        "SKU {row!r} of {key!r} was taken by line {line}", row=row[_SKU], key=key, line=known.place.line
                    ),
                )
    for key, head in heads.items():
        _read_skus(drafting.products[key], head, list(skus.get(key, {}).values()), places, drafting)


def _read_option(row: NamedRow, drafting: Drafting) -> None:
    if any(row[column] for column in _OPTION):
        drafting.accept(row.place)  # What a buyer may ask for, such as wrapping, does not show in a picture.
    else:
        drafting.reject(row.place, "ROW_NO_NAME", say("neither 商品名 nor {sku}; key {row!r}", sku=_SKU, row=row[KEY]))


def is_deleted(row: NamedRow, drafting: Drafting, column: str = "コントロールカラム") -> bool:
    """Leave out a row by which an upload file removes something from the shop."""
    if row[column].lower() != "d":
        return False
    drafting.reject(
        row.place,
        "ROW_DELETED",
        say("{column} is 'd': the shop takes {row!r} off with this row", column=column, row=row[KEY]),
    )
    return True


def cabinets(dump: Dump) -> Places:
    """Return the folders of a dump that stand for R-Cabinet and for 楽天GOLD, by the type of picture kept there."""
    found: dict[str, dict[str, None]] = {kind: {} for kind in _FOLDERS}
    for folder in sorted({file.folder for file in dump.files.values()}):
        parts = folder.split("/")
        for index, part in enumerate(parts):
            for kind, names in _FOLDERS.items():
                if part.casefold() in names:
                    found[kind]["/".join(parts[: index + 1])] = None
    return {kind: tuple(paths) for kind, paths in found.items()}


def _read_head(
    row: NamedRow, key: str, heads: dict[str, NamedRow], places: Places, drafting: Drafting
) -> DraftProduct | None:
    product = drafting.product(row.place, key, row["商品名"])
    if product is None:
        return None
    heads[product.sku] = row
    add_facts(product, row, _FACTS, drafting)
    for column in _TEXTS:
        add_text(product, column, row[column], drafting)
    for number, path in numbered(row, "商品画像パス{}", _MOST_PICTURES):
        link(product, row, path, places, drafting, kind=row[f"商品画像タイプ{number}"])
    link(product, row, row["白背景画像パス"], places, drafting, kind=row["白背景画像タイプ"])
    return product


def link(
    product: DraftProduct,
    row: NamedRow,
    written: str,
    places: Places,
    drafting: Drafting,
    *,
    kind: str = "",
    variant: DraftVariant | None = None,
) -> None:
    """Link a picture that is written relative to R-Cabinet, which is some folder of the dump and seldom its root.

    Args:
        product: What it shows.
        row: The row that names it.
        written: Path such as `/thum02/x.jpg`, or a web address, or "".
        places: What `cabinets` found.
        drafting: Takes the link.
        kind: `CABINET` or `GOLD`; "" is the former.
        variant: The SKU it shows, if it is one's own.
    """
    folders = places.get(kind.upper() or "CABINET", ())
    relative = written.lstrip("/") if folders and not written.startswith("//") else written
    drafting.pictures(product, row.place, [relative], variant, folders=folders)


def _read_skus(
    product: DraftProduct, head: NamedRow, rows: Sequence[NamedRow], places: Places, drafting: Drafting
) -> None:
    keys, names = (head[f"バリエーション項目{part}定義"].split("|") for part in ("キー", "名"))
    axes = dict(zip(keys, names, strict=False))
    choices = {row.place: _choices(row, axes) for row in rows}
    stated = {row.place: _stated(row) for row in rows}
    common = _common([stated[row.place] for row in rows])
    for fact in common:
        drafting.fact(product, fact.name, fact.value, fact.source, fact.unit or "")
    if len(rows) == 1 and not choices[rows[0].place]:
        drafting.accept(rows[0].place)
        link(product, rows[0], rows[0]["SKU画像パス"], places, drafting, kind=rows[0]["SKU画像タイプ"])
        return
    for row in rows:
        own = [fact for fact in stated[row.place] if fact not in common]
        variant = drafting.variant(product, row.place, row[_SKU], "", [*choices[row.place], *own])
        link(product, row, row["SKU画像パス"], places, drafting, kind=row["SKU画像タイプ"], variant=variant)


def _choices(row: NamedRow, axes: dict[str, str]) -> _Facts:
    return [
        DraftAttribute(
            name=clean_line(axes.get(row[f"バリエーション項目キー{number}"], "") or "選択肢").lower(),
            value=clean_line(value),
            source=f"バリエーション項目選択肢{number}",
        )
        for number, value in numbered(row, "バリエーション項目選択肢{}", _MOST_AXES)
    ]


def _stated(row: NamedRow) -> _Facts:
    named = [
        DraftAttribute(
            name=clean_line(name).lower(),
            value=fact_value(value),
            source=f"商品属性(値){number}",
            unit=clean_line(row[f"商品属性(単位){number}"]) or None,
        )
        for number, name in numbered(row, "商品属性(項目){}", _MOST_FACTS)
        if is_stated(value := row[f"商品属性(値){number}"])
    ]
    single = [
        DraftAttribute(name=column.lower(), value=clean_line(row[column]), source=column)
        for column in _SKU_FACTS
        if is_stated(row[column])
    ]
    return named + single


def _common(each: Sequence[_Facts]) -> _Facts:
    """Return the facts all SKUs state: they are the product's."""
    return [fact for fact in each[0] if all(fact in facts for facts in each[1:])] if each else []
