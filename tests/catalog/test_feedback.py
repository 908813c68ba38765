"""Frozen feedback: the decisions that stand, and nothing that names a person; the same decisions, the same folder."""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from frozen_tiles import frozen_tiles

from catalog import feedback, feedback_folder, manifest, policies, review
from catalog.errors import CatalogError
from catalog.feedback_folder import Feedback, FeedbackDecision, FeedbackEntry
from catalog.policy import Policy
from catalog.store import Catalog

NOTE = "the handle is bent, says Aki"


@pytest.fixture
def catalog(queued: Callable[..., Path]) -> Iterator[Catalog]:
    with Catalog.open(queued(4)) as opened:
        yield opened


def decided(catalog: Catalog) -> Feedback:
    """Approve item 1, reject item 2 with reasons, a note and a check, skip item 3, approve and undo item 4."""
    review.decide_item(catalog, "aki", 1, "approve")
    reasons, checks = ("wrong_colour", "blurred"), {"colour": "mismatch"}
    review.decide_item(catalog, "ben", 2, "reject", reasons=reasons, note=NOTE, checks=checks)
    review.decide_item(catalog, "aki", 3, "skip")
    review.decide_item(catalog, "aki", 4, "approve")
    review.undo_item(catalog, "aki", 4)
    return feedback.freeze(catalog)


def test_decisions_that_stand_are_frozen_with_what_the_picture_was_made_from(catalog: Catalog) -> None:
    frozen = decided(catalog)
    assert [entry.state for entry in frozen.entries] == ["approved", "rejected"]
    first, second = frozen.entries
    assert (first.product, first.category, first.run, first.seed) == ("shop/MUG-1", "Kitchen / Mugs", "mugs", 0)
    assert first.prompt == "a blue enamel mug on a white background" and first.scores == {"text_match": 0.31}
    assert (first.nearest_similarity, first.copy_risk, first.quorum) == (0.62, False, 1)
    assert first.approved and first.copy_checked and not first.rejected
    (made,) = second.decisions
    assert (made.verdict, made.reasons, made.checks) == ("reject", ("wrong_colour", "blurred"), {"colour": "mismatch"})
    assert second.rejected and second.reasons == {"wrong_colour", "blurred"} and made.origin == "script"
    assert frozen.counts == {"images": 2, "products": 1, "decisions": 2, "approved": 1, "rejected": 1}
    assert first.image.read_bytes() == catalog.blobs.read(first.sha256) and first.image.parent.parent == frozen.folder


def test_a_corrected_decision_replaces_the_one_before(catalog: Catalog) -> None:
    review.decide_item(catalog, "aki", 1, "approve")
    review.undo_item(catalog, "aki", 1)
    review.decide_item(catalog, "aki", 1, "reject", reasons=("distorted",))
    (entry,) = feedback.freeze(catalog).entries
    assert [made.verdict for made in entry.decisions] == ["reject"] and entry.state == "rejected"


def test_nobody_is_named_and_no_note_leaves_the_database(catalog: Catalog) -> None:
    frozen = decided(catalog)
    text = "".join((frozen.folder / name).read_text() for name in ("manifest.jsonl", "dataset.json")).lower()
    assert not [word for word in ("aki", "ben", "bent", "note", "_at", "dwell") if word in text]
    numbers = [made.reviewer for entry in frozen.entries for made in entry.decisions]
    assert len(set(numbers)) == 2 and not {1, 2} & set(numbers)
    review.decide_item(catalog, "chen", 4, "approve")
    later = feedback.freeze(catalog)
    assert [made.reviewer for entry in later.entries for made in entry.decisions][:2] == numbers


def test_the_same_decisions_give_the_same_folder(catalog: Catalog) -> None:
    frozen = decided(catalog)
    planned = feedback.plan(catalog)
    assert (planned.folder, planned.content_hash) == (frozen.folder, frozen.content_hash)
    review.decide_item(catalog, "ben", 3, "skip")  # no judgement, so nothing new
    assert feedback.freeze(catalog) == frozen == feedback_folder.read(frozen.folder)
    before = (frozen.folder / "manifest.jsonl").read_bytes()
    shutil.rmtree(frozen.folder)
    assert (feedback.freeze(catalog).folder / "manifest.jsonl").read_bytes() == before
    review.decide_item(catalog, "ben", 3, "approve")
    assert feedback.freeze(catalog).folder != frozen.folder


def test_a_picture_that_may_be_a_copy_needs_two_and_says_so(queued: Callable[..., Path]) -> None:
    with Catalog.open(queued(1, similarity=0.99)) as catalog:
        review.decide_item(catalog, "aki", 1, "approve")
        (entry,) = feedback.plan(catalog).entries
        assert entry.copy_risk and entry.quorum == 2 and not entry.approved and not entry.copy_checked
        (entry,) = feedback.plan(catalog, policy=Policy(copy_similarity=1.0)).entries
        assert entry.copy_risk, "looser rules take no flag away"
        review.decide_item(catalog, "ben", 1, "approve")
        (entry,) = feedback.plan(catalog).entries
        assert entry.approved and not entry.copy_checked


def test_the_rules_in_force_say_how_many_must_approve(catalog: Catalog) -> None:
    review.decide_item(catalog, "aki", 1, "approve")
    policies.save(catalog, "aki", Policy(quorum=2, copy_similarity=0.5), "two pairs of eyes")
    (entry,) = feedback.plan(catalog).entries
    assert entry.quorum == 2 and not entry.approved and entry.copy_risk
    (entry,) = feedback.plan(catalog, policy=Policy()).entries
    assert entry.approved and not entry.copy_risk


def test_a_picture_never_compared_is_not_checked(queued: Callable[..., Path]) -> None:
    with Catalog.open(queued(1, similarity=None)) as catalog:
        review.decide_item(catalog, "aki", 1, "approve")
        (entry,) = feedback.plan(catalog).entries
        assert entry.approved and not entry.copy_risk and not entry.copy_checked


def made(verdict: str, *reasons: str, origin: str = "review") -> FeedbackDecision:
    return FeedbackDecision(reviewer=7, verdict=verdict, reasons=reasons, checks={}, origin=origin, policy_version=0)


def test_an_adjudicator_needs_no_quorum_and_a_rule_is_no_person(catalog: Catalog) -> None:
    entry: FeedbackEntry = replace(decided(catalog).entries[0], quorum=2)
    assert not entry.approved
    assert replace(entry, decisions=(made("reject", "blurred"), made("approve", origin="adjudication"))).approved
    refused = replace(entry, state="rejected")
    assert not replace(refused, decisions=(made("reject", "other", origin="auto"),)).rejected
    assert replace(refused, decisions=(made("reject", "other"),)).rejected


def test_nothing_decided_is_one_line(catalog: Catalog) -> None:
    review.decide_item(catalog, "aki", 1, "skip")
    with pytest.raises(CatalogError, match=r"nothing is decided yet.*decide first: adapt review$"):
        feedback.freeze(catalog)
    assert not (catalog.workspace / "datasets").exists()


def test_a_picture_missing_from_the_store_is_one_line(catalog: Catalog) -> None:
    decided(catalog)
    gone = feedback.plan(catalog).entries[0]
    gone.image.unlink()
    with pytest.raises(CatalogError, match=r"of item 1 is not in the blob store.*adapt generate --run mugs$"):
        feedback.freeze(catalog)


def test_folders_of_another_kind_are_told_apart(catalog: Catalog, tmp_path: Path) -> None:
    frozen, tiles = decided(catalog), frozen_tiles(tmp_path, count=2)
    with pytest.raises(CatalogError, match=r"holds a dataset of photos, not feedback; give it with --data-dir"):
        feedback_folder.read(tiles)
    with pytest.raises(CatalogError, match=r"holds feedback, not a dataset of photos; give it with --feedback"):
        manifest.read(frozen.folder)
    with pytest.raises(CatalogError, match=r"no feedback at .*it has no dataset.json"):
        feedback_folder.read(tmp_path)
    about = json.loads((frozen.folder / "dataset.json").read_text())
    (frozen.folder / "dataset.json").write_text(json.dumps(about | {"kind": "songs"}))
    with pytest.raises(CatalogError, match=r"of kind 'songs', which this version does not know; update adapt"):
        feedback_folder.read(frozen.folder)


def test_damage_is_one_line(catalog: Catalog) -> None:
    frozen = decided(catalog)
    lines = frozen.folder / "manifest.jsonl"
    whole = lines.read_bytes()
    lines.write_bytes(whole.replace(b"approve", b"applaud"))
    with pytest.raises(CatalogError, match=r"feedback .* is damaged: manifest.jsonl has hash .*freeze it again$"):
        feedback_folder.read(frozen.folder)
    lines.write_bytes(whole)
    frozen.entries[1].image.unlink()
    with pytest.raises(CatalogError, match=r"is damaged: picture .* of line 2 is missing"):
        feedback_folder.read(frozen.folder)


def test_a_picture_that_was_exchanged_is_one_line(catalog: Catalog) -> None:
    frozen = decided(catalog)
    first, second = frozen.entries
    first.image.write_bytes(second.image.read_bytes())
    with pytest.raises(
        CatalogError, match=r"picture .* of line 1 was exchanged; delete the folder and freeze it again$"
    ):
        feedback_folder.read(frozen.folder)
    first.image.unlink()
    first.image.mkdir()
    with pytest.raises(CatalogError, match=r"picture .* of line 1 cannot be read") as caught:
        feedback_folder.read(frozen.folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("what", "instead"),
    [
        (b'"prompt":"a blue', b'"prompt":5,"x":"a blue'),
        (b'"seed":0', b'"seed":"many"'),
        (b'"nearest_similarity":0.62', b'"nearest_similarity":"near"'),
        (b'"decisions":[', b'"decisions":[7,'),
        (b'"image":"images/', b'"image":"../images/'),
        (b"blue", b"bl\xff"),
    ],
)
def test_a_folder_that_was_forged_with_its_digest_is_one_line(catalog: Catalog, what: bytes, instead: bytes) -> None:
    frozen = decided(catalog)
    lines, about = frozen.folder / "manifest.jsonl", frozen.folder / "dataset.json"
    forged = lines.read_bytes().replace(what, instead)
    assert forged != lines.read_bytes()
    lines.write_bytes(forged)
    digest = hashlib.sha256(forged).hexdigest()
    about.write_text(json.dumps(json.loads(about.read_text()) | {"content_hash": digest}))
    with pytest.raises(CatalogError, match=r"is damaged: manifest.jsonl line 1: .*freeze it again$") as caught:
        feedback_folder.read(frozen.folder)
    assert "\n" not in str(caught.value)


def test_a_similarity_that_is_no_number_says_nothing_of_copies(catalog: Catalog) -> None:
    entry = decided(catalog).entries[0]
    assert entry.copy_checked and not replace(entry, nearest_similarity=float("nan")).copy_checked
