"""Units of measure as shops write them, and the words that say what is measured. Units stay as written: cm stays cm."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

LENGTH, MASS, VOLUME, COUNT, OTHER = "length", "weight", "volume", "count", ""

_UNITS = {
    LENGTH: (
        "mm=mm ミリ=mm ミリメートル=mm millimeter millimeters millimetre cm=cm センチ=cm "
        "センチメートル=cm centimeter centimeters centimetre m=m メートル=m meter meters metre dm=dm "
        'km=km μm=μm um=μm in=in in.=in inch=in inches=in インチ=in 吋=in zoll=in pouces=in "=in ″=in '
        "”=in ''=in ft=ft ft.=ft feet=ft foot=ft フィート=ft '=ft ′=ft ’=ft yd=yd yard=yd yards=yd "
        "ヤード=yd 尺=尺 寸=寸"
    ),
    MASS: (
        "mg=mg g=g グラム=g gram grams gr=g kg=kg キロ=kg キログラム=kg kilogram kilograms t=t トン=t "
        "lb=lb lbs=lb lb.=lb lbs.=lb pound=lb pounds=lb ポンド=lb oz=oz oz.=oz ounce=oz ounces=oz "
        "オンス=oz"
    ),
    VOLUME: (
        "ml=ml ミリリットル=ml mL=ml cc=cc cl=cl dl=dl l=L L=L ℓ=L リットル=L liter liters litre litres "
        "ltr=L m³=m³ m3=m³ cm³=cm³ cm3=cm³ gal=gal gallon=gal gallons=gal ガロン=gal fl.oz=floz floz=floz "
        "qt=qt pt=pt 合=合 升=升"
    ),
    "area": "m²=m² m2=m² cm²=cm² cm2=cm² mm²=mm² km²=km² sqft=sqft 畳=畳 帖=帖 坪=坪 ha=ha",
    COUNT: (
        "個 枚 本 台 段 組 点 脚 足 冊 袋 缶 箱 束 束入 セット ピース 個入 個入り 枚入 枚入り 本入 本入り "
        "個セット 枚組 本組 点セット 人掛け 人掛 人用 人前 畳用 口 灯 杯 pcs pcs.=pcs pc=pcs piece pieces "
        "pack packs set sets stück stk stk. pièces"
    ),
    "power": "W=W kW=kW W形=W形 W相当=W ワット=W watt watts hp=hp",
    "voltage": "V=V kV=kV ボルト=V volt volts",
    "current": "A=A mA=mA",
    "energy": "mAh=mAh Ah=Ah Wh=Wh kWh=kWh kcal kJ",
    "frequency": "Hz=Hz kHz=kHz MHz=MHz GHz=GHz",
    "data": "KB MB GB TB ギガ=GB",
    "temperature": "℃=°C °C=°C °F=°F",
    "light": "lm ルーメン=lm lx K ルクス=lx",
    "size": "号",
    OTHER: (
        "% 度 ° dB Pa kPa hPa bar N rpm 回 倍 円 ¥ € $ 年 月 日 時間 分 秒 か月 ヶ月 週間 才 歳 代 h hr "
        "hrs min s sec day days month months year years yrs ct カラット デニール dpi px ppm pH 周年 番 種 "
        "種類 色 way 型 インチ型 式 人 名 層 列 穴 連 weeks"
    ),
}
_CASED = frozenset("m M g G t T l L W w V v A a K k N n s S h H d D".split())
"""One-letter units, where upper and lower case differ: 10 M is a size, no length."""

_LABELS = {
    "width": ("w width 幅 巾 横 横幅 ヨコ 間口 幅員 本体幅 breite b largeur ancho larghezza bredd"),
    "depth": "d depth 奥行 奥行き 奥ゆき 奥 マチ 深さ tiefe profondeur profundidad profondità djup",
    "height": "h height 高さ 高 タカサ 全高 本体高さ höhe hoehe hauteur altura alto altezza höjd ht",
    "length": ("l length 長さ 全長 長 縦 タテ 着丈 コード長 länge laenge longueur largo lunghezza längd"),
    "diameter": ("φ ø ⌀ dia diam diameter 直径 径 口径 外径 内径 durchmesser diamètre diámetro diametro"),
    "thickness": "t thickness 厚さ 厚み 厚 板厚 stärke staerke dicke épaisseur grosor",
    "seat height": "sh 座面高 座面高さ 座面の高さ 座高 sitzhöhe seatheight",
    "weight": ("weight 重量 重さ 質量 本体重量 総重量 gewicht poids peso vikt mass wt wt. netweight 製品重量"),
    "capacity": ("capacity 容量 内容量 満水容量 定格容量 容積 fassungsvermögen capacité capacidad capacità inhalt"),
    "volume": "volume 体積 volumen 容積量",
    "count": "count quantity 入数 個数 枚数 本数 段数 anzahl stückzahl nombre",
}
_SIZE_WORDS = re.compile(
    "size|dimension|measurement|spec|サイズ|寸法|外寸|内寸|大きさ|仕様|規格|スペック"
    "|maße|abmessung|größe|taille|medidas|tamaño|mått",
    re.I,
)
_BRACKETED = re.compile(r"[\[(【]\s*([^\[\]()【】]{1,12}?)\s*[\])】]")
_LETTERS = re.compile(r"[^\W\d_]+")


class Sense(NamedTuple):
    """What the name of an attribute says about the numbers in it."""

    names: tuple[str, ...]
    """What is measured; several in the order of the numbers: `W x D x H`."""
    unit: str
    """Unit for numbers without one, or ""."""
    size: bool
    """Whether it holds measures of any kind, such as `Size` and `仕様`."""
    unknown: str = ""
    """Unit in brackets that is not known."""


def _table() -> dict[str, tuple[str, str]]:
    table: dict[str, tuple[str, str]] = {}
    for kind, units in _UNITS.items():
        for entry in units.split():
            written, _, canonical = entry.partition("=")
            for form in {written} if written in _CASED else {written, written.upper(), written.capitalize()}:
                table.setdefault(form, (kind, canonical or _spelled(written)))
    return table


def _spelled(word: str) -> str:
    ends = {
        "milli": "mm",
        "centi": "cm",
        "meter": "m",
        "metre": "m",
        "kilog": "kg",
        "gram": "g",
        "liter": "L",
        "litre": "L",
    }
    return next((unit for start, unit in ends.items() if word.startswith(start)), word)


UNITS = _table()
"""Written form → (kind of quantity, canonical unit)."""
LABELS = {word: name for name, line in _LABELS.items() for word in line.split()}
"""Lower-case word → what it measures."""


@lru_cache(maxsize=4096)
def sense_of(label: str) -> Sense:
    """Return what an attribute's name says: `Weight (lbs)`, `高さ(cm)`, `サイズ(幅×奥行)`, `shipping_weight_kg`."""
    text = unicodedata.normalize("NFKC", label[:200])
    unit = unknown = ""
    bracket = _BRACKETED.search(text)
    if bracket:
        known = UNITS.get(bracket[1])
        unit = known[1] if known else ""
        rest = text[: bracket.start()] + " " + (text[bracket.start() :] if not known else text[bracket.end() :])
        unknown = "" if known or not re.fullmatch(r"[a-zμ°]{1,8}", bracket[1]) else bracket[1]
        text = rest
    words = [word.casefold() for word in _LETTERS.findall(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text))]
    if not unit and len(words) > 1 and words[-1] in ("cm", "mm", "kg", "g", "ml", "lbs", "lb", "oz", "in", "inch"):
        unit = UNITS[words.pop()][1]
    names = [name for word in words if (name := _name_of(word))]
    joined = len(names) > 1 and bool(re.search(r"[x×*/・]", text, re.I))
    single = [name for word in words if len(word) > 1 and (name := _name_of(word))]
    chosen = tuple(names) if joined else tuple(single[-1:])
    if chosen and chosen[-1] not in ("weight", "capacity", "volume", "count") and "seat" in words and "height" in words:
        chosen = ("seat height",)
    return Sense(chosen, unit, bool(_SIZE_WORDS.search(text)), unknown if chosen else "")


def _name_of(word: str) -> str | None:
    if word in LABELS:
        return LABELS[word]
    # Japanese names run together: 本体高さ, 梱包重量, 奥行き寸法.
    return next((LABELS[end] for end in _RUN_TOGETHER if word.endswith(end)), None) if not word.isascii() else None


_RUN_TOGETHER = (*(word for word in sorted(LABELS, key=len, reverse=True) if not word.isascii() and word[1:]), "幅")
