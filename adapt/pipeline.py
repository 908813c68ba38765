"""The road from a catalogue to a delivery, in order. Read this first.

`adapt --help`, the table in README.md and a test are made from `STAGES`, so the order is written down once. A verb is
one name everywhere: its command, its file in `adapt/cli/` and the function in that file.
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One step of the road."""

    verb: str
    """Command typed after `adapt`."""
    summary: str
    """What it does, in one line of help."""
    reads: str
    """What must be there before."""
    writes: str
    """What is there afterwards."""
    entry: str
    """Service that does the work, as `module:function`."""


@dataclass(frozen=True, kw_only=True)
class Tool:
    """A command beside the road: looks at it, repairs it or walks all of it."""

    verb: str
    """Command typed after `adapt`."""
    summary: str
    """What it does, in one line of help."""


STAGES: tuple[Stage, ...] = (
    Stage(
        verb="ingest",
        summary="Read a catalogue dump into the workspace.",
        reads="a folder with a table or pictures",
        writes="products, attributes, pictures",
        entry="catalog.ingest:ingest",
    ),
    Stage(
        verb="captions",
        summary="Write captions from attributes, list terms that are missing.",
        reads="attributes, glossary",
        writes="captions",
        entry="catalog.caption:rebuild_captions",
    ),
    Stage(
        verb="dataset",
        summary="Freeze captions and pictures into a dataset folder.",
        reads="captions, pictures",
        writes="datasets/NAME",
        entry="catalog.dataset:freeze",
    ),
    Stage(
        verb="pretrain",
        summary="Train a base generator on a public dataset.",
        reads="CUB or COCO, or a dataset folder",
        writes="runs/NAME",
        entry="adapt.pretrain:pretrain",
    ),
    Stage(
        verb="finetune",
        summary="Adapt a base to the catalogue from a few shots.",
        reads="a base, a dataset folder",
        writes="runs/NAME with an adapter",
        entry="adapt.finetune:finetune",
    ),
    Stage(
        verb="generate",
        summary="Draw candidates for captions and queue them for review.",
        reads="a run, captions",
        writes="candidates in the queue",
        entry="adapt.generate:generate",
    ),
    Stage(
        verb="evaluate",
        summary="Score a run: realism, fit to the caption, consistency, copies.",
        reads="a run, held-out pictures",
        writes="metrics.json and report.html in the run",
        entry="adapt.evaluate:evaluate",
    ),
    Stage(
        verb="review",
        summary="Open the screen where people approve or reject.",
        reads="candidates in the queue",
        writes="decisions",
        entry="catalog.review:decide",
    ),
    Stage(
        verb="export",
        summary="Deliver approved pictures with their provenance.",
        reads="decisions, candidates",
        writes="exports/NAME",
        entry="catalog.export:export",
    ),
)

TOOLS: tuple[Tool, ...] = (
    Tool(verb="demo", summary="Walk the whole road with a drawn catalogue."),
    Tool(verb="status", summary="Count what the workspace holds."),
    Tool(verb="doctor", summary="Say which weights, devices and programs are there."),
    Tool(verb="queue", summary="List the candidates that wait for a decision."),
    Tool(verb="decide", summary="Approve or reject a candidate from a script."),
    Tool(verb="reviewers", summary="List who reviews, and give people roles."),
    Tool(verb="merge", summary="Fold an adapter into its base."),
)

VERBS: dict[str, str] = {stage.verb: stage.summary for stage in STAGES} | {tool.verb: tool.summary for tool in TOOLS}
"""Every command and its line of help, in the order of the help."""
