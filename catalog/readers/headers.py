"""What column names mean: synonyms in English, Japanese and the languages shops translate exports to, normalised."""

from __future__ import annotations

import re
import unicodedata


def _names(*lines: str) -> tuple[str, ...]:
    return tuple(name.strip() for line in lines for name in line.split(","))


SYNONYMS: dict[str, tuple[str, ...]] = {
    "sku": _names(
        "sku, item sku, variant sku, product sku, item code, product code, item number, article number",
        "product code/sku",
        "artikelnummer, part number, model number, mpn, code, product id, item id, id, key, 商品コード",
        "独自商品コード, SKU管理番号, 商品管理番号, 商品番号, 品番, 型番, 製品番号, 製品コード, 管理番号",
        "seller sku, merchant sku, stock code, catalog number, catalogue number, part no, item no, article no",
        "internal reference, default code, supplier aid, supplier pid, offer id, identifier, artikelnr",
        "art nr, bestellnummer, produktnummer, produktcode, ugs, référence, référence produit",
        "code article, code produit, identifiant, referencia, código, código de producto, código de artículo",
        "sku番号, システム商品コード, アイテムコード, 品目コード, 製品型番, 商品型番, 型式, 商品管理コード",
        "自社コード, 商品编号, 产品编号, 货号, 款号",
    ),
    "gtin": _names(
        "gtin, ean, upc, barcode, isbn, JAN, JANコード, GTIN(JANコード), gtin8, gtin12, gtin13, gtin14, ean8",
        "ean13, ean code, upc code, variant barcode, isbn13, jan code, jan13, ean nummer, code barres",
        "code ean, código de barras, JANコード(13桁), GTINコード, 商品JANコード, バーコード",
    ),
    "parent": _names(
        "handle, url handle, slug, url key, parent, parent sku, item group id, product group id, 親商品コード",
        "商品グループID, 商品管理番号(商品URL), parent id, parent code, parent product, parent product id",
        "variation group, übergeordnet, übergeordnetes produkt, produit parent, superior, 商品ID, 親コード, 親SKU",
        "親品番, 親商品番号, 親商品ID, グループID, 商品グループコード",
    ),
    "name": _names(
        "name, title, product name, item name, product title, designation, product, 商品名, 品名, 製品名",
        "商品名称, 名称, bezeichnung, artikelbezeichnung, produktbezeichnung, artikelname, produktname, titel",
        "nom, nom du produit, désignation, libellé, titre, nombre, nombre del producto, título, denominación",
        "品目名, 製品名称, アイテム名, 商品タイトル, タイトル, 商品名(全角), 商品名称(正式), 产品名称",
    ),
    "category": _names(
        "category, categories, product type, product category, item category, type, department, class, group",
        "article type, sub category, master category, main category, category name, category path",
        "family, カテゴリ, カテゴリー, カテゴリーパス, 分類, 商品分類, ジャンル, google product category",
        "kategorie, kategorien, warengruppe, artikelgruppe, produktkategorie, produkttyp, catégorie, catégories",
        "categoría, categorías, 商品カテゴリ, 商品カテゴリー, カテゴリ名, カテゴリー名, 商品区分, 類別, 类别",
        "分类",
    ),
    "text": _names(
        "description, product description, long description, short description, body, body html, body (html)",
        "text, caption, explanation, details, features, headline, spec, specification, summary, 商品説明",
        "商品説明(一覧), 商品説明(詳細), PC用商品説明文, PC用販売説明文, 説明, 説明文, 特長, 特徴, 仕様",
        "キャッチコピー, 備考, long text, descriptive text, bullet point, bullet points, product highlight",
        "notes, pros, cons",
        "product details, specs, beschreibung, kurzbeschreibung, langbeschreibung, langtext, produktbeschreibung",
        "artikelbeschreibung, description courte, description longue, description du produit, descriptif",
        "descripción, descripción corta, descripción del producto, 商品説明文, 商品詳細, 商品紹介, 紹介文, 詳細",
        "詳細説明, PC用キャッチコピー, PC用メイン商品説明文, スマートフォン用商品説明文, 商品コメント",
        "フリーエリア, 描述, 商品描述, 产品描述",
    ),
    "image": _names(
        "image, images, image link, additional image link, image src, image path, image file, image url",
        "image name, base image, small image, additional images, photo, photos, picture, pictures, assets, file",
        "file name, filename, product image url, 商品画像, 画像, 画像ファイル名, 画像名, 商品画像名, 写真",
        "images url, image urls, image links, main image, main image url, main image link, picture url, photo url",
        "product image, product images, variant image, variant image url, thumbnail, thumbnail image",
        "thumbnail url, gallery, gallery images, media, swatch image, bild, bilder, bildlink, bild url, bilddatei",
        "produktbild, produktbilder, foto, fotos, lien image, image du produit, images du produit, imagen",
        "imágenes, enlace imagen, url imagen, 画像URL, 商品画像URL, 商品画像パス, SKU画像パス, 画像パス",
        "画像ファイル, メイン画像, サブ画像, 追加画像, 追加商品画像, 拡大画像名, 普通画像名, サムネイル",
        "写真ファイル名, 图片, 主图, 商品图片",
    ),
    "drop": _names(
        "price, sale price, cost, tax, tax category, tax class, stock, stock on hand, quantity, qty, inventory",
        "track inventory, shipping, status, visibility, published, point, created at, updated at, currency",
        "position, seo title, seo description, meta title, meta description, meta keywords, 価格, 販売価格, 定価",
        "在庫, 在庫数, 税率, 送料, 倉庫指定, ポイント, ポイント変倍率, 公開, regular price, list price",
        "compare at price, variant price, variant compare at price, cost per item, msrp, availability, in stock",
        "is in stock, tax status, taxable, backorders, allow backorders, shipping class, inventory policy",
        "can be sold, can be purchased, can be expensed, supply method, procurement method, year, reorder level",
        "warranty, score, retailer, seller, condition, product condition, sort order, option set, option set align",
        "units in stock, units on order, discontinued, minimum order quantity, delivery time, release date",
        "inventory tracker, requires shipping, fulfillment service, gift card, is featured, mobile link, preis",
        "regulärer preis, angebotspreis, verkaufspreis, einkaufspreis, uvp, lager, lagerbestand, bestand",
        "vorrätig, steuer, steuerklasse, steuerstatus, versand, versandklasse, veröffentlicht, verfügbarkeit",
        "prix, prix de vente, tarif régulier, tarif promo, stocks, disponibilité, en stock, publié, tva, precio",
        "precio normal, precio rebajado, inventario, existencias, impuestos, publicado, disponibilidad, 通常価格",
        "特価, セール価格, 表示価格, 税込価格, 税抜価格, 原価, 仕入価格, 消費税, 消費税率, 消費税込み, 在庫数量",
        "在庫管理, 在庫タイプ, 送料区分, 送料無料, 配送方法, ポイント率, ポイント付与率, 販売期間, 販売ステータス",
        "公開状態, 公開ステータス, コントロールカラム, 登録日, 更新日, 作成日時, 更新日時, 价格, 售价, 库存",
    ),
}
"""Role → column names, the first of a role being the strongest."""

FACTS = _names(
    "color, colour, material, pattern, finish, shape, style, size, dimensions, width, height, depth, length",
    "diameter, weight, capacity, brand, vendor, manufacturer, gender, age group, farbe, größe, muster, form",
    "breite, höhe, tiefe, länge, gewicht, marke, hersteller, couleur, taille, matière, motif, largeur",
    "hauteur, profondeur, poids, marque, talla, tamaño, ancho, alto, profundidad, peso, marca, 色, カラー",
    "素材, 材質, 柄, 形状, 仕上げ, 表面処理, サイズ, 寸法, 幅, 奥行, 奥行き, 高さ, 直径, 重量, 質量, 容量",
    "ブランド, ブランド名, メーカー, メーカー名, 製造元, 颜色, 尺寸, 材质, 品牌, 规格",
)
"""Names of columns that hold facts; they have no role, but tell a row of names from a row of values."""

LANGUAGES = (
    "en",
    "eng",
    "english",
    "ja",
    "jp",
    "jpn",
    "japanese",
    "de",
    "fr",
    "es",
    "it",
    "nl",
    "pt",
    "zh",
    "cn",
    "ko",
)
"""Endings that say in which language a column is written, the one to read first first."""
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
    return tuple(re.sub(r"\(s\)$|\d+$|\?$", "", part).casefold() for part in parts if part)


def shown(header: str) -> str:
    """Return a header as an attribute name for people: bracketed remark and namespace gone, blanks for `_`."""
    text = _BRACKETS.sub("", unicodedata.normalize("NFKC", header)).rsplit(".", 1)[-1]
    return re.sub(r"[\s_]+", " ", _CAMEL.sub(" ", text)).strip().lower()


def language_of(header: str) -> tuple[str, str]:
    """Return a header without the language it ends in, as in `nameEn` or `title_ja`, and that language, or ""."""
    *rest, last = words(header) or ("",)
    return (" ".join(rest), last) if rest and last in LANGUAGES else (header, "")


_ROLE_OF = {
    normalise(name): (role, rank) for role, names in reversed(SYNONYMS.items()) for rank, name in enumerate(names)
}

_KNOWN = frozenset(_ROLE_OF) | frozenset(map(normalise, FACTS))
_MAX_CHARS = 200


def role_of(header: str) -> tuple[str, int] | None:
    """Return (role, rank in its list) of a known header, or None."""
    if len(header) > _MAX_CHARS:
        return None
    for form in (header, _BRACKETS.sub("", header)):
        hit = _ROLE_OF.get(normalise(form)) or _ROLE_OF.get(re.sub(r"\d+$", "", normalise(form)))
        if hit:
            return hit
    return None


def is_known_header(header: str) -> bool:
    """Whether a cell is the name of a column we know."""
    return bool(header) and len(header) <= _MAX_CHARS and normalise(header) in _KNOWN
