"""Dumps read by a mapping: shapes of tables, joins, values, and what a wrong mapping answers."""

import json
import textwrap
import tomllib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from catalog.errors import IngestRefused
from catalog.mapping_parser import load_mapping, parse_mapping
from catalog.mapping_text import mapping_text
from catalog.paths import Dump
from catalog.readers import read_dump
from catalog.readers.draft import DraftCatalogue

CATALOGUES = Path(__file__).resolve().parents[3] / "shared" / "data" / "catalogs"
needs_catalogues = pytest.mark.skipif(not CATALOGUES.is_dir(), reason="the sample catalogues are not here")

# ruff: noqa: E501 - mappings are one fact a line
GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "mappings"
SALEOR, MAGENTO = ((GOLDEN / f"{name}.toml").read_text("utf-8") for name in ("saleor_demo", "magento_luma"))


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., DraftCatalogue]:
    """Return a function that writes files and a mapping into a dump and reads it; pictures are added as named."""

    def run(mapping: str, files: dict[str, str | bytes], pictures: tuple[str, ...] = ("a.png",)) -> DraftCatalogue:
        dump = tmp_path / "dump"
        for name, content in {**files, "mapping.toml": mapping}.items():
            path = dump / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        for name in pictures:
            (dump / name).parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (8, 8)).save(dump / name)
        return read_dump(Dump(dump))

    return run


PRODUCT = '[product]\nkey = "sku"\nname = "name"\n'


def facts(catalogue: DraftCatalogue, number: int = 0) -> dict[str, str]:
    return {fact.name: fact.value for fact in catalogue.products[number].attributes if fact.kind == "fact"}


def read_with(mapping: str, dump: Path, tmp_path: Path) -> DraftCatalogue:
    (tmp_path / "own.toml").write_text(mapping)
    return read_dump(Dump(dump), mapping=tmp_path / "own.toml")


@needs_catalogues
def test_fixture_of_objects_is_read_by_22_lines(tmp_path: Path) -> None:
    catalogue = read_with(SALEOR, CATALOGUES / "saleor_demo", tmp_path)
    assert len(SALEOR.strip().splitlines()) <= 25
    products = {product.sku: product for product in catalogue.products}
    assert len(products) == 32 and sum(len(product.variants) for product in products.values()) == 73
    assert sum(len(product.pictures) for product in products.values()) == 47
    assert Counter(issue.reason for issue in catalogue.issues) == {"FILE_MISSING": 48}
    books = catalogue.rows
    assert (books.read, books.accepted, books.duplicate, books.quarantined) == (284, 236, 0, 48)
    assert catalogue.documents == {"populatedb_data.json", "images_mapping.json"}
    assert products["126"].description == "Launch new markets fast"
    assert products["126"].variants[0].attributes[0].value == "MP3"


@needs_catalogues
def test_shop_of_many_tables_is_read_with_colours_on_its_variants(tmp_path: Path) -> None:
    catalogue = read_with(MAGENTO, CATALOGUES / "magento_luma", tmp_path)
    assert len(MAGENTO.strip().splitlines()) <= 25
    assert len(catalogue.products) == 199 and not catalogue.issues
    assert len({picture.path for product in catalogue.products for picture in product.pictures}) == 723
    assert catalogue.rows.read == catalogue.rows.accepted == 2104
    assert sum(len(product.variants) for product in catalogue.products) == 1847
    hoodie = next(product for product in catalogue.products if product.sku == "MH01")
    assert "<" not in hoodie.description and hoodie.category == "Men/Tops/Hoodies & Sweatshirts"
    colours = {variant.key: {f.name: f.value for f in variant.attributes}["color"] for variant in hoodie.variants}
    shown = {picture.path: colours.get(picture.variant_key or "") for picture in hoodie.pictures}
    assert shown["media/m/h/mh01-gray_main.jpg"] == "Gray" and shown["media/m/h/mh01-black_main.jpg"] == "Black"


def test_link_table_joins_pictures_and_the_template_makes_their_path(read: Callable[..., DraftCatalogue]) -> None:
    catalogue = read(
        'images = [{ table = "links", product = "product_id.sku", path = "shots/{picture_id.name}.png" }]\n'
        '[tables]\nproduct = "products.csv"\nlinks = "links.csv"\npictures = "pictures.csv"\n' + PRODUCT,
        {
            "products.csv": "id;sku;name\n1;007;Mug\n2;008;Cup\n",
            "pictures.csv": "id,name\n10,front\n11,back\n",
            "links.csv": "product_id,picture_id\n1,10\n1,11\n2,11\n3,10\n",
        },
        ("shots/front.png", "shots/back.png"),
    )
    assert [product.sku for product in catalogue.products] == ["007", "008"]
    assert [picture.path for picture in catalogue.products[0].pictures] == ["shots/front.png", "shots/back.png"]
    assert [(issue.reason, issue.line) for issue in catalogue.issues] == [("ROW_UNKNOWN_KEY", 5)]


def test_xml_with_namespaces_languages_and_escaped_markup(read: Callable[..., DraftCatalogue]) -> None:
    catalogue = read(
        '[tables]\nproduct = { file = "feed.xml", rows = "rss/channel/item" }\n[product]\nkey = "@id"\n'
        'name = "name[lang=en]"\ntext = "body"\nattributes = { colour = "spec[name=Colour].value" }\nimages = "link"\n',
        {
            "feed.xml": '<rss xmlns:g="urn:x" xmlns:xml="http://www.w3.org/XML/1998/namespace"><channel><title>no</title>'
            '<item id="0012"><g:name xml:lang="en">Mug</g:name></item>'
            '<item id="13"><g:name lang="ja">カップ</g:name><g:name lang="en">Cup</g:name>'
            "<body>&lt;p&gt;Holds &lt;b&gt;tea&lt;/b&gt;&lt;/p&gt;</body><g:link>a.png</g:link>"
            "<spec><name>Weight</name><value>2</value></spec><spec><name>Colour</name><value>red</value></spec>"
            "</item></channel></rss>"
        },
    )
    assert [product.sku for product in catalogue.products] == ["0012", "13"]
    assert catalogue.products[1].name == "Cup" and catalogue.products[1].description == "Holds tea"
    assert facts(catalogue, 1) == {"colour": "red"} and catalogue.products[1].pictures[0].path == "a.png"


def test_nested_json_gives_rows_with_their_outer_record(read: Callable[..., DraftCatalogue]) -> None:
    shop = {"shop": {"groups": [{"title": "Mugs", "goods": [{"sku": "1", "name": "Red", "img": ["a.png", "b.png"]}]}]}}
    catalogue = read(
        '[tables]\nproduct = { file = "shop.json", rows = "shop.groups.goods" }\n'
        + PRODUCT
        + 'category = "^.title"\nimages = "img"\n',
        {"shop.json": json.dumps(shop)},
        ("a.png", "b.png"),
    )
    assert catalogue.products[0].category == "Mugs" and len(catalogue.products[0].pictures) == 2


def test_file_without_header_in_another_encoding(read: Callable[..., DraftCatalogue]) -> None:
    catalogue = read(
        'encoding = "cp932"\n[tables]\nproduct = { file = "p.dat", separator = "~", header = ["sku", "name", "pics", "色"] }\n'
        + PRODUCT
        + 'images = { from = "pics", separator = "+" }\nattributes = "*"\n',
        {"p.dat": "0001~髙級カップ①~a.png+b.png~赤\n".encode("cp932")},
        ("a.png", "b.png"),
    )
    product = catalogue.products[0]
    assert (product.sku, product.name, len(product.pictures)) == ("0001", "髙級カップ1", 2)
    assert facts(catalogue) == {"色": "赤"}


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        ("x = 1", "'x' is not known; write encoding, tables"),
        ("[tables\n", "is no TOML"),
        ("", "no table is named"),
        ('[tables]\nproduct = "none.csv"\n' + PRODUCT, "no file 'none.csv' in the dump"),
        ('[tables]\nproduct = "p.csv"\n', "product: no key"),
        (
            '[tables]\nproduct = "p.csv"\n[product]\nkey = "skuu"\nname = "name"\n',
            "no column 'skuu'; did you mean sku?",
        ),
        ('[tables]\nproducts = "p.csv"\n' + PRODUCT, "there is no table 'product'; did you mean products?"),
        ('[tables]\nproduct = "p.csv"\n[join]\n"sku" = "a.b"\n' + PRODUCT, "names no column of a table"),
        ('[tables]\nproduct = { file = "p.csv", where = { kind = "x" } }\n' + PRODUCT, "where: no column 'kind'"),
        ('[tables]\nproduct = "p.csv"\n[product]\nname = "name"\nkey = { from = "sku", match = "(" }\n', "key.match"),
        ('[tables]\nproduct = { file = "p.csv", where = { sku = "9" } }\n' + PRODUCT, "where lets none of 1"),
        ('reader = "shopify"\nencoding = "cp932"', "reader: says all there is to say; leave it alone"),
        ('[tables]\nproduct = { file = "p.csv", skip = "two" }\n' + PRODUCT, "'two' is no number of lines"),
        ('[tables]\nproduct = { file = "p.csv", separator = "" }\n' + PRODUCT, "separator: is empty; write the char"),
        ('[tables]\nproduct = { file = "p.csv", quotes = false }\n' + PRODUCT, "no separator; write one beside"),
        ('[tables]\nproduct = { file = "p.csv", quotes = "no" }\n' + PRODUCT, "neither true nor false"),
        ('[tables]\nproduct = { file = "p.csv", sheet = "Mugs" }\n' + PRODUCT, "p.csv has no sheet 'Mugs'"),
        ('[tables]\nproduct = "p.csv"\n' + PRODUCT + 'text = "maker.text"\n', "has no column 'maker.text'; there are"),
        ('[tables]\nproduct = "p.csv"\nm = "p.csv"\n' + PRODUCT + 'text = "m.x"\n', 'write [join] and "m.column" ='),
        ('[tables]\nproduct = "p.csv"\n' + PRODUCT + 'images = { column = "a", from = "b" }\n', "images: {"),
        ('[tables]\nproduct = "p.csv"\n' + PRODUCT + 'files = ["all"]\n', 'write ["pictures", "texts"]'),
        ('[tables]\nproduct = "p.csv"\n' + PRODUCT + '[variant]\nkey = "x"\ntable = "y"\n', "there is no table 'y'"),
    ],
)
def test_wrong_mapping_is_refused_in_one_line(read: Callable[..., DraftCatalogue], mapping: str, said: str) -> None:
    with pytest.raises(IngestRefused) as refused:
        read(mapping, {"p.csv": "sku,name\n1,Mug\n"})
    assert said in str(refused.value) and "\n" not in str(refused.value)


def test_mapping_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(IngestRefused, match="cannot read the mapping"):
        load_mapping(tmp_path / "mapping.toml")


def test_damaged_files_are_issues_and_not_fatal(read: Callable[..., DraftCatalogue]) -> None:
    catalogue = read(
        'images = [{ table = "more", product = "sku", path = "file" }]\n'
        '[tables]\nproduct = "p.csv"\nmore = "m*.json"\n' + PRODUCT,
        {"p.csv": "sku,name\n1,Mug\n1,Cup\n,Can\n", "m1.json": "{", "m2.json": '[{"sku": 1, "file": "../a.png"}]'},
    )
    assert [product.name for product in catalogue.products] == ["Mug"]
    assert Counter(issue.reason for issue in catalogue.issues) == {
        "FILE_UNREADABLE": 1,
        "ROW_DUP_KEY": 1,
        "ROW_NO_KEY": 1,
        "FILE_ESCAPES_ROOT": 1,
    }


def test_mapping_in_the_readme_is_understood() -> None:
    text = (Path(__file__).resolve().parents[2] / "catalog" / "README.md").read_text()
    example = textwrap.dedent(text.partition("what columns mean:\n\n")[2].partition("\n\nA column is named")[0])
    mapping = parse_mapping(tomllib.loads(example), "README.md")
    assert set(mapping.tables) == {"product", "colour", "item", "objects"} and mapping.encoding == "cp932"
    assert mapping.products[0].name is not None and mapping.products[0].name.columns == ("brand", "title")
    assert [name for name, _ in mapping.products[0].attributes] == ["colour", "more"]


def test_reader_is_named_alone() -> None:
    mapping = parse_mapping({"reader": "shopify"}, "mapping.toml")
    assert mapping.reader == "shopify" and mapping_text(mapping) == 'reader = "shopify"\n'


def test_a_picture_inside_a_cell_is_named_and_not_looked_for(read: Callable[..., DraftCatalogue]) -> None:
    catalogue = read(
        '[tables]\nproduct = "p.csv"\n' + PRODUCT + 'images = ["image_1920", "icon"]\n',
        {"p.csv": f"sku,name,image_1920,icon\n1,Mug,{'iVBORw0K' * 1000},data:image/png;base64,\n"},
    )
    assert [issue.reason for issue in catalogue.issues] == ["IMG_IN_CELL", "IMG_IN_CELL"]
    assert len(catalogue.issues[0].detail) < 100


def test_texts_in_tables_of_their_own_and_in_files(read: Callable[..., DraftCatalogue]) -> None:
    catalogue = read(
        'texts = [{ table = "lines", product = "no", name = "kind", value = "text" }]\n'
        'attributes = [{ table = "lines", product = "no", value = { from = "more", separator = ";", packed = true } }]\n'
        '[tables]\nproduct = "p.csv"\nlines = "lines.csv"\n'
        + PRODUCT
        + 'text = { from = "texts/{sku}.txt", file = true }\n',
        {
            "p.csv": "sku,name\n1,Mug\n2,Cup\n",
            "lines.csv": "no,kind,text,more\n1,care,By hand,colour: red;size=L\n2,care,,\n3,care,x,\n",
            "texts/1.txt": "A mug.",
        },
    )
    mug = catalogue.products[0]
    assert [(fact.name, fact.value) for fact in mug.attributes] == [
        ("description", "A mug."),
        ("colour", "red"),
        ("size", "L"),
        ("care", "By hand"),
    ]
    assert [(issue.reason, issue.line) for issue in catalogue.issues] == [
        ("FILE_MISSING", 3),
        ("ROW_UNKNOWN_KEY", 4),
    ]
    assert catalogue.documents == {"mapping.toml", "p.csv", "lines.csv", "texts/1.txt"}


KEYS = st.sampled_from(
    [
        *(
            "tables",
            "join",
            "product",
            "variant",
            "images",
            "attributes",
            "texts",
            "encoding",
            "reader",
            "file",
            "rows",
        ),
        *(
            "where",
            "header",
            "skip",
            "separator",
            "quotes",
            "key",
            "name",
            "from",
            "column",
            "value",
            "match",
            "packed",
        ),
        *("values", "names", "files", "path", "table", "sheet", "p.a"),
    ]
)
LEAVES = st.sampled_from(["product", "p.csv", "sku", "(", "", 7, -1, True, None])
TREES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=20
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(KEYS, TREES, max_size=6), st.dictionaries(KEYS, TREES, max_size=5))
def test_any_mapping_is_understood_or_refused_in_one_line(value: dict[str, Any], product: dict[str, Any]) -> None:
    known = {"tables": {"product": "p.csv"}, "product": {"key": "sku", "name": "name", **product}}
    for tried in (value, {**known, **value}, known):
        try:
            assert parse_mapping(tried, "m").origin == "m"
        except IngestRefused as refused:
            assert str(refused).startswith("m: ") and "\n" not in str(refused)
