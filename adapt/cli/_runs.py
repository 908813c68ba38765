"""Which run a verb works on: the one named, else the newest, else the base that ships with the package."""

import difflib
from pathlib import Path

from adapt.cli._session import Session
from adapt.errors import CheckpointError

_PRETRAIN = "pretrain --dataset cub --data-dir DIR"
BASES = Path(__file__).parent.parent / "bases"


def shipped_bases() -> list[Path]:
    """Folders of the bases in the package, newest name last."""
    return sorted(path.parent for path in BASES.glob("*/generator.safetensors"))


def find_run(session: Session, name: str) -> Path:
    """Folder of a run of the workspace, of a shipped base, or a path.

    Raises:
        CheckpointError: nothing has that name; the message lists the near ones.
    """
    folders = {path.name: path for path in [*shipped_bases(), *_runs(session)]}
    if name in folders:
        return folders[name]
    if (Path(name) / "generator.safetensors").is_file() or (Path(name) / "adapter").is_dir():
        return Path(name)
    near = difflib.get_close_matches(name, folders, n=3, cutoff=0.3) or sorted(folders)[-3:]
    raise CheckpointError(
        f"no run '{name}'; there are: {', '.join(near) or 'none yet'}; {session.typed('status')} lists the runs"
    )


def newest_run(session: Session, *, kind: str = "") -> Path | None:
    """The run last written whose name starts with `kind`, if there is one."""
    return next((path for path in _runs(session) if path.name.startswith(kind)), None)


def default_base(session: Session) -> Path:
    """The newest shipped base, else the newest pretrained run.

    Raises:
        CheckpointError: there is none of these.
    """
    found = next(iter(shipped_bases()[::-1]), None) or newest_run(session, kind="pretrain")
    if found is None:
        raise CheckpointError(f"no base to start from; train one: {session.typed(_PRETRAIN)}")
    return found


def default_tuned_run(session: Session) -> Path:
    """The newest fine-tuned run; never a base, which would draw what it was trained on for your products.

    Raises:
        CheckpointError: there is none yet.
    """
    found = newest_run(session, kind="finetune")
    if found is not None and not (found / "summary.json").is_file():
        raise CheckpointError(
            f"run {found.name} is not finished; the finetune command that began it goes on with it "
            f"(or draw from it as it is: --run {found.name})"
        )
    if found is None:
        bases = ", ".join(path.name for path in shipped_bases()) or "none is shipped"
        raise CheckpointError(
            f"no fine-tuned run in this workspace; make one: {session.typed('finetune --shots 50')} "
            f"(or name a base with --run, which draws what it was trained on: {bases})"
        )
    return found


def default_run(session: Session) -> Path:
    """The newest fine-tuned run, else the newest run, else the newest shipped base.

    Raises:
        CheckpointError: there is none of these.
    """
    found = newest_run(session, kind="finetune") or newest_run(session) or next(iter(shipped_bases()[::-1]), None)
    if found is None:
        raise CheckpointError(f"no run and no shipped base; train one: {session.typed(_PRETRAIN)}")
    return found


def _runs(session: Session) -> list[Path]:
    files = [*session.runs.glob("*/generator.safetensors"), *session.runs.glob("*/adapter/adapter_model.safetensors")]
    files.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    return list(dict.fromkeys(file.parent.parent if file.parent.name == "adapter" else file.parent for file in files))
