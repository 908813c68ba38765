"""The list of deliveries that were made before."""

from pathlib import Path

import pytest
from approved_pictures import Thing, approve, draw

from catalog import people
from catalog.deliveries import deliveries
from catalog.export import export
from catalog.roles import NotAllowed
from catalog.schema import ExportRunRow
from catalog.store import Catalog


def test_deliveries_lists_completed_exports_newest_first(workspace: Path) -> None:
    draw(workspace, [Thing(sku="MUG-1")], 3)
    with Catalog.open(workspace) as catalog:
        people.sign_in(catalog, "lea", role="lead")
        approve(catalog, (1, 2))
        export(catalog)
        export(catalog, format="shopify", base_url="https://cdn.example.com/p")
        with catalog.write() as session:
            session.add(ExportRunRow(format="coco", path="/half", state="failed"))
        newest, oldest = deliveries(catalog, "lea")
        assert (newest.format, newest.images, newest.excluded, newest.base_url) == (
            "shopify", 2, {"undecided": 1}, "https://cdn.example.com/p",
        )  # fmt: skip
        assert oldest.path == catalog.workspace / "exports" / "folder-001" and not oldest.signed
        assert deliveries(catalog, "lea", before_id=newest.id, limit=5) == [oldest]
        assert deliveries(catalog, "lea", limit=1) == [newest]


@pytest.mark.parametrize("role", ["reviewer", "auditor"])
def test_deliveries_are_for_who_may_export(workspace: Path, role: str) -> None:
    with Catalog.open(workspace) as catalog:
        people.sign_in(catalog, "aki", role=role)
        with pytest.raises(NotAllowed, match=f"aki is {role} and may not export"):
            deliveries(catalog, "aki")
