"""`[review]` of adapt.toml: what it may say, and one line for what it may not."""

import os
from pathlib import Path

import pytest

from catalog.errors import CatalogError
from ui.review_config import ReviewConfig, read


def written(folder: Path, text: str) -> Path:
    (folder / "adapt.toml").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize("text", [None, "", 'database_url = "sqlite:///x.db"\n', "[review]\n"])
def test_nothing_written_means_typed_names(tmp_path: Path, text: str | None) -> None:
    config = read(tmp_path if text is None else written(tmp_path, text))
    assert config == ReviewConfig()
    assert (config.identity, config.default_role, config.roles, config.max_session_hours) == ("local", None, {}, 12)


def test_everything_can_be_set(tmp_path: Path) -> None:
    config = read(
        written(
            tmp_path,
            """
            [review]
            identity = "proxy"
            proxy_header = "X-Forwarded-User"
            proxy_addresses = ["10.0.0.4", "FD00::0004"]
            user_claim = "preferred_username"
            max_session_hours = 8
            hosts = ["review.example.com", "*.example.com"]
            default_role = "reviewer"
            roles = {"aki@example.com" = "admin", "亜紀" = "lead"}
            """,
        )
    )
    assert config == ReviewConfig(
        identity="proxy",
        proxy_header="X-Forwarded-User",
        proxy_addresses=("10.0.0.4", "fd00::4"),
        user_claim="preferred_username",
        max_session_hours=8.0,
        hosts=("review.example.com", "*.example.com"),
        default_role="reviewer",
        roles={"aki@example.com": "admin", "亜紀": "lead"},
    )


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('identity = "ldap"', "identity is 'ldap'; allowed are local, oidc, proxy"),
        ("identity = 1", 'identity is 1; write text in quotes, such as: identity = "..."'),
        ('identity = ""', "identity is ''; write text in quotes"),
        (
            'identity = "proxy"',
            "identity 'proxy' needs the header that names the person; "
            'write for example: proxy_header = "X-Forwarded-User"',
        ),
        ('proxy_header = "X-User"', "proxy_header does nothing with identity 'local'; write: identity = \"proxy\""),
        ('identity = "proxy"\nproxy_header = "X User"', "proxy_header is 'X User'; allowed are letters, digits and"),
        (
            'proxy_addresses = ["proxy"]',
            "proxy_addresses: 'proxy' does not appear to be an IPv4 or IPv6 address; write",
        ),
        ('proxy_addresses = "10.0.0.4"', "proxy_addresses is '10.0.0.4'; write a list of texts, such as:"),
        ('hosts = ["https://x"]', "hosts has 'https://x'; write names without scheme and port"),
        ("max_session_hours = 0", "max_session_hours is 0; allowed are numbers above 0 up to 720"),
        ("max_session_hours = true", "max_session_hours is True; allowed are numbers above 0 up to 720"),
        ('max_session_hours = "8"', "max_session_hours is '8'; allowed are numbers"),
        ('default_role = "boss"', "default_role is 'boss'; allowed are reviewer, lead, auditor, admin"),
        ('roles = {aki = "boss"}', "the role of 'aki' is 'boss'; allowed are reviewer, lead, auditor, admin"),
        ("roles = {aki = 1}", "the role of 'aki' is 1; allowed are reviewer, lead, auditor, admin"),
        ('roles = ["aki"]', "roles is ['aki']; write names with their role"),
        ('hosts = ["*.com"]', "hosts has '*.com', which is nobody's own; write such as \"*.example.com\""),
        ('roles = {"" = "admin"}', "roles has a name that is empty; write names with their role:"),
        ('roles = {" " = "admin"}', "roles has a name that is empty"),
        *(
            (
                f'identity = "proxy"\nproxy_header = "{name}"',
                f"proxy_header is '{name}', which anybody may send",
            )
            for name in ("Cookie", "host", "User-Agent", "X-Forwarded-For", "Sec-Fetch-Site", "Authorization")
        ),
        ("quorum = 2", "unknown setting 'quorum'; allowed are identity, proxy_header, proxy_addresses, user_claim,"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path: Path, text: str, line: str) -> None:
    with pytest.raises(CatalogError) as refused:
        read(written(tmp_path, f"[review]\n{text}\n"))
    said = str(refused.value)
    assert said.startswith(f"{tmp_path / 'adapt.toml'} [review]: ") and line in said and "\n" not in said


@pytest.mark.parametrize(
    ("text", "line"), [("[review", "is not valid TOML"), ('review = "local"', "review is 'local'; write a section")]
)
def test_file_that_is_none_is_said_in_one_line(tmp_path: Path, text: str, line: str) -> None:
    with pytest.raises(CatalogError, match=line):
        read(written(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('[reveiw]\nidentity = "proxy"', "unknown name 'reveiw'; write review, or remove it"),
        ('[Review]\nidentity = "proxy"', "unknown name 'Review'; write review, or remove it"),
        ("[reviews]", "unknown name 'reviews'; write review"),
        ("[exprot]", "unknown name 'exprot'; write export"),
        ('databse_url = "x"', "unknown name 'databse_url'; write database_url"),
        ('identity = "proxy"', "identity stands outside its section; write it below [review]"),
        ('c2pa_key = "k.pem"', "c2pa_key stands outside its section; write it below [export]"),
        ("a = " + "[" * 100_000, "is not valid TOML"),
    ],
)
def test_what_would_not_be_read_is_said_in_one_line(tmp_path: Path, text: str, line: str) -> None:
    with pytest.raises(CatalogError) as refused:
        read(written(tmp_path, text))
    assert str(refused.value).startswith(str(tmp_path / "adapt.toml")) and line in str(refused.value)
    assert "\n" not in str(refused.value)


def test_sections_of_others_are_left_alone(tmp_path: Path) -> None:
    assert read(written(tmp_path, 'blobs_url = "x"\n[lint]\nidentity = 3\n[export]\n')) == ReviewConfig()


@pytest.mark.parametrize("kind", ["folder", "pipe", "link to nothing"])
def test_settings_that_are_no_file_are_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "adapt.toml"
    {"folder": path.mkdir, "pipe": lambda: os.mkfifo(path), "link to nothing": lambda: path.symlink_to("x")}[kind]()
    with pytest.raises(CatalogError, match=r"adapt\.toml is no file; put a file with the settings there or remove it"):
        read(tmp_path)
