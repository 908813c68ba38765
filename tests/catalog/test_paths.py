"""Which written paths name a file of the dump, and that nothing outside it is ever named."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from catalog.errors import IngestRefused, PathRefused
from catalog.paths import Dump, checked_root, clean_path


@pytest.fixture(scope="module")
def dump(tmp_path_factory: pytest.TempPathFactory) -> Dump:
    """A dump beside a secret, with a link that leaves, one that stays and a dangling one."""
    outside = tmp_path_factory.mktemp("outside")
    (outside / "secret.jpg").write_bytes(b"secret")
    root = outside / "dump"
    for name in ("a.jpg", "sub/b.jpg", "sub/deep/c.jpg", "twice/c2.jpg", "other/c2.jpg", "sub/Mixed.JPG", "ガラス.jpg"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")
    (root / "out.jpg").symlink_to(outside / "secret.jpg")
    (root / "outdir").symlink_to(outside)
    (root / "in.jpg").symlink_to(root / "a.jpg")
    (root / "dangling.jpg").symlink_to(root / "none.jpg")
    os.mkfifo(root / "pipe.jpg")
    (root / "__MACOSX").mkdir()
    (root / "__MACOSX" / "._a.jpg").write_bytes(b"x")
    return Dump(root)


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("a.jpg", "a.jpg"),
        ("/a.jpg", "a.jpg"),
        ("\\a.jpg", "a.jpg"),
        ("./a.jpg", "a.jpg"),
        (" a.jpg ", "a.jpg"),
        ("sub/b.jpg", "sub/b.jpg"),
        ("sub\\b.jpg", "sub/b.jpg"),
        ("sub//b.jpg", "sub/b.jpg"),
        ("A.JPG", "a.jpg"),
        ("mixed.jpg", "sub/Mixed.JPG"),
        ("b.jpg", "sub/b.jpg"),
        ("/deep/c.jpg", "sub/deep/c.jpg"),
        ("カ\u3099ラス.jpg", "ガラス.jpg"),
        ("in.jpg", "in.jpg"),
        ("https://example.com/shop/sub/deep/c.jpg?v=3", "sub/deep/c.jpg"),
        ("//cdn.example.com/%E3%82%AC%E3%83%A9%E3%82%B9.jpg", "ガラス.jpg"),
    ],
)
def test_resolve_finds_what_a_shop_means(dump: Dump, written: str, found: str) -> None:
    assert dump.resolve(written).path == found


def test_resolve_looks_beside_the_manifest_first(dump: Dump) -> None:
    assert dump.resolve("b.jpg", folder="sub").path == "sub/b.jpg"
    assert dump.resolve("c2.jpg", folder="other").path == "other/c2.jpg"


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("../outside/secret.jpg", "FILE_ESCAPES_ROOT"),
        ("sub/../../secret.jpg", "FILE_ESCAPES_ROOT"),
        ("..\\secret.jpg", "FILE_ESCAPES_ROOT"),
        ("/..", "FILE_ESCAPES_ROOT"),
        ("//server/share/a.jpg", "FILE_ESCAPES_ROOT"),
        ("\\\\server\\share\\a.jpg", "FILE_ESCAPES_ROOT"),
        ("/\\server/a.jpg", "FILE_ESCAPES_ROOT"),
        ("C:\\a.jpg", "FILE_ESCAPES_ROOT"),
        ("c:a.jpg", "FILE_ESCAPES_ROOT"),
        ("out.jpg", "FILE_ESCAPES_ROOT"),
        ("outdir/secret.jpg", "FILE_ESCAPES_ROOT"),
        ("https://example.com/nowhere.jpg", "URL_NOT_FETCHED"),
        ("https://example.com/%2e%2e/secret.jpg", "FILE_ESCAPES_ROOT"),
        ("file:///etc/passwd", "URL_NOT_FETCHED"),
        ("x://a.jpg", "URL_NOT_FETCHED"),
        ("", "FILE_BAD_PATH"),
        ("/", "FILE_BAD_PATH"),
        ("a\x00.jpg", "FILE_BAD_PATH"),
        ("a\n.jpg", "FILE_BAD_PATH"),
        ("none.jpg", "FILE_MISSING"),
        ("dangling.jpg", "FILE_MISSING"),
        ("pipe.jpg", "FILE_MISSING"),
        ("．．/secret.jpg", "FILE_MISSING"),
        ("/etc/passwd", "FILE_MISSING"),
        ("c2.jpg", "FILE_AMBIGUOUS"),
    ],
)
def test_resolve_refuses_with_a_code(dump: Dump, written: str, code: str) -> None:
    with pytest.raises(PathRefused) as caught:
        dump.resolve(written)
    assert caught.value.code == code
    assert "\n" not in str(caught.value)


def test_resolve_names_similar_files(dump: Dump) -> None:
    with pytest.raises(PathRefused, match=r"similar: .*Mixed\.JPG"):
        dump.resolve("Mixxed.jpg")


def test_dump_leaves_out_junk_and_pipes_and_remembers_them(dump: Dump) -> None:
    assert not any("MACOSX" in path or "pipe" in path for path in dump.files)
    assert dump.ignored == {
        "pipe.jpg": "a pipe or device",
        "__MACOSX/._a.jpg": "__MACOSX is hidden or left by a system",
    }


def test_dump_accounts_for_every_file_it_does_not_read(tmp_path: Path) -> None:
    for name in ("a.jpg", ".hidden.jpg", ".git/config", "sub/Thumbs.db", "~$book.xlsx", "old/catalog.db", "now/x.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"1")
    (tmp_path / "old" / "blobs").mkdir()
    (tmp_path / "again").symlink_to(tmp_path / "sub")
    dump = Dump(tmp_path, leave_out=tmp_path / "now")
    assert list(dump.files) == ["a.jpg"]
    assert set(dump.ignored) == {".hidden.jpg", ".git/config", "sub/Thumbs.db", "~$book.xlsx", "old/", "again"}
    assert dump.ignored["old/"] == "a workspace of adapt"


def test_names_in_decomposed_form_are_found_by_either_form(tmp_path: Path) -> None:
    decomposed = "カ\u3099ラス_フ\u309aレート.jpg"
    (tmp_path / decomposed).write_bytes(b"x")
    file = Dump(tmp_path).resolve("ガラス_プレート.jpg")
    assert (file.path, file.actual.name, file.read(9)) == ("ガラス_プレート.jpg", decomposed, b"x")
    assert Dump(tmp_path).resolve(decomposed) == file


def test_two_files_of_one_name_in_different_forms_are_named(tmp_path: Path) -> None:
    (tmp_path / "ガ.jpg").write_bytes(b"composed")
    (tmp_path / "カ\u3099.jpg").write_bytes(b"apart")
    dump = Dump(tmp_path)
    assert dump.resolve("ガ.jpg").read(99) == b"composed"
    assert [(issue.reason, issue.severity) for issue in dump.issues] == [("FILE_AMBIGUOUS", "warning")]
    assert list(dump.ignored.values()) == ["FILE_AMBIGUOUS"]


def test_escaped_characters_are_read_where_no_file_is_called_so(tmp_path: Path) -> None:
    for name in ("my chair.jpg", "50%20off.jpg", "椅子.jpg"):
        (tmp_path / name).write_bytes(b"x")
    dump = Dump(tmp_path)
    assert dump.resolve("my%20chair.jpg").path == "my chair.jpg"
    assert dump.resolve("50%20off.jpg").path == "50%20off.jpg"
    assert dump.resolve("https://x.example/a/%E6%A4%85%E5%AD%90.jpg").path == "椅子.jpg"
    with pytest.raises(PathRefused) as caught:
        dump.resolve("%2e%2e/secret.jpg")
    assert caught.value.code == "FILE_ESCAPES_ROOT"


def test_ignoring_case_needs_one_file_only(tmp_path: Path) -> None:
    for name in ("A.jpg", "a.JPG"):
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(PathRefused) as caught:
        Dump(tmp_path).resolve("a.jpg")
    assert caught.value.code == "FILE_AMBIGUOUS"


_piece = st.sampled_from(
    [
        "..",
        ".",
        "",
        "a.jpg",
        "sub",
        "/",
        "\\",
        "C:",
        "outdir",
        "secret.jpg",
        "．．",
        "..\\",
        "%2e%2e",
        "\x00",
        "://",
        "b.jpg",
    ]
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    written=st.one_of(st.lists(_piece, max_size=8).map("/".join), st.lists(_piece, max_size=8).map("".join), st.text())
)
@example(written="sub/..")
def test_resolve_never_leaves_the_dump(dump: Dump, written: str) -> None:
    try:
        file = dump.resolve(written, suggest=False)
    except PathRefused as error:
        assert error.code.isupper()
        return
    assert file.actual.resolve().is_relative_to(dump.root)
    assert file.actual.read_bytes() == b"x"


@settings(max_examples=200, deadline=None)
@given(written=st.text())
def test_clean_path_is_stable_and_relative(written: str) -> None:
    try:
        path = clean_path(written)
    except PathRefused:
        return
    assert not path.startswith("/") and "\\" not in path
    assert ".." not in path.split("/")
    try:
        assert clean_path(path) == path
    except PathRefused as error:
        # Stripping can bring a drive letter or blank end to the front; it is refused the second time, too.
        assert error.code in ("FILE_ESCAPES_ROOT", "FILE_BAD_PATH")


def test_a_workbook_is_no_archive_although_it_is_a_zip(tmp_path: Path) -> None:
    (tmp_path / "book.xlsx").write_bytes(b"PK\x03\x04")
    with pytest.raises(IngestRefused, match="give the folder it is in"):
        Dump(tmp_path / "book.xlsx")


@pytest.mark.parametrize("empty", ["", "  "])
def test_an_empty_path_is_not_the_current_folder(empty: str) -> None:
    with pytest.raises(IngestRefused, match="empty"):
        checked_root(empty)


@pytest.mark.parametrize(
    ("kind", "advice"), [("missing", "no such dump"), ("file", "no zip or tar"), ("empty", "no files")]
)
def test_dump_says_why_a_folder_cannot_be_read(tmp_path: Path, kind: str, advice: str) -> None:
    root = tmp_path / "dump"
    if kind == "file":
        root.write_bytes(b"PK")
    elif kind == "empty":
        root.mkdir()
    with pytest.raises(IngestRefused, match=advice) as caught:
        Dump(root)
    assert "\n" not in str(caught.value)
