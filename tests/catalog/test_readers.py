"""Dumps of many shapes, each a few rows, become the right product drafts."""

import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from catalog.errors import IngestRefused
from catalog.paths import Dump, DumpFile
from catalog.readers import headers, read_dump
from catalog.readers.cells import clean, clean_line, html_to_text, packed_fact
from catalog.readers.draft import DraftCatalogue, DraftProduct
from catalog.readers.encoding import decode_text
from catalog.readers.tabular import Table, read_table


def write(root: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return root


def _png() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "PNG")
    return out.getvalue()


PNG = _png()


def read(root: Path, files: dict[str, str | bytes], **options: str) -> DraftCatalogue:
    return read_dump(Dump(write(root, files)), **options)


def facts(product: DraftProduct) -> dict[str, str]:
    return {fact.name: fact.value for fact in product.attributes if fact.kind == "fact"}


def reasons(catalogue: DraftCatalogue) -> list[tuple[str, int | None]]:
    return [(issue.reason, issue.line) for issue in catalogue.issues]


def table_of(tmp_path: Path, name: str, content: str | bytes, encoding: str | None = None) -> Table:
    write(tmp_path, {name: content})
    parsed = read_table(Dump(tmp_path).files[name], encoding)
    assert isinstance(parsed, Table)
    return parsed.with_header()


# --- tables --------------------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_table_finds_its_delimiter(tmp_path: Path, delimiter: str) -> None:
    lines = [("sku", "name", "image"), ("007", "Mug, small; blue", "m.jpg"), ("1E5", "Cup", "c.jpg")]
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=delimiter).writerows(lines)
    catalogue = read(tmp_path, {"p.csv": buffer.getvalue(), "m.jpg": b"", "c.jpg": b""})
    assert [(p.sku, p.name) for p in catalogue.products] == [("007", "Mug, small; blue"), ("1E5", "Cup")]


def test_table_reads_japanese_headers_in_cp932(tmp_path: Path) -> None:
    text = (
        "商品コード,商品名,カラー,素材,商品画像\nA-1,①髙級マグカップ,ﾌﾞﾙｰ,磁器,img/a.jpg\nA-2,皿,白,ガラス,img/b.jpg\n"
    )
    catalogue = read(tmp_path, {"item.csv": text.encode("cp932"), "img/a.jpg": b"", "img/b.jpg": b""})
    assert catalogue.encoding == "cp932"
    first = catalogue.products[0]
    assert (first.sku, first.name) == ("A-1", "1髙級マグカップ")
    assert facts(first) == {"カラー": "ブルー", "素材": "磁器"}
    assert [picture.path for picture in first.pictures] == ["img/a.jpg"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp932", "euc_jp"])
def test_decode_text_finds_the_encoding(encoding: str) -> None:
    text = "商品コード,商品名\nA-1,ステンレスのマグカップ\n"
    assert decode_text(text.encode(encoding))[0] == text


def test_decode_text_refuses_an_unknown_encoding() -> None:
    with pytest.raises(IngestRefused, match="unknown encoding 'klingon'; use"):
        decode_text(b"x", "klingon")


def test_rows_without_a_name_are_variants_of_the_row_above(tmp_path: Path) -> None:
    text = (
        "name  ,slug,assets   ,facets            ,optionGroups,optionValues,sku,price\n"
        "Mug   ,mug ,a.jpg|b.jpg,colour:red|brand:Acme,size|shape,S|round,M1,1\n"
        "      ,    ,         ,                  ,            ,L|square,M2,2\n"
        "      ,    ,         ,                  ,            ,XL|square,M2,2\n"
        "Cup   ,cup ,c.jpg    ,category:Tableware|category:Cups,,,C1,3\n"
    )
    catalogue = read(tmp_path, {"p.csv": text, "assets/a.jpg": b"", "assets/b.jpg": b"", "assets/c.jpg": b""})
    mug, cup = catalogue.products
    assert (mug.sku, mug.name, cup.sku, cup.category) == ("mug", "Mug", "cup", "Tableware > Cups")
    assert facts(mug) == {"colour": "red", "brand": "Acme"}
    assert [(variant.key, variant.sku) for variant in mug.variants] == [("M1", "M1"), ("M2", "M2"), ("M2#2", "M2")]
    options = [{fact.name: fact.value for fact in variant.attributes} for variant in mug.variants]
    assert options == [
        {"size": "S", "shape": "round"},
        {"size": "L", "shape": "square"},
        {"size": "XL", "shape": "square"},
    ]
    assert [picture.path for picture in mug.pictures] == ["assets/a.jpg", "assets/b.jpg"]
    assert [(issue.reason, issue.line, issue.severity) for issue in catalogue.issues] == [("ROW_DUP_KEY", 4, "warning")]


def test_rows_with_one_parent_are_one_product_and_varying_facts_go_to_variants(tmp_path: Path) -> None:
    text = (
        "id,item_group_id,title,color,material,image_link\n"
        "1,G,Chair,red,oak,r.jpg\n2,G,Chair,blue,oak,b.jpg\n3,H,Stool,,pine,s.jpg\n"
    )
    catalogue = read(tmp_path, {"p.csv": text, "r.jpg": b"", "b.jpg": b"", "s.jpg": b""})
    chair, stool = catalogue.products
    assert facts(chair) == {"material": "oak"} and facts(stool) == {"material": "pine"}
    assert [[fact.value for fact in variant.attributes] for variant in chair.variants] == [["red"], ["blue"]]
    assert [(picture.path, picture.variant_key) for picture in chair.pictures] == [("r.jpg", "1"), ("b.jpg", "2")]


def test_the_picture_column_is_found_by_the_files_whatever_its_name(tmp_path: Path) -> None:
    text = "code,name,where it is\n1,Mug,/pics/a.jpg\n2,Cup,/pics/b.jpg\n"
    catalogue = read(tmp_path, {"p.csv": text, "media/pics/a.jpg": b"", "media/pics/b.jpg": b""})
    assert [p.pictures[0].path for p in catalogue.products] == ["media/pics/a.jpg", "media/pics/b.jpg"]


@pytest.mark.parametrize("separator", ["|", ";", ",", " ", "\n"])
def test_lists_in_a_cell_split_by_what_resolves(tmp_path: Path, separator: str) -> None:
    text = f'code\tname\timages\n1\tMug\t"a.jpg{separator}b.jpg"\n2\tCup\t"c.jpg"\n'
    catalogue = read(tmp_path, {"p.tsv": text, "a.jpg": b"", "b.jpg": b"", "c.jpg": b""})
    assert [[p.path for p in product.pictures] for product in catalogue.products] == [["a.jpg", "b.jpg"], ["c.jpg"]]


def test_side_lists_join_by_the_column_that_reaches_most_products(tmp_path: Path) -> None:
    table = "Class Name (str),Class ID (int),Group Name (str),Group ID (int),Picture (str)\n" + "".join(
        f"Kind-{n},{n},Group-{n // 2},{n // 2},{n}.jpg\n" for n in range(6)
    )
    listed = "".join(f"shop/{n}.jpg, {n}, {n // 2}\n" for n in range(6)) + "shop/0.jpg, 99, 0\ngone/none.jpg, 1, 0\n"
    files: dict[str, str | bytes] = {"classes.csv": table, "train.txt": listed}
    files |= {f"{n}.jpg": b"" for n in range(6)} | {f"shop/{n}.jpg": b"" for n in range(6)}
    catalogue = read(tmp_path, files)
    assert [product.name for product in catalogue.products][:2] == ["Kind 0", "Kind 1"]
    assert [product.category for product in catalogue.products][:3] == ["Group-0", "Group-0", "Group-1"]
    assert [picture.path for picture in catalogue.products[4].pictures] == ["4.jpg", "shop/4.jpg"]
    assert reasons(catalogue) == [("ROW_UNKNOWN_KEY", 7), ("FILE_MISSING", 8)]


def test_text_files_named_and_lying_beside_are_joined(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "p.csv": "id,name,picture,text file\n1,Pear,pear/Pear_Icon.jpg,/pear/Pear_Description.txt\n"
        "2,Plum,plum/Plum_Icon.jpg,/plum/Plum_Description.txt\n",
        "README.md": "about the dump",
    }
    for name in ("Pear", "Plum"):
        files[f"{name.lower()}/{name}_Icon.jpg"] = b""
        files[f"{name.lower()}/{name}_Description.txt"] = f"A green {name}."
        files[f"{name.lower()}/{name}_Information.txt"] = "Title: x\nCountry: Italy\nURL: https://a.b\nClass: 1\n"
    pear = read(tmp_path, files).products[0]
    assert pear.description == "A green Pear."
    assert [fact.name for fact in pear.attributes if fact.kind == "text"] == ["description", "information"]
    assert facts(pear) == {"country": "Italy", "class": "1"}


def test_pictures_named_after_the_key_are_joined_where_the_table_names_none(tmp_path: Path) -> None:
    files = {
        "p.csv": "sku,name,color\nA-1,Mug,red\nA-2,Cup,blue\n",
        "A-1.jpg": b"",
        "A-1_2.jpg": b"",
        "A-2/front.jpg": b"",
    }
    products = read(tmp_path, files).products
    assert [[p.path for p in product.pictures] for product in products] == [["A-1.jpg", "A-1_2.jpg"], ["A-2/front.jpg"]]


def test_bad_rows_are_refused_with_their_line(tmp_path: Path) -> None:
    text = (
        "sku,name,color,image\n"
        "1,Mug,red,a.jpg\n"
        ",Nameless,red,a.jpg\n"
        "3,Cup,blue,a.jpg,more,cells\n"
        "1,Again,red,a.jpg\n"
        "5,Jar,green,../x.jpg\n"
        "6,Pot,grey,none.jpg\n"
        "7,Pan,black,http://x/y.jpg\n"
    )
    catalogue = read(tmp_path, {"p.csv": text, "a.jpg": b""})
    assert [product.sku for product in catalogue.products] == ["1", "5", "6", "7"]
    assert sorted(reasons(catalogue), key=lambda item: item[1] or 0) == [
        ("ROW_NO_KEY", 3),
        ("ROW_COLUMNS", 4),
        ("ROW_DUP_KEY", 5),
        ("FILE_ESCAPES_ROOT", 6),
        ("FILE_MISSING", 7),
        ("URL_NOT_FETCHED", 8),
    ]


def test_an_unclosed_quote_costs_one_row_and_not_the_rest(tmp_path: Path) -> None:
    rows = [f"{n},Mug {n},{n}.jpg" for n in range(20)]
    rows[5] = '5,"Mug 5,5.jpg'
    table = table_of(tmp_path, "p.csv", "sku,name,image\n" + "\n".join(rows) + "\n")
    assert len(table.rows) == 19
    assert [(issue.reason, issue.line) for issue in table.issues] == [("ROW_QUOTE", 7)]


def test_line_breaks_inside_quotes_stay_in_their_cell(tmp_path: Path) -> None:
    table = table_of(tmp_path, "p.csv", 'sku,name,text\n1,Mug,"two\nlines"\n2,Cup,"x"\n')
    assert [(row.line, row.cells[2]) for row in table.rows] == [(2, "two\nlines"), (4, "x")]


def test_a_cell_beyond_the_limit_costs_one_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("catalog.readers.delimited.MAX_CELL_CHARS", 1000)
    table = table_of(tmp_path, "p.csv", f"sku,name\n1,{'x' * 5000}\n2,Cup\n")
    assert [row.cells[0] for row in table.rows] == ["2"]
    assert [(issue.reason, issue.line) for issue in table.issues] == [("ROW_CELL_TOO_LONG", 2)]


def test_json_keeps_numbers_as_written_and_reads_nested_facts_and_variants(tmp_path: Path) -> None:
    records = [
        {
            "sku": "0012",
            "name": "Mug",
            "attributes": {"color": "red", "height": 1.50},
            "specs": [{"name": "Material", "value": "clay"}],
            "images": [{"src": "a.jpg", "position": 1}, {"src": "b.jpg"}],
            "variants": [{"sku": "0012-S", "size": "S"}, {"sku": "0012-L", "size": "L"}],
        },
        {"sku": "0013", "name": "Cup", "images": ["c.jpg"]},
    ]
    text = json.dumps({"products": records}).replace("1.5", "1.50")
    catalogue = read(tmp_path, {"p.json": text, "a.jpg": b"", "b.jpg": b"", "c.jpg": b""})
    mug, cup = catalogue.products
    assert (mug.sku, cup.sku) == ("0012", "0013")
    assert facts(mug) == {"color": "red", "height": "1.50", "material": "clay"}
    assert [(variant.sku, variant.attributes[0].value) for variant in mug.variants if variant.attributes] == [
        ("0012-S", "S"),
        ("0012-L", "L"),
    ]
    assert [picture.path for picture in mug.pictures] == ["a.jpg", "b.jpg"]


def test_json_lines_lose_only_the_broken_line(tmp_path: Path) -> None:
    text = (
        '{"sku": "1", "name": "Mug", "image": "a.jpg"}\n{broken\n[1]\n{"sku": "2", "name": "Cup", "image": "a.jpg"}\n'
    )
    catalogue = read(tmp_path, {"p.jsonl": text, "a.jpg": b""})
    assert [product.sku for product in catalogue.products] == ["1", "2"]
    assert reasons(catalogue) == [("ROW_UNREADABLE", 2), ("ROW_UNREADABLE", 3)]


def test_html_in_texts_becomes_text(tmp_path: Path) -> None:
    text = 'sku,name,description,image\n1,Mug &amp; lid,"<p>Blue<br>mug</p><script>x()</script><b>big</b>",a.jpg\n'
    product = read(tmp_path, {"p.csv": text, "a.jpg": b""}).products[0]
    assert product.description == "Blue\nmug\nbig"


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"p.csv": "sku,name\n1,Mug\n"}, "no pictures"),
        ({"p.csv": "", "a.jpg": b""}, "TABLE_EMPTY: the file is empty"),
        ({"p.csv": "sku,name,image\n", "a.jpg": b""}, "TABLE_EMPTY: a header and no rows"),
        ({"p.csv": "sku,name,image\n1,Mug,a.jpg,x\n", "a.jpg": b""}, "ROW_COLUMNS"),
        ({"p.json": "{broken", "a.jpg": b""}, "FILE_UNREADABLE"),
        ({"p.jsonl": "{broken\n", "a.jpg": b""}, "ROW_UNREADABLE"),
        ({"p.xlsx": b"PK", "a.jpg": b""}, "FILE_UNREADABLE"),
    ],
)
def test_a_dump_without_anything_usable_is_refused_in_one_line(
    tmp_path: Path, files: dict[str, str | bytes], message: str
) -> None:
    with pytest.raises(IngestRefused, match=message) as caught:
        read(tmp_path, files)
    assert "\n" not in str(caught.value)


def test_a_table_of_something_else_is_named_and_the_pictures_still_read(tmp_path: Path) -> None:
    catalogue = read(tmp_path, {"sizes.csv": "w,h\n1,2\n", "a.jpg": b""})
    assert [product.sku for product in catalogue.products] == ["a"]
    assert [(issue.reason, issue.severity) for issue in catalogue.issues] == [("TABLE_UNUSED", "warning")]


@settings(max_examples=100, deadline=None)
@given(data=st.one_of(st.binary(max_size=400), st.text(alphabet='",;|\t\n\r a1\x00é', max_size=300).map(str.encode)))
@pytest.mark.parametrize("name", ["t.csv", "t.json", "t.jsonl"])
def test_read_table_takes_any_bytes(tmp_path_factory: pytest.TempPathFactory, name: str, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / f"fuzz-{name}"
    path.write_bytes(data)
    parsed = read_table(DumpFile(path=name, actual=path, size=len(data), mtime_ns=0))
    if isinstance(parsed, Table):
        headed = parsed.with_header()
        assert all(len(row.cells) == len(headed.header) for row in headed.rows)


# --- folders -------------------------------------------------------------------------------------


def test_folder_of_pictures_groups_views_and_reads_texts_beside_them(tmp_path: Path) -> None:
    catalogue = read(
        tmp_path,
        {
            "mugs/blue-mug_01.jpg": b"",
            "mugs/blue-mug_02.jpg": b"",
            "mugs/blue-mug.txt": "Colour: blue\nMaterial: clay\n",
            "mugs/red-mug.jpg": b"",
            "chair/front.jpg": b"",
            "chair/side.jpg": b"",
            "chair/spec.json": '{"name": "Oak chair", "colour": "brown", "description": "A chair."}',
        },
    )
    by_sku = {product.sku: product for product in catalogue.products}
    assert set(by_sku) == {"blue-mug", "red-mug", "chair"}
    assert len(by_sku["blue-mug"].pictures) == 2 and by_sku["blue-mug"].category == "mugs"
    assert facts(by_sku["blue-mug"]) == {"colour": "blue", "material": "clay"}
    assert (by_sku["chair"].name, by_sku["chair"].description) == ("Oak chair", "A chair.")
    assert facts(by_sku["chair"]) == {"colour": "brown"} and len(by_sku["chair"].pictures) == 2


def test_folder_keeps_model_numbers_apart(tmp_path: Path) -> None:
    catalogue = read(tmp_path, {"pump-200.jpg": b"", "pump-300.jpg": b""})
    assert [product.sku for product in catalogue.products] == ["pump-200", "pump-300"]


# --- cells and headers ---------------------------------------------------------------------------


def test_clean_line_normalises_width_and_drops_invisible_characters() -> None:
    assert clean_line(" ｶﾗｰ\u200b \u00a0ＡＢＣ\x07\n x ") == "カラー ABC x"
    assert clean("a < b and 3 > 2") == "a < b and 3 > 2"
    assert html_to_text("<ul><li>a</li><li>b &amp; c</li></ul>") == "a\nb & c"


@pytest.mark.parametrize(
    ("item", "fact"),
    [
        ("brand:Apple", ("brand", "Apple")),
        ("size=M", ("size", "M")),
        ("https://x.y", None),
        ("12:30", None),
        ("plain", None),
    ],
)
def test_packed_fact(item: str, fact: tuple[str, str] | None) -> None:
    assert packed_fact(item) == fact


@pytest.mark.parametrize(
    ("header", "role"),
    [
        ("SKU", "sku"),
        ("Item_Code", "sku"),
        ("Product Name", "name"),
        ("商品名", "name"),
        ("商品管理番号（商品URL）", "parent"),
        ("Body (HTML)", "text"),
        ("image_link", "image"),
        ("商品画像1", "image"),
        ("販売価格", "drop"),
        ("unheard of", None),
    ],
)
def test_role_of_knows_headers(header: str, role: str | None) -> None:
    hit = headers.role_of(header)
    assert (hit and hit[0]) == role


def test_folder_keeps_line_breaks_of_file_names_out_of_keys(tmp_path: Path) -> None:
    products = read(tmp_path, {"red\nmug.jpg": b"1", "red mug.jpg": b"2"}).products
    skus = [product.sku for product in products]
    assert len(set(skus)) == 2 and not any("\n" in sku for sku in skus)


def test_a_forgotten_name_costs_one_row_and_makes_no_variants(tmp_path: Path) -> None:
    rows = "".join(f"A{number},{'' if number == 3 else 'mug'},red,p{number}.png\n" for number in range(1, 7))
    files = {"t.csv": "sku,name,colour,image\n" + rows, **{f"p{number}.png": PNG for number in range(1, 7)}}
    catalogue = read(tmp_path, files)
    assert [product.sku for product in catalogue.products] == ["A1", "A2", "A4", "A5", "A6"]
    assert not any(product.variants for product in catalogue.products)
    assert [(issue.reason, issue.line) for issue in catalogue.issues] == [("ROW_NO_NAME", 4)]


def test_pictures_with_texts_of_their_own_and_camera_names_stay_apart(tmp_path: Path) -> None:
    files = {"IMG_0001.png": PNG, "IMG_0002.png": PNG, "IMG_0001.txt": "a red chair", "IMG_0002.txt": "赤い椅子"}
    products = read(tmp_path, files).products
    assert [(product.sku, product.description) for product in products] == [
        ("IMG_0001", "a red chair"),
        ("IMG_0002", "赤い椅子"),
    ]
