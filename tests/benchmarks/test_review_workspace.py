"""The workspaces that the review benchmark measures on hold together as those of people do."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import review_workspace

from catalog import audit, gallery, queue, siblings
from catalog.store import Catalog


def test_workspace_is_one_that_the_services_accept(tmp_path: Path) -> None:
    with Catalog.open(tmp_path) as catalog:
        review_workspace.fill(catalog, 240, 0.5, photographs=3)
        checked = audit.check(catalog, review_workspace.LEAD)
        assert checked.ok and checked.decisions >= 120
        counts = queue.progress(catalog)
        assert counts.total == 240 and counts.approved and counts.rejected
        item = queue.item(catalog, 200)
        assert len(siblings.siblings(catalog, item)) == review_workspace.WORDINGS
        photos = [photo.image_sha256 for photo in siblings.real_photos(catalog, item)]
        assert all(catalog.blobs.has(photo) for photo in (item.image_sha256, *photos))
        assert gallery.next_to_compare(catalog, review_workspace.NEW[0]) is not None
