"""What holds everywhere: who may import whom, one name for a verb, a README that is true."""

import importlib
import importlib.util
import pkgutil
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapt.cli import app
from adapt.pipeline import STAGES, VERBS

PACKAGES = ("adapt", "catalog", "ui")
runner = CliRunner()


def _readme(repository: Path) -> str:
    return (repository / "README.md").read_text(encoding="utf-8")


def _shell_commands(text: str) -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", text, flags=re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line.strip()]


def _tracked(repository: Path) -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=repository, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    return [repository / name for name in listed.stdout.split("\0") if name and (repository / name).is_file()]


def test_import_contracts_hold(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from importlinter.cli import lint_imports

    monkeypatch.chdir(repository)
    assert lint_imports(config_filename="pyproject.toml", no_cache=True) == 0


@pytest.mark.parametrize("verb", VERBS)
def test_verb_is_one_name_with_help(verb: str) -> None:
    module = importlib.import_module(f"adapt.cli.{verb}")
    assert callable(getattr(module, verb))
    result = runner.invoke(app, [verb, "--help"])
    assert result.exit_code == 0, result.output
    words = result.stdout.split("\n\n")[1].strip()
    assert len(words) > 20, "a verb says what it does"
    for option in ("--workspace", "--json", "--debug"):
        assert option in result.stdout


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.verb)
def test_stage_entry_exists(stage: object) -> None:
    module, _, function = stage.entry.partition(":")  # type: ignore[attr-defined]
    assert callable(getattr(importlib.import_module(module), function))


def test_readme_table_is_the_pipeline(repository: Path) -> None:
    rows = re.findall(
        r"^\| (\d) \| `adapt (\w+)` \| (.*?) \| (.*?) \| (.*?) \|$", _readme(repository), flags=re.MULTILINE
    )
    assert rows == [(str(n), s.verb, s.summary, s.reads, s.writes) for n, s in enumerate(STAGES, 1)]


def test_readme_starts_with_the_two_commands(repository: Path) -> None:
    commands = _shell_commands(_readme(repository))
    assert commands[:2] == ["pip install uv && uv run adapt demo", "pip install uv && uv run pytest"]


def test_readme_commands_exist(repository: Path) -> None:
    for command in _shell_commands(_readme(repository)):
        words = shlex.split(command.rpartition("uv run ")[2])
        if words[0] == "adapt":
            shown = runner.invoke(app, [words[1], "--help"]).stdout
            assert all(word in shown for word in words[2:] if word.startswith("--")), command


def test_readme_python_runs(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [code] = re.findall(r"```python\n(.*?)```", _readme(repository), flags=re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "README.md", "exec"), {})
    assert (tmp_path / "sample-workspace" / "catalog.db").is_file()


def test_readme_ingest_runs(sample_catalogue: Path, workspace: Path) -> None:
    result = runner.invoke(app, ["ingest", str(sample_catalogue), "-w", str(workspace)])
    assert result.exit_code == 0, result.output
    shown = runner.invoke(app, ["status", "-w", str(workspace)])
    assert f"next        adapt -w {workspace} finetune" in shown.stdout


@pytest.mark.parametrize("package", PACKAGES)
def test_public_names_are_sorted_and_there(package: str) -> None:
    root = importlib.import_module(package)
    names = [package, *(m.name for m in pkgutil.walk_packages(root.__path__, f"{package}.") if m.ispkg)]
    for name in names:
        module = importlib.import_module(name)
        public = getattr(module, "__all__", None)
        if public is None:
            continue
        assert list(public) == sorted(public), name
        assert all(hasattr(module, attribute) for attribute in public), name


def test_no_machine_paths_or_hosts(repository: Path) -> None:
    folders = "|".join(("work", "home", "root", "Users"))
    pattern = re.compile(rf"(?<![\w.~}}])/(?:{folders})/\w")
    found = []
    for path in _tracked(repository):
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{path.name}: {line}" for line in text.splitlines() if pattern.search(line)]
    assert found == []


def test_modules_start_with_a_docstring(repository: Path) -> None:
    for package in PACKAGES:
        for path in (repository / package).rglob("*.py"):
            lines = path.read_text(encoding="utf-8").splitlines()
            if lines and path.name != "__init__.py":
                assert lines[0].startswith('"""'), f"{path} does not start with a docstring"
