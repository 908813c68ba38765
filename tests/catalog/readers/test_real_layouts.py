"""Traps that exports of shops in the field hold, each in a small dump of our own."""

import json
from typing import Any

from catalog.readers.draft import DraftAttribute
from catalog.readers.headers import language_of

# ruff: noqa: E501 - tables are one row a line
Reading = Any


def facts(attributes: list[DraftAttribute]) -> dict[str, str]:
    return {fact.name: fact.value for fact in attributes if fact.kind == "fact"}


# --- which table lists the products ------------------------------------------------------------------


def test_table_of_categories_is_not_taken_for_the_products(read_files: Reading) -> None:
    files = {
        "categories.csv": "CategoryID,CategoryName,Description\n1,Drinks,Teas and coffees\n2,Sauces,Sweet and savoury\n",
        "products.csv": "ProductID,ProductName,CategoryID,UnitPrice,UnitsInStock,Discontinued\n1,Green tea,1,2,0,0\n2,Plum sauce,2,3,9,1\n7,Rye bread,2,1,4,0\n",
    }
    catalogue = read_files(files, ("img/1.jpg", "img/2.jpg", "img/7.jpg"))
    assert [product.name for product in catalogue.products] == ["Green tea", "Plum sauce", "Rye bread"]
    assert [len(product.pictures) for product in catalogue.products] == [1, 1, 1]
    assert not any("doubt" in line for line in catalogue.evidence)
    assert [facts(product.attributes) for product in catalogue.products] == [{}, {}, {}]


def test_table_without_names_is_read_where_pictures_are_named_after_its_keys(read_files: Reading) -> None:
    styles = "id,gender,articleType,baseColour,year\n15,Men,Shirts,Navy Blue,2011\n39,Women,Jeans,Blue,2012\n"
    shirt, jeans = read_files({"styles.csv": styles}, ("images/15.jpg", "images/39.jpg")).products
    assert (shirt.sku, shirt.name, shirt.category) == ("15", "15", "Shirts")
    assert facts(jeans.attributes) == {"gender": "Women", "base colour": "Blue"}
    assert [picture.path for picture in jeans.pictures] == ["images/39.jpg"]


def test_table_without_names_and_without_such_pictures_is_not_guessed_at(read_files: Reading) -> None:
    catalogue = read_files({"t.csv": "id,gender\n15,Men\n39,Women\n"}, ("images/front.jpg", "images/15.jpg"))
    assert catalogue.reader == "folder"


def test_fixture_of_many_models_is_not_read_as_one_table(read_files: Reading) -> None:
    records = [
        {"pk": 1, "model": "shop.option", "fields": {"name": "Small"}},
        {"pk": 1, "model": "shop.product", "fields": {"title": "Pony", "image": "pony/red.png", "sku": "P1"}},
        {"pk": 1, "model": "shop.picture", "fields": {"product": 1, "file": "pony/red.png"}},
    ]
    catalogue = read_files({"shop.json": json.dumps(records)}, ("pony/red.png",))
    assert catalogue.reader == "folder"
    assert 'split = "model"' in next(issue.detail for issue in catalogue.issues if issue.reason == "TABLE_UNUSED")


def test_table_that_begins_with_values_asks_for_the_names_of_its_columns(read_files: Reading) -> None:
    rows = "1\tHub\tHU-1\tBlack\t500\n2\tRim\tRI-2\tSilver\t800\n"
    catalogue = read_files({"Product.csv": rows}, ("big/HU-1.jpg",))
    detail = next(issue.detail for issue in catalogue.issues if issue.reason == "TABLE_UNUSED")
    assert "its first line is no header: '1, Hub, HU-1, Black'; name its 5 columns" in detail


# --- what is no fact ---------------------------------------------------------------------------------


def test_addresses_dates_codes_and_switches_are_no_facts(read_files: Reading) -> None:
    header = "sku,name,color,link,scanned,art_code,barcode,Can be Sold,isActive,tags,seen_at,Image Sort - 1,pic"
    rows = (
        "a1,Chair,red,https://x.example/1,2024-05-01,TMP-1,490,True,true,en:seats,2017-03-09T10:37:09Z,0,a1.jpg\n"
        "a2,Stool,blue,https://x.example/2,2024-05-02,TMP-2,491,False,true,en:seats,2017-03-09T10:37:10Z,1,a2.jpg\n"
        "a3,Bench,red,https://x.example/3,2024-05-03,TMP-3,492,True,true,en:seats,2017-03-09T10:37:11Z,0,a3.jpg\n"
    )
    chair = read_files({"p.csv": f"{header}\n{rows}"}, ("a1.jpg", "a2.jpg", "a3.jpg")).products[0]
    assert facts(chair.attributes) == {"color": "red", "barcode": "490", "tags": "en:seats"}


def test_type_of_a_shop_system_is_no_category(read_files: Reading) -> None:
    table = "Name,Internal Reference,Product Type,Supply Method\nStool,ALS,Stockable Product,Buy\nFuel,FL,Service,Buy\n"
    stool, _ = read_files({"products.csv": table}, ("ALS.jpg", "FL.jpg")).products
    assert (stool.sku, stool.category, facts(stool.attributes)) == ("ALS", "", {})


def test_lists_of_words_in_json_are_read_with_commas_and_lists_of_links_as_links(read_files: Reading) -> None:
    records = [
        {"id": 1, "name": "Clip", "material": ["PP", "PA/Nylon", "ABS"], "photos": ["/img/a.jpg", "/img/b.jpg"]},
        {"id": 2, "name": "Cap", "material": ["PP", "ABS"], "photos": ["/img/c.jpg"]},
    ]
    clip, _ = read_files({"products.json": json.dumps(records)}, ("img/a.jpg", "img/b.jpg", "img/c.jpg")).products
    assert facts(clip.attributes) == {"material": "PP, PA/Nylon, ABS"}
    assert [picture.path for picture in clip.pictures] == ["img/a.jpg", "img/b.jpg"]


def test_columns_for_several_languages_are_one_name_and_texts(read_files: Reading) -> None:
    records = [
        {"id": "c1", "nameZh": "保护盖", "nameEn": "Cover", "image": "c1.png", "usageZh": "汽车", "usageEn": "Cars"},
        {"id": "c2", "nameZh": "卡扣", "nameEn": "Clip", "image": "c2.png", "usageZh": "汽车", "usageEn": "Cars"},
    ]
    cover, _ = read_files({"products.json": json.dumps(records)}, ("c1.png", "c2.png")).products
    assert (cover.name, facts(cover.attributes)) == ("Cover", {"usage en": "Cars"})
    assert {text.name: text.value for text in cover.attributes if text.kind == "text"} == {
        "name zh": "保护盖", "usage zh": "汽车",
    }  # fmt: skip


def test_language_of_a_header_is_its_last_word() -> None:
    assert [language_of(header) for header in ("nameEn", "title_ja", "Name", "en", "screen")] == [
        ("name", "en"), ("title", "ja"), ("Name", ""), ("en", ""), ("screen", ""),
    ]  # fmt: skip


# --- pictures ----------------------------------------------------------------------------------------


def test_addresses_without_a_server_lose_their_query(read_files: Reading) -> None:
    table = "sku,name,image\n1,Mug,/img/a.jpg?sw=1800\n2,Cup,img/b.jpg#top\n3,Jug,img/c.jpg?v=1\n"
    catalogue = read_files({"p.csv": table}, ("img/a.jpg", "img/b.jpg", "img/c.jpg"))
    assert [len(product.pictures) for product in catalogue.products] == [1, 1, 1]


def test_addresses_of_thumbnails_beside_pictures_that_are_here_are_left_out(read_files: Reading) -> None:
    table = "sku,name,image_url,image_small_url\n1,Mug,http://x.example/a.400.jpg,http://x.example/a.200.jpg\n2,Cup,http://x.example/b.400.jpg,http://x.example/b.200.jpg\n"
    catalogue = read_files({"p.csv": table}, ("a.400.jpg", "b.400.jpg"))
    assert ([len(product.pictures) for product in catalogue.products], catalogue.issues) == ([1, 1], [])


def test_pictures_of_a_model_between_belong_to_its_variants(read_files: Reading) -> None:
    files = {
        "product_models.csv": "code;parent;family_variant;categories;color;name-en_US;picture\nbag;;by_color;bags;;Bag;files/bag/picture/bag.jpg\nbag_red;bag;by_color;bags;red;;files/bag_red/picture/red.jpg\n",
        "products.csv": "sku;parent;categories;enabled;family;groups;size\nbag_red_s;bag_red;bags;1;bags;;s\n",
    }
    pictures = ("files/bag/picture/bag.jpg", "files/bag_red/picture/red.jpg")
    bag = read_files(files, pictures).products[0]
    assert [(picture.path, picture.variant_key) for picture in bag.pictures] == [
        (pictures[0], None),
        (pictures[1], "bag_red_s"),
    ]


# --- formats -----------------------------------------------------------------------------------------


def test_bmecat_without_groups_takes_its_category_from_a_classification_it_states(read_files: Reading) -> None:
    group = "<CLASSIFICATION_GROUP><CLASSIFICATION_GROUP_ID>{}</CLASSIFICATION_GROUP_ID><CLASSIFICATION_GROUP_NAME>{}</CLASSIFICATION_GROUP_NAME>{}</CLASSIFICATION_GROUP>"
    parent = "<CLASSIFICATION_GROUP_PARENT_ID>1</CLASSIFICATION_GROUP_PARENT_ID>"
    content = f"""<BMECAT version="2005"><T_NEW_CATALOG><CLASSIFICATION_SYSTEM>
      <CLASSIFICATION_SYSTEM_NAME>own-1.0</CLASSIFICATION_SYSTEM_NAME>
      <CLASSIFICATION_GROUPS>{group.format(1, "Hardware", "")}{group.format(5, "Lamps", parent)}</CLASSIFICATION_GROUPS>
     </CLASSIFICATION_SYSTEM>
     <PRODUCT><SUPPLIER_PID>10</SUPPLIER_PID><PRODUCT_DETAILS><DESCRIPTION_SHORT>Lamp</DESCRIPTION_SHORT></PRODUCT_DETAILS>
      <PRODUCT_FEATURES><REFERENCE_FEATURE_SYSTEM_NAME>ECLASS-5.1</REFERENCE_FEATURE_SYSTEM_NAME><REFERENCE_FEATURE_GROUP_ID>5</REFERENCE_FEATURE_GROUP_ID></PRODUCT_FEATURES>
      <PRODUCT_FEATURES><REFERENCE_FEATURE_SYSTEM_NAME>own-1.0</REFERENCE_FEATURE_SYSTEM_NAME><REFERENCE_FEATURE_GROUP_ID>5</REFERENCE_FEATURE_GROUP_ID></PRODUCT_FEATURES>
      <MIME_INFO><MIME><MIME_SOURCE>lamp.jpg</MIME_SOURCE></MIME></MIME_INFO></PRODUCT>
    </T_NEW_CATALOG></BMECAT>"""
    assert [product.category for product in read_files({"c.xml": content}, ("lamp.jpg",)).products] == [
        "Hardware > Lamps"
    ]


def test_ec_cube_file_that_registers_products_goes_by_their_codes(read_files: Reading) -> None:
    table = "商品ID,公開ステータス(ID),商品名,商品説明(一覧),商品説明(詳細),商品削除フラグ,商品画像,販売種別(ID),規格分類1(ID),規格分類2(ID),商品コード\n,1,皿,,磁器,,plate.jpg,1,,,PL-1\n,1,椀,,漆,,,1,,,\n"
    catalogue = read_files({"product.csv": table.encode("cp932")}, ("img/plate.jpg",))
    assert (catalogue.reader, [product.sku for product in catalogue.products]) == ("ec_cube", ["PL-1"])
    assert [(issue.reason, issue.detail) for issue in catalogue.issues] == [("ROW_NO_KEY", "no 商品コード; name '椀'")]


def test_makeshop_product_does_not_state_the_colour_of_one_of_its_options(read_files: Reading) -> None:
    files = {
        "item.csv": "独自商品コード,システム商品コード,カテゴリーパス,商品名,オプション１名称,拡大画像名,色,素材\nM1,1,マグ,マグカップ,色,m.jpg,白,磁器\n",
        "option.csv": "システム商品コード,独自商品コード,商品名,商品カテゴリーパス,オプション独自コード,オプション1項目\n1,M1,マグカップ,マグ,M1-W,白\n1,M1,マグカップ,マグ,M1-B,黒\n",
    }
    mug = read_files({name: text.encode("cp932") for name, text in files.items()}, ("m.jpg",)).products[0]
    assert (facts(mug.attributes), [facts(variant.attributes) for variant in mug.variants]) == (
        {"素材": "磁器"}, [{"色": "白"}, {"色": "黒"}],
    )  # fmt: skip


def test_sku_of_a_merchant_feed_is_no_fact(read_files: Reading) -> None:
    item = "<item><title>Beer</title><g:id>9</g:id><g:sku>HK</g:sku><g:color>Gold</g:color><g:image_link>https://x.example/m.jpg</g:image_link></item>"
    feed = f'<rss xmlns:g="http://base.google.com/ns/1.0"><channel>{item}</channel></rss>'
    assert facts(read_files({"feed.xml": feed}, ("m.jpg",)).products[0].attributes) == {"color": "Gold"}


# --- mappings ----------------------------------------------------------------------------------------


def test_attributes_of_xml_are_named_without_their_sign_and_fields_by_what_chooses_them(read_files: Reading) -> None:
    record = '<record id="{}"><field name="name">{}</field><field name="note">{}</field><field name="group" ref="g_{}"/></record>'
    files = {
        "data.xml": f"<odoo><data>{record.format('p1', 'Oil', 'Thick', 'fuel')}{record.format('p2', 'Gas', 'Thin', 'air')}</data></odoo>",
        "mapping.toml": """[tables]
product = { file = "data.xml", rows = "odoo/data/record" }
[product]
key = "id"
name = "field[name=name]"
category = "field[name=group].ref"
text = "field[name=note]"
""",
    }
    oil, gas = read_files(files, ("p1.jpg", "p2.jpg")).products
    assert (oil.sku, oil.name, oil.category, oil.description) == ("p1", "Oil", "g_fuel", "Thick")
    assert [text.name for text in gas.attributes] == ["note"]
    # A mapping that says nothing of pictures leaves them to their names.
    assert [picture.path for picture in gas.pictures] == ["p2.jpg"]
