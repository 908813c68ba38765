"""Pictures and tables for benchmarks, made by the same code on every machine."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

COLOURS = ("黒", "白", "赤", "紺", "ベージュ", "グレー")
MATERIALS = ("綿", "麻", "ステンレス", "磁器", "オーク材", "牛革")


def photograph(number: int, side_px: int = 1500) -> Image.Image:
    """Return a picture like a shop's: a textured thing, on white in six of ten; the same number gives the same one."""
    rng = np.random.default_rng(number)
    along = np.arange(side_px, dtype=np.float32) / side_px
    picture = np.empty((side_px, side_px, 3), np.float32)
    for channel in range(3):
        picture[:, :, channel] = rng.uniform(50, 200) + 22 * _waves(rng, along)
    picture += _grain(rng, side_px)
    if rng.random() < 0.6:
        across, down = rng.uniform(0.22, 0.42, 2)
        outside = ((along[None, :] - 0.5) / across) ** 2 + ((along[:, None] - 0.5) / down) ** 4 > 1
        picture[outside] = 255
    return Image.fromarray(picture.clip(0, 255).astype(np.uint8))


def _waves(rng: np.random.Generator, along: NDArray[np.float32], count: int = 4) -> NDArray[np.float32]:
    """Return a sum of slanted sine waves; by sin(a + b) = sin a cos b + cos a sin b it is one matrix product."""
    down = 2 * np.pi * rng.uniform(0.5, 14, (1, count)) * along[:, None] + rng.uniform(0, 6, (1, count))
    across = 2 * np.pi * rng.uniform(0.5, 14, (count, 1)) * along[None, :]
    product = np.hstack([np.sin(down), np.cos(down)]) @ np.vstack([np.cos(across), np.sin(across)])
    return product.astype(np.float32)


def _grain(rng: np.random.Generator, side_px: int) -> NDArray[np.float32]:
    coarse = rng.normal(0, 9, (side_px // 2 + 1, side_px // 2 + 1, 1)).astype(np.float32)
    return coarse.repeat(2, 0).repeat(2, 1)[:side_px, :side_px]


def colourful_numbers(count: int) -> list[int]:
    """Return the first numbers whose photographs have strong colours, where another hue is another product."""
    found: list[int] = []
    number = 0
    while len(found) < count:
        pixels = np.asarray(photograph(number, 64), dtype=np.int16)
        thing = pixels[pixels.min(axis=2) < 250]
        if np.ptp(thing.mean(axis=0)) > 50:
            found.append(number)
        number += 1
    return found


def write_photographs(folder: Path, count: int, side_px: int = 1500) -> list[Path]:
    """Write numbered JPEGs of quality 82 to 92, every fifth progressive, and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"photo_{number:05}.jpg" for number in range(count)]
    with ProcessPoolExecutor() as pool:
        list(pool.map(_write_photograph, paths, range(count), [side_px] * count, chunksize=8))
    return paths


def _write_photograph(path: Path, number: int, side_px: int) -> None:
    photograph(number, side_px).save(path, quality=82 + number % 11, progressive=number % 5 == 0)


def write_small_pictures(folder: Path, count: int) -> list[Path]:
    """Write numbered 64 px JPEGs, no two alike, in folders of a thousand."""
    paths = []
    for number in range(count):
        rng = np.random.default_rng(number)
        coarse = Image.fromarray(rng.integers(0, 255, (6, 6, 3), np.uint8)).resize((64, 64), Image.Resampling.BICUBIC)
        path = folder / f"{number // 1000:03}" / f"item_{number:06}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        coarse.save(path, quality=88)
        paths.append(path)
    return paths


def write_picture_table(folder: Path, pictures: list[Path], name: str = "products.csv") -> None:
    """Write a table of one product a picture."""
    with (folder / name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["sku", "name", "color", "image"])
        for number, path in enumerate(pictures):
            colour = ("red", "blue", "green", "black")[number % 4]
            writer.writerow([f"P{number:06}", f"Mug {number}", colour, path.relative_to(folder).as_posix()])


def write_japanese_table(path: Path, rows: int, picture: str) -> None:
    """Write a CP932 table of `rows` products with twelve columns of facts; the first product has the picture."""
    header = ["商品コード", "商品名", "商品説明", "画像", "色", "素材", "サイズ", "重量(g)", "柄", "形状", "原産国"]
    header += ["JANコード", "仕上げ", "シリーズ", "容量", "付属品"]
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(header)
    for number, cells in enumerate(_japanese_rows(rows)):
        writer.writerow([*cells[:3], picture if number == 0 else "", *cells[3:]])
    path.write_bytes(buffer.getvalue().encode("cp932"))


def _japanese_rows(rows: int) -> Iterator[list[str]]:
    for number in range(rows):
        colour, material = COLOURS[number % 6], MATERIALS[number // 6 % 6]
        yield [
            f"{number:08}",
            f"{material}のマグカップ {colour} {number}号",
            f"毎日使える{material}製のマグカップです。色は{colour}。",
            colour,
            material,
            f"幅{8 + number % 5}×奥行{6 + number % 4}×高さ{9 + number % 3}cm",
            str(200 + number % 300),
            ("無地", "水玉", "ストライプ")[number % 3],
            ("丸形", "角形")[number % 2],
            "日本",
            _jan(number),
            ("マット", "光沢")[number % 2],
            f"シリーズ{number % 40}",
            f"{150 + number % 200}ml",
            ("蓋付き", "なし")[number % 2],
        ]


def _jan(number: int) -> str:
    """Return a JAN of 13 digits with its check digit."""
    digits = f"49{number:010}"
    weighed = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits))
    return f"{digits}{-weighed % 10}"
