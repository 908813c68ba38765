"""How the server starts: settings that follow from `[review]`, and what it refuses to start with."""

import tomllib
from pathlib import Path

import pytest
from streamlit import config

from catalog.errors import CatalogError
from ui import oidc, serve
from ui.review_config import ReviewConfig

CONFIG = Path(serve.__file__).with_name(".streamlit") / "config.toml"
AUTH = """
[auth]
redirect_uri = "http://localhost:8501/oauth2callback"
cookie_secret = "0123456789abcdef0123456789abcdef"
"""
PROVIDER = 'client_id = "a"\nclient_secret = "b"\nserver_metadata_url = "https://example.com/x"\n'


def test_shipped_settings_are_the_strict_ones() -> None:
    shipped = tomllib.loads(CONFIG.read_text(encoding="utf-8"))
    assert shipped["client"] == {"toolbarMode": "minimal", "showErrorDetails": "none"}
    assert shipped["browser"] == {"gatherUsageStats": False}
    assert shipped["server"]["enableCORS"] and shipped["server"]["enableXsrfProtection"]
    assert shipped["server"]["allowedHosts"] == list(serve.THIS_MACHINE)
    assert not shipped["server"]["enableStaticServing"] and not shipped["runner"]["magicEnabled"]


def test_no_full_garbage_collection_follows_a_key_press() -> None:
    # Streamlit lists the setting nowhere; under another name it would be ignored without a word.
    assert config.get_config_options()["runner.postScriptGC"].type is bool
    assert tomllib.loads(CONFIG.read_text(encoding="utf-8"))["runner"]["postScriptGC"] is False


def test_server_answers_to_the_names_it_was_given(tmp_path: Path) -> None:
    flags = serve.flags(ReviewConfig(hosts=("review.example.com",)), tmp_path, "127.0.0.1", "8501")
    hosts = [flag.partition("=")[2] for flag in flags if flag.startswith("--server.allowedHosts=")]
    assert hosts == ["127.0.0.1", "localhost", "::1", "review.example.com"]
    assert "--server.address=127.0.0.1" in flags and "--server.port=8501" in flags
    assert not any("secrets" in flag for flag in flags)


def test_secrets_are_read_from_the_workspace_alone(tmp_path: Path) -> None:
    flags = serve.flags(ReviewConfig(identity="oidc"), tmp_path, "127.0.0.1", "8501")
    assert [flag for flag in flags if "secrets" in flag] == [f"--secrets.files={tmp_path / 'secrets.toml'}"]


@pytest.mark.parametrize(
    ("config", "line"),
    [
        (ReviewConfig(), "--host 10.0.0.4 would let other machines in under any name; write identity ="),
        (
            ReviewConfig(identity="proxy", proxy_header="X-User"),
            "--host 10.0.0.4 would believe X-User from anybody; list the proxy",
        ),
    ],
)
def test_address_beyond_this_machine_needs_people_who_are_checked(config: ReviewConfig, line: str) -> None:
    with pytest.raises(CatalogError, match=line):
        serve.check_address(config, "10.0.0.4")
    serve.check_address(config, "127.0.0.1")


@pytest.mark.parametrize(
    "config",
    [
        ReviewConfig(identity="oidc"),
        ReviewConfig(identity="proxy", proxy_header="X-User", proxy_addresses=("10.0.0.9",)),
    ],
)
def test_address_beyond_this_machine_is_served_to_people_who_are_checked(config: ReviewConfig) -> None:
    serve.check_address(config, "0.0.0.0")


def test_wrong_settings_end_the_start_with_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "adapt.toml").write_text('[review]\nidentity = "proxy"\n', encoding="utf-8")
    monkeypatch.setenv("ADAPT_WORKSPACE", str(tmp_path))
    assert serve.main("127.0.0.1", "0") == serve.REFUSED
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "needs the header that names the person" in said


@pytest.mark.parametrize(
    ("secrets", "line"),
    [
        (None, "identity 'oidc' needs .*secrets.toml with a section \\[auth\\]"),
        ("[auth", "cannot be read"),
        ('token = "x"', "has no section \\[auth\\]"),
        (AUTH, "lacks client_id, client_secret, server_metadata_url"),
        ("[auth]\n" + PROVIDER, "lacks redirect_uri, cookie_secret"),
        (AUTH.replace("0123456789abcdef", "x") + PROVIDER, "cookie_secret has 2 characters; at least 32 are needed"),
    ],
)
def test_sign_in_needs_its_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, secrets: str | None, line: str
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    if secrets is not None:
        (tmp_path / oidc.SECRETS).write_text(secrets, encoding="utf-8")
    with pytest.raises(CatalogError, match=line) as refused:
        oidc.check(tmp_path)
    assert "\n" not in str(refused.value)


def test_sign_in_knows_one_provider_or_several(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    both = AUTH + PROVIDER + "[auth.second]\n" + PROVIDER + "[auth.first]\n" + PROVIDER
    (tmp_path / oidc.SECRETS).write_text(both, encoding="utf-8")
    oidc.check(tmp_path)
    assert oidc.providers(tomllib.loads(both)["auth"]) == [None, "first", "second"]


def test_sign_in_asks_for_its_library_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(CatalogError, match="needs Authlib; install it with: pip install 'streamlit\\[auth\\]'"):
        oidc.check(tmp_path)
