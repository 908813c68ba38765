"""`adapt doctor`: what is there on this machine, and how to get what is not."""

import os
import platform
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from adapt.cli._output import emit
from adapt.cli._runs import shipped_bases
from adapt.cli._session import Session

if TYPE_CHECKING:
    from adapt.models.availability import Availability

_WEIGHTS = "weights "


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing looked at."""

    name: str
    """What was looked for."""
    found: bool
    """Whether it can be used."""
    detail: str
    """Where it is, or how to get it."""
    needed: bool = True
    """Whether the usual road fails without it."""


def doctor(ctx: typer.Context) -> None:
    """Say which encoders, weights, devices, programs and database can be used here without a network."""
    from adapt.models.availability import encoders_here

    session: Session = ctx.obj
    encoders = encoders_here()
    findings = [*_machine(), *_weights(encoders), *_programs(), *_workspace(session)]
    broken = [finding for finding in findings if finding.needed and not finding.found]
    marks = {True: "ok  ", False: "MISS"}
    lines = [
        f"{marks[finding.found] if finding.needed or finding.found else 'none'} {finding.name:<22} {finding.detail}"
        for finding in findings
        if not finding.name.startswith(_WEIGHTS)
    ]
    verdict = f"{len(broken)} needed missing" if broken else "all that is needed is here"
    result = {
        "ok": not broken,
        "findings": {
            finding.name: {"found": finding.found, "needed": finding.needed, "detail": finding.detail}
            for finding in findings
        },
        "encoders": {
            encoder.name: {
                "offline": encoder.offline,
                "needed": encoder.by_default,
                "uses": list(encoder.uses),
                "detail": encoder.detail,
            }
            for encoder in encoders
        },
    }
    emit(session, result, [*lines, "", *_table(encoders), "", verdict])
    if broken:
        raise typer.Exit(1)


def _machine() -> Iterator[Finding]:
    import torch

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    yield Finding(name="python", found=True, detail=f"{platform.python_version()} on {platform.system()}")
    yield Finding(name="torch", found=True, detail=f"{torch.__version__}, {cores} CPU cores")
    yield _threads(torch.get_num_threads(), cores)
    gpus = [torch.cuda.get_device_properties(number) for number in range(torch.cuda.device_count())]
    detail = ", ".join(f"{gpu.name} ({gpu.total_memory / 2**30:.0f} GiB)" for gpu in gpus)
    yield Finding(name="GPU", found=bool(gpus), detail=detail or "none; everything runs on the CPU", needed=False)
    yield _bf16("cuda" if gpus else "cpu")


def _threads(used: int, cores: int) -> Finding:
    advice = "" if used == cores else f"; OMP_NUM_THREADS={cores} uses all cores"
    return Finding(name="threads", found=True, detail=f"{used} of {cores} cores{advice}")


def _bf16(device: str) -> Finding:
    """What `train.precision=auto` comes to."""
    import torch

    from adapt.training.precision import use_bf16

    found = use_bf16("auto", torch.device(device))
    where = "the GPU" if device == "cuda" else "the processor"
    detail = (
        f"{where} multiplies it: train.precision=auto uses it"
        if found
        else f"{where} only emulates it: train.precision=auto takes fp32, which is faster here"
    )
    return Finding(name="bf16", found=found, detail=detail, needed=False)


def _weights(encoders: Sequence["Availability"]) -> Iterator[Finding]:
    for encoder in encoders:
        yield Finding(
            name=f"{_WEIGHTS}{encoder.name}", found=encoder.offline, detail=encoder.detail, needed=encoder.by_default
        )
    bases = [path.name for path in shipped_bases()]
    missing = "none shipped; train one with: adapt pretrain --dataset cub --data-dir DIR"
    yield Finding(name="pretrained base", found=bool(bases), detail=", ".join(bases) or missing)


def _table(encoders: Sequence["Availability"]) -> Iterator[str]:
    """One line an encoder or judge; how to get those that are not here follows below, a line each."""
    width = max(len(", ".join(encoder.uses)) for encoder in encoders)
    yield f"{'encoder or judge':<20} {'offline':<8} {'chosen by':<{width}} where"
    for encoder in encoders:
        where = _short(Path(encoder.detail)) if Path(encoder.detail).is_absolute() else encoder.detail
        shown = (
            where if encoder.offline else f"see below{'' if encoder.by_default else '; nothing needs it by default'}"
        )
        uses = ", ".join(encoder.uses)
        yield f"{encoder.name:<20} {'yes' if encoder.offline else 'no':<8} {uses:<{width}} {shown}"
    yield from (f"{encoder.name}: {encoder.detail}" for encoder in encoders if not encoder.offline)


def _short(path: Path) -> str:
    return str(path) if len(path.parts) <= 4 else str(Path("…", *path.parts[-3:]))


def _programs() -> Iterator[Finding]:
    browser = next((name for name in ("chromium", "google-chrome", "chrome", "firefox") if shutil.which(name)), None)
    yield Finding(
        name="browser",
        found=browser is not None,
        detail=browser or "none; `adapt review` still serves the screen, open its address from another machine",
        needed=False,
    )
    fonts = _japanese_fonts()
    advice = "none; Debian: apt-get install fonts-noto-cjk (only the screen's Japanese text needs it)"
    yield Finding(name="Japanese font", found=bool(fonts), detail=fonts or advice, needed=False)


def _japanese_fonts() -> str:
    """Return the name of an installed font with Japanese letters, or an empty text."""
    if not shutil.which("fc-list"):
        return ""
    listed = subprocess.run(
        ["fc-list", ":lang=ja", "family"], capture_output=True, text=True, timeout=20, check=False
    ).stdout.splitlines()
    return min((line.split(",")[0] for line in listed if line), default="")


def _workspace(session: Session) -> Iterator[Finding]:
    folder = session.workspace.expanduser().absolute()
    parent = next(path for path in (folder, *folder.parents) if path.exists())
    writable = parent.is_dir() and os.access(parent, os.W_OK)
    free_gib = shutil.disk_usage(parent).free / 2**30
    detail = (
        f"{folder} ({free_gib:.1f} GiB free)"
        if writable
        else f"{parent} is not a folder that may be written; choose one with -w DIR"
    )
    yield Finding(name="workspace", found=writable, detail=detail)
    if session.database_url() is None and not (folder / "catalog.db").exists():
        yield Finding(name="catalogue", found=False, detail="none yet; adapt ingest DUMP makes it", needed=False)
        return
    from catalog.errors import CatalogError

    try:
        with session.open_catalog(create=False) as catalog:
            detail = catalog.engine.url.render_as_string(hide_password=True)
    except CatalogError as error:
        yield Finding(name="catalogue", found=False, detail=str(error))
        return
    yield Finding(name="catalogue", found=True, detail=detail)
