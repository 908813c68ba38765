"""What the name of an attribute stands for: a slot of the captions, something no picture shows, or nothing known."""

import re
import unicodedata
from functools import lru_cache

SLOTS = ("size", "style", "shape", "pattern", "finish", "colour", "material")
"""Facts an adjective can state, in English word order."""
_SYNONYMS = {
    "colour": "color colour colors colours colorname colourname maincolor basecolor bodycolor 色 カラー 色味 "
    "カラー名 色名 "
    "farbe farben farbton farbname couleur coloris colore",
    "material": "material materials mainmaterial fabric 素材 材質 主素材 生地 材料 主材 表地 "
    "werkstoff materialien materialangabe matériau matériaux matière materiale",
    "pattern": "pattern print patterntype 柄 模様 パターン muster motif",
    "shape": "shape form silhouette 形 形状 シェイプ forme forma",
    "finish": "finish surface surfacefinish 仕上げ 仕上 表面処理 表面加工 塗装 "
    "oberfläche oberflächen oberflaeche oberflächenbehandlung finition acabado finitura",
    "size": "size sizeclass サイズ 大きさ größe grösse taille talla tamaño taglia",
    "style": "style look スタイル テイスト デザイン 袖丈 sleeve neckline ネックライン stil estilo stile",
    "type": "type producttype itemtype noun 種類 品目 アイテム 商品種別 品種 タイプ produkttyp produktart artikelart",
    "feature": "feature features decoration details parts 特徴 装飾 付属 パーツ 仕様",
    "option": "option variation 規格 規格分類 選択肢 バリエーション オプション",
    "brand": "brand brandname vendor manufacturer maker ブランド ブランド名 メーカー メーカー名 製造元"
    " marke hersteller marque marca fabricant",
}
_SLOT_OF = {word.casefold(): slot for slot, words in _SYNONYMS.items() for word in words.split()}
FOREIGN_NAMES = re.compile(
    r"farbe|farb(?:ton|name)|werkstoff|materialien|materialangabe|muster|oberfläche|grösse|breite|h(?:ö|oe)he|tiefe|l(?:ä|ae)nge|"
    r"durchmesser|gewicht|stärke|hersteller|marke$|masse$|abmessung|stil$|produkt|artikel|geeignet|pflege|"
    r"couleur|coloris|mati[èe]re|matériau|finition|largeur|hauteur|profondeur|longueur|diam[èe]tre|poids|marque$|"
    r"acabado|anchura|altura|profundidad|longitud|diámetro|estilo|tamaño|colore$|materiale|finitura|larghezza|altezza"
)
"""Names of attributes, casefolded, of a catalogue that is not in English."""
_HIDDEN = re.compile(
    r"price|cost|stock|quantity|qty|tax|shipping|point|sku|code|gtin|isbn|jan$|ean$|upc|barcode|weight|mass|warranty|voltage|"
    r"power|watt|battery|capacity|storage|ram$|cpu|hdd|ssd|memory|category|width|height|depth|length|diameter|dimension|"
    r"country|origin|manufactur|ingredient|nutrition|volume|allergen|care|gender|age|season|"
    r"url|link|slug|date|status|visib|rating|review|plant ?type|model|"
    r"activity|climate|occasion|collection|attribute ?set|recommend|performance|sample|publisher|author|"
    r"flavou?r|format|"
    r"価格|値段|定価|在庫|税|送料|ポイント|コード|番号|品番|型番|重量|質量|重さ|容量|保証|電圧|電力|電源|原産|産地|製造国|"
    r"生産国|寸法|幅|奥行|高さ|直径|厚み|長さ|お手入れ|注意|性別|年齢|カテゴリ|分類|発売|納期|賞味|消費期限|原材料|成分|内容量|入り?数|個数|"
    r"外寸|内寸|口径|胴径|底径|梱包|個装|耐荷重|付属品|セット内容|対応|シリーズ|備考|メモ|組み?立|電子レンジ|食洗機|季節|機能|"
    r"口金|光源|作家|ランキング|ギフト|のし|公開|検索|キャッチ|倉庫|(?:カタログ|ジャンル)id|裏地|中材|中身|詰め?物|"
    r"カラーバリエーション|^加工$|厚さ|thickness|深さ|外径|内径|"
    r"breite|h(?:ö|oe)he|tiefe|l(?:ä|ae)nge|durchmesser|gewicht|stärke|dicke|^masse\b|abmessung|preis|artikel|bestand|lager|liefer|"
    r"spülmaschine|mikrowelle|pflege|garantie|herkunft|hinweis|inhalt|"
    r"largeur|hauteur|profondeur|longueur|diam[èe]tre|épaisseur|poids|prix|entretien|"
    r"^(?:ancho|alto|largo|fondo|peso)$|anchura|altura|profundidad|longitud|diámetro|precio|larghezza|altezza"
)
"""Attribute names of facts that do not show in a picture."""
_REMARK = re.compile(r"[(\[【（].*?[)\]】）]")
_OF_A_SHELF = re.compile(r"(style|pattern)[ _]\w+")
"""Names that shops with many shelves give: "style bags", "style bottom"."""
_ABOUT_ALL = re.compile(r"^(?:本体|主な|おもな|メイン|商品|製品|代表)")
"""What stands before a name in Japanese and changes nothing: 本体カラー, 主な素材."""


@lru_cache(maxsize=4096)
def slot_of(name: str) -> str | None:
    """Return the slot an attribute name stands for; "" for facts that do not show, None when it is not known."""
    text = unicodedata.normalize("NFKC", name).casefold().strip()
    plain = _ABOUT_ALL.sub("", _REMARK.sub("", text).strip())
    for written in (text, plain, *re.split(r"[・/]", plain)[:1]):
        key = re.sub(r"[\s_\-()\[\]:/.]|\d+$", "", written)
        if key in _SLOT_OF:
            return _SLOT_OF[key]
    if _HIDDEN.search(text):
        return ""
    kind = _OF_A_SHELF.fullmatch(text)
    return _SLOT_OF[kind[1]] if kind is not None else None
