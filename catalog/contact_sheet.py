"""A contact sheet: the real picture beside the generated ones, one row of text a product."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from sqlalchemy import select

from catalog.atomic import replacing
from catalog.schema import GenerationRow, ImageRow, ProductImageRow
from catalog.store import Catalog

_MARGIN_PX = 10
_LINE_PX = 13
_CAPTION_LINES = 3
_INK = (40, 40, 44)
_PALE = (140, 140, 146)


@dataclass(frozen=True, kw_only=True)
class SheetRow:
    """One product on the sheet."""

    label: str
    """Short text under the pictures: the prompt they were drawn from."""
    real: Image.Image
    """A photo of the product."""
    generated: Sequence[Image.Image]
    """What the model drew."""


def sheet_of_run(catalog: Catalog, run: str, path: Path, *, products: int = 32, generated: int = 2) -> Path:
    """Write the sheet of what a run drew: each product's first photo and its first pictures, none picked by hand.

    Args:
        catalog: an open catalogue.
        run: name of the run whose candidates are shown.
        path: PNG to write.
        products: most products to show, in the catalogue's order.
        generated: generated pictures a product.
    """
    drawn: dict[int, list[tuple[str, str]]] = {}
    with catalog.read() as session:
        query = select(GenerationRow.product_id, GenerationRow.image_sha256, GenerationRow.prompt)
        for product, sha256, prompt in session.execute(
            query.where(GenerationRow.run == run).order_by(GenerationRow.id)
        ):
            drawn.setdefault(product, []).append((sha256, prompt))
        shown = sorted(drawn)[:products]
        photos: dict[int, str] = {}
        links = select(ProductImageRow.product_id, ImageRow.sha256).join(ImageRow).order_by(ProductImageRow.position)
        for product, sha256 in session.execute(links.where(ProductImageRow.product_id.in_(shown))):
            photos.setdefault(product, sha256)
    rows = [
        SheetRow(
            label=drawn[product][0][1],
            real=_open(catalog, photos[product]),
            generated=[_open(catalog, sha256) for sha256, _ in drawn[product][:generated]],
        )
        for product in shown
        if product in photos
    ]
    return write_contact_sheet(rows, path, generated=generated)


def _open(catalog: Catalog, sha256: str) -> Image.Image:
    with catalog.blobs.open(sha256) as file, Image.open(file) as picture:
        return picture.convert("RGB")


def write_contact_sheet(
    rows: Sequence[SheetRow], path: Path, *, columns: int = 4, cell_px: int = 96, generated: int = 2
) -> Path:
    """Write a PNG with one card a product: real, then `generated` pictures, then the prompt.

    Args:
        rows: the products, in reading order.
        path: file to write; written whole or not at all.
        columns: cards beside each other.
        cell_px: width and height of one picture.
        generated: generated pictures shown a product.

    Returns:
        The path.
    """
    card_wide = cell_px * (1 + generated) + _MARGIN_PX * 2
    card_high = cell_px + _CAPTION_LINES * _LINE_PX + _MARGIN_PX * 2
    lines = -(-len(rows) // columns)
    sheet = Image.new("RGB", (columns * card_wide + _MARGIN_PX, lines * card_high + 26), "white")
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size=11)
    for column in range(min(columns, len(rows))):
        x = column * card_wide + _MARGIN_PX
        draw.text((x, 6), "real", fill=_PALE, font=font)
        draw.text((x + cell_px + 6, 6), "generated", fill=_PALE, font=font)
    for number, row in enumerate(rows):
        x = number % columns * card_wide + _MARGIN_PX
        y = number // columns * card_high + 24
        sheet.paste(_fitted(row.real, cell_px), (x, y))
        for place, picture in enumerate(row.generated[:generated]):
            sheet.paste(_fitted(picture, cell_px), (x + cell_px * (place + 1) + 6, y))
        draw.line([(x + cell_px + 2, y), (x + cell_px + 2, y + cell_px)], fill=_PALE)
        wrapped = textwrap.wrap(row.label, width=card_wide // 6)[:_CAPTION_LINES]
        draw.multiline_text((x, y + cell_px + 3), "\n".join(wrapped), fill=_INK, font=font, spacing=1)
    with replacing(path) as part:
        sheet.save(part, "PNG")
    return path


def _fitted(picture: Image.Image, size_px: int) -> Image.Image:
    """Return the picture on white in a square, keeping its proportions."""
    picture = picture.convert("RGB")
    scale = size_px / max(picture.size)
    fitted = picture.resize(
        (max(1, round(picture.width * scale)), max(1, round(picture.height * scale))), Image.Resampling.BICUBIC
    )
    square = Image.new("RGB", (size_px, size_px), "white")
    square.paste(fitted, ((size_px - fitted.width) // 2, (size_px - fitted.height) // 2))
    return square
