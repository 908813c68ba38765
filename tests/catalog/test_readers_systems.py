"""Exports of shop systems: a small file of each in its own form, with the trap that comes with it."""

from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

from catalog.paths import Dump
from catalog.readers import read_dump
from catalog.readers.draft import DraftCatalogue, DraftProduct

CATALOGUES = Path(__file__).resolve().parents[3] / "shared" / "data" / "catalogs"


def read(root: Path, files: dict[str, str], pictures: tuple[str, ...]) -> DraftCatalogue:
    """Write a dump and read it."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    for name in pictures:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8)).save(root / name)
    return read_dump(Dump(root))


def facts(product: DraftProduct) -> dict[str, str]:
    return {fact.name: fact.value for fact in product.attributes if fact.kind == "fact"}


def shown(product: DraftProduct) -> dict[str, str | None]:
    return {picture.path: picture.variant_key for picture in product.pictures}


MAGENTO = (
    "sku,store_view_code,product_type,categories,name,description,base_image,additional_images,"
    "additional_attributes,configurable_variations\n"
    'H-R,,simple,,Hood-Red,,/m/h/red.jpg,,"size=S,color=Red",\n'
    'H-B,,simple,,Hood-Blue,,/m/h/blue.jpg,,"size=S,color=Blue",\n'
    'H,,configurable,"Default Category/Men,Default Category/Men/Hoods",Hood,"<p>Warm\nand dry</p>",/m/h/blue.jpg,'
    '/m/h/back.jpg,"has_options=1,care=wash cold, do not bleach,climate=Cool|Windy",'
    '"sku=H-R,color=Red|sku=H-B,color=Blue|sku=H-X,color=Grey"\n'
    "H,de,,,Kapuze,<p>Warm</p>,,,,\n"
    "M,,simple,Default Category/Mugs,Mug,,no_selection,,color=White,\n"
    "M,,simple,Default Category/Mugs,Mug again,,,,,\n"
)


def test_magento_export_with_translations_variants_and_commas_in_values(tmp_path: Path) -> None:
    pictures = ("media/m/h/red.jpg", "media/m/h/blue.jpg", "media/m/h/back.jpg")
    catalogue = read(tmp_path, {"export.csv": MAGENTO, "older.csv": "sku,name,material\nB1,Bag,Nylon\n"}, pictures)
    assert catalogue.reader == "magento" and [product.sku for product in catalogue.products] == ["H", "M", "B1"]
    hood = catalogue.products[0]
    assert (hood.name, hood.category, hood.description) == ("Hood", "Men > Hoods", "Warm\nand dry")
    assert facts(hood) == {"care": "wash cold, do not bleach", "climate": "Cool, Windy"}
    assert [fact.value for fact in hood.attributes if fact.name == "name de"] == ["Kapuze"]
    # The parent's picture is the blue one's.
    assert shown(hood) == {pictures[1]: "H-B", pictures[2]: None, pictures[0]: "H-R"}
    assert Counter(issue.reason for issue in catalogue.issues) == {"ROW_DUP_KEY": 1, "ROW_UNKNOWN_KEY": 1}


@pytest.mark.skipif(not CATALOGUES.is_dir(), reason="the sample catalogues are not here")
def test_whole_magento_shop_is_read_without_a_mapping() -> None:
    catalogue = read_dump(Dump(CATALOGUES / "magento_luma"))
    assert len(catalogue.products) == 199 and not catalogue.issues
    assert sum(len(product.variants) for product in catalogue.products) == 1847
    assert len({path for product in catalogue.products for path in shown(product)}) == 723
    assert not any("<p>" in product.description for product in catalogue.products)
    bag = next(product for product in catalogue.products if product.sku == "24-MB01")
    assert facts(bag)["material"] == "Nylon, Polyester"
    for product in catalogue.products:
        colours = {
            variant.key: fact.value.lower()
            for variant in product.variants
            for fact in variant.attributes
            if fact.name == "color"
        }
        for path, key in shown(product).items():
            named = path.rpartition("/")[2].partition("-")[2].partition("_")[0].partition("-")[0]
            if key is not None and named in colours.values():
                assert colours[key] == named
