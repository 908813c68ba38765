"""What evidence concludes is printed as a mapping, and that mapping reads the same dump to the same products."""

import json
import tomllib
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.mapping import FieldSpec
from catalog.mapping_parser import parse_mapping
from catalog.mapping_text import mapping_text
from catalog.paths import Dump
from catalog.readers import read_dump, table
from catalog.readers.draft import DraftCatalogue
from catalog.readers.table_set import TableSet
from catalog.sample import draw_sample_catalogue

CATALOGUES = Path(__file__).resolve().parents[4] / "shared" / "data" / "catalogs"
needs_catalogues = pytest.mark.skipif(not CATALOGUES.is_dir(), reason="the sample catalogues are not here")
MOST_LINES = 25

# ruff: noqa: E501 - tables are one row a line
SHAPES: dict[str, dict[str, str]] = {
    "plain": {"p.csv": "sku,name,color,image,description\n1,Mug,red,a.jpg,<b>Big</b>\n2,Cup,blue,b.jpg,Small\n"},
    "rows that continue": {
        "p.csv": "name,slug,assets,facets,optionGroups,optionValues,sku,price\nMug,mug,a.jpg|b.jpg,colour:red|brand:Acme,size|shape,S|round,M1,1\n,,,,,L|square,M2,2\n,,,,,XL|oval,M2,2\nCup,cup,c.jpg,category:Tableware|category:Cups,,,C1,3\n"
    },
    "parent column": {
        "p.csv": "id,item_group_id,title,color,material,image_link\n1,G,Chair,red,oak,a.jpg\n2,G,Chair,blue,oak,b.jpg\n3,H,Stool,,pine,c.jpg\n4,,Bench,grey,pine,\n"
    },
    "numbered options": {
        "p.csv": "Handle,Title,Body (HTML),Option1 Name,Option1 Value,Option2 Name,Option2 Value,Variant SKU,Image Src\nbowl,Bowl,<p>Deep</p>,Color,Red,Size,S,B-1,a.jpg\nbowl,,,,Blue,,L,B-2,b.jpg\nbowl,,,,,,,,c.jpg\ncup,Cup,,Title,Default Title,,,C-1,\n"
    },
    "packed facts": {"p.tsv": "code\tname\tspecs\timages\n1\tMug\tw=10;h=12\ta.jpg b.jpg\n2\tCup\tcolour:red\tc.jpg\n"},
    "side lists": {
        "classes.csv": "Class Name (str),Class ID (int),Group Name (str),Group ID (int),Picture (str)\n0-Kind,10,Group-0,0,a.jpg\n1-Kind,11,Group-0,0,b.jpg\n2-Kind,12,Group-1,1,c.jpg\n",
        "train.txt": "shop/a.jpg, 10, 0\nshop/b.jpg, 11, 0\nshop/b.jpg, 99, 0\n",
        "test.txt": "shop/c.jpg, 12, 1\n",
    },
    "side list with header, by a column that is no key": {
        "p.csv": "sku,name,number\nA,Mug,100\nB,Cup,200\n",
        "pictures.csv": "file name,number\na.jpg,100\nb.jpg,100\nc.jpg,200\n",
    },
    "text files": {
        "p.csv": "id,name,picture,text file\n1,Pear,a.jpg,a_Description.txt\n2,Plum,b.jpg,b_Description.txt\n",
        "a_Description.txt": "A green pear.",
        "b_Description.txt": "A plum.",
        "a_Information.txt": "Country: Italy\nClass: 1\n",
    },
    "pictures by key": {"p.csv": "sku,name,color\nA,Mug,red\nB,Cup,blue\n"},
    "several files of one form": {
        "p1.csv": "sku,name,image\n1,Mug,a.jpg\n2,Cup,b.jpg\n",
        "p2.csv": "sku,name,image\n3,Jar,c.jpg\n1,Mug again,c.jpg\n",
    },
    "tables with other columns": {
        "bags.csv": "sku,name,strap,image\n1,Bag,leather,a.jpg\n2,Sack,rope,b.jpg\n",
        "balls.csv": "sku,name,size,colour\n3,Ball,L,red\n",
        "images.csv": "sku,image\n3,c.jpg\n1,c.jpg\n",
    },
    "nested json": {
        "p.json": json.dumps(
            {
                "products": [
                    {
                        "sku": "0012",
                        "name": "Mug",
                        "attributes": {"color": "red", "height": 1.5},
                        "images": [{"src": "a.jpg"}, {"src": "b.jpg"}],
                        "variants": [{"sku": "0012-S", "size": "S"}, {"sku": "0012-L", "size": "L"}],
                    },
                    {"sku": "0013", "name": "Cup", "images": ["c.jpg"]},
                ]
            }
        )
    },
    "json lines": {"p.jsonl": '{"sku": "1", "name": "Mug", "image": "a.jpg"}\n{broken\n{"sku": "2", "name": "Cup"}\n'},
    "japanese": {"item.csv": "商品コード,商品名,カラー,商品画像\nA-1,①マグ,ﾌﾞﾙｰ,a.jpg\nA-2,皿,白,b.jpg\n"},
    "awkward names": {
        "p [1].csv": 'sku,name,,"Size {cm}","a.b ""c""",Color,Color,image\n1,Mug,x,9,y,red,dark,a.jpg\n2,Cup,,8,z,blue,,b.jpg\n'
    },
    "bad rows": {"p.csv": "sku,name,image\n1,Mug,a.jpg\n,Nameless,a.jpg\n3,Cup,none.jpg\n1,Again,b.jpg\n5,Jar,a.jpg,x\n"},
    "names for keys": {"p.csv": "name,colour,image\nred-mug,red,a.jpg\nblue-mug,blue,b.jpg\nold-jar,grey,c.jpg\n"},
}  # fmt: skip
PICTURES = ("a.jpg", "b.jpg", "c.jpg", "shop/a.jpg", "shop/b.jpg", "shop/c.jpg", "B.jpg", "A/front.jpg")


def by_evidence(root: Path) -> DraftCatalogue:
    return table.read(TableSet(Dump(root)))


def by_its_mapping(root: Path, catalogue: DraftCatalogue, tmp_path: Path) -> DraftCatalogue:
    path = tmp_path / "printed.toml"
    path.write_text(catalogue.mapping)
    return read_dump(Dump(root), mapping=path)


def assert_same(found: DraftCatalogue, again: DraftCatalogue) -> None:
    assert found.products and again.products == found.products
    assert again.rows == found.rows and again.documents == found.documents
    assert found.rows.read == found.rows.accepted + found.rows.duplicate + found.rows.quarantined


@pytest.mark.parametrize("shape", SHAPES)
def test_printed_mapping_reads_the_same_products(tmp_path: Path, shape: str) -> None:
    root = tmp_path / "dump"
    for name, content in {**dict.fromkeys(PICTURES, ""), **SHAPES[shape]}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    found = by_evidence(root)
    assert len(found.mapping.splitlines()) <= MOST_LINES
    assert_same(found, by_its_mapping(root, found, tmp_path))
    wrong = [(issue.reason, issue.source, issue.line) for issue in found.issues]
    assert wrong == [(issue.reason, issue.source, issue.line) for issue in by_its_mapping(root, found, tmp_path).issues]


def test_printed_mapping_reads_the_drawn_catalogue_the_same(tmp_path: Path) -> None:
    root = draw_sample_catalogue(tmp_path / "dump", products=12)
    found = by_evidence(root)
    assert len(found.products) == 12 and len(found.mapping.splitlines()) <= MOST_LINES
    assert_same(found, by_its_mapping(root, found, tmp_path))


@needs_catalogues
@pytest.mark.parametrize(
    ("name", "products", "rows"), [("grocery_store", 81, 870), ("vendure_demo", 54, 88), ("magento_luma", 52, 110)]
)
def test_printed_mapping_reads_real_catalogues_the_same(tmp_path: Path, name: str, products: int, rows: int) -> None:
    root = CATALOGUES / name
    tables = TableSet(Dump(root))
    # A shop's own export is for its reader; the tables beside it are for this one.
    tables = tables.without({found.file.path for found in tables if "product_type" in found.with_header().header})
    found = table.read(tables)
    assert (len(found.products), found.rows.read, found.rows.accepted) == (products, rows, rows)
    assert_same(found, by_its_mapping(root, found, tmp_path))


@needs_catalogues
def test_every_kind_of_product_of_a_shop_is_read_with_its_pictures() -> None:
    """The kinds stand in files of their own, and most pictures in lists beside them."""
    catalogue = read_dump(Dump(CATALOGUES / "magento_luma"))
    kinds = Counter(product.origin.partition("SampleData/")[0] for product in catalogue.products)
    assert kinds == {"Configurable": 147, "Catalog": 44, "Downloadable": 6, "Bundle": 1, "GroupedProduct": 1}
    assert {product.origin.partition("SampleData/")[0] for product in catalogue.products if product.variants} == {
        "Configurable"
    }
    assert all(product.pictures and product.description and product.category for product in catalogue.products)
    origins = {picture.origin for product in catalogue.products for picture in product.pictures}
    assert sum("/images_" in origin for origin in origins) == 6
    books = catalogue.rows
    assert books.read == books.accepted == 2104


def test_books_count_what_was_refused_and_what_repeats(tmp_path: Path) -> None:
    for name, content in {**SHAPES["bad rows"], "a.jpg": "", "b.jpg": ""}.items():
        (tmp_path / name).write_text(content)
    books = by_evidence(tmp_path).rows
    assert (books.read, books.accepted, books.duplicate, books.quarantined) == (5, 2, 1, 2)


def test_vendure_s_repeated_stock_numbers_are_kept_and_warned_of(tmp_path: Path) -> None:
    files = {**SHAPES["rows that continue"], **dict.fromkeys(PICTURES[:3], "")}
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    catalogue = by_evidence(tmp_path)
    assert [(issue.reason, issue.severity, issue.line) for issue in catalogue.issues] == [("ROW_DUP_KEY", "warning", 4)]
    assert catalogue.rows.accepted == catalogue.rows.read == 4


def test_confidence_is_stated_and_doubts_are_named(tmp_path: Path) -> None:
    (tmp_path / "x.jpg").write_text("")
    (tmp_path / "one.csv").write_text("sku,name\n1,Mug\n2,Cup\n3,Jar\n")
    (tmp_path / "two.csv").write_text("id,title\n8,Pot\n9,Pan\n")
    catalogue = by_evidence(tmp_path)
    assert catalogue.evidence[0].startswith("confidence 0.44")
    doubts = [line for line in catalogue.evidence if line.startswith(table.DOUBT)]
    assert "no pictures and texts and a category found" in doubts[0] and "two.csv looks as much like" in doubts[1]
    assert [product.sku for product in catalogue.products] == ["1", "2", "3"]
    assert any("column 'sku' → key, by its name (0.90)" in line for line in catalogue.evidence)


NAMES = st.text(st.characters(blacklist_categories=("Cs",)), min_size=1, max_size=12)


@settings(max_examples=100, deadline=None)
@given(NAMES, NAMES, st.none() | NAMES, st.none() | NAMES, st.booleans())
def test_any_names_survive_printing(
    column: str, other: str, separator: str | None, packed: str | None, file: bool
) -> None:
    mapping = parse_mapping(
        {
            "tables": {"product": {"file": column, "where": {other: [column]}, "header": [column, other]}},
            "product": {"key": [column, {"column": other}], "name": "name", "attributes": [{"column": column}]},
        },
        "x",
    )
    field = FieldSpec(text=column, columns=(column,), separator=separator, packed=packed, names=other, file=file)
    product = mapping.products[0]
    mapping = type(mapping)(
        origin="x",
        tables=mapping.tables,
        products=(type(product)(table="product", key=product.key, name=product.name, attributes=(("", field),)),),
    )
    assert parse_mapping(tomllib.loads(mapping_text(mapping, {("product", column): other})), "x") == mapping
