"""Amazon Berkeley Objects: gzipped listings, one item in several marketplaces, pictures by id."""

import gzip
import json
from collections.abc import Callable
from typing import Any

from catalog.readers.draft import DraftCatalogue
from catalog.records import RowBooks

Read = Callable[..., DraftCatalogue]
Whole = Callable[[DraftCatalogue], dict[str, dict[str, object]]]
Reasons = Callable[[DraftCatalogue], list[tuple[str, str, int | None]]]


def said(**languages: str) -> list[dict[str, str]]:
    return [{"language_tag": tag, "value": value} for tag, value in languages.items()]


def lines(*listings: object) -> bytes:
    return b"".join(json.dumps(listing).encode() + b"\n" for listing in listings)


SOFA_DE: dict[str, Any] = {
    "item_id": "B01",
    "domain_name": "amazon.de",
    "marketplace": "Amazon",
    "country": "DE",
    "item_name": said(de_DE="Sofa aus Leinen"),
    "color": said(de_DE="Grau"),
    "bullet_point": [*said(de_DE="Weich"), *said(de_DE="Breit")],
    "main_image_id": "81a",
    "other_image_id": ["de9"],
}
SOFA: dict[str, Any] = {
    "item_id": "B01",
    "domain_name": "amazon.com",
    "item_name": said(en_US="Linen sofa", es_US="Sofá de lino"),
    "brand": said(en_US="Fieldwear"),
    "bullet_point": [*said(en_US="Soft"), *said(en_US="Wide <b>seat</b>")],
    "color": [{"language_tag": "en_US", "value": "Grey", "standardized_values": ["Gray"]}],
    "material": [*said(en_US="Linen"), *said(en_US="Oak")],
    "item_keywords": said(en_US="red blue couch"),
    "item_dimensions": {
        "height": {"unit": "centimeters", "value": 81.28, "normalized_value": {"unit": "inches", "value": 32}},
        "width": {"unit": "inches", "value": 70.0},
    },
    "item_weight": [{"unit": "kilograms", "value": 30, "normalized_value": {"unit": "pounds", "value": 66.14}}],
    "product_type": [{"value": "SOFA_BED"}],
    "node": [
        {"node_id": 1, "node_name": "/Categories/Furniture"},
        {"node_id": 2, "node_name": "/Categories/Furniture/Living Room/Sofas"},
    ],
    "model_number": [{"value": "M-1"}],
    "main_image_id": "81a",
    "other_image_id": ["71b", "nowhere", "lost"],
    "spin_id": "s1",
}
VASE = {"item_id": "B02", "domain_name": "amazon.co.jp", "item_name": said(ja_JP="花瓶"), "color": said(ja_JP="青")}
IMAGES = (
    "image_id,height,width,path\n81a,8,8,81/81a.jpg\n71b,8,8,71/71b.jpg\nde9,8,8,de/de9.jpg\nlost,8,8,lo/lost.jpg\n"
)


def test_listings_of_several_marketplaces_are_one_product(read_files: Read, whole: Whole, reasons: Reasons) -> None:
    again = SOFA | {"item_name": said(en_US="Linen sofa, again")}
    nameless = {"item_id": "B03", "domain_name": "amazon.com", "item_name": []}
    files = {
        "listings/metadata/listings_0.json.gz": gzip.compress(lines(SOFA_DE, VASE | {"main_image_id": "71b"})),
        # Two members in one file, as `cat a.gz b.gz` makes it.
        "listings/metadata/listings_1.json.gz": gzip.compress(lines(SOFA, again))
        + gzip.compress(b"{broken\n" + lines({"domain_name": "amazon.com"}, nameless)),
        "images/metadata/images.csv.gz": gzip.compress(IMAGES.encode()),
    }
    pictures = [
        f"{folder}/{path}" for folder in ("images/original", "a-small") for path in ("81/81a.jpg", "71/71b.jpg")
    ]
    catalogue = read_files(files, [*pictures, "a-small/de/de9.jpg"])
    assert catalogue.reader == "berkeley_objects"
    assert whole(catalogue) == {
        "B01": {
            "name": "Linen sofa",
            "category": "Furniture > Living Room > Sofas",
            "description": "Soft\nWide seat",
            "line": 1,
            "facts": {
                "brand": "Fieldwear",
                "color": "Grey",
                "material": "Linen, Oak",
                "type": "sofa bed",
                "height": "32 inches",
                "width": "70.0 inches",
                "weight": "66.14 pounds",
            },
            "texts": {
                "bullet points": "Soft\nWide seat",
                "name [es]": "Sofá de lino",
                "name [de]": "Sofa aus Leinen",
                "color [de]": "Grau",
                "bullet points [de]": "Weich\nBreit",
            },
            "variants": {},
            # The original, not its small copy, where there is one.
            "pictures": [
                ("images/original/81/81a.jpg", None),
                ("images/original/71/71b.jpg", None),
                ("a-small/de/de9.jpg", None),
            ],
        },
        "B02": {
            "name": "花瓶",
            "category": "",
            "description": "",
            "line": 2,
            "facts": {"color": "青"},
            "texts": {},
            "variants": {},
            "pictures": [("images/original/71/71b.jpg", None)],
        },
    }
    second = "listings/metadata/listings_1.json.gz"
    assert reasons(catalogue) == [
        ("ROW_UNREADABLE", second, 3),
        ("ROW_DUP_KEY", second, 2),
        ("ROW_NO_KEY", second, 4),
        ("FILE_MISSING", second, 1),
        ("FILE_MISSING", second, 1),
        ("ROW_NO_NAME", second, 5),
    ]
    assert "'nowhere' is in no table of pictures" in catalogue.issues[3].detail
    assert "'lo/lost.jpg' is not in the dump" in catalogue.issues[4].detail
    assert catalogue.rows == RowBooks(read=7, accepted=3, duplicate=1, quarantined=3)


def test_cut_off_archive_gives_what_stands_before_the_cut(read_files: Read, whole: Whole, reasons: Reasons) -> None:
    chairs = [SOFA | {"item_id": f"B{number}", "other_image_id": []} for number in range(2000)]
    data = gzip.compress(lines(*chairs))
    files = {"listings_0.json.gz": data[: len(data) // 2], "images.csv": IMAGES}
    catalogue = read_files(files, ["81/81a.jpg"])
    assert 500 < len(whole(catalogue)) < 1500
    # The cut goes through the last line.
    assert {reason for reason, _, _ in reasons(catalogue)} == {"FILE_UNREADABLE", "ROW_UNREADABLE"}
    assert catalogue.rows.quarantined == 1
