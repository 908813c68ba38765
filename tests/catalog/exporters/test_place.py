"""A delivery is made where it can be and spoils nothing."""

from pathlib import Path

import pytest

from catalog.errors import ExportRefused
from catalog.exporters.place import KEPT, check_place, is_address


@pytest.mark.parametrize("name", ["exports/folder-001", "out", "納品　一", "a b/c", "blobs-2", "C:/out"])
def test_check_place_takes_a_plain_folder(tmp_path: Path, name: str) -> None:
    check_place(tmp_path, tmp_path / name)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        *((f"{kept}/x", f"is inside .*{kept}, which the workspace needs for itself") for kept in KEPT),
        ("old/x/y", "is inside the delivery .*old, which would not verify any more"),
        ("x" * 300, r"cannot make the folder .{80}… \(File name too long\)"),
        ("x" * 245, r"\(File name too long\)"),
        ("x" * 252, r"\(File name too long\)"),
        ("a\nb", r"the folder '.*a\\nb' has signs in its name that cannot be shown"),
        ("a\u202eb", "cannot be shown"),
        ("a\x00b", "cannot be shown"),
        ("a\udcffb", "cannot be shown"),
    ],
)
def test_check_place_refuses_in_one_line(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "export.json").write_text("{}")
    with pytest.raises(ExportRefused, match=f"{said}.*; choose another with --out DIR$") as caught:
        check_place(tmp_path, tmp_path / name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["exports/../blobs/y", "to-blobs/x", "to-workspace/datasets/x", "to-old/x"])
def test_check_place_looks_where_a_path_leads(tmp_path: Path, name: str) -> None:
    workspace = tmp_path / "workspace"
    for folder in ("exports", "blobs", "datasets", "old"):
        (workspace / folder).mkdir(parents=True)
    (workspace / "old" / "export.json").write_text("{}")
    for link, to in (("to-blobs", workspace / "blobs"), ("to-workspace", workspace), ("to-old", workspace / "old")):
        (workspace / link).symlink_to(to)
    with pytest.raises(ExportRefused, match=r"is inside .*; choose another with --out DIR$"):
        check_place(workspace, workspace / name)


def test_check_place_knows_blobs_that_are_a_link(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "workspace").mkdir()
    (tmp_path / "workspace" / "blobs").symlink_to(tmp_path / "disk")
    with pytest.raises(ExportRefused, match="which the workspace needs for itself"):
        check_place(tmp_path / "workspace", tmp_path / "disk" / "x")


@pytest.mark.parametrize(
    ("path", "expected"),
    [("s3://b/x", True), ("https://a/b", True), ("C:/x", False), ("/a/b:/c", False), ("a:b", False)],
)
def test_is_address_knows_one_from_a_path(path: str, expected: bool) -> None:
    assert is_address(Path(path)) is expected
