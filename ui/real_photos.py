"""The real photos a candidate is looked at beside, and what is said over each: which one it is, how near, of what."""

from collections.abc import Iterator
from dataclasses import dataclass

from catalog.policy import Policy
from catalog.records import ReviewItem
from catalog.siblings import RealPhoto, real_photos
from ui import image_route, workspace
from ui.i18n import Translator


@dataclass(frozen=True, kw_only=True)
class ShownPhoto:
    """A photo whose file is whole, with its texts in one language."""

    image_sha256: str
    label: str
    side: str
    """How near it is, and the name of another product that it shows; may be empty."""
    alt: str


def shown(t: Translator, item: ReviewItem, rules: Policy) -> Iterator[ShownPhoto]:
    """Yield the photos, the one to begin with first: of a possible copy the nearest, else one of the product's own."""
    catalog = workspace.catalog()
    for photo in real_photos(catalog, item, nearest_first=rules.copy_risk(item.nearest_similarity)):
        if image_route.intact(catalog, photo.image_sha256):
            yield ShownPhoto(
                image_sha256=photo.image_sha256,
                label=t("picture.nearest" if photo.nearest else "picture.real"),
                side=_side(t, item, photo),
                alt=t("picture.nearest_alt" if photo.nearest else "picture.real_alt", name=item.product_name),
            )


def _side(t: Translator, item: ReviewItem, photo: RealPhoto) -> str:
    said = []
    if photo.nearest and item.nearest_similarity is not None:
        said.append(t("picture.similarity", value=f"{item.nearest_similarity:.2f}"))
    if photo.other_product is not None:
        said.append(t("picture.other_product", name=photo.other_product))
    return " · ".join(said)
