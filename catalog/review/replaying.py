"""The state of every item derived again from the log alone, to compare with what is stored."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from catalog import policies
from catalog.decision_log import Head, settled_state
from catalog.policy import DEFAULT_POLICY
from catalog.schema import DecisionRow, GenerationRow, ReviewItemRow
from catalog.store import Catalog


@dataclass(frozen=True, kw_only=True)
class Difference:
    """An item whose stored state the log does not explain."""

    item_id: int
    stored: str
    derived: str


@dataclass(frozen=True, kw_only=True)
class Replay:
    """What the log says."""

    states: dict[int, str]
    """Item → state as the log makes it."""
    decisions: int
    """Rows that were read."""
    differences: tuple[Difference, ...]
    """Empty when all stored states follow from the log."""


def replay(catalog: Catalog) -> Replay:
    """Read the log from its beginning, in one snapshot, and derive each item's state.

    Each row is judged by the rules it was made under; the last row of an item gives the quorum, as it did when it was
    written. Skips judge nothing, nor does taking one back.
    """
    with catalog.read() as session:
        rules = policies.by_version(session)
        heads: dict[tuple[int, int], dict[int, Head]] = {}
        version: dict[tuple[int, int], int] = {}
        row = DecisionRow
        log = session.execute(
            select(row.id, row.item_id, row.round, row.verdict, row.origin, row.supersedes_id, row.policy_version)
            .order_by(row.id)
            .execution_options(yield_per=5000)
        )
        count, skips = 0, set[int]()
        for decision_id, item_id, round_, verdict, origin, supersedes_id, made_under in log:
            count += 1
            standing = heads.setdefault((item_id, round_), {})
            if supersedes_id is not None:
                standing.pop(supersedes_id, None)
            standing[decision_id] = Head(decision_id, verdict, origin)
            if verdict == "skip":
                skips.add(decision_id)
            elif supersedes_id not in skips or verdict != "void":
                version[item_id, round_] = made_under
        states, differences = {}, []
        item = ReviewItemRow
        stored = session.execute(
            select(item.id, item.round, item.state, item.quorum, item.flagged, GenerationRow.nearest_similarity)
            .join(GenerationRow, GenerationRow.id == item.generation_id)
            .order_by(item.id)
        )
        for item_id, round_, state, quorum, flagged, similarity in stored:
            policy = rules.get(version.get((item_id, round_), 0), DEFAULT_POLICY)
            needed = policy.needed(quorum, copy_risk=flagged or policy.copy_risk(similarity))
            states[item_id] = settled_state(heads.get((item_id, round_), {}).values(), needed)
            if states[item_id] != state:
                differences.append(Difference(item_id=item_id, stored=state, derived=states[item_id]))
    return Replay(states=states, decisions=count, differences=tuple(differences))
