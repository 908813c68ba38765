"""Writes a folder of Japanese product data as companies have it, from drawings of our own.

The table is CP932 with headers of its own, numbers with leading zeros, half-width kana, ①㈱髙﨑 and full-width digits.
Half of the pictures lie on disk under NFD names, as a Mac writes them; the others in a zip whose names are CP932 and
do not say so.
"""

import csv
import io
import os
import unicodedata
import zipfile
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from catalog.drawing import Material, View, render
from catalog.drawing.shapes import SHAPES

SIZE_PX = 96
ARCHIVE = "写真.zip"
TABLE = "商品一覧.csv"
FOLDER = "画像"
JARGON = frozenset({"錆御納戸", "朝凪セラミカ"})
"""A colour and a material that only this company calls so."""
HEADER = (
    "品番", "商品名", "色", "素材", "サイズ", "商品説明", "画像ファイル名", "JANコード", "販売価格", "保証", "製造元"
)  # fmt: skip
_DESCRIPTION = "㈱髙﨑の工房が仕上げた{name}です。<br>①送料無料 ②ポイント10倍 ③1年保証"


@dataclass(frozen=True, kw_only=True)
class JapaneseProduct:
    """One row of the table, what can be seen, and what a caption may say of it in English."""

    name: str
    colour: str
    material: str
    size: str
    measures: dict[str, tuple[float, str]]
    """Measure → (number, unit)."""
    drawn: tuple[str, str, str, tuple[int, int, int]]
    """Kind, form, surface and colour of the drawing."""
    facts: dict[str, str]
    """Concepts of noun, colour and material that are true and known to the glossary."""
    number: int = 0

    @property
    def sku(self) -> str:
        """Number with leading zeros."""
        return f"{self.number:04d}"

    @property
    def file(self) -> str:
        """Name of the picture, with letters that NFD takes apart."""
        return f"ガラス_プレート～{self.sku}.jpg" if self.packed else f"ボード_グループ{self.sku}.jpg"

    @property
    def packed(self) -> bool:
        """Whether the picture lies in the zip."""
        return self.number % 2 == 0

    @property
    def jan(self) -> str:
        """JAN code with a leading zero and its right check digit."""
        digits = f"04900000{self.number:04d}"
        total = sum(int(digit) * (3 if index % 2 else 1) for index, digit in enumerate(digits))
        return f"{digits}{-total % 10}"

    def picture(self) -> bytes:
        """Draw the picture; every product has one of its own."""
        kind, form, surface, color = self.drawn
        meshes = SHAPES[kind](form, Material(kind=surface, color=color, second=None, pattern="plain"))
        jpeg = io.BytesIO()
        render(meshes, View(turn=self.number * 7 % 40, above=12), size_px=SIZE_PX).save(jpeg, "JPEG", quality=92)
        return jpeg.getvalue()


_RED, _BLUE, _WHITE, _BLACK, _BROWN = (188, 38, 38), (38, 84, 168), (238, 236, 230), (42, 42, 46), (124, 80, 48)
_GREEN, _GOLD, _PINK, _MUSTARD, _PURPLE = (50, 122, 76), (214, 174, 92), (230, 150, 166), (214, 168, 50), (114, 76, 146)
_NAVY, _SILVER, _ORANGE, _GREY, _BEIGE = (34, 46, 92), (198, 200, 204), (224, 118, 42), (146, 148, 152), (216, 196, 164)
_WOOD = (172, 126, 84)
_CUP = ("φ8×高さ9cm", {"diameter": (8.0, "cm"), "height": (9.0, "cm")})
_SEAT = ("幅45×奥行50×高さ78cm", {"width": (45.0, "cm"), "depth": (50.0, "cm"), "height": (78.0, "cm")})
_TALL = ("径12×高さ25cm", {"diameter": (12.0, "cm"), "height": (25.0, "cm")})
_FLAT = ("幅45×奥行45cm", {"width": (45.0, "cm"), "depth": (45.0, "cm")})
_WIDE = ("幅120×奥行45×高さ72cm", {"width": (120.0, "cm"), "depth": (45.0, "cm"), "height": (72.0, "cm")})
_WIDE_IN_FULL_WIDTH = ("幅１２０×奥行４５×高さ７２ｃｍ", _WIDE[1])

_ROWS = (
    ("【送料無料】陶器 マグカップ レッド", "赤", "陶器", _CUP,
     ("mug", "round", "ceramic", _RED), "mug", "red", "earthenware"),
    ("ﾏｸﾞｶｯﾌﾟ ①型", "ﾌﾞﾙｰ", "磁器", _CUP,
     ("mug", "cylindrical", "ceramic", _BLUE), "mug", "blue", "porcelain"),
    ("マグカップ ～北欧～", "ｸﾞﾚｰｼﾞｭ", "ステンレス", _CUP,
     ("mug", "tapered", "metal", _BEIGE), "mug", "beige", "stainless steel"),
    ("マグカップ", "錆御納戸", "陶磁器", _CUP,
     ("mug", "round", "ceramic", (72, 100, 108)), "mug", "", "ceramic"),
    ("オーク材の椅子", "ﾅﾁｭﾗﾙ", "ｵｰｸ", _SEAT,
     ("chair", "slatted", "wood", _WOOD), "chair", "natural", "oak"),
    ("ダイニングチェア ブラック", "黒", "スチール", _SEAT,
     ("chair", "panelled", "metal", _BLACK), "dining chair", "black", "steel"),
    ("木製チェア 幅45cm", "白", "天然木", _SEAT,
     ("chair", "armchair", "wood", _WHITE), "chair", "white", "wood"),
    ("★人気★ スツール", "緑", "プラスチック", _SEAT,
     ("chair", "slatted", "plastic", _GREEN), "stool", "green", "plastic"),
    ("ガラス花瓶", "青", "ガラス", _TALL,
     ("vase", "slim", "glass", (120, 164, 226)), "vase", "blue", "glass"),
    ("花瓶 ≪新作≫", "ゴールド", "真鍮", _TALL,
     ("vase", "round", "metal", _GOLD), "vase", "gold", "brass"),
    ("一輪挿し", "白", "朝凪セラミカ", _TALL,
     ("vase", "flared", "ceramic", _WHITE), "vase", "white", ""),
    ("フラワーベース", "ピンク", "陶器", _TALL,
     ("vase", "round", "ceramic", _PINK), "vase", "pink", "earthenware"),
    ("クッション", "ﾏｽﾀｰﾄﾞ", "綿100%", _FLAT,
     ("cushion", "square", "fabric", _MUSTARD), "cushion", "mustard yellow", "cotton"),
    ("座布団（数量限定）", "紫", "麻", _FLAT,
     ("cushion", "round", "fabric", _PURPLE), "cushion", "purple", "linen"),
    ("クッション 大", "ネイビー", "ベルベット", _FLAT,
     ("cushion", "rectangular", "fabric", _NAVY), "cushion", "navy blue", "velvet"),
    ("本革クッション", "茶色", "本革", _FLAT,
     ("cushion", "square", "leather", _BROWN), "cushion", "brown", "leather"),
    ("ﾃｰﾌﾞﾙﾗﾝﾌﾟ", "銀色", "アルミ", _TALL,
     ("lamp", "conical", "metal", _SILVER), "table lamp", "silver", "aluminium"),
    ("ランプ", "オレンジ", "磁器", _TALL,
     ("lamp", "domed", "ceramic", _ORANGE), "lamp", "orange", "porcelain"),
    ("ペンダントライト", "赤", "ガラス", _TALL,
     ("lamp", "cylindrical", "glass", _RED), "pendant lamp", "red", "glass"),
    ("木のランプ", "茶", "ウォールナット", _TALL,
     ("lamp", "domed", "wood", _BROWN), "lamp", "brown", "walnut wood"),
    ("ローテーブル", "白", "大理石", _WIDE,
     ("table", "rectangular", "stone", _WHITE), "coffee table", "white", "marble"),
    ("丸テーブル", "黒", "ｽﾁｰﾙ", _WIDE,
     ("table", "round", "metal", _BLACK), "table", "black", "steel"),
    ("サイドテーブル", "グリーン", "竹", _WIDE_IN_FULL_WIDTH,
     ("table", "square", "wood", _GREEN), "side table", "green", "bamboo"),
    ("デスク", "グレー", "金属", _WIDE_IN_FULL_WIDTH,
     ("table", "rectangular", "metal", _GREY), "desk", "grey", "metal"),
)  # fmt: skip
PRODUCTS = tuple(
    JapaneseProduct(
        name=name,
        colour=colour,
        material=material,
        size=size,
        measures=measures,
        drawn=drawn,
        facts={kind: fact for kind, fact in (("noun", noun), ("colour", shade), ("material", stuff)) if fact},
        number=number,
    )
    for number, (name, colour, material, (size, measures), drawn, noun, shade, stuff) in enumerate(_ROWS, 1)
)
"""Twenty-four products of six kinds."""


def write_japanese_dump(folder: Path, *, archive: bool = True) -> dict[str, bytes]:
    """Write the folder, and return SKU → its picture as a file.

    Args:
        folder: Where to write; made if missing.
        archive: Pack every second picture into a zip; else all of them lie on disk.
    """
    pictures = {product.sku: product.picture() for product in PRODUCTS}
    (folder / FOLDER).mkdir(parents=True)
    (folder / TABLE).write_bytes(_table())
    with zipfile.ZipFile(folder / ARCHIVE, "w") if archive else io.BytesIO() as packed:
        for product in PRODUCTS:
            if isinstance(packed, zipfile.ZipFile) and product.packed:
                packed.writestr(_unflagged(product.file), pictures[product.sku])
                continue
            name = unicodedata.normalize("NFD", product.file).encode()
            with open(os.path.join(os.fsencode(folder / FOLDER), name), "wb") as file:
                file.write(pictures[product.sku])
    return pictures


def pixels(data: bytes) -> bytes:
    """Return the pixels of a picture file."""
    with Image.open(io.BytesIO(data)) as picture:
        return picture.convert("RGB").tobytes()


def _table() -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(HEADER)
    for product in PRODUCTS:
        description = _DESCRIPTION.format(name=product.name)
        cells = (product.name, product.colour, product.material, product.size, description, product.file, product.jan)
        writer.writerow((product.sku, *cells, "1,980", "1年", "㈱髙﨑工芸社"))
    return text.getvalue().encode("cp932")


def _unflagged(name: str) -> zipfile.ZipInfo:
    """Return an entry whose name is written as CP932 bytes without the UTF-8 flag, as Windows writes it."""
    entry = _Unflagged(name, date_time=(2026, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_STORED
    return entry


class _Unflagged(zipfile.ZipInfo):
    def _encodeFilenameFlags(self) -> tuple[bytes, int]:
        return f"写真/{self.filename}".encode("cp932"), self.flag_bits & ~0x800
