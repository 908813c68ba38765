"""A catalogue drawn by our own code: product photos with spec text in English and Japanese, free to use anywhere.

Ten kinds of product in several forms, materials and colours, each seen from the front and at three quarters. Every word
of a specification can be seen in its pictures.
"""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product as combinations
from pathlib import Path

import numpy as np

from catalog.atomic import replacing
from catalog.drawing import Material, View, render
from catalog.drawing.shapes import SHAPES
from catalog.errors import CatalogError

SIZE_PX = 256
VIEWS: dict[str, View] = {"front": View(turn=0, above=9), "side": View(turn=-35, above=22)}

_COLORS: dict[str, tuple[int, int, int]] = {
    "beige": (216, 196, 164),
    "black": (42, 42, 46),
    "blue": (38, 84, 168),
    "brown": (124, 80, 48),
    "green": (50, 122, 76),
    "grey": (146, 148, 152),
    "navy": (34, 46, 92),
    "orange": (224, 118, 42),
    "pink": (230, 150, 166),
    "purple": (114, 76, 146),
    "red": (188, 38, 38),
    "turquoise": (52, 162, 162),
    "white": (238, 236, 230),
    "yellow": (234, 188, 54),
}
_SPECIAL: dict[str, dict[str, tuple[int, int, int]]] = {
    "glass": {"blue": (120, 164, 226), "brown": (196, 132, 66), "clear": (232, 240, 240), "green": (150, 208, 172)},
    "metal": {"black": (70, 70, 74), "copper": (206, 124, 86), "gold": (214, 174, 92), "silver": (198, 200, 204)},
    "stone": {"black": (70, 70, 76), "grey": (158, 158, 162), "white": (236, 234, 230)},
    "wood": {"beige": (214, 172, 122), "black": (58, 48, 42), "brown": (138, 90, 52)},
}
_KINDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "mug": (("cylindrical", "round", "tapered"), ("ceramic", "metal")),
    "chair": (("slatted", "panelled", "armchair"), ("wood", "plastic", "fabric")),
    "vase": (("round", "slim", "flared"), ("ceramic", "glass", "metal")),
    "cushion": (("square", "round", "rectangular"), ("fabric", "leather")),
    "lamp": (("conical", "cylindrical", "domed"), ("metal", "ceramic", "wood")),
    "bag": (("tote", "handbag", "satchel"), ("fabric", "leather")),
    "bowl": (("deep", "shallow", "footed"), ("ceramic", "wood", "glass")),
    "bottle": (("slim", "wide", "tapered"), ("glass", "metal", "plastic")),
    "table": (("round", "square", "rectangular"), ("wood", "stone", "metal")),
    "teapot": (("round", "tall", "low"), ("ceramic", "metal")),
}
_STRIPES = {"bag", "bowl", "cushion", "mug", "teapot", "vase"}
_JAPANESE: dict[str, str] = {
    "armchair": "アームチェア", "bag": "バッグ", "beige": "ベージュ", "black": "黒", "blue": "青", "bottle": "ボトル",
    "bowl": "ボウル", "brown": "茶色", "ceramic": "陶磁器", "chair": "椅子", "clear": "透明", "conical": "円錐形",
    "copper": "銅色", "cushion": "クッション", "cylindrical": "円筒形", "deep": "深型", "domed": "ドーム型",
    "fabric": "布", "flared": "フレア", "footed": "高台付き", "glass": "ガラス", "gold": "金色", "green": "緑",
    "grey": "灰色", "handbag": "ハンドバッグ", "lamp": "ランプ", "leather": "革", "low": "ロータイプ", "metal": "金属",
    "mug": "マグカップ", "navy": "紺", "orange": "オレンジ", "panelled": "板張り", "pink": "ピンク", "plain": "無地",
    "plastic": "プラスチック", "purple": "紫", "rectangular": "長方形", "red": "赤", "round": "丸型",
    "satchel": "肩掛け", "shallow": "浅型", "silver": "銀色", "slatted": "横桟", "slim": "スリム", "square": "正方形",
    "stone": "石", "striped": "ストライプ", "table": "テーブル", "tall": "トール", "tapered": "先細り",
    "teapot": "ティーポット", "tote": "トート", "turquoise": "ターコイズ", "two-tone": "ツートン", "vase": "花瓶",
    "white": "白", "wide": "幅広", "wood": "木", "yellow": "黄色",
}  # fmt: skip
_COLUMNS = ("sku", "name", "category", "color", "material", "shape", "pattern", "height_cm")
_JAPANESE_COLUMNS = ("色", "素材", "形状", "柄", "高さ")


@dataclass(frozen=True, kw_only=True)
class SampleProduct:
    """What the spec sheet of one drawn product says."""

    sku: str
    """Number in the shop, such as MUG-001."""
    category: str
    """One of the ten kinds."""
    form: str
    """Visible shape."""
    material: str
    """Visible material."""
    color: str
    """Main colour."""
    pattern: str
    """plain, striped or two-tone."""
    height_cm: int
    """Height in centimetres."""
    lang: str
    """Language of its spec text: en or ja."""

    @property
    def images(self) -> tuple[str, ...]:
        """Picture paths inside the catalogue, one a view."""
        return tuple(f"images/{self.sku.lower()}-{view}.jpg" for view in VIEWS)

    @property
    def surface(self) -> Material:
        """What it is made of, for drawing."""
        color = _SPECIAL.get(self.material, _COLORS)[self.color]
        second = None if self.pattern == "plain" else _COLORS["navy" if self.color in ("white", "beige") else "white"]
        return Material(kind=self.material, color=color, second=second, pattern=self.pattern)


def draw_sample_catalogue(
    folder: Path, *, products: int = 64, seed: int = 0, progress: Callable[[str, float, float], None] | None = None
) -> Path:
    """Draw a catalogue dump: `products.csv`, `images/` and `text/`; the same arguments give the same bytes.

    A folder that already holds pictures of it is completed, so a stopped call can be repeated.

    Args:
        folder: where to write; made if missing.
        products: how many, 1 to 300; the ten categories take turns.
        seed: chooses forms, materials and colours.
        progress: called with a description, products drawn and products in all.

    Returns:
        The folder.

    Raises:
        CatalogError: `products` is out of range.
    """
    chosen = plan_products(products, seed)
    (folder / "images").mkdir(parents=True, exist_ok=True)
    (folder / "text").mkdir(exist_ok=True)
    for number, item in enumerate(chosen):
        meshes = None
        for view, path in zip(VIEWS.values(), item.images, strict=True):
            if (folder / path).exists():
                continue
            meshes = meshes or SHAPES[item.category](item.form, item.surface)
            jpeg = io.BytesIO()
            render(meshes, view, size_px=SIZE_PX).save(jpeg, "JPEG", quality=92)
            _write(folder / path, jpeg.getvalue())
        _write(folder / "text" / f"{item.sku.lower()}.txt", _description(item).encode())
        if progress is not None:
            progress("drawing products", number + 1, len(chosen))
    _write(folder / "products.csv", _table(chosen).encode())
    return folder


def plan_products(count: int, seed: int) -> tuple[SampleProduct, ...]:
    """Choose `count` different products, taking turns among the categories and, within one, among its materials.

    Raises:
        CatalogError: `count` is not from 1 to 300.
    """
    if not 1 <= count <= 300:
        raise CatalogError(f"{count} products asked for; the sample catalogue draws 1 to 300")
    kinds = list(_KINDS)
    decks = [_deck(kind, seed) for kind in kinds]
    heights = np.random.default_rng([seed, 1])
    chosen = []
    for index in range(count):
        turn, kind = divmod(index, len(kinds))
        form, material, color, pattern = decks[kind][turn]
        chosen.append(
            SampleProduct(
                sku=f"{kinds[kind].upper()}-{turn + 1:03d}",
                category=kinds[kind],
                form=form,
                material=material,
                color=color,
                pattern=pattern,
                height_cm=int(heights.integers(8, 90)),
                lang="ja" if (turn + kind) % 2 else "en",
            )
        )
    return tuple(chosen)


def _deck(kind: str, seed: int) -> list[tuple[str, str, str, str]]:
    """Return all products of one kind in a shuffled order that takes turns among materials."""
    forms, materials = _KINDS[kind]
    random = np.random.default_rng([seed, list(_KINDS).index(kind)])
    piles = []
    for material in materials:
        colors = tuple(_SPECIAL.get(material, _COLORS))
        dyed = kind in _STRIPES and material in ("ceramic", "fabric")
        pile = list(combinations(forms, [material], colors, ("plain", "striped", "two-tone") if dyed else ("plain",)))
        piles.append([pile[index] for index in random.permutation(len(pile))])
    longest = max(len(pile) for pile in piles)
    return [pile[row] for row in range(longest) for pile in piles if row < len(pile)]


def _name(item: SampleProduct) -> str:
    if item.lang == "ja":
        pattern = "" if item.pattern == "plain" else f"（{_JAPANESE[item.pattern]}）"
        return f"{_JAPANESE[item.color]}の{_JAPANESE[item.material]}製{_JAPANESE[item.category]}{pattern}"
    pattern = "" if item.pattern == "plain" else f"{item.pattern} "
    return f"{pattern}{item.color} {item.material} {item.category}".capitalize()


def _description(item: SampleProduct) -> str:
    if item.lang == "ja":
        words = {key: _JAPANESE[getattr(item, key)] for key in ("category", "form", "material", "color", "pattern")}
        return (
            f"{words['color']}の{words['category']}です。素材は{words['material']}、形は{words['form']}、"
            f"柄は{words['pattern']}。高さは約{item.height_cm}cmです。\n"
        )
    return (
        f"A {item.color} {item.category} made of {item.material}. "
        f"The shape is {item.form}, the surface is {item.pattern}. About {item.height_cm} cm high.\n"
    )


def _table(chosen: tuple[SampleProduct, ...]) -> str:
    """Return the table as CSV. Japanese rows fill Japanese columns, as in a shop that merged two lists."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*_COLUMNS, *_JAPANESE_COLUMNS, "images", "description_file"])
    for item in chosen:
        facts = [item.color, item.material, item.form, item.pattern]
        english = [*facts, str(item.height_cm)]
        japanese = [*(_JAPANESE[fact] for fact in facts), f"{item.height_cm}cm"]
        blank = [""] * len(english)
        cells = [*blank, *japanese] if item.lang == "ja" else [*english, *blank]
        row = [item.sku, _name(item), item.category, *cells]
        writer.writerow([*row, "|".join(item.images), f"text/{item.sku.lower()}.txt"])
    return text.getvalue()


def _write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, so that a stopped call leaves nothing half drawn."""
    with replacing(path) as part:
        part.write_bytes(data)
