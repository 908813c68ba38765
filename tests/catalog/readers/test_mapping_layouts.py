"""Dumps of many shops' own layouts, rebuilt small, each read by a mapping that a person could write."""

import json
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from catalog.mapping_parser import load_mapping, parse_mapping
from catalog.paths import Dump
from catalog.readers import read_dump
from catalog.readers.draft import DraftCatalogue, DraftProduct

# ruff: noqa: E501 - mappings and rows are one fact a line
MOST_LINES = 25
Read = Callable[..., DraftCatalogue]
PRESTASHOP = """
[tables]
product = { file = "data/product.xml", rows = "entity_product/entities/product" }
text = { file = "langs/en/data/product.xml", rows = "entity_product/product" }
category = { file = "langs/en/data/category.xml", rows = "entity_category/category" }
image = { file = "data/image.xml", rows = "entity_image/entities/image" }
combination = { file = "data/product_attribute.xml", rows = "entity_product_attribute/entities/product_attribute" }
link = { file = "data/*_combination.xml", rows = "entity_x/entities/product_attribute_combination" }
attribute = { file = "langs/en/data/attribute.xml", rows = "entity_attribute/attribute" }
[join]
"product.@id_category_default" = "category.@id"
[product]
key = "@id"
name = "text.name"
category = "category.name"
text = "text.description"
images = "img/p/{image.@id}.jpg"
[variant]
table = "combination"
product = "@id_product"
key = "@id"
[[attributes]]
table = "link"
variant = "@id_product_attribute"
name = { from = "@id_attribute", match = "^[a-z]+" }
value = "@id_attribute.name"
"""


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Return a function that writes files, pictures and a mapping of at most 25 lines into a dump and reads it."""

    def run(mapping: str, files: dict[str, str | bytes], pictures: tuple[str, ...]) -> DraftCatalogue:
        assert len(mapping.strip().splitlines()) <= MOST_LINES
        for name, content in {**files, "mapping.toml": mapping}.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        for name in pictures:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (8, 8)).save(tmp_path / name)
        catalogue = read_dump(Dump(tmp_path))
        spec = load_mapping(tmp_path / "mapping.toml")
        assert parse_mapping(tomllib.loads(catalogue.mapping), "mapping.toml") == spec
        books = catalogue.rows
        assert books.read == books.accepted + books.duplicate + books.quarantined > 0
        return catalogue

    return run


def facts(owner: object) -> dict[str, str]:
    return {fact.name: fact.value for fact in owner.attributes if fact.kind == "fact"}  # type: ignore[attr-defined]


def variants(product: DraftProduct) -> dict[str, dict[str, str]]:
    return {variant.key: facts(variant) for variant in product.variants}


def shown(product: DraftProduct) -> dict[str, str | None]:
    return {picture.path: picture.variant_key for picture in product.pictures}


def reasons(catalogue: DraftCatalogue) -> list[tuple[str, int | None]]:
    return [(issue.reason, issue.line) for issue in catalogue.issues]


def test_entities_in_xml_with_texts_by_language_and_pictures_by_id(read: Read) -> None:
    """As PrestaShop installs its example products."""
    catalogue = read(
        PRESTASHOP,
        {
            "data/product.xml": '<entity_product><fields id="id"/><entities><product id="tee" id_category_default="clothes"><reference>demo_1</reference></product><product id="mug" id_category_default="art"/></entities></entity_product>',
            "langs/en/data/product.xml": '<entity_product><product id="tee"><name>Hummingbird shirt</name><description>&lt;p&gt;Regular &lt;b&gt;fit&lt;/b&gt;&lt;/p&gt;</description></product><product id="mug"><name>Mug</name><description/></product></entity_product>',
            "langs/fr/data/product.xml": '<entity_product><product id="tee"><name>T-shirt</name></product></entity_product>',
            "langs/en/data/category.xml": '<entity_category><category id="clothes"><name>Clothes</name></category><category id="art"><name>Art</name></category></entity_category>',
            "data/image.xml": '<entity_image><entities><image id="tee-a" id_product="tee"/><image id="mug-a" id_product="mug"/><image id="mug-b" id_product="mug"/></entities></entity_image>',
            "data/product_attribute.xml": '<entity_product_attribute><entities><product_attribute id="tee_s" id_product="tee"/><product_attribute id="tee_m" id_product="tee"/></entities></entity_product_attribute>',
            "data/product_attribute_combination.xml": '<entity_x><entities><product_attribute_combination id_attribute="size_s" id_product_attribute="tee_s"/><product_attribute_combination id_attribute="size_m" id_product_attribute="tee_m"/><product_attribute_combination id_attribute="color_red" id_product_attribute="tee_m"/></entities></entity_x>',
            "langs/en/data/attribute.xml": '<entity_attribute><attribute id="size_s"><name>S</name></attribute><attribute id="size_m"><name>M</name></attribute><attribute id="color_red"><name>Red</name></attribute></entity_attribute>',
        },
        ("img/p/tee-a.jpg", "img/p/mug-a.jpg"),
    )
    tee, mug = catalogue.products
    assert (tee.sku, tee.name, tee.category, tee.description) == ("tee", "Hummingbird shirt", "Clothes", "Regular fit")
    assert variants(tee) == {"tee_s": {"size": "S"}, "tee_m": {"size": "M", "color": "Red"}}
    assert list(shown(mug)) == ["img/p/mug-a.jpg"] and reasons(catalogue) == [("FILE_MISSING", 2)]
    assert catalogue.rows.read == catalogue.rows.accepted == 7


def test_tables_of_a_shop_s_database_joined_by_ids_and_one_language(read: Read) -> None:
    """As OpenCart and osCommerce export their tables."""
    catalogue = read(
        """
[tables]
product = "oc_product.csv"
product_description = { file = "oc_product_description.csv", where = { language_id = 1 } }
product_to_category = "oc_product_to_category.csv"
category = { file = "oc_category_description.csv", where = { language_id = 1 } }
product_image = "oc_product_image.csv"
attribute = "oc_attribute_description.csv"
product_attribute = { file = "oc_product_attribute.csv", where = { language_id = 1 } }
[product]
key = "product_id"
name = "product_description.name"
category = "product_to_category.category_id.name"
text = "product_description.description"
images = "image/{image}"
[[images]]
table = "product_image"
product = "product_id"
path = "image/{image}"
[[attributes]]
table = "product_attribute"
product = "product_id"
name = "attribute_id.name"
value = "text"
""",
        {
            "oc_product.csv": "product_id,model,image,price\n40,PH1,catalog/demo/phone_1.jpg,101\n41,MAC,catalog/demo/mac.jpg,500\n",
            "oc_product_description.csv": "product_id,language_id,name,description\n40,1,Phone,&lt;p&gt;A phone&lt;/p&gt;\n40,2,Telefon,Ein Telefon\n41,1,Computer,\n41,2,Rechner,\n",
            "oc_product_to_category.csv": "product_id,category_id\n40,24\n41,20\n40,20\n",
            "oc_category_description.csv": "category_id,language_id,name\n20,1,Desktops\n24,1,Phones &amp; PDAs\n24,2,Handys\n",
            "oc_product_image.csv": "product_image_id,product_id,image,sort_order\n1,40,catalog/demo/phone_2.jpg,0\n2,99,catalog/demo/mac.jpg,0\n",
            "oc_attribute_description.csv": "attribute_id,language_id,name\n3,1,Clockspeed\n",
            "oc_product_attribute.csv": "product_id,attribute_id,language_id,text\n41,3,1,100mhz\n41,3,2,100 MHz\n40,3,1,\n",
        },
        ("image/catalog/demo/phone_1.jpg", "image/catalog/demo/phone_2.jpg", "image/catalog/demo/mac.jpg"),
    )
    phone, computer = catalogue.products
    assert (phone.name, phone.category, phone.description) == ("Phone", "Phones & PDAs", "A phone")
    assert facts(computer) == {"clockspeed": "100mhz"} and len(shown(phone)) == 2
    assert reasons(catalogue) == [("ROW_UNKNOWN_KEY", 3)]
    assert any("left out by where" in line for line in catalogue.evidence)


def test_option_types_through_link_tables(read: Read) -> None:
    """As Spree and Solidus keep them, one JSON file a table."""
    tables = {
        "products": [{"id": 1, "name": "Tote", "slug": "tote", "description": "A bag"}],
        "variants": [
            {"id": 10, "product_id": 1, "sku": "T-0", "is_master": True},
            {"id": 11, "product_id": 1, "sku": "T-R", "is_master": False},
            {"id": 12, "product_id": 1, "sku": "T-B", "is_master": False},
        ],
        "option_types": [{"id": 5, "name": "tote-color", "presentation": "Color"}],
        "option_values": [
            {"id": 50, "option_type_id": 5, "presentation": "Red"},
            {"id": 51, "option_type_id": 5, "presentation": "Blue"},
        ],
        "option_value_variants": [{"variant_id": 11, "option_value_id": 50}, {"variant_id": 12, "option_value_id": 51}],
        "assets": [
            {"viewable_type": "Spree::Variant", "viewable_id": 11, "attachment_file_name": "red.jpg"},
            {"viewable_type": "Spree::Taxon", "viewable_id": 11, "attachment_file_name": "blue.jpg"},
        ],
        "taxons": [{"id": 7, "name": "Bags"}],
        "products_taxons": [{"product_id": 1, "taxon_id": 7}],
    }
    catalogue = read(
        """
[tables]
products = "products.json"
variants = { file = "variants.json", where = { is_master = false } }
option_types = "option_types.json"
option_values = "option_values.json"
links = "option_value_variants.json"
assets = { file = "assets.json", where = { viewable_type = "Spree::Variant" } }
taxons = "taxons.json"
products_taxons = "products_taxons.json"
[join]
"assets.viewable_id" = "variants.id"
[product]
table = "products"
key = "slug"
name = "name"
category = "products_taxons.taxon_id.name"
text = "description"
[variant]
table = "variants"
product = "product_id"
key = "sku"
attributes = { color = "links.option_value_id.presentation" }
images = "assets.attachment_file_name"
""",
        {f"{name}.json": json.dumps(rows) for name, rows in tables.items()},
        ("images/red.jpg", "images/blue.jpg"),
    )
    tote = catalogue.products[0]
    assert (tote.sku, tote.category, tote.description) == ("tote", "Bags", "A bag")
    assert variants(tote) == {"T-R": {"color": "Red"}, "T-B": {"color": "Blue"}}
    assert shown(tote) == {"images/red.jpg": "T-R"} and not catalogue.issues


def test_semicolons_lists_of_pictures_and_packed_options(read: Read) -> None:
    """As Shopware exports products."""
    catalogue = read(
        """
[tables]
product = { file = "export.csv", separator = ";", where = { parent_id = "" } }
child = { file = "export.csv", separator = ";", where = { parent_id = "!" } }
[join]
"child.parent_id" = "product.id"
[product]
key = "product_number"
name = ["translations.en-GB.name", "translations.DEFAULT.name"]
category = { from = "categories", match = "^[^|]+" }
text = "translations.DEFAULT.description"
attributes = { from = "properties", separator = "|", packed = "=" }
images = ["cover_media_url", { from = "media", separator = "|" }]
[variant]
table = "child"
product = "parent_id"
key = "product_number"
attributes = { from = "options", separator = "|", packed = "=" }
""",
        {
            "export.csv": (
                "id;parent_id;product_number;translations.DEFAULT.name;translations.en-GB.name;translations.DEFAULT.description;categories;properties;options;cover_media_url;media\n"
                'a1;;SW1;Jacke;Jacket;"<p>Warm; und leicht</p>";Clothing|Sale;material=wool|lining=silk;;http://localhost/media/j.jpg;media/j2.jpg|media/j3.jpg\n'
                "a2;a1;SW1.1;;;;;;color=red|size=M;;\n"
                "b1;;SW2;Becher;;;;;;http://localhost/media/none.jpg;\n"
            )
        },
        ("media/j.jpg", "media/j2.jpg", "media/j3.jpg"),
    )
    jacket, cup = catalogue.products
    assert (jacket.name, cup.name, jacket.category) == ("Jacket", "Becher", "Clothing")
    assert facts(jacket) == {"material": "wool", "lining": "silk"} and len(jacket.pictures) == 3
    assert variants(jacket) == {"SW1.1": {"color": "red", "size": "M"}}
    assert reasons(catalogue) == [("URL_NOT_FETCHED", 4)] and catalogue.rows.read == 3


def test_rows_that_continue_the_product_above(read: Read) -> None:
    """As Odoo exports lists of attributes; its pictures are files here."""
    catalogue = read(
        """
[tables]
product = "product.template.csv"
[product]
key = "Internal Reference"
name = "Name"
continued = true
category = { from = "Product Category", match = "[^/]+$" }
attributes = { from = "Values", names = "Attribute" }
images = "images/{Internal Reference}*.png"
""",
        {
            "product.template.csv": 'Internal Reference,Name,Product Category,Attribute,Values\nD1,Desk,All / Office / Desks,Legs,Steel\n,,,Color,"White, Black"\n,,,,\nD2,Lamp,All / Lamps,,\n'
        },
        ("images/D1-front.png", "images/D1-back.png", "images/D2.png"),
    )
    desk, lamp = catalogue.products
    assert (desk.category, facts(desk)) == ("Desks", {"legs": "Steel", "color": "White, Black"})
    assert list(shown(desk)) == ["images/D1-back.png", "images/D1-front.png"] and list(shown(lamp)) == ["images/D2.png"]


def test_nested_variants_and_options_in_json(read: Read) -> None:
    """As Medusa seeds a shop."""
    seed = {
        "categories": [{"name": "Shirts"}],
        "products": [
            {
                "title": "Shirt",
                "handle": "shirt",
                "description": "Feel it.",
                "category_ids": ["Shirts"],
                "images": [{"url": "https://host.example/x/shirt-black.png"}],
                "options": [{"title": "Size", "values": ["S", "M"]}],
                "variants": [
                    {"title": "S / Black", "sku": "S-B", "options": {"Size": "S", "Color": "Black"}},
                    {"title": "M / Black", "sku": "M-B", "options": {"Size": "M", "Color": "Black"}},
                ],
                "metadata": {"Fabric": "Cotton", "Washable": True},
            }
        ],
    }
    catalogue = read(
        """
[tables]
product = { file = "seed.json", rows = "products" }
variant = { file = "seed.json", rows = "products.variants" }
[product]
key = "handle"
name = "title"
category = "category_ids"
text = "description"
attributes = "metadata"
images = "images.url"
[variant]
product = "^.handle"
key = "sku"
name = "title"
attributes = "options"
""",
        {"seed.json": json.dumps(seed)},
        ("uploads/shirt-black.png",),
    )
    shirt = catalogue.products[0]
    assert facts(shirt) == {"fabric": "Cotton", "washable": "yes"} and shirt.category == "Shirts"
    assert variants(shirt) == {"S-B": {"size": "S", "color": "Black"}, "M-B": {"size": "M", "color": "Black"}}
    assert shirt.variants[0].name == "S / Black" and list(shown(shirt)) == ["uploads/shirt-black.png"]
    assert catalogue.rows.read == catalogue.rows.accepted == 3


def test_headless_file_with_odd_separators_in_utf_16(read: Read) -> None:
    """As AdventureWorks bulk-copies its tables."""
    rows = [
        '1+|AR-1+|Race wheel+|Black+|2+|<?xml version="1.0"?><spec xml:lang="en"><Summary>Fast</Summary><Weight/></spec>&|\n',
        "2+|BK-2+|Road bike\n750+|Red+|9+|&|\n",
    ]
    catalogue = read(
        """
[tables]
product = { file = "Product.csv", separator = "+|", row_end = "&|", header = ["id", "number", "name", "color", "sub", "text"] }
subcategory = { file = "ProductSubcategory.csv", separator = "\\t", header = ["id", "name"] }
[join]
"product.sub" = "subcategory.id"
[product]
key = "number"
name = "name"
category = "sub.name"
text = "text"
attributes = "color"
images = "{number}.gif"
""",
        {"Product.csv": "".join(rows).encode("utf-16"), "ProductSubcategory.csv": "2\tWheels\n9\tRoad Bikes\n"},
        ("AR-1.gif", "BK-2.gif"),
    )
    wheel, bike = catalogue.products
    assert (wheel.category, wheel.description, facts(wheel)) == ("Wheels", "Fast", {"color": "Black"})
    assert (bike.name, bike.line, bike.category) == ("Road bike 750", 2, "Road Bikes")


def test_tables_with_plain_ids_are_joined_without_saying_so(read: Read) -> None:
    """As the Northwind database is spread as CSV."""
    catalogue = read(
        """
[tables]
products = "products.csv"
categories = "categories.csv"
suppliers = "suppliers.csv"
[product]
table = "products"
key = "productID"
name = "productName"
category = "categoryID.categoryName"
text = "categoryID.description"
attributes = { unit = "quantityPerUnit", country = "suppliers.country" }
images = "pictures/{productID}.png"
""",
        {
            "products.csv": "productID,productName,supplierID,categoryID,quantityPerUnit,unitPrice,discontinued\n1,Chai,1,1,10 boxes x 20 bags,18,0\n2,Syrup,1,2,12 bottles,10,0\n",
            "categories.csv": "categoryID,categoryName,description\n1,Beverages,Soft drinks\n2,Condiments,Sweet sauces\n",
            "suppliers.csv": "supplierID,companyName,country\n1,Exotic Liquids,UK\n",
        },
        ("pictures/1.png", "pictures/2.png"),
    )
    chai, syrup = catalogue.products
    assert (chai.category, syrup.description) == ("Beverages", "Sweet sauces")
    assert facts(chai) == {"unit": "10 boxes x 20 bags", "country": "UK"}
    assert sum("refers to" in line for line in catalogue.evidence) >= 2


def test_json_keyed_by_id_with_languages(read: Read) -> None:
    data = {
        "items": {
            "A7": {
                "title": [{"lang": "de", "value": "Stuhl"}, {"lang": "en", "value": "Chair"}],
                "spec": {"Seat": ["oak", "cane"], "Height": "80 cm"},
                "media": {"main": "chair.jpg", "more": ["chair2.jpg"]},
                "kind": "1",
            }
        }
    }
    catalogue = read(
        """
[tables]
product = { file = "shop.json", rows = "items.*" }
[product]
key = "key"
name = "value.title[lang=en].value"
category = { from = "kind", values = { "1" = "Seats", "2" = "Tables" } }
attributes = ["value.spec", { source = { value = "archive" } }]
images = ["media.main", "media.more"]
""",
        {"shop.json": json.dumps(data)},
        ("chair.jpg", "chair2.jpg"),
    )
    chair = catalogue.products[0]
    assert (chair.sku, chair.name, chair.category) == ("A7", "Chair", "Seats")
    assert facts(chair) == {"seat": "oak, cane", "height": "80 cm", "source": "archive"} and len(chair.pictures) == 2


def test_list_of_json_objects_with_paths_of_categories(read: Read) -> None:
    """As Best Buy's open data set."""
    rows = [
        {
            "sku": 43900,
            "name": "Battery",
            "type": "HardGood",
            "upc": "041333424019",
            "category": [{"id": "a", "name": "Connected Home"}, {"id": "b", "name": "Batteries"}],
            "description": "Long-life; 4-Pack",
            "manufacturer": "Acme",
            "image": "http://img.example.com/43900_sa.jpg",
        },
        {"sku": 43901, "name": "Song", "type": "Music", "image": "http://img.example.com/1.jpg"},
    ]
    catalogue = read(
        """
[tables]
product = { file = "products.json", where = { type = "!Music" } }
[product]
key = "sku"
name = "name"
category = "category.name"
text = "description"
attributes = "manufacturer"
images = "image"
""",
        {"products.json": json.dumps(rows)},
        ("img/43900_sa.jpg",),
    )
    assert [(product.sku, product.category) for product in catalogue.products] == [("43900", "Connected Home")]
    assert list(shown(catalogue.products[0])) == ["img/43900_sa.jpg"] and not catalogue.issues


def test_trade_items_in_xml_with_units_and_namespaces(read: Read) -> None:
    """As GS1's messages carry them."""
    catalogue = read(
        """
[tables]
product = { file = "cin.xml", rows = "catalogueItem.tradeItem" }
[product]
key = "gtin"
name = "descriptionShort[languageCode=en].#text"
text = "tradeItemDescription[languageCode=en].#text"
category = "gpcCategoryName"
attributes = { height = "{height.#text} {height.@measurementUnitCode}", color = "colour.colourDescription" }
images = "uniformResourceIdentifier"
""",
        {
            "cin.xml": '<msg:message xmlns:msg="urn:gs1"><catalogueItem><tradeItem><gtin>04912345678904</gtin><gdsn><gpcCategoryName>Mugs</gpcCategoryName></gdsn>'
            '<info><descriptionShort languageCode="ja">マグ</descriptionShort><descriptionShort languageCode="en">Mug</descriptionShort><tradeItemDescription languageCode="en">A mug &amp; lid</tradeItemDescription>'
            '<height measurementUnitCode="MMT">95</height><colour><colourDescription>blue</colourDescription></colour></info>'
            "<file><uniformResourceIdentifier>https://host.example/04912345678904_A1N1.jpg</uniformResourceIdentifier></file></tradeItem></catalogueItem></msg:message>"
        },
        ("04912345678904_A1N1.jpg",),
    )
    mug = catalogue.products[0]
    assert (mug.sku, mug.name, mug.category, mug.description) == ("04912345678904", "Mug", "Mugs", "A mug & lid")
    assert facts(mug) == {"height": "95 MMT", "color": "blue"} and len(mug.pictures) == 1


def test_notes_before_the_header_and_quotes_that_enclose_nothing(read: Read) -> None:
    catalogue = read(
        """
[tables]
product = { file = "list.txt", separator = "||", quotes = false, skip = 2, comment = "#" }
[product]
key = { from = "No", match = "^SKU-(.*)$" }
name = "Name"
attributes = "*"
images = "P{No}.png"
""",
        {"list.txt": 'Price list\nof spring\nNo||Name||Size\n# mugs\nSKU-1||6" mug||large\n||odd||\nSKU-2||Cup||"s"\n'},
        ("PSKU-1.png", "PSKU-2.png"),
    )
    assert [(product.sku, product.name) for product in catalogue.products] == [("1", '6" mug'), ("2", "Cup")]
    assert facts(catalogue.products[0]) == {"size": "large"} and reasons(catalogue) == [("ROW_NO_KEY", 6)]


def test_objects_of_several_models_as_django_dumps_them(read: Read) -> None:
    objects = [
        {"model": "product.category", "pk": 3, "fields": {"name": "Juices"}},
        {"model": "product.product", "pk": 71, "fields": {"name": "Apple Juice", "category": 3, "description": '{"blocks": [{"type": "paragraph", "data": {"text": "Fell straight from the tree."}}]}'}},
        {"model": "product.productvariant", "pk": 201, "fields": {"sku": "43226647", "name": "1l", "product": 71}},
        {"model": "product.productimage", "pk": 1, "fields": {"product": 71, "image": "products/juice.png"}},
        {"model": "product.productimage", "pk": 2, "fields": {"product": 72, "image": "products/juice.png"}},
    ]  # fmt: skip
    catalogue = read(
        """
images = [{ table = "productimage", product = "product", path = "image" }]
[tables]
objects = { file = "fixture.json", split = "model" }
[product]
key = "pk"
name = "name"
category = "category.name"
text = "description"
[variant]
table = "productvariant"
product = "product"
key = "sku"
name = "name"
""",
        {"fixture.json": json.dumps(objects)},
        ("media/products/juice.png",),
    )
    juice = catalogue.products[0]
    assert (juice.category, juice.description) == ("Juices", "Fell straight from the tree.")
    assert list(variants(juice)) == ["43226647"] and list(shown(juice)) == ["media/products/juice.png"]
    assert reasons(catalogue) == [("ROW_UNKNOWN_KEY", 5)] and catalogue.rows.read == 4


def test_variants_in_the_rows_of_their_product(read: Read) -> None:
    """As shops with one row a variant and one row a further picture export."""
    catalogue = read(
        """
[tables]
product = "export.csv"
[product]
key = "Handle"
name = "Title"
text = "Body"
images = "Image Src"
[variant]
key = "Variant SKU"
attributes = [{ from = "Option1 Value", names = "Option1 Name" }, { from = "Option2 Value", names = "Option2 Name" }]
images = "Variant Image"
""",
        {
            "export.csv": "Handle,Title,Body,Option1 Name,Option1 Value,Option2 Name,Option2 Value,Variant SKU,Image Src,Variant Image\n"
            "bowl,Bowl,<p>Deep</p>,Color,Red,Size,S,B-1,front.jpg,red.jpg\n"
            "bowl,,,,Blue,,L,B-2,back.jpg,\n"
            "bowl,,,,,,,,side.jpg,\n"
            "bowl,,,,,,,,,\n"
            "cup,Cup,,Title,Default Title,,,C-1,,\n"
        },
        ("front.jpg", "red.jpg", "back.jpg", "side.jpg"),
    )
    bowl, cup = catalogue.products
    assert variants(bowl) == {"B-1": {"color": "Red", "size": "S"}, "B-2": {"color": "Blue", "size": "L"}}
    assert shown(bowl) == {"front.jpg": None, "red.jpg": "B-1", "back.jpg": None, "side.jpg": None}
    assert variants(cup) == {"C-1": {}} and reasons(catalogue) == [("ROW_EMPTY", 5)]
    assert (catalogue.rows.read, catalogue.rows.accepted, catalogue.rows.quarantined) == (5, 4, 1)


def test_one_file_a_product_named_by_its_folder(read: Read) -> None:
    catalogue = read(
        """
[tables]
product = { file = "*/product.json", rows = "." }
[product]
key = { from = "$file", match = "^([^/]+)/" }
name = "title"
text = { from = "text", file = true }
attributes = { names = "facts.label", from = "facts.says" }
images = { value = "*.png" }
""",
        {
            "mug/product.json": '{"title": "Mug", "text": "about.html", "facts": [{"label": "Colour", "says": "red"}, {"label": "Size", "says": "L"}]}',
            "mug/about.html": "<p>A <b>red</b> mug</p>",
            "cup/product.json": '{"title": "Cup", "text": "", "facts": []}',
        },
        ("mug/front.png", "mug/back.png", "cup/1.png"),
    )
    cup, mug = catalogue.products
    assert (cup.sku, mug.sku, mug.description) == ("cup", "mug", "A red mug")
    assert facts(mug) == {"colour": "red", "size": "L"}
    assert list(shown(mug)) == ["mug/back.png", "mug/front.png"] and list(shown(cup)) == ["cup/1.png"]


def test_columns_that_are_numbered(read: Read) -> None:
    """As WooCommerce and many others write lists across columns."""
    catalogue = read(
        """
[tables]
product = "export.csv"
[product]
key = "SKU"
name = "Name"
attributes = [{ from = "Attribute * value", names = "Attribute * name" }, "spec_*"]
images = "Image *"
""",
        {
            "export.csv": "SKU,Name,Attribute 1 name,Attribute 1 value,Attribute 2 name,Attribute 2 value,spec_height,spec_width,Image 1,Image 2\n"
            "1,Mug,Color,Red,Size,,9,8,a.png,b.png\n2,Cup,,,Size,L,,7,,c.png\n"
        },
        ("a.png", "b.png", "c.png"),
    )
    mug, cup = catalogue.products
    assert facts(mug) == {"color": "Red", "spec height": "9", "spec width": "8"}
    assert facts(cup) == {"size": "L", "spec width": "7"}
    assert list(shown(mug)) == ["a.png", "b.png"] and list(shown(cup)) == ["c.png"] and not catalogue.issues
