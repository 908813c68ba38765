"""Pieces of the export screen: what would leave and why the rest stays, what came of a job, earlier deliveries."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from catalog.deliveries import Delivery
from catalog.export import ExportReport
from catalog.exporters import FORMATS
from catalog.exporters.delivery import Verification
from catalog.phrases import Phrase, printable
from ui import charts, components, tables
from ui.delivery_job import Job
from ui.i18n import Translator
from ui.tables import Column

REASONS = (
    "undecided",
    "rejected",
    "changes",
    "conflict",
    "not_chosen",
    "quorum",
    "copy_risk_needs_second_reviewer",
    "picture_missing",
    "not_generated",
    "id_not_allowed",
    "id_taken",
    "over_limit",
)
"""Reasons of `catalog.approved` and of the formats for leaving a picture out."""
STEPS: Mapping[str, str] = {"exporting": "export.step_pictures", "reading back": "export.step_check"}
PROBLEMS_SHOWN = 50
SAID_OF_THE_FIELD: Mapping[str, str] = {
    "{format} lists addresses: say where the pictures will be with --base-url https://…": "export.address_missing",
    "--base-url {url!r}: give a public https address without login or query, like {example}": "export.address_wrong",
}
"""Refusals that tell a script which option to give → what they say of the field on the screen."""


def counted(t: Translator, report: ExportReport) -> str:
    """Return what a dry run counted: how many would leave, and why the others stay."""
    left = sum(report.excluded.values())
    shown = tables.facts(
        [(t("export.leaving"), f"{report.images:,}", ""), (t("export.staying"), f"{left:,}", t("export.staying_how"))]
    )
    return shown + _small(t, report) + excluded(t, report.excluded)


def _small(t: Translator, report: ExportReport) -> str:
    """Return a line about pictures that are smaller than the shop asks for, or nothing."""
    if not report.small:
        return ""
    return components.note(t("export.small", count=f"{report.small:,}", px=report.asked_px), "warning")


def excluded(t: Translator, counts: Mapping[str, int]) -> str:
    """Return a table of why pictures stay, most frequent first."""
    most = max(counts.values(), default=1)
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return tables.table(
        t("export.excluded"),
        [Column(t("export.why")), Column(t("export.pictures"), "number"), Column(t("export.bar"))],
        [(why(t, reason), f"{count:,}", charts.meter(count / most)) for reason, count in ordered],
        t("export.nothing_excluded"),
    )


def why(t: Translator, reason: str) -> str:
    """Return the words for a reason; one that has none stands for itself."""
    return t(f"export.left_{reason}") if reason in REASONS else reason


def refusal(t: Translator, key: str, detail: str) -> str:
    """Return a line about what was not done and why; what names an option of the command names the field instead."""
    said = SAID_OF_THE_FIELD.get(detail.template) if isinstance(detail, Phrase) else None
    if said is None or not isinstance(detail, Phrase):
        return tables.refusal(t, key, detail)
    return tables.result(False, f"{t(key)} {printable(t(said, **detail.values))}")


def outcome(t: Translator, job: Job, workspace: Path) -> str:
    """Return what came of a job that has ended."""
    if job.stopped:
        return tables.result(False, t("export.stopped"))
    if job.result is None:
        return refusal(t, "export.failed", job.refused)
    if isinstance(job.result, Verification):
        return verified(t, job.result, job.of)
    made = job.result
    lines = [
        t("export.on_server", path=made.path),
        t("export.read_back", verified=f"{made.verified:,}", images=f"{made.images:,}"),
    ]
    if made.reused:
        lines.append(t("export.reused", count=f"{made.reused:,}"))
    if made.excluded:
        lines.append(t("export.excluded_file"))
    line = t("export.done", count=f"{made.images:,}", folder=folder(made.path, workspace))
    return tables.result(True, line, lines) + _small(t, made) + excluded(t, made.excluded)


def verified(t: Translator, found: Verification, name: str) -> str:
    """Return what reading a delivery back found."""
    if found.ok:
        line = "export.verified_signed" if found.signed else "export.verified"
        return tables.result(True, t(line, verified=f"{found.verified:,}", files=f"{found.files:,}", folder=name))
    line = t(
        "export.not_verified",
        verified=f"{found.verified:,}",
        files=f"{found.files:,}",
        folder=name,
        count=f"{len(found.problems):,}",
        shown=min(len(found.problems), PROBLEMS_SHOWN),
    )
    return tables.result(False, line, [t.said(problem) for problem in found.problems[:PROBLEMS_SHOWN]])


def earlier(t: Translator, made: Sequence[Delivery], workspace: Path) -> str:
    """Return the table of earlier deliveries."""
    return tables.table(
        t("export.earlier_table"),
        [
            Column(t("export.when"), "short"),
            Column(t("export.format")),
            Column(t("export.folder")),
            Column(t("export.pictures"), "number"),
            Column(t("export.staying"), "number"),
            Column(t("export.signature"), "short"),
            Column(t("export.policy"), "number"),
            Column(t("export.base_url")),
        ],
        [
            (
                tables.moment(one.made_at),
                format_name(t, one.format),
                folder(one.path, workspace),
                f"{one.images:,}",
                f"{sum(one.excluded.values()):,}",
                t("export.signed") if one.signed else t("export.unsigned"),
                str(one.policy_version),
                one.base_url or "–",
            )
            for one in made
        ],
        t("export.no_earlier"),
    )


def format_name(t: Translator, name: str) -> str:
    """Return what a format is called; one of another release stands for itself."""
    return t(f"export.format_{name}") if name in FORMATS else name


def folder(path: Path, workspace: Path) -> str:
    """Return where a delivery is, seen from the workspace if it is in there."""
    return str(path.relative_to(workspace)) if path.is_relative_to(workspace) else str(path)
