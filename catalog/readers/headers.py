"""What column names mean: English and Japanese synonyms, compared after normalisation."""

from __future__ import annotations

import re
import unicodedata


def _names(*lines: str) -> tuple[str, ...]:
    return tuple(name.strip() for line in lines for name in line.split(","))


SYNONYMS: dict[str, tuple[str, ...]] = {
    "sku": _names(
        "sku, item sku, variant sku, product sku, item code, product code, item number, article number",
        "artikelnummer, part number, model number, mpn, code, product id, item id, id, key, 商品コード",
        "独自商品コード, SKU管理番号, 商品管理番号, 商品番号, 品番, 型番, 製品番号, 製品コード, 管理番号",
    ),
    "gtin": _names(
        "gtin, ean, upc, barcode, isbn, JAN, JANコード, GTIN(JANコード)",
    ),
    "parent": _names(
        "handle, url handle, slug, url key, parent, parent sku, item group id, product group id",
        "親商品コード, 商品グループID, 商品管理番号(商品URL)",
    ),
    "name": _names(
        "name, title, product name, item name, product title, designation, product, 商品名, 品名, 製品名",
        "商品名称, 名称",
    ),
    "category": _names(
        "category, categories, product type, product category, item category, type, department, class",
        "group, family, カテゴリ, カテゴリー, カテゴリーパス, 分類, 商品分類, ジャンル",
    ),
    "text": _names(
        "description, product description, long description, short description, body, body html",
        "body (html), text, caption, explanation, details, features, headline, spec, specification",
        "summary, 商品説明, 商品説明(一覧), 商品説明(詳細), PC用商品説明文, PC用販売説明文, 説明, 説明文",
        "特長, 特徴, 仕様, キャッチコピー, 備考",
    ),
    "image": _names(
        "image, images, image link, additional image link, image src, image path, image file, image url",
        "image name, base image, small image, additional images, photo, photos, picture, pictures",
        "assets, file, file name, filename, product image url, 商品画像, 画像, 画像ファイル名, 画像名",
        "商品画像名, 写真",
    ),
    "drop": _names(
        "price, sale price, cost, tax, tax category, tax class, stock, stock on hand, quantity, qty",
        "inventory, track inventory, shipping, status, visibility, published, point, created at",
        "updated at, currency, position, seo title, seo description, meta title, meta description",
        "meta keywords, 価格, 販売価格, 定価, 在庫, 在庫数, 税率, 送料, 倉庫指定, ポイント",
        "ポイント変倍率, 公開",
    ),
}
"""Role → column names, the first of a role being the strongest."""

NAME_WORDS = frozenset({"name", "names", "group", "groups", "key", "keys", "label", "labels", "title"})
VALUE_WORDS = frozenset({"value", "values", "値"})
VARIANT_WORDS = frozenset({"variant", "variation", "option"})
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_BRACKETS = re.compile(r"[(\[{（【].*?[)\]}）】]")
_SEPARATORS = re.compile(r"[\s_\-./:]+")


def normalise(header: str) -> str:
    """Return a header for comparison: NFKC, case folded, without blanks, `_`, `-` and bracket characters."""
    text = unicodedata.normalize("NFKC", header).casefold()
    return re.sub(r"[\s_\-()\[\]{}【】.]+", "", text)


def words(header: str) -> tuple[str, ...]:
    """Return the lower-case words of a header, splitting camelCase; a bracketed remark is left out."""
    text = _BRACKETS.sub(" ", unicodedata.normalize("NFKC", header))
    parts = _SEPARATORS.split(_CAMEL.sub(" ", text).strip())
    return tuple(re.sub(r"\(s\)$|\d+$", "", part).casefold() for part in parts if part)


def shown(header: str) -> str:
    """Return a header as an attribute name for people: bracketed remark and namespace gone, blanks for `_`."""
    text = _BRACKETS.sub("", unicodedata.normalize("NFKC", header)).rsplit(".", 1)[-1]
    return re.sub(r"[\s_]+", " ", _CAMEL.sub(" ", text)).strip().lower()


_ROLE_OF = {
    normalise(name): (role, rank) for role, names in reversed(SYNONYMS.items()) for rank, name in enumerate(names)
}


def role_of(header: str) -> tuple[str, int] | None:
    """Return (role, rank in its list) of a known header, or None."""
    for form in (header, _BRACKETS.sub("", header)):
        hit = _ROLE_OF.get(normalise(form)) or _ROLE_OF.get(re.sub(r"\d+$", "", normalise(form)))
        if hit:
            return hit
    return None


def is_known_header(header: str) -> bool:
    """Whether a cell is the name of a column we know."""
    return bool(header) and normalise(header) in _ROLE_OF
