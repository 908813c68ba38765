"""`adapt export` from the command line: options that go together, and what it prints."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapt.cli import app
from adapt.cli.export import _FORMATS
from catalog import review
from catalog.exporters import FORMATS
from catalog.store import Catalog

runner = CliRunner()
BASE = "https://cdn.example.com/p"


@pytest.fixture
def approved(queued: Callable[..., Path]) -> Path:
    workspace = queued(3)
    with Catalog.open(workspace) as catalog:
        review.decide_item(catalog, "aki", 1, "approve")
        review.decide_item(catalog, "aki", 2, "approve")
    return workspace


def run(workspace: Path, *arguments: str, exits: int = 0) -> str:
    done = runner.invoke(app, ["-w", str(workspace), "export", *arguments])
    assert done.exit_code == exits, done.output
    return done.stderr.strip() if exits else done.stdout


@pytest.mark.parametrize("format", ["folder", "imagefolder", "webdataset", "coco", "merchant", "shopify"])
def test_export_command_makes_and_checks_every_format(approved: Path, tmp_path: Path, format: str) -> None:
    out = tmp_path / "out"
    base = ("--base-url", BASE) if format in ("merchant", "shopify") else ()
    said = run(approved, "--format", format, "--out", str(out), *base)
    assert f"delivered 2 pictures to {out}" in said and "left out: 1 undecided" in said
    assert ("2 of them are smaller than the 500 x 500 px" in said) == (format == "merchant")
    assert f"2 of 2 pictures verified in {out} ({format}: digest and provenance mark)" in run(
        tmp_path / "nowhere", "--verify", str(out)
    )


def test_export_command_signs(approved: Path, tmp_path: Path) -> None:
    pytest.importorskip("c2pa")
    from signing_pair import signing_pair

    certificate, key = signing_pair(tmp_path)
    said = run(approved, "--c2pa", str(certificate), str(key), "--out", str(tmp_path / "out"))
    assert "digest, provenance mark and C2PA signature" in said
    assert "digest, provenance mark and C2PA signature" in run(approved, "--verify", str(tmp_path / "out"))


def test_export_command_says_each_problem_in_a_line(approved: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(approved, "--out", str(out))
    first, second = sorted((out / "images").iterdir())
    first.write_bytes(b"")
    second.unlink()
    assert run(approved, "--verify", str(out), exits=1).splitlines() == [
        f"images/{first.name}: changed since the export",
        f"images/{second.name}: missing",
        f"adapt: {out} does not verify: 2 problems; export again",
    ]


def test_export_command_offers_every_format() -> None:
    assert sorted(re.split(", | or ", _FORMATS)) == sorted(FORMATS)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--format", "merchant"), "merchant lists addresses: say where the pictures will be with --base-url https://"),
        (("--base-url", BASE), "folder lists files, not addresses; leave --base-url out"),
        (("--format", "shopify", "--base-url", "http://x"), "give a public https address"),
        (("--c2pa", "nowhere.pem", "none.pem"), "cannot read the certificate nowhere.pem"),
        (("--format", ""), "no export format ''; allowed: folder, imagefolder, webdataset, coco, merchant, shopify"),
        (("--format", "FOLDER"), "no export format 'FOLDER'; allowed: folder"),
        (("--format", "folder,coco"), "no export format 'folder,coco'; allowed: folder"),
        (("--format", "merchant", "--base-url", "https://localhost/p"), "give a public https address"),
        (("--out", "s3://bucket/out"), "is an address; a delivery is made in a folder of this machine"),
        (("--out", "."), "exists already; choose another folder with --out DIR, or remove it"),
        (("--out", "x" * 300), "(File name too long); choose another with --out DIR"),
        (("--out", "a\nb"), "has signs in its name that cannot be shown; choose another with --out DIR"),
        (("--out", f"{__file__}/out"), "(Not a directory); choose another folder with --out DIR"),
        (
            ("--c2pa", ".", "none.pem"),
            "cannot read the certificate . (Is a directory); --c2pa CERT KEY takes two files",
        ),
        (("--c2pa-tsa", "https://tsa.example.com"), "give certificate and key too: --c2pa CERT KEY"),
        (("--verify", "nowhere"), "no folder nowhere; give the path of a delivery"),
        (("--verify", "https://cdn.example.com/p"), "is an address; bring the delivery to this machine and give its"),
        (("--verify", __file__), "no folder"),
        (("--verify", "."), "is no complete delivery: export.json is missing or damaged; export again"),
        (("--verify", ".", "--c2pa-tsa", "x"), "--verify reads everything from the delivery; give it alone"),
        (("--verify", ".", "--format", ""), "--verify reads everything from the delivery; give it alone"),
        (("--verify", ".", "--dry-run"), "--verify reads everything from the delivery; give it alone"),
        (("--verify", ".", "--format", "folder"), "--verify reads everything from the delivery; give it alone"),
    ],
)
def test_export_command_refuses_in_one_line(approved: Path, arguments: tuple[str, ...], said: str) -> None:
    answer = run(approved, *arguments, exits=1)
    assert said in answer and "\n" not in answer
    assert not (approved / "exports").exists()


def test_export_command_refuses_a_place_among_the_workspaces_own(approved: Path) -> None:
    answer = run(approved, "--out", str(approved / "blobs" / "out"), "--dry-run", exits=1)
    assert "which the workspace needs for itself; choose another with --out DIR" in answer
    first = approved / "exports" / "folder-001"
    run(approved)
    answer = run(approved, "--out", str(first / "images" / "out"), exits=1)
    assert f"is inside the delivery {first}, which would not verify any more" in answer


def test_export_command_knows_no_catalogue(tmp_path: Path) -> None:
    answer = run(tmp_path / "none", exits=1)
    assert "no catalogue in" in answer and "\n" not in answer and not (tmp_path / "none").exists()
