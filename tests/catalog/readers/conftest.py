"""Dumps of one format, written and read in a test, and what came of them in a form that is compared as a whole."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
from PIL import Image

from catalog.paths import Dump
from catalog.readers import read_dump
from catalog.readers.draft import DraftAttribute, DraftCatalogue, DraftProduct

Reading = Callable[..., DraftCatalogue]


@pytest.fixture
def read_files(tmp_path: Path) -> Reading:
    """Return a function that writes files and pictures into a dump and reads it."""

    def read(files: Mapping[str, str | bytes], pictures: Sequence[str]) -> DraftCatalogue:
        for name, content in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
        for name in pictures:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (8, 8)).save(tmp_path / name)
        return read_dump(Dump(tmp_path))

    return read


def _stated(attributes: Sequence[DraftAttribute], kind: str) -> dict[str, str]:
    return {
        attribute.name: f"{attribute.value} {attribute.unit}" if attribute.unit else attribute.value
        for attribute in attributes
        if attribute.kind == kind
    }


def _product(product: DraftProduct) -> dict[str, object]:
    assert len({picture.path for picture in product.pictures}) == len(product.pictures)
    assert [picture.role for picture in product.pictures] == ["main", "extra", "extra", "extra", "extra", "extra"][
        : len(product.pictures)
    ]
    return {
        "name": product.name,
        "category": product.category,
        "description": product.description,
        "line": product.line,
        "facts": _stated(product.attributes, "fact"),
        "texts": _stated(product.attributes, "text"),
        "variants": {
            variant.key: (variant.sku, variant.name, _stated(variant.attributes, "fact"))
            for variant in product.variants
        },
        "pictures": [(picture.path, picture.variant_key) for picture in product.pictures],
    }


@pytest.fixture
def whole() -> Callable[[DraftCatalogue], dict[str, dict[str, object]]]:
    """Return a function that gives the products of a catalogue by key, complete, and checks that the books balance."""

    def of(catalogue: DraftCatalogue) -> dict[str, dict[str, object]]:
        rows = catalogue.rows
        assert rows.read == rows.accepted + rows.duplicate + rows.quarantined
        assert not [issue for issue in catalogue.issues if issue.reason == "ROW_UNUSED"]
        assert len({product.sku for product in catalogue.products}) == len(catalogue.products)
        return {product.sku: _product(product) for product in catalogue.products}

    return of


@pytest.fixture
def reasons() -> Callable[[DraftCatalogue], list[tuple[str, str, int | None]]]:
    """Return a function that gives (code, file, line) of everything that was reported."""
    return lambda catalogue: [(issue.reason, issue.source, issue.line) for issue in catalogue.issues]
