"""Stage 8 of 9. Reads the review queue. Writes decisions. Next: `catalog.export`.

The legal moves of a candidate. A reviewer claims an item (a lease: nobody else can hold it), sees it, decides once.
Decisions are rows that never change; undoing one adds a row that supersedes it. The item's state is what the rows
nobody superseded say. Every move is one short transaction, looks up in it what the person's role allows, and takes the
clock as an argument: tests need not wait.
"""

from catalog.clock import Clock, utc_now
from catalog.notes import NOTE_MAX_CHARS as NOTE_MAX_CHARS
from catalog.people import NAME_MAX_CHARS as NAME_MAX_CHARS
from catalog.review.adjudication import RULINGS as RULINGS
from catalog.review.adjudication import Conflict, Opinion, adjudicate, conflicts, opinions_on
from catalog.review.claims import COMPARED as COMPARED
from catalog.review.claims import claim, claim_candidates, mark_shown, release, renew
from catalog.review.refusals import AlreadyChanged, LeaseLost, NothingToUndo, PictureMissing, TooFast
from catalog.review.replaying import Difference, Replay, replay
from catalog.review.screening import UnderThresholds, screen, under_thresholds
from catalog.review.settling import CHECK_VERDICTS as CHECK_VERDICTS
from catalog.review.settling import DECIDABLE as DECIDABLE
from catalog.review.settling import checked_reasons
from catalog.review.several import SAMPLE as SAMPLE
from catalog.review.several import bulk, choose
from catalog.review.undoing import Undone, standing_decision, undo, undo_item
from catalog.review.verdicts import decide, decide_item, request_changes, skip

__all__ = [
    "AlreadyChanged",
    "Clock",
    "Conflict",
    "Difference",
    "LeaseLost",
    "NothingToUndo",
    "Opinion",
    "PictureMissing",
    "Replay",
    "TooFast",
    "UnderThresholds",
    "Undone",
    "adjudicate",
    "bulk",
    "checked_reasons",
    "choose",
    "claim",
    "claim_candidates",
    "conflicts",
    "decide",
    "decide_item",
    "mark_shown",
    "opinions_on",
    "release",
    "renew",
    "replay",
    "request_changes",
    "screen",
    "skip",
    "standing_decision",
    "under_thresholds",
    "undo",
    "undo_item",
    "utc_now",
]
