"""schema.org JSON-LD: every value a scalar, list or object; groups and variants in graphs, files and HTML pages."""

import json
from collections.abc import Callable
from typing import Any

from catalog.readers.draft import DraftCatalogue
from catalog.records import RowBooks

Read = Callable[..., DraftCatalogue]
Whole = Callable[[DraftCatalogue], dict[str, dict[str, object]]]
Reasons = Callable[[DraftCatalogue], list[tuple[str, str, int | None]]]

CDN = "https://cdn.example.com/p/"


def page(*scripts: str) -> str:
    tags = "\n".join(f'<script type="application/ld+json">{script}</script>' for script in scripts)
    return f"<html><head><title>Shop</title>\n{tags}\n<script>var x = '@type';</script></head><body>Hi</body></html>"


def product(name: str, line: int, **more: object) -> dict[str, object]:
    empty: dict[str, object] = {"category": "", "description": "", "facts": {}, "texts": {}, "variants": {}}
    return {"name": name, "line": line, **empty, "pictures": [], **more}


CHAIR: dict[str, Any] = {
    "@context": "https://schema.org",
    "@type": ["Product", "http://schema.org/IndividualProduct"],
    "sku": 4711,
    "name": [{"@language": "ja", "@value": "椅子"}, {"@language": "en-GB", "@value": "Oak chair"}],
    "description": "<p>Sturdy &amp; light.</p>",
    "brand": {"@type": "Brand", "name": "Fieldwear"},
    "category": ["Furniture", {"@type": "CategoryCode", "name": "Home > Furniture > Chairs"}],
    "material": ["Oak", {"@type": "DefinedTerm", "name": "Linen"}],
    "color": {"@language": "en", "@value": "Natural"},
    "image": [CDN + "chair.jpg", {"@type": "ImageObject", "contentUrl": CDN + "chair-side.jpg"}, {"@id": "#top"}],
    "height": {"@type": "QuantitativeValue", "value": 81.50, "unitCode": "CMT"},
    "weight": {"value": 4, "unitText": "kg"},
    "width": "45 cm",
    "additionalProperty": [
        {"@type": "PropertyValue", "name": "Seat height", "value": 46, "unitCode": "https://example.com/CMT"},
        {"name": "Legs", "value": [4, "turned"]},
        {"name": "Load", "minValue": 80, "maxValue": 120, "unitCode": "KGM"},
        {"name": "Stackable", "value": True},
    ],
    "offers": {"@type": "Offer", "price": 120, "itemOffered": {"@type": "Product", "name": "No product"}},
    "isRelatedTo": {"@type": "Product", "name": "Nor this", "sku": "R"},
    "aggregateRating": {"@type": "AggregateRating", "ratingValue": 4.5},
}
TOP = {"@type": "ImageObject", "@id": "#top", "url": CDN + "chair-top.jpg"}


def test_json_file_with_values_of_every_form(read_files: Read, whole: Whole, reasons: Reasons) -> None:
    graph = json.dumps({"@context": "https://schema.org", "@graph": [CHAIR, TOP]}, ensure_ascii=False)
    pictures = ("p/chair.jpg", "p/chair-side.jpg", "p/chair-top.jpg", "bag.jpg")
    catalogue = read_files({"chair.jsonld": graph, "more.csv": "sku,name,image\nB1,Bag,bag.jpg\n"}, pictures)
    assert catalogue.reader == "schema_org" and not reasons(catalogue)
    assert whole(catalogue) == {
        "4711": product(
            "Oak chair",
            1,
            category="Home > Furniture > Chairs",
            description="Sturdy & light.",
            facts={
                "brand": "Fieldwear",
                "color": "Natural",
                "material": "Oak, Linen",
                "width": "45 cm",
                "height": "81.5 cm",
                "weight": "4 kg",
                "seat height": "46 cm",
                "legs": "4, turned",
                "load": "80–120 kg",
                "stackable": "yes",
            },
            texts={"description": "Sturdy & light.", "name [ja]": "椅子"},
            pictures=[(path, None) for path in pictures[:3]],
        ),
        "B1": product("Bag", 2, pictures=[("bag.jpg", None)]),
    }
    assert catalogue.rows == RowBooks(read=2, accepted=2)


def jacket(colour: str, size: str, **more: object) -> dict[str, Any]:
    sku = f"J-{colour[0]}{size}"
    return {"@type": "Product", "sku": sku, "name": f"Jacket {colour} {size}", "color": colour, "size": size, **more}


def test_group_keeps_what_its_variants_share(read_files: Read, whole: Whole, reasons: Reasons) -> None:
    group = {
        "@type": "ProductGroup", "@id": "#jacket", "productGroupID": "J", "name": "Jacket", "color": ["Red", "Blue"],
        "variesBy": ["https://schema.org/color"], "description": "For wind", "image": CDN + "all.jpg",
        "hasVariant": [jacket("Red", "S", image=CDN + "red.jpg", material="Nylon"), {"@id": "#blue"}],
    }  # fmt: skip
    blue = jacket("Blue", "S", image={"contentUrl": CDN + "blue.jpg"}, material="Nylon", description="In blue")
    blue |= {"@id": "#blue", "isVariantOf": {"@id": "#jacket"}}
    # Without the group's own record: what the pages of two variants say about it.
    parts = [
        {"@type": "Product", "sku": f"P-{colour}", "name": f"{colour} pot", "color": colour, "image": f"{colour}.jpg",
         "description": f"A {colour} pot", "inProductGroupWithID": "POT", "pattern": "plain"}
        for colour in ("Black", "White")
    ]  # fmt: skip
    files = {"jacket.json": json.dumps({"@graph": [blue, group]}), "pots.jsonl": "\n".join(map(json.dumps, parts))}
    pictures = ("all.jpg", "red.jpg", "blue.jpg", "Black.jpg", "White.jpg")
    catalogue = read_files(files, pictures)
    assert not reasons(catalogue)
    assert whole(catalogue) == {
        "J": product(
            "Jacket",
            2,
            description="For wind",
            facts={"material": "Nylon", "size": "S"},
            texts={"description": "For wind"},
            variants={
                "J-BS": ("J-BS", "Jacket Blue S", {"color": "Blue"}),
                "J-RS": ("J-RS", "Jacket Red S", {"color": "Red"}),
            },
            pictures=[("all.jpg", None), ("blue.jpg", "J-BS"), ("red.jpg", "J-RS")],
        ),
        "POT": product(
            "pot",
            1,
            facts={"pattern": "plain"},
            variants={
                "P-Black": ("P-Black", "Black pot", {"color": "Black"}),
                "P-White": ("P-White", "White pot", {"color": "White"}),
            },
            pictures=[("Black.jpg", "P-Black"), ("White.jpg", "P-White")],
        ),
    }
    assert catalogue.rows == RowBooks(read=5, accepted=5)


def test_graph_whose_references_go_in_circles_is_read_once(read_files: Read, whole: Whole) -> None:
    # Each page of such a graph refers to all others: entered again and again they would take for ever.
    graph: list[dict[str, Any]] = [
        {"@type": "WebPage", "@id": f"#{number}", "parts": [{"@id": f"#{other}"} for other in range(12)]}
        for number in range(12)
    ]
    graph[11] |= {"mainEntity": {"@id": "#cup"}}
    cup = {"@type": "Product", "@id": "#cup", "sku": "C", "name": "Cup", "image": "cup.jpg"}
    catalogue = read_files({"page.html": page(json.dumps({"@graph": [*graph, cup]}))}, ("cup.jpg",))
    assert whole(catalogue) == {"C": product("Cup", 1, pictures=[("cup.jpg", None)])}
    assert catalogue.rows == RowBooks(read=1, accepted=1)


def test_html_pages_hold_several_scripts_and_say_a_product_twice(
    read_files: Read, whole: Whole, reasons: Reasons
) -> None:
    stub = {"@type": "Product", "sku": "LAMP", "name": "Lamp", "url": "https://shop.example.com/lamp"}
    nameless = {"@type": "Product", "sku": "NN", "image": "lamp.jpg"}
    listing = {"@type": "ItemList", "itemListElement": [{"@type": "ListItem", "position": 1, "item": stub}, nameless]}
    lamp = {
        "@type": "Product",
        "@id": "#product",
        "sku": ["LAMP"],
        "name": "Lamp",
        "color": "Green",
        "image": "lamp.jpg",
    }
    crumbs = {"@type": "BreadcrumbList", "itemListElement": [{"@type": "ListItem", "name": "Home"}]}
    old = '\n//<![CDATA[\n{"@type": "schema:Product", "name": "Stool",\n"image": "gone.jpg"}\n//]]>\n'
    files = {
        "category.html": page(json.dumps(listing)),
        "lamp.html": page(json.dumps(crumbs), json.dumps({"mainEntity": lamp}), old),
        "broken.html": page('{"@type": "Product",\n "name": }'),
    }
    catalogue = read_files(files, ("lamp.jpg",))
    assert whole(catalogue) == {
        "LAMP": product("Lamp", 1, facts={"color": "Green"}, pictures=[("lamp.jpg", None)]),
        "Stool": product("Stool", 2),
    }
    assert reasons(catalogue) == [
        ("ROW_UNREADABLE", "broken.html", 3),
        ("ROW_DUP_KEY", "category.html", 1),
        ("ROW_NO_NAME", "category.html", 2),
        ("FILE_MISSING", "lamp.html", 2),
    ]
    assert catalogue.rows == RowBooks(read=4, accepted=2, duplicate=1, quarantined=1)


def test_pages_beside_a_table_of_the_products_are_left_to_the_table(read_files: Read, reasons: Reasons) -> None:
    html = page(json.dumps({"@type": "Product", "sku": "B1", "name": "Bag of the page"}))
    table = "sku,name,material,image\nB1,Bag,Nylon,bag.jpg\n"
    catalogue = read_files({"products.csv": table, "bag.html": html}, ("bag.jpg",))
    assert catalogue.reader == "table" and [product.name for product in catalogue.products] == ["Bag"]
    assert ("TABLE_UNUSED", "bag.html", None) in reasons(catalogue)


def test_page_with_a_broken_script_does_not_stop_the_pictures_beside_it(read_files: Read, reasons: Reasons) -> None:
    catalogue = read_files({"about.html": page('{"@type": "Product", "name": }')}, ("blue-mug/front.jpg",))
    assert catalogue.reader == "folder" and [product.sku for product in catalogue.products] == ["blue-mug"]
    assert ("ROW_UNREADABLE", "about.html", 2) in reasons(catalogue)
    assert all(issue.severity == "warning" for issue in catalogue.issues if issue.source == "about.html")
