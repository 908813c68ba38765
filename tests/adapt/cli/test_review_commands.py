"""Queue, decide, export and review from the command line."""

import json
import socket
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapt.cli import app
from catalog import regeneration
from catalog.store import Catalog

runner = CliRunner()


def run(workspace: Path, *arguments: str, exits: int = 0) -> dict:
    """Run a verb with --json and return its answer, or what it said when it must fail."""
    done = runner.invoke(app, ["-w", str(workspace), "--json", *arguments])
    assert done.exit_code == exits, done.output
    if exits == 0:
        assert done.stdout.count("\n") == 1
        return json.loads(done.stdout)
    assert done.stdout == ""
    return {"said": done.stderr.strip()}


def test_queue_decide_export_go_the_whole_way(queued: Callable[..., Path], tmp_path: Path) -> None:
    workspace = queued(4)
    assert [item["id"] for item in run(workspace, "queue")["items"]] == [1, 2, 3, 4]
    run(workspace, "decide", "1", "3", "--approve", "--reviewer", "aiko")
    run(workspace, "decide", "2", "--reject", "--reason", "distorted", "--note", "bent", "--reviewer", "aiko")
    run(workspace, "decide", "3", "--undo", "--reviewer", "aiko")
    shown = run(workspace, "queue", "--item", "3")
    assert [(made["verdict"], made["superseded"]) for made in shown["decisions"]] == [
        ("void", False),
        ("approve", True),
    ]
    assert (shown["pending"], shown["approved"], shown["rejected"]) == (2, 1, 1)
    plan = run(workspace, "export", "--dry-run")
    assert (plan["images"], plan["verified"]) == (1, 0) and not (workspace / "exports").exists()
    answer = run(workspace, "export", "--format", "folder", "--out", str(tmp_path / "delivery"))
    assert answer == {
        "path": str(tmp_path / "delivery"),
        "images": 1,
        "excluded": {"rejected": 1, "undecided": 2},
        "verified": 1,
    }
    assert run(workspace, "export", "--verify", str(tmp_path / "delivery"))["verified"] == 1
    next((tmp_path / "delivery" / "images").iterdir()).write_bytes(b"x")
    assert (
        "changed since the export" in run(workspace, "export", "--verify", str(tmp_path / "delivery"), exits=1)["said"]
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("decide", "1", "--reject", "--reviewer", "aiko"), "a rejection needs a reason; choose from wrong_colour"),
        (("decide", "1", "--reject", "--reason", "ugly", "--reviewer", "aiko"), "no reason 'ugly'; allowed:"),
        (("decide", "99", "--approve", "--reviewer", "aiko"), "no item 99 in the review queue"),
        (("decide", "1", "--approve", "--reviewer", " "), "1 to 80 printable characters"),
        (("decide", "1", "--undo", "--reviewer", "aiko"), "aiko has no decision on item 1 that stands"),
        (
            ("queue", "--state", "waiting"),
            "no state 'waiting'; allowed: pending, conflict, approved, rejected, changes, not_chosen, all",
        ),
        (("export",), "no approved picture to export (1 undecided)"),
        (("export", "--format", "zip"), "no export format 'zip'; allowed: folder"),
        (("export", "--verify", "nowhere"), "no folder nowhere"),
    ],
)
def test_commands_refuse_in_one_line(queued: Callable[..., Path], arguments: tuple[str, ...], said: str) -> None:
    answer = run(queued(1), *arguments, exits=1)["said"]
    assert said in answer and "\n" not in answer


def test_decide_needs_exactly_one_verdict(queued: Callable[..., Path]) -> None:
    workspace = queued(1)
    for verdicts in ((), ("--approve", "--undo")):
        done = runner.invoke(app, ["-w", str(workspace), "decide", "1", "--reviewer", "aiko", *verdicts])
        assert done.exit_code == 2


def test_decide_refuses_a_list_with_a_settled_item_whole(queued: Callable[..., Path]) -> None:
    workspace = queued(2)
    run(workspace, "decide", "2", "--approve", "--reviewer", "aiko")
    said = run(workspace, "decide", "1", "2", "--approve", "--reviewer", "aiko", exits=1)["said"]
    assert "item 2 is approved already, nothing was decided" in said
    assert run(workspace, "queue")["pending"] == 1


def test_decide_dry_run_changes_nothing(queued: Callable[..., Path]) -> None:
    workspace = queued(1)
    assert run(workspace, "decide", "1", "--approve", "--reviewer", "aiko", "--dry-run")["decisions"] == []
    assert run(workspace, "queue", "--item", "1")["decisions"] == []


def test_review_says_in_one_line_that_the_port_is_taken(queued: Callable[..., Path]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = run(queued(1), "review", "--port", str(port), "--no-browser", exits=1)["said"]
    assert f"port {port} cannot be used" in said and "--port 0" in said and "\n" not in said


@pytest.mark.parametrize(
    ("review", "arguments", "line"),
    [
        ('identity = "ldap"', (), "[review]: identity is 'ldap'; allowed are local, oidc, proxy"),
        ('identity = "proxy"', (), "identity 'proxy' needs the header that names the person; write for example:"),
        ("", ("--host", "0.0.0.0"), "--host 0.0.0.0 would let other machines in under any name; write identity ="),
        ("", ("--host", "192.0.2.1"), "--host 192.0.2.1 is no address of this machine; allowed are its IP addresses"),
    ],
)
def test_review_refuses_wrong_settings_in_one_line(
    queued: Callable[..., Path], review: str, arguments: tuple[str, ...], line: str
) -> None:
    workspace = queued(1)
    (workspace / "adapt.toml").write_text(f"[review]\n{review}\n", encoding="utf-8")
    said = run(workspace, "review", "--port", "0", "--no-browser", *arguments, exits=1)["said"]
    assert line in said and "\n" not in said


def test_review_needs_a_catalogue(tmp_path: Path) -> None:
    assert "no catalogue in" in run(tmp_path / "none", "review", "--no-browser", exits=1)["said"]


def test_decide_takes_an_item_named_twice_once(queued: Callable[..., Path]) -> None:
    assert len(run(queued(1), "decide", "1", "1", "--approve", "--reviewer", "aiko")["decisions"]) == 1


@pytest.mark.parametrize("extra", [(), ("--dry-run",)])
def test_decide_undoes_a_list_whole_or_not_at_all(queued: Callable[..., Path], extra: tuple[str, ...]) -> None:
    workspace = queued(2)
    run(workspace, "decide", "1", "--approve", "--reviewer", "aiko")
    said = run(workspace, "decide", "1", "2", "--undo", "--reviewer", "aiko", *extra, exits=1)["said"]
    assert "aiko has no decision on item 2" in said
    assert run(workspace, "queue")["approved"] == 1


@pytest.mark.parametrize("number", ["0", str(2**63), "9" * 30])
def test_an_impossible_item_number_is_an_unknown_item(queued: Callable[..., Path], number: str) -> None:
    workspace = queued(1)
    assert "no item" in run(workspace, "queue", "--item", number, exits=1)["said"]
    assert "no item" in run(workspace, "decide", number, "--approve", "--reviewer", "aiko", exits=1)["said"]


def test_queue_names_the_runs_that_drew_something(queued: Callable[..., Path]) -> None:
    workspace = queued(1)
    assert run(workspace, "queue", "--run", "mugs", "--state", "approved")["items"] == []
    said = run(workspace, "queue", "--run", "mgus", exits=1)["said"]
    assert "no candidates of a run 'mgus'" in said and "mugs" in said


def test_export_dry_run_refuses_what_the_export_would(queued: Callable[..., Path], tmp_path: Path) -> None:
    workspace = queued(1)
    run(workspace, "decide", "1", "--approve", "--reviewer", "aiko")
    assert "exists already" in run(workspace, "export", "--out", str(tmp_path), "--dry-run", exits=1)["said"]


def test_decide_knows_changes_skip_and_checks(queued: Callable[..., Path]) -> None:
    workspace = queued(3)
    run(workspace, "decide", "1", "--changes", "--note", "thin handle", "--reviewer", "aiko")
    run(workspace, "decide", "2", "--skip", "--reviewer", "aiko")
    ticks = ("--check", "colour=mismatch", "--check", "height=not_visible")
    run(workspace, "decide", "3", "--reject", "--reason", "wrong_colour", *ticks, "--reviewer", "aiko")
    (made,) = run(workspace, "queue", "--item", "3")["decisions"]
    assert (made["checks"], made["origin"]) == ({"colour": "mismatch", "height": "not_visible"}, "script")
    counts = run(workspace, "queue", "--state", "changes")
    assert ([item["id"] for item in counts["items"]], counts["pending"], counts["changes"]) == ([1], 1, 1)


def test_decide_chooses_decides_in_bulk_and_rules(queued: Callable[..., Path]) -> None:
    workspace = queued(4)
    chosen = run(workspace, "decide", "2", "1", "--choose", "--reviewer", "aiko")
    assert len(chosen["decisions"]) == 2
    assert run(workspace, "queue", "--state", "not_chosen")["items"][0]["id"] == 1
    seen = ("--seen", "3", "--seen", "4", "--count", "2")
    assert len(run(workspace, "decide", "3", "4", "--approve", "--bulk", *seen, "--reviewer", "aiko")["decisions"]) == 2
    ruling = ("decide", "3", "--reject", "--reason", "other", "--adjudicate")
    assert "needs a note" in run(workspace, *ruling, "--reviewer", "aiko", exits=1)["said"]
    run(workspace, *ruling, "--note", "looked again", "--reviewer", "aiko")
    assert run(workspace, "queue", "--state", "rejected")["items"][0]["id"] == 3
    assert "ben is reviewer" in _refused_ruling(workspace)


def _refused_ruling(workspace: Path) -> str:
    run(workspace, "reviewers", "ben", "--add")
    run(workspace, "queue", "--claim", "--reviewer", "ben")
    ruling = ("decide", "3", "--approve", "--adjudicate", "--note", "mine", "--reviewer", "ben")
    return str(run(workspace, *ruling, exits=1)["said"])


def test_queue_claims_renews_and_releases(queued: Callable[..., Path]) -> None:
    workspace = queued(1)
    taken = run(workspace, "queue", "--claim", "--reviewer", "aiko")
    token = taken["token"]
    assert (taken["item"]["id"], taken["item"]["held_by"]) == (1, "aiko")
    run(workspace, "reviewers", "ben", "--add")
    assert run(workspace, "queue", "--claim", "--reviewer", "ben")["item"] is None
    assert run(workspace, "queue", "--renew", token, "--item", "1")["held_until"] >= taken["held_until"]
    assert run(workspace, "queue", "--release", token, "--item", "1")["released"]
    assert "not held by this claim" in run(workspace, "queue", "--renew", token, "--item", "1", exits=1)["said"]


def test_queue_claims_of_a_run(queued: Callable[..., Path]) -> None:
    workspace = queued(1)
    claim = ("queue", "--claim", "--reviewer", "aiko", "--run")
    assert run(workspace, *claim, "mugs")["item"]["run"] == "mugs"
    assert run(workspace, *claim, "mugs") == {"item": None}
    said = run(workspace, *claim, "mug", exits=1)["said"]
    assert "no candidates of a run 'mug'; there are those of: mugs" in said and "\n" not in said
    for number in ("0", str(2**70)):
        said = run(workspace, "queue", "--claim", "--item", number, "--reviewer", "aiko", exits=1)["said"]
        assert f"no item {number} in the review queue" in said and "\n" not in said


def test_queue_writes_and_verifies_the_log(queued: Callable[..., Path], tmp_path: Path) -> None:
    workspace = queued(2)
    run(workspace, "decide", "1", "2", "--approve", "--reviewer", "aiko")
    assert run(workspace, "queue", "--verify", "--reviewer", "aiko") == {"decisions": 2, "verified": True}
    file = tmp_path / "log.jsonl"
    assert run(workspace, "queue", "--log", str(file), "--reviewer", "aiko")["decisions"] == 2
    assert len(file.read_text().splitlines()) == 2
    run(workspace, "queue", "--claim", "--item", "1", "--reviewer", "ben", exits=1)
    run(workspace, "reviewers", exits=0)
    with sqlite3.connect(workspace / "catalog.db") as connection:
        connection.execute("UPDATE review_item SET state = 'rejected' WHERE id = 1")
    said = run(workspace, "queue", "--verify", "--reviewer", "aiko", exits=1)["said"]
    assert "item 1 is rejected, its decisions say approved" in said and "\n" not in said


def test_reviewers_lists_people_and_gives_roles(queued: Callable[..., Path]) -> None:
    workspace = queued(2)
    for number, name in (("1", "aiko"), ("2", "ben")):
        run(workspace, "reviewers", name, "--add")
        run(workspace, "decide", number, "--approve", "--reviewer", name)
    listed = run(workspace, "reviewers")["reviewers"]
    assert [(person["name"], person["role"], person["source"]) for person in listed] == [
        ("aiko", "admin", "local"),
        ("ben", "reviewer", "local"),
    ]
    run(workspace, "reviewers", "ben", "--role", "lead", "--by", "aiko", "--dry-run")
    assert run(workspace, "reviewers", "ben")["reviewers"][0]["role"] == "reviewer"
    assert run(workspace, "reviewers", "ben", "--role", "lead", "--by", "aiko")["reviewers"][0]["role"] == "lead"
    assert not run(workspace, "reviewers", "ben", "--inactive", "--by", "aiko")["reviewers"][0]["active"]
    said = run(workspace, "reviewers", "aiko", "--role", "reviewer", "--by", "aiko", exits=1)["said"]
    assert "aiko is the last admin" in said and "\n" not in said
    assert "may not act here" in run(workspace, "queue", "--claim", "--reviewer", "ben", exits=1)["said"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("decide", "1", "--approve", "--check", "colour", "--reviewer", "aiko"),
        ("decide", "1", "--skip", "--bulk", "--reviewer", "aiko"),
        ("decide", "1", "--approve", "--bulk", "--adjudicate", "--reviewer", "aiko"),
        ("queue", "--claim"),
        ("queue", "--verify"),
        ("queue", "--renew", "x"),
        ("queue", "--claim", "--verify", "--reviewer", "aiko"),
        ("reviewers", "ben", "--role", "lead"),
        ("reviewers", "--add"),
        ("reviewers", "ben", "--add", "--role", "lead", "--by", "aiko"),
    ],
)
def test_wrong_usage_is_told_before_anything_is_opened(workspace: Path, arguments: tuple[str, ...]) -> None:
    assert runner.invoke(app, ["-w", str(workspace), *arguments]).exit_code == 2
    assert not workspace.exists()


def test_a_slip_of_the_pen_makes_no_second_person(queued: Callable[..., Path]) -> None:
    workspace = queued(3)
    run(workspace, "decide", "1", "--approve", "--reviewer", "aiko")
    for extra in ((), ("--dry-run",)):
        said = run(workspace, "decide", "2", "--approve", "--reviewer", "o'aki", *extra, exits=1)["said"]
        assert said.endswith(
            "nobody here is called \"o'aki\"; there are: aiko; add a person with: adapt reviewers 'o'\"'\"'aki' --add"
        )
    assert "nobody here is called" in run(workspace, "queue", "--claim", "--reviewer", "ben", exits=1)["said"]
    run(workspace, "decide", "2", "--approve", "--reviewer", "ＡＩＫＯ")
    assert [person["name"] for person in run(workspace, "reviewers")["reviewers"]] == ["aiko"]
    assert run(workspace, "queue", "--item", "2")["decisions"][0]["reviewer"] == "aiko"
    run(workspace, "reviewers", "ben", "--add", "--dry-run")
    assert [person["name"] for person in run(workspace, "reviewers")["reviewers"]] == ["aiko"]
    assert run(workspace, "reviewers", "ben", "--add")["reviewers"][0]["role"] == "reviewer"
    run(workspace, "decide", "3", "--approve", "--reviewer", "ben")
    said = run(workspace, "reviewers", "Aiko", "--add", exits=1)["said"]
    assert "'Aiko' is written like 'aiko', who is here already; use that name" in said


def spoken(workspace: Path, *arguments: str) -> list[str]:
    done = runner.invoke(app, ["-w", str(workspace), *arguments])
    assert done.exit_code == 0, done.output
    return done.stdout.splitlines()


def test_decide_tells_what_it_did_in_sentences(queued: Callable[..., Path]) -> None:
    workspace = queued(4)
    who = ("--reviewer", "aiko")
    name = "Enamel mug"
    for arguments, lines in (
        (("1", "2", "--choose"), ["chose item 1", "did not choose item 2"]),
        (("1", "--undo"), ["took back the decision on item 1"]),
        (("1", "--changes", "--note", "thinner"), ["asked for changes to item 1"]),
        (("2", "--reject", "--reason", "other"), ["rejected item 2"]),
        (("3", "--skip"), ["skipped item 3"]),
        (("3", "--approve"), ["approved item 3"]),
        (("4", "--changes", "--note", "thinner", "--dry-run"), ["would ask for changes to item 4"]),
    ):
        said = spoken(workspace, "decide", *arguments, *who)
        assert [line.partition(":")[0] for line in said] == lines, name
    log = {made["origin"] for made in run(workspace, "queue", "--item", "1")["decisions"]}
    assert log == {"script"}


def test_queue_tells_the_whole_history_of_an_item(queued: Callable[..., Path]) -> None:
    workspace = queued(1, similarity=0.99)
    reject = ("decide", "1", "--reject", "--reason", "distorted", "--reason", "copy", "--note", "bent\nand thin")
    run(workspace, *reject, "--check", "colour=match", "--reviewer", "aiko")
    lines = [line.strip() for line in spoken(workspace, "queue", "--item", "1")]
    assert lines[1] == "needs 2 approvals (may be a copy of a real photo, similarity 0.990)"
    assert lines[2].endswith("reject   aiko  distorted, copy")
    assert lines[3:5] == ["checks: colour match", "note: bent and thin"]
    (item,) = run(workspace, "queue", "--item", "1")["items"]
    assert (item["approvals_needed"], item["flagged"], item["copy_risk"]) == (2, True, True)


def test_what_is_asked_for_by_changes_is_planned_for_drawing(queued: Callable[..., Path]) -> None:
    workspace = queued(2)
    run(workspace, "decide", "1", "--changes", "--note", "thin handle", "--reviewer", "aiko")
    with Catalog.open(workspace) as catalog:
        assert [wish.item_id for wish in regeneration.pending(catalog)] == [1]
