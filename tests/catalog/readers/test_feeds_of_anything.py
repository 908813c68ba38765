"""Whatever stands in the cells and nodes of a feed, reading it ends, and every record is accounted for."""

import csv
import io
import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from catalog.paths import Dump
from catalog.readers import berkeley_objects, google, schema_org, shopify, woocommerce
from catalog.readers.draft import DraftCatalogue
from catalog.readers.table_set import TableSet

HEADERS = {
    shopify: "Handle,Title,Body (HTML),Vendor,Option1 Name,Option1 Value,Variant SKU,Image Src,Image Position,"
    "Variant Image,Color (product.metafields.shopify.color-pattern)",
    woocommerce: "ID,Type,SKU,Name,Description,Weight (kg),Categories,Images,Parent,Attribute 1 name,"
    "Attribute 1 value(s),Attribute 2 name,Attribute 2 value(s),Meta: weave",
    google: "id,title,description,item_group_id,image_link,additional_image_link,color,size,product_type,"
    "product_detail,link",
}
CELLS = st.sampled_from(
    ["", "", "a", "b", "id:1", "1", "variation", "variable", "simple", "Red", "A > B, C", "\\,", ",", ":::",
     "a:b:c,d:e:f", "<p>x", '[1,{"value":2}]', '{"value":"3"}', "[", "https://x.example.com/a.jpg?v=1", "../a.jpg",
     "a.jpg, a.jpg", "Default Title", "\u202e", "ｶﾗｰ", "1e999"]
)  # fmt: skip


def read(reader: object, name: str, content: str) -> DraftCatalogue:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / name).write_text(content, encoding="utf-8")
        Image.new("RGB", (8, 8)).save(Path(folder) / "a.jpg")
        catalogue: DraftCatalogue = reader.read(TableSet(Dump(Path(folder))))  # type: ignore[attr-defined]
    rows = catalogue.rows
    assert rows.read == rows.accepted + rows.duplicate + rows.quarantined
    for product in catalogue.products:
        assert product.sku and product.name
        keys = [variant.key for variant in product.variants]
        assert len(set(keys)) == len(keys)
        assert {picture.variant_key for picture in product.pictures} <= {None, *keys}
        assert not any("<p>" in attribute.value for attribute in product.attributes)
    return catalogue


@pytest.mark.parametrize("reader", HEADERS, ids=lambda reader: reader.NAME)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_table_of_any_cells_is_accounted_for(reader: object, data: st.DataObject) -> None:
    header = HEADERS[reader].split(",")
    rows = data.draw(st.lists(st.lists(CELLS, min_size=len(header), max_size=len(header)), min_size=1, max_size=8))
    for row in rows:
        if reader is woocommerce:
            row[1] = data.draw(st.sampled_from(["simple", "variable", "variation"]))
    out = io.StringIO()
    csv.writer(out).writerows([header, *rows])
    catalogue = read(reader, "export.csv", out.getvalue())
    assert catalogue.rows.read == sum(any(cell.strip() for cell in row) for row in rows)


KEYS = st.sampled_from(
    ["@type", "@id", "@value", "@language", "name", "sku", "image", "color", "hasVariant", "isVariantOf", "url",
     "additionalProperty", "value", "height", "unitCode", "productGroupID", "inProductGroupWithID", "item_id",
     "item_name", "language_tag", "item_dimensions", "normalized_value", "node", "main_image_id", "item_weight"]
)  # fmt: skip
LEAVES = st.sampled_from(["Product", "ProductGroup", "#a", "#b", "a.jpg", "en_US", "ja", "CMT", 1, 2.5, None, True, ""])
TREES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=30,
)


@given(tree=st.lists(st.dictionaries(KEYS, TREES, max_size=8), min_size=1, max_size=5))
@settings(max_examples=150, deadline=None)
def test_json_ld_of_any_shape_is_accounted_for(tree: list[dict[str, object]]) -> None:
    for node in tree[:3]:
        node["@type"] = "Product"
    read(schema_org, "data.jsonld", json.dumps({"@graph": tree}))


@given(tree=st.lists(st.dictionaries(KEYS, TREES, max_size=8), min_size=1, max_size=5))
@settings(max_examples=100, deadline=None)
def test_listings_of_any_shape_are_accounted_for(tree: list[dict[str, object]]) -> None:
    first = {"item_id": "A", "item_name": [{"language_tag": "en_US", "value": "Cup"}]}
    catalogue = read(berkeley_objects, "listings_0.json", "\n".join(json.dumps(node) for node in [first, *tree]))
    assert catalogue.rows.read == len(tree) + 1
