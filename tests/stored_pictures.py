"""Pictures put straight into a catalogue, and pictures made from others, for tests of duplicates and datasets."""

import hashlib
import io
from collections.abc import Mapping

import numpy as np
from PIL import Image

from catalog import fingerprint
from catalog.schema import CaptionRow, ImageRow, ProductImageRow, ProductRow, SourceRow
from catalog.store import Catalog


def scene(seed: int, size: tuple[int, int] = (320, 240)) -> Image.Image:
    """A colourful picture with soft and sharp parts; each seed gives another shape."""
    random = np.random.default_rng(seed)
    cells = int(random.integers(4, 9))
    coarse = random.integers(0, 255, (cells, cells, 3), dtype=np.uint8)
    picture = Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)
    for _ in range(4):
        left, top = random.integers(0, size[0] - 40), random.integers(0, size[1] - 40)
        colour = tuple(int(part) for part in random.integers(0, 255, 3))
        picture.paste(colour, (int(left), int(top), int(left) + 40, int(top) + 30))
    return picture


def recompressed(picture: Image.Image, quality: int, file_format: str = "JPEG") -> Image.Image:
    """The picture after a lossy file."""
    buffer = io.BytesIO()
    picture.save(buffer, file_format, quality=quality)
    return Image.open(io.BytesIO(buffer.getvalue())).convert("RGB")


def resized(picture: Image.Image, factor: float) -> Image.Image:
    """The picture as a smaller file of the same shape."""
    size = (round(picture.width * factor), round(picture.height * factor))
    return picture.resize(size, Image.Resampling.LANCZOS)


def turned_hue(picture: Image.Image) -> Image.Image:
    """The picture with every hue turned by 120 degrees."""
    hsv = np.asarray(picture.convert("HSV")).copy()
    hsv[..., 0] = (hsv[..., 0].astype(int) + 85) % 256
    return Image.fromarray(hsv, "HSV").convert("RGB")


def swapped_chroma(picture: Image.Image) -> Image.Image:
    """The picture with blue and red differences exchanged; its lightness is untouched."""
    luma, blue, red = picture.convert("YCbCr").split()
    return Image.merge("YCbCr", (luma, red, blue)).convert("RGB")


def store(catalog: Catalog, pictures: Mapping[str, Image.Image]) -> dict[str, int]:
    """Store pictures as an ingest does and return name → image id."""
    ids = {}
    for name, picture in pictures.items():
        buffer = io.BytesIO()
        picture.save(buffer, "PNG", compress_level=1)
        # The name makes equal pixels two files.
        data = buffer.getvalue() + name.encode()
        row = ImageRow(
            sha256=catalog.blobs.put(data, "png"),
            pixel_sha256=hashlib.sha256(np.asarray(picture).tobytes()).hexdigest(),
            ext="png",
            format="PNG",
            width=picture.width,
            height=picture.height,
            size_bytes=len(data),
            phash=fingerprint.phash(picture),
            chroma=fingerprint.chroma(picture),
        )
        with catalog.write() as session:
            session.add(row)
            session.flush()
            ids[name] = row.id
    return ids


def add_product(
    catalog: Catalog,
    name: str,
    image_ids: list[int],
    *,
    colour: str = "red",
    origins: list[str] | None = None,
    source: str = "shop",
) -> int:
    """Add a product with one caption that these pictures show; return its id."""
    with catalog.write() as session:
        shop = session.query(SourceRow).filter_by(name=source).one_or_none() or SourceRow(name=source, root=".")
        session.add(shop)
        session.flush()
        product = ProductRow(source_id=shop.id, sku=name, name=name)
        session.add(product)
        session.flush()
        for position, image_id in enumerate(image_ids):
            origin = origins[position] if origins else f"{name}-{position}.png"
            session.add(ProductImageRow(product_id=product.id, image_id=image_id, position=position, origin=origin))
        facts = {"noun": "mug", "colour": colour}
        session.add(CaptionRow(product_id=product.id, text=f"a {colour} mug", template="t", facts=facts))
        session.flush()
        return product.id
