"""Hostile tables, links and archives: each ends as its code, sound rows beside it are read, and nothing outside is."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hostile.archives import ARCHIVES, LYING, SOUND, ArchiveCase, picture
from hostile.tables import TABLES, TableCase, big_cell, write_dump, write_links, write_sparse_table

from catalog.errors import IngestRefused
from catalog.paths import Dump
from catalog.readers import read_dump, tabular

_READ = """
import sys
from pathlib import Path
from catalog.paths import Dump
from catalog.readers import read_dump

catalogue = read_dump(Dump(Path(sys.argv[1])))
print([product.sku for product in catalogue.products], [issue.line for issue in catalogue.issues])
# Not ru_maxrss: a child starts with the peak of the test run that started it.
status = Path("/proc/self/status").read_text()
print(int(status.split("VmHWM:")[1].split()[0]) // 1024)
"""


@pytest.mark.parametrize("case", TABLES, ids=lambda case: case.name)
def test_read_dump_reports_a_hostile_table_and_reads_the_rest(case: TableCase, tmp_path: Path) -> None:
    catalogue = read_dump(Dump(write_dump(tmp_path / "dump", case)))
    assert {product.sku: product.name for product in catalogue.products} == dict(case.products)
    assert case.issues <= {issue.reason for issue in catalogue.issues}
    facts = [fact for product in catalogue.products for fact in product.attributes]
    assert case.facts.items() <= {fact.name: fact.value for fact in facts}.items()
    said = [*(product.name for product in catalogue.products), *(fact.name + fact.value for fact in facts)]
    said += [issue.detail for issue in catalogue.issues]
    assert not [text for text in said for word in case.never if word in text]
    assert all(len(issue.detail) < 1000 and "\n" not in issue.detail for issue in catalogue.issues)


def test_an_overlong_cell_costs_its_row_only(tmp_path: Path) -> None:
    with (tmp_path / "items.csv").open("wb") as file:
        file.writelines(big_cell(5 << 20))
    (tmp_path / "a.png").write_bytes(picture())
    catalogue = read_dump(Dump(tmp_path))
    assert [product.sku for product in catalogue.products] == ["A", "C"]
    assert [issue.line for issue in catalogue.issues if issue.severity == "error"] == [3]


@pytest.mark.skipif(not hasattr(tabular, "MAX_LINE_BYTES"), reason="tables are read whole")
def test_a_cell_of_a_gigabyte_is_passed_over_in_little_memory(tmp_path: Path, repository: Path) -> None:
    write_sparse_table(tmp_path / "items.csv", 1 << 30)
    (tmp_path / "a.png").write_bytes(picture())
    done = subprocess.run(
        [sys.executable, "-c", _READ, str(tmp_path)], cwd=repository, capture_output=True, text=True, check=True
    )
    found, memory_mb = done.stdout.splitlines()
    assert found == "['A'] [3]"
    assert int(memory_mb) < 500


def test_links_that_leave_a_dump_are_never_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.png").write_bytes(picture())
    dump = Dump(write_links(tmp_path / "dump", outside))
    assert set(dump.files) == {"a.png", "items.csv"}
    catalogue = read_dump(dump)
    assert {drawn.path for product in catalogue.products for drawn in product.pictures} == {"a.png"}
    by_line = {issue.line: issue.reason for issue in catalogue.issues if issue.line}
    assert by_line[3] == by_line[4] == "FILE_ESCAPES_ROOT"
    assert {5, 6} <= by_line.keys()


# --- archives ------------------------------------------------------------------------------------

archives = pytest.mark.skipif(not hasattr(Dump, "_listed_root"), reason="archives are not read yet")
WHOLE = [case for case in ARCHIVES if not case.refused]
REFUSED = [case for case in ARCHIVES if case.refused]


def each(cases: list[ArchiveCase]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    return lambda test: archives(pytest.mark.parametrize("case", cases, ids=lambda case: case.name)(test))


@each(WHOLE)
def test_dump_lists_the_sound_entries_of_a_hostile_archive(case: ArchiveCase, tmp_path: Path) -> None:
    path = tmp_path / "given" / case.name
    path.parent.mkdir()
    case.write(path)
    dump = Dump(path)
    assert set(dump.files) == case.files
    assert {issue.reason for issue in dump.issues} == case.issues
    assert dump.files[SOUND].read(1 << 20) == picture()
    assert [file.name for file in tmp_path.rglob("*")] == ["given", case.name]


@each(REFUSED)
def test_dump_refuses_a_hostile_archive_and_goes_on_beside_it(case: ArchiveCase, tmp_path: Path) -> None:
    case.write(tmp_path / case.name)
    with pytest.raises(IngestRefused, match=case.refused):
        Dump(tmp_path / case.name)
    (tmp_path / "a.png").write_bytes(picture())
    dump = Dump(tmp_path)
    assert [issue.reason for issue in dump.issues] == [case.refused]
    assert "a.png" in dump.files


@archives
def test_an_entry_larger_than_its_archive_says_is_refused_when_read(tmp_path: Path) -> None:
    LYING(tmp_path / "lies.zip")
    dump = Dump(tmp_path / "lies.zip")
    with pytest.raises(OSError, match="archive"):
        dump.files["lies.png"].read(1 << 30)
    assert dump.files[SOUND].read(1 << 20) == picture()
