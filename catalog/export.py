"""Stage 9 of 9. Reads approved candidates. Writes a delivery folder with provenance in every picture.

A delivery is complete or not there: it is made in a hidden folder beside its final place, read back, and only then
given its name. Order, names and bytes follow from the decisions alone, so the same state gives the same delivery; an
export that was stopped goes on from the files it left.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog import decision_log, delivery_log, policies, roles, terms
from catalog.alt_text import AltTexts
from catalog.approved import Selection, not_approved
from catalog.c2pa_signing import PictureSigner, StampRefused
from catalog.errors import CatalogError, CatalogUnwritable, ExportRefused
from catalog.exporters import checking, exporter
from catalog.exporters.delivery import MANIFEST, Exporter, Verification
from catalog.exporters.feed import checked_base_url
from catalog.exporters.filling import Plan, Progress, fill, load, write_plan
from catalog.exporters.manifest import read_rows
from catalog.exporters.part_folder import PartFolder
from catalog.exporters.place import check_place, is_address
from catalog.lock import file_lock
from catalog.phrases import joined, say, told
from catalog.policy import Policy
from catalog.schema import DecisionRow
from catalog.store import Catalog

_NAMED = 5
"""Most items that a refusal lists by number."""


@dataclass(frozen=True, kw_only=True)
class ExportReport:
    """What an export did, or would do."""

    path: Path
    images: int
    excluded: dict[str, int]
    """Reason → number of candidates left out."""
    verified: int
    """Files whose digest and provenance mark agreed when read back; 0 in a dry run."""
    reused: int = 0
    """Files taken over from an export that was stopped."""
    small: int = 0
    """Pictures with a side shorter than whoever gets them asks for; they are delivered all the same."""
    asked_px: int = 0
    """What is asked for."""


def export(
    catalog: Catalog,
    *,
    format: str = "folder",
    out: Path | None = None,
    base_url: str = "",
    c2pa: tuple[Path, Path] | None = None,
    c2pa_tsa: str = "",
    dry_run: bool = False,
    actor: str | None = None,
    policy: Policy | None = None,
    progress: Progress | None = None,
) -> ExportReport:
    """Deliver every picture whose standing decisions approve it.

    Args:
        catalog: An open catalogue.
        format: A name in `catalog.exporters.FORMATS`.
        out: Folder to make; default is the next free `exports/<format>-<number>` of the workspace.
        base_url: Public https address the folder will be found under; needed by the feeds of shops, refused elsewhere.
        c2pa: PEM files of certificate and private key to sign each picture with.
        c2pa_tsa: Address of a time-stamp service (RFC 3161) that each signature is to be stamped by.
        dry_run: Count only; write nothing.
        actor: Who asks for it on the screen; None for the command line, whose user has the workspace in hand anyway.
        policy: Decides what looks like a copy and how many must approve; default is the one in force.
        progress: Called with (description, done, total).

    Raises:
        NotAllowed: The actor's role does not allow exports.
        ExportRefused: Unknown format, an option the format does not take, nothing approved, `out` exists or is an
            address, the log of decisions was tampered with, a written file does not read back, or an approval was
            taken back meanwhile.
        CatalogUnwritable: The delivery cannot be written, or another export is running in the workspace or the folder.
    """
    if actor is not None:
        roles.require(catalog, actor, "export")
    policy = policy or policies.current(catalog)
    plan = _plan(format, base_url, c2pa, c2pa_tsa, policy)
    if not dry_run:
        delivery_log.settle(catalog)
    target = _target(catalog, format, out)
    _refuse_broken_log(catalog)
    with catalog.read() as session:
        plan.log_hash = session.scalar(select(DecisionRow.hash).order_by(DecisionRow.id.desc()).limit(1)) or ""
        selection = Selection(session, catalog.blobs.digests(), policy, plan.exporter.rule)
        counts: Counter[str | None] = Counter()
        for batch in selection.judged():
            counts.update(judged.reason for judged in batch)
            plan.small += sum(judged.reason is None and _is_small(judged.row, plan.exporter) for judged in batch)
        plan.images = counts.pop(None, 0)
        plan.excluded = {str(reason): counts[reason] for reason in sorted(map(str, counts))}
        if dry_run:
            return _report(plan, target)
        if not plan.images:
            parts = [
                say("{count} {reason}", count=count, reason=terms.LEFT_OUT[reason])
                for reason, count in plan.excluded.items()
            ]
            left = joined(", ", parts) if parts else say("no candidates")
            raise ExportRefused(
                say("no approved picture to export ({left}); approve some with: adapt review", left=left)
            )
        with file_lock(catalog.workspace / delivery_log.LOCK, say("export")):
            return _deliver(catalog, session, selection, plan, target, progress)


def verify(folder: Path) -> Verification:
    """Read a delivery back without its catalogue; its format stands in `export.json`.

    Raises:
        ExportRefused: The folder is an address or no delivery, or it is signed and the extra `c2pa` is not installed.
    """
    if is_address(folder):
        raise ExportRefused(
            say("{folder} is an address; bring the delivery to this machine and give its folder", folder=folder)
        )
    return checking.check(folder)


def _plan(format: str, base_url: str, c2pa: tuple[Path, Path] | None, c2pa_tsa: str, policy: Policy) -> Plan:
    writer = exporter(format)
    if writer.needs_base_url and not base_url:
        raise ExportRefused(
            say("{format} lists addresses: say where the pictures will be with --base-url https://…", format=format)
        )
    if base_url and not writer.needs_base_url:
        raise ExportRefused(
            say("{format} lists files, not addresses; leave --base-url out, or use merchant or shopify", format=format)
        )
    if c2pa_tsa and c2pa is None:
        raise ExportRefused(say("--c2pa-tsa stamps signatures; give certificate and key too: --c2pa CERT KEY"))
    return Plan(
        exporter=writer,
        policy=policy,
        base_url=checked_base_url(base_url) if base_url else "",
        signer=PictureSigner(*c2pa, stamps_from=c2pa_tsa) if c2pa is not None else None,
    )


def _target(catalog: Catalog, format: str, out: Path | None) -> Path:
    if out is not None and is_address(out):
        raise ExportRefused(
            say("{out} is an address; a delivery is made in a folder of this machine: --out DIR", out=out)
        )
    target = (out or _next_free(catalog.workspace / "exports", format)).expanduser().absolute()
    check_place(catalog.workspace, target)
    if target.exists() or target.is_symlink():
        raise ExportRefused(
            say("{target} exists already; choose another folder with --out DIR, or remove it", target=target)
        )
    return target


def _next_free(root: Path, format: str) -> Path:
    number = 1
    while (root / f"{format}-{number:03d}").exists():
        number += 1
    return root / f"{format}-{number:03d}"


def _refuse_broken_log(catalog: Catalog) -> None:
    broken = decision_log.first_broken_decision(catalog)
    if broken is not None:
        raise ExportRefused(
            say(
                "decision {broken} was changed or added outside the review, so approvals cannot be trusted; "
                "nothing was delivered: restore the database from a copy made before that",
                broken=broken,
            )
        )


def _deliver(
    catalog: Catalog, session: Session, selection: Selection, plan: Plan, target: Path, progress: Progress | None
) -> ExportReport:
    """Make the delivery, read it back, give it its name and note it in the catalogue."""
    part = PartFolder(target)
    with part.held():
        return _make(catalog, session, selection, plan, target, part, progress)


def _make(
    catalog: Catalog,
    session: Session,
    selection: Selection,
    plan: Plan,
    target: Path,
    part: PartFolder,
    progress: Progress | None,
) -> ExportReport:
    try:
        planned = part.begin(plan.state, partial(write_plan, selection, AltTexts(catalog.workspace)))
        session.rollback()  # the rest may take hours, and the plan holds all of it
        fill(part, plan, planned, partial(load, catalog.blobs, plan.signer), progress)
        if progress is not None:
            progress("reading back", 0, plan.images)
        check = checking.check(part.path, making=True)
        if not check.ok:
            raise ExportRefused(
                say("the delivery does not read back: {problem}; nothing was delivered", problem=check.problems[0])
            )
        # Noted first: a delivery the catalogue knows nothing of would be made a second time.
        noted = delivery_log.note(catalog, plan, part.path, target)
        part.publish(partial(_refuse_taken_back, catalog, session, plan, part.path / MANIFEST))
    except OSError as error:
        part.close()
        if not part.path.is_dir():
            raise CatalogUnwritable(
                say(
                    "cannot make the delivery {target} ({error}); choose another folder with --out DIR",
                    target=target,
                    error=told(error),
                )
            ) from error
        raise CatalogUnwritable(
            say(
                "cannot write the delivery {target} ({error}); free space or choose another --out DIR; "
                "the same command goes on from {part}",
                target=target,
                error=told(error),
                part=part.path,
            )
        ) from error
    except StampRefused:
        part.close()  # the service may be back soon, and each stamp is kept
        raise
    except CatalogError:
        part.discard()
        raise
    except BaseException:
        part.close()  # stopped by hand: what is there is used by the next export
        raise
    delivery_log.confirm(catalog, noted)
    return _report(plan, target, verified=check.verified, reused=part.reused)


def _refuse_taken_back(catalog: Catalog, session: Session, plan: Plan, manifest: Path) -> None:
    """Ask again whether each picture that is about to leave is approved: making a delivery may take hours."""
    session.rollback()  # what was read so far is of an earlier moment
    gone = not_approved(session, {int(row["item_id"]) for row in read_rows(manifest)}, plan.policy)
    session.rollback()
    if gone:
        raise ExportRefused(
            say(
                "approvals were taken back while the export ran: item {items}{more}; nothing was delivered, "
                "run the same command again",
                items=", ".join(map(str, gone[:_NAMED])),
                more=say(" and {count} more", count=len(gone) - _NAMED) if len(gone) > _NAMED else "",
            )
        )


def _report(plan: Plan, target: Path, *, verified: int = 0, reused: int = 0) -> ExportReport:
    return ExportReport(
        path=target,
        images=plan.images,
        excluded=plan.excluded,
        verified=verified,
        reused=reused,
        small=plan.small,
        asked_px=plan.exporter.asks_for_px,
    )


def _is_small(row: Any, exporter: Exporter) -> bool:
    return min(row.width, row.height) < exporter.asks_for_px
