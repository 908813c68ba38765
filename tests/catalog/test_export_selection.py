"""Only what people approved leaves, and for everything else the delivery says why it stayed."""

import csv
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from approved_pictures import Thing, approve, draw
from sqlalchemy import text, update

from catalog import export, people, policies, review
from catalog.approved import Selection
from catalog.errors import ExportRefused
from catalog.left_out import Refusal
from catalog.policy import Policy
from catalog.review.screening import reject_low
from catalog.roles import NotAllowed
from catalog.schema import GenerationRow, ReviewItemRow
from catalog.store import Catalog

BASE = "https://cdn.example.com/p"


def excluded(folder: Path) -> dict[int, str]:
    with (folder / "excluded.csv").open(encoding="utf-8-sig", newline="") as file:
        return {int(row["item"]): row["reason"] for row in csv.DictReader(file)}


def refused(folder: Path) -> dict[int, tuple[str, str]]:
    with (folder / "excluded.csv").open(encoding="utf-8-sig", newline="") as file:
        return {int(row["item"]): (row["reasons"], row["decided_by"]) for row in csv.DictReader(file)}


def test_export_says_why_each_candidate_stays(tmp_path: Path) -> None:
    workspace = draw(tmp_path / "workspace", (Thing(sku="MUG-1"),), 10)
    with Catalog.open(workspace) as catalog:
        with catalog.write() as session:
            session.execute(text("UPDATE review_item SET quorum = 2 WHERE id = 5"))
            session.execute(text("UPDATE generation SET nearest_similarity = 0.99 WHERE id = 6"))
            session.execute(text("UPDATE review_item SET flagged = true WHERE id IN (7, 10)"))
        approve(catalog, [1, 4, 5, 6, 8, 10])
        approve(catalog, [7], by=("aki", "bo"))
        approve(catalog, [2], verdict="reject")
        approve(catalog, [3], verdict="changes")
        approve(catalog, [4], by=("bo",), verdict="reject")
        with catalog.read() as session:
            sha256 = session.scalar(text("SELECT image_sha256 FROM generation WHERE id = 8"))
        catalog.blobs.path(sha256).unlink()
        report = export.export(catalog)
        assert export.export(catalog, dry_run=True).excluded == report.excluded
    assert report.images == 2
    assert excluded(report.path) == {
        2: "rejected",
        3: "changes",
        4: "conflict",
        5: "quorum",
        6: "copy_risk_needs_second_reviewer",
        8: "picture_missing",
        9: "undecided",
        10: "copy_risk_needs_second_reviewer",
    }
    assert report.excluded == dict(sorted(Counter(excluded(report.path).values()).items()))


def test_export_believes_neither_state_nor_log_alone(tmp_path: Path) -> None:
    workspace = draw(tmp_path / "workspace", (Thing(sku="MUG-1"),), 4)
    with Catalog.open(workspace) as catalog:
        approve(catalog, [1, 2, 3])
        approve(catalog, [3], by=("bo",), verdict="reject")
        with catalog.write() as session:
            session.execute(text("UPDATE review_item SET state = 'pending' WHERE id = 2"))
            session.execute(text("UPDATE review_item SET state = 'approved' WHERE id IN (3, 4)"))
        assert excluded(export.export(catalog).path) == {2: "undecided", 3: "conflict", 4: "undecided"}


def test_export_takes_the_policy_for_what_is_a_copy(tmp_path: Path) -> None:
    workspace = draw(tmp_path / "workspace", (Thing(sku="MUG-1"),), 2, similarity=0.8)
    with Catalog.open(workspace) as catalog:
        approve(catalog, [1, 2])
        assert export.export(catalog, dry_run=True).images == 2
        strict = export.export(catalog, dry_run=True, policy=Policy(version=4, copy_similarity=0.75))
        assert strict.excluded == {"copy_risk_needs_second_reviewer": 2}


def test_export_reads_postgresql_alike(tmp_path: Path, postgres_url: str) -> None:
    things = (Thing(sku="MUG-1", variants=("MUG-1-S",)), Thing(sku="MUG-2"))
    manifests = []
    for url in (None, postgres_url):
        workspace = draw(tmp_path / str(len(manifests)) / "workspace", things, 3, url=url)
        with Catalog.open(workspace, url=url) as catalog:
            approve(catalog, [1, 2, 3, 5])
            report = export.export(catalog)
            assert (report.images, report.excluded) == (4, {"undecided": 2})
            manifests.append([json.loads(line) for line in (report.path / "manifest.jsonl").open()])
    for line in (line for lines in manifests for line in lines):
        del line["decided_at"]
    assert manifests[0] == manifests[1]


@pytest.mark.parametrize(("format", "limit"), [("merchant", 11), ("shopify", 250)])
def test_feed_takes_so_many_pictures_of_a_product(tmp_path: Path, format: str, limit: int) -> None:
    count = limit + 2
    workspace = draw(tmp_path / "workspace", (Thing(sku="MUG-1"), Thing(sku="MUG-2")), count)
    with Catalog.open(workspace) as catalog:
        approve(catalog, range(1, 2 * count + 1))
        report = export.export(catalog, format=format, base_url=BASE, dry_run=True)
    assert (report.images, report.excluded) == (2 * limit, {"over_limit": 4})


@pytest.mark.parametrize("format", ["merchant", "shopify"])
def test_feed_gives_a_name_to_one_product_only(tmp_path: Path, format: str) -> None:
    things = (Thing(sku="mug-1", source="east"), Thing(sku="mug-1", source="west"), Thing(sku="mug-2", source="west"))
    workspace = draw(tmp_path / "workspace", things, 1)
    with Catalog.open(workspace) as catalog:
        approve(catalog, [1, 2, 3])
        report = export.export(catalog, format=format, base_url=BASE)
    assert (report.images, excluded(report.path)) == (2, {2: "id_taken"})


@pytest.mark.parametrize(
    "url",
    [
        "http://cdn.example.com",
        "cdn.example.com",
        "https://",
        "https://user:secret@cdn.example.com",
        "https://cdn.example.com/?a=1",
        "https://cdn.example.com/#a",
        "https://cdn.example.com/a b",
        "https://cdn.example.com/<script>",
        "https://[",
        "https://cdn.example.com:8080/",
        "https://localhost/p",
        "https://shop/p",
        "https://nas.local/p",
        "https://127.0.0.1/p",
        "https://192.168.0.4/p",
        "https://[::1]/p",
        "javascript:alert(1)",
    ],
)
def test_feed_refuses_what_is_no_public_address(tmp_path: Path, url: str) -> None:
    with Catalog.open(tmp_path) as catalog, pytest.raises(ExportRefused, match="give a public https address") as caught:
        export.export(catalog, format="merchant", base_url=url)
    assert "\n" not in str(caught.value)


def test_base_url_goes_with_feeds_only(tmp_path: Path) -> None:
    with Catalog.open(tmp_path) as catalog:
        with pytest.raises(ExportRefused, match=r"shopify lists addresses: say where .* --base-url"):
            export.export(catalog, format="shopify")
        with pytest.raises(ExportRefused, match="coco lists files, not addresses; leave --base-url out"):
            export.export(catalog, format="coco", base_url=BASE)


def test_export_follows_a_ruling_and_a_choice(tmp_path: Path) -> None:
    workspace = draw(tmp_path / "workspace", (Thing(sku="MUG-1"),), 5)
    with Catalog.open(workspace) as catalog:
        people.sign_in(catalog, "lead")  # the first person of a workspace may do everything
        approve(catalog, [1, 2])
        approve(catalog, [1, 2], by=("bo",), verdict="reject")
        review.adjudicate(catalog, "lead", 1, "approve", note="the handle is right")
        review.adjudicate(catalog, "lead", 2, "reject", note="it is not", reasons=["wrong_shape"])
        review.choose(catalog, "lead", 3, [4], scripted=True)
        report = export.export(catalog)
    assert report.images == 2
    assert excluded(report.path) == {2: "rejected", 4: "not_chosen", 5: "undecided"}
    assert refused(report.path) == {2: ("wrong_shape", "person"), 4: ("", "script"), 5: ("", "")}


def test_export_says_whose_word_keeps_a_picture_here(tmp_path: Path) -> None:
    workspace = draw(tmp_path / "workspace", (Thing(sku="MUG-1"),), 5)
    with Catalog.open(workspace) as catalog:
        people.sign_in(catalog, "lead")
        approve(catalog, [1, 5])
        item = review.claim(catalog, "aki", item_id=2)
        assert item is not None
        review.mark_shown(catalog, 2, item.lease_token or "")
        rules = Policy(min_view_s=0)
        codes = ["distorted", "copy"]
        review.decide(catalog, 2, item.lease_token or "", "reject", reasons=codes, policy=rules)
        review.decide_item(catalog, "aki", 3, "changes", note="thinner", reasons=["wrong_shape"])
        score = Policy(auto_reject={"text_match": 0.5})
        with catalog.write() as session:
            session.execute(update(GenerationRow).where(GenerationRow.id == 4).values(scores={"text_match": 0.1}))
            row, drawn = session.get_one(ReviewItemRow, 4), session.get_one(GenerationRow, 4)
            number = next(n for n in range(1, 100) if not replace(score, version=n).audited(4))
            assert reject_low(session, row, drawn, replace(score, version=number))
        with catalog.read() as session:
            selection = Selection(session, catalog.blobs.digests(), Policy(), lambda: lambda offer: None)
            judged = {one.row.id: one.refusal for batch in selection.judged() for one in batch}
    assert judged == {
        1: Refusal(),
        2: Refusal(reasons=("distorted", "copy"), decided_by="person"),
        3: Refusal(reasons=("wrong_shape",), decided_by="script"),
        4: Refusal(reasons=("low_score",), decided_by="threshold"),
        5: Refusal(),
    }


def test_export_asks_for_as_many_approvals_as_the_rules_in_force(tmp_path: Path) -> None:
    workspace = draw(tmp_path / "workspace", (Thing(sku="MUG-1"),), 2)
    with Catalog.open(workspace) as catalog:
        people.sign_in(catalog, "lead")
        approve(catalog, [1, 2])
        policies.save(catalog, "lead", Policy(quorum=2), "two pairs of eyes")
        with pytest.raises(ExportRefused, match="2 quorum"):
            export.export(catalog)


def test_export_is_refused_to_a_role_that_may_not(tmp_path: Path) -> None:
    workspace = draw(tmp_path / "workspace", (Thing(sku="MUG-1"),), 1)
    with Catalog.open(workspace) as catalog:
        people.sign_in(catalog, "lead")
        people.sign_in(catalog, "aki")
        approve(catalog, [1])
        with pytest.raises(NotAllowed, match="aki is reviewer and may not export"):
            export.export(catalog, actor="aki")
        assert export.export(catalog, actor="lead").images == 1
