"""Google Merchant feeds as TSV and XML: groups of items, repeated picture columns, product details, broken feeds."""

from collections.abc import Callable

import pytest

from catalog.errors import IngestRefused
from catalog.readers.draft import DraftCatalogue
from catalog.records import RowBooks

Read = Callable[..., DraftCatalogue]
Whole = Callable[[DraftCatalogue], dict[str, dict[str, object]]]
Reasons = Callable[[DraftCatalogue], list[tuple[str, str, int | None]]]

FEED = (
    "id\ttitle\tdescription\titem group id\timage link\tadditional image link\tadditional_image_link\tcolor\tsize\t"
    "material\tbrand\tprice\tshipping(country:price)\tproduct_type\tproduct detail\tproduct_weight\tcustom_label_0\t"
    "product_highlight\n"
    "S-1\tLinen shirt - Red, M\t<p>Airy.</p><p>In red.</p>\tSHIRT\thttps://cdn.example.com/w_9,h_9/red.jpg?v=1\t"
    '"https://cdn.example.com/back.jpg,https://cdn.example.com/red2.jpg"\thttps://cdn.example.com/tag.jpg\tRed\tM\t'
    'Linen\tFieldwear\t20 EUR\tDE:4 EUR\t"Clothes, Shirts > Tops"\t'
    '"Cut:Collar:stand-up, soft,Cut:Ratio:4:3"\t200 g\tsummer\tAiry weave\n'
    "S-2\tLinen shirt - Red, L\t<p>Airy.</p><p>In red.</p>\tSHIRT\thttps://cdn.example.com/w_9,h_9/red.jpg?v=1\t\t\t"
    "Red\tL\tLinen\tFieldwear\t20 EUR\t\tClothes > Tops > Shirts\t\t\t\t\n"
    "S-3\tLinen shirt - Blue, L\t<p>Airy.</p><p>In blue.</p>\tSHIRT\thttps://cdn.example.com/blue.jpg\t"
    "https://cdn.example.com/back.jpg\t\tBlue\tL\tLinen\tFieldwear\t20 EUR\t\t\t\t\t\t\n"
    "MUG\tStoneware mug\tHolds much.\t\thttps://cdn.example.com/mug.jpg\t\t\tWhite/Grey\t\tStoneware\t\t9 EUR\t\t"
    '"Home > Mugs,Home > Kitchen > Mugs"\t\t\t\t\n'
    "MUG\tStoneware mug again\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\n"
    "\tNo id\t\t\thttps://cdn.example.com/mug.jpg\t\t\t\t\t\t\t\t\t\t\t\t\t\n"
    "BARE\t\t\t\thttps://cdn.example.com/mug.jpg\t\t\t\t\t\t\t\t\t\t\t\t\t\n"
)
PICTURES = ("img/red.jpg", "img/red2.jpg", "img/back.jpg", "img/blue.jpg", "img/mug.jpg")


def test_tsv_feed_groups_its_items_and_keeps_what_is_common(read_files: Read, whole: Whole, reasons: Reasons) -> None:
    catalogue = read_files({"feed.txt": FEED, "older.csv": "sku,name,image\nB1,Bag,mug.jpg\n"}, PICTURES)
    assert catalogue.reader == "google_merchant"
    assert whole(catalogue) == {
        "SHIRT": {
            "name": "Linen shirt",
            "category": "Clothes, Shirts > Tops",
            "description": "Airy.",
            "line": 2,
            "facts": {"material": "Linen", "brand": "Fieldwear"},
            "texts": {"description": "Airy."},
            "variants": {
                "S-1": (
                    "S-1",
                    "Linen shirt - Red, M",
                    {"color": "Red", "size": "M", "collar": "stand-up, soft", "ratio": "4:3", "weight": "200 g"},
                ),
                "S-2": ("S-2", "Linen shirt - Red, L", {"color": "Red", "size": "L"}),
                "S-3": ("S-3", "Linen shirt - Blue, L", {"color": "Blue", "size": "L"}),
            },
            # Both sizes of red name the red picture; the back is listed for red and for blue.
            "pictures": [
                ("img/red.jpg", "S-1"),
                ("img/back.jpg", None),
                ("img/red2.jpg", "S-1"),
                ("img/blue.jpg", "S-3"),
            ],
        },
        "MUG": {
            "name": "Stoneware mug",
            "category": "Home > Kitchen > Mugs",
            "description": "Holds much.",
            "line": 5,
            "facts": {"color": "White/Grey", "material": "Stoneware"},
            "texts": {"description": "Holds much."},
            "variants": {},
            "pictures": [("img/mug.jpg", None)],
        },
        "B1": {
            "name": "Bag",
            "category": "",
            "description": "",
            "line": 2,
            "facts": {},
            "texts": {},
            "variants": {},
            "pictures": [("img/mug.jpg", None)],
        },
    }
    assert reasons(catalogue) == [
        ("ROW_DUP_KEY", "feed.txt", 6),
        ("ROW_NO_KEY", "feed.txt", 7),
        ("URL_NOT_FETCHED", "feed.txt", 2),
        ("ROW_NO_NAME", "feed.txt", 8),
    ]
    assert catalogue.rows == RowBooks(read=8, accepted=5, duplicate=1, quarantined=2)


RSS = """<?xml version="1.0" encoding="Shift_JIS"?>
<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel><title>Feed</title>
<item><g:id>L1</g:id><title>ガラス花瓶①</title><link>https://example.com/l1</link>
<description><![CDATA[<p>髙級な<b>花瓶</b></p>]]></description>
<g:image_link>https://cdn.example.com/vase.jpg</g:image_link>
<g:additional_image_link>https://cdn.example.com/vase2.jpg</g:additional_image_link>
<g:additional_image_link>https://cdn.example.com/gone.jpg</g:additional_image_link>
<g:color>透明</g:color><g:material>ガラス</g:material><g:google_product_category>602</g:google_product_category>
<g:shipping><g:country>JP</g:country><g:price>500 JPY</g:price></g:shipping>
<g:product_detail><g:section_name>A:B</g:section_name><g:attribute_name>形状</g:attribute_name>
<g:attribute_value>丸型</g:attribute_value></g:product_detail></item>
</channel></rss>
"""
ATOM = """<?xml version="1.0"?>
<feed xmlns="http://www.w3.org/2005/Atom" xmlns:g="http://base.google.com/ns/1.0">
<entry><id>tag:1</id><g:id>C-R</g:id><g:item_group_id>CUP</g:item_group_id><title>Red cup</title>
<summary>&lt;p&gt;Round &amp;amp; red&lt;/p&gt;</summary><g:color>Red</g:color>
<g:image_link>cup-red.jpg</g:image_link></entry>
<entry><g:id>C-B</g:id><g:item_group_id>CUP</g:item_group_id><title>Blue cup</title><g:color>Blue</g:color>
<g:image_link>cup-blue.jpg</g:image_link></entry>
<entry><g:id>cut
"""


def test_xml_feeds_in_rss_and_atom_one_of_them_cut_off(read_files: Read, whole: Whole, reasons: Reasons) -> None:
    pictures = ("vase.jpg", "vase2.jpg", "cup-red.jpg", "cup-blue.jpg")
    catalogue = read_files({"a.xml": RSS.encode("cp932"), "b.xml": ATOM}, pictures)
    products = whole(catalogue)
    assert products == {
        "L1": {
            "name": "ガラス花瓶1",
            "category": "",
            "description": "髙級な花瓶",
            "line": 1,
            "facts": {"color": "透明", "material": "ガラス", "形状": "丸型"},
            "texts": {"description": "髙級な花瓶"},
            "variants": {},
            "pictures": [("vase.jpg", None), ("vase2.jpg", None)],
        },
        "CUP": {
            "name": "cup",
            "category": "",
            "description": "",
            "line": 1,
            "facts": {},
            "texts": {},
            "variants": {"C-R": ("C-R", "Red cup", {"color": "Red"}), "C-B": ("C-B", "Blue cup", {"color": "Blue"})},
            "pictures": [("cup-red.jpg", "C-R"), ("cup-blue.jpg", "C-B")],
        },
    }
    assert reasons(catalogue) == [("FILE_UNREADABLE", "b.xml", 9), ("URL_NOT_FETCHED", "a.xml", 1)]
    assert catalogue.rows == RowBooks(read=3, accepted=3)
    cup = next(product for product in catalogue.products if product.sku == "CUP")
    assert [fact.value for fact in cup.variants[0].attributes if fact.kind == "text"] == ["Round & red"]


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'
    '<rss xmlns:g="http://base.google.com/ns/1.0"><channel><item><g:id>&b;</g:id></item></channel></rss>'
)


def test_xml_feed_with_entities_is_refused(read_files: Read) -> None:
    with pytest.raises(IngestRefused, match="FILE_UNREADABLE"):
        read_files({"feed.xml": BOMB}, ("a.jpg",))


def test_what_lies_beside_a_feed_and_is_no_product_is_named(read_files: Read, reasons: Reasons) -> None:
    feed = "id,title,link,image_link\nC,Cup,https://example.com/c,cup.jpg\n"
    again = "sku,name,image\nC,Cup of the other table,cup.jpg\n"
    catalogue = read_files(
        {"feed.csv": feed, "notes.json": "{", "sizes.csv": "size,chest\nS,90\n", "again.csv": again}, ("cup.jpg",)
    )
    assert [product.name for product in catalogue.products] == ["Cup"]
    assert [reason for reason, source, _ in reasons(catalogue) if source == "notes.json"] == ["FILE_UNREADABLE"]
    assert "not used: 2 other tables, such as again.csv, sizes.csv" in catalogue.evidence
    assert "1 products of other tables have a key of the google_merchant files" in catalogue.evidence
