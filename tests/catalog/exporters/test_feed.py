"""Names and addresses that shops match rows by."""

import pytest

from catalog.exporters.feed import address, checked_base_url
from catalog.exporters.merchant import MerchantExporter
from catalog.exporters.shopify import ShopifyExporter


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://cdn.example.com", "https://cdn.example.com/images/a.png"),
        ("https://cdn.example.com/shop/", "https://cdn.example.com/shop/images/a.png"),
        ("https://cdn.example.com/a,b", "https://cdn.example.com/a%2Cb/images/a.png"),
        ("https://cdn.example.com/a%20b", "https://cdn.example.com/a%20b/images/a.png"),
        ("https://cdn.example.com/写真", "https://cdn.example.com/%E5%86%99%E7%9C%9F/images/a.png"),
    ],
)
def test_address_joins_base_and_name(url: str, expected: str) -> None:
    assert address(checked_base_url(url), "images/a.png") == expected


@pytest.mark.parametrize(
    ("sku", "handle"),
    [
        ("blue-mug", "blue-mug"),
        ("blue_mug--2", "blue_mug--2"),
        ("Blue Mug (2 L)", "blue-mug-2-l"),
        ("青いマグ", "青いマグ"),
        ("-x-", "x"),
        ("=1+1", "1-1"),
        ("***", None),
    ],
)
def test_handle_is_the_number_where_it_can_be(sku: str, handle: str | None) -> None:
    assert ShopifyExporter().product_name(sku, "") == handle


@pytest.mark.parametrize(
    ("sku", "variant", "expected"),
    [
        ("MUG-1", "", "MUG-1"),
        ("MUG-1", "MUG-1-S", "MUG-1-S"),
        ("M" * 51, "", None),
        ("", "", None),
        ("-12", "", None),
        ("A  B", "", None),
    ],
)
def test_merchant_id_is_the_number_as_it_is(sku: str, variant: str, expected: str | None) -> None:
    assert MerchantExporter().product_name(sku, variant) == expected
