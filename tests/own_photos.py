"""Real photos for a queue of `fill_queue`: one of the product itself, and the nearest one on another product."""

from io import BytesIO

from PIL import Image
from sqlalchemy import select

from catalog.schema import GenerationRow, ImageRow, ProductImageRow, ProductRow
from catalog.store import Catalog

OTHER_PRODUCT = "Black mug"


def photograph(catalog: Catalog) -> None:
    """Give product 1 a photo, and the nearest photo of all candidates to another product."""
    stream = BytesIO()
    Image.new("RGB", (256, 256), "navy").save(stream, "PNG")
    own = catalog.blobs.put(stream.getvalue(), "png")
    with catalog.write() as session:
        image = ImageRow(sha256=own, ext="png", format="PNG", width=256, height=256, size_bytes=1)
        other = ProductRow(source_id=1, sku="MUG-2", name=OTHER_PRODUCT)
        session.add_all((image, other))
        session.flush()
        nearest = session.scalar(
            select(ImageRow.id).join(GenerationRow, GenerationRow.nearest_sha256 == ImageRow.sha256)
        )
        session.add(ProductImageRow(product_id=1, image_id=image.id))
        session.add(ProductImageRow(product_id=other.id, image_id=nearest))
