"""Who is there, from a typed name, a sign-in service or a proxy; and what the screens show them."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from component_messages import data_of, send
from starlette.datastructures import Headers
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash
from streamlit.web.server.server_util import get_cookie_secret
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

from catalog import people, queue
from catalog.store import Catalog
from ui import frame, identity, image_route, proxy
from ui.identity import Unidentified
from ui.review_config import ReviewConfig

SCRIPT = Path(__file__).resolve().parents[2] / "ui" / "main.py"
PROXY = 'identity = "proxy"\nproxy_header = "X-User"\n'
OIDC = 'identity = "oidc"\n'
HOUR_S = 3600


@pytest.fixture
def opened(queued: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[AppTest, Catalog]]:
    """Return a function that opens the screens on a workspace with `[review]` settings, people and what they sent."""

    def start(
        review: str = "", *, roles: dict[str, str] | None = None, user: dict[str, Any] | None = None, **query: str
    ) -> tuple[AppTest, Catalog]:
        workspace = queued(2)
        (workspace / "adapt.toml").write_text(f"[review]\n{review}\n", encoding="utf-8")
        monkeypatch.setenv("ADAPT_WORKSPACE", str(workspace))
        catalog = Catalog.open(workspace)
        for name, role in (roles or {}).items():
            people.sign_in(catalog, name, role=role)
        app = AppTest.from_file(SCRIPT, default_timeout=30)
        app.query_params.update(query)
        if user is not None:
            app.user = user
        app.switch_page("app_pages/review.py").run()
        assert not app.exception
        return app, catalog

    return start


def html_of(app: AppTest) -> str:
    return "\n".join(str(element.proto.body) for element in app.get("html"))


def keys_of(app: AppTest) -> set[str]:
    return {button.key or "" for button in app.button}


def signed_in(age_s: float = 60, **claims: object) -> dict[str, Any]:
    return {"is_logged_in": True, "email": "aki@example.com", "iat": time.time() - age_s, **claims}


def decides(app: AppTest) -> bool:
    """Say whether the desk with a picture to decide on is there."""
    return bool(app.get("bidi_component")) and data_of(app)["item"] is not None


# --- typed names ------------------------------------------------------------------------------------


def test_typed_name_is_marked_as_not_authenticated_and_remembered(opened: Callable[..., tuple]) -> None:
    app, catalog = opened()
    assert not decides(app)
    app.text_input[0].input("  亜紀 ")
    app.button(key="FormSubmitter:name-Start reviewing").click().run()
    body = html_of(app)
    assert "<bdi>亜紀</bdi>" in body and "not signed in" in body and decides(app)
    assert "document.cookie = 'adapt_reviewer=%E4%BA%9C%E7%B4%80; path=/; SameSite=Strict; max-age=31536000'" in body
    assert app.query_params["reviewer"] in ("亜紀", ["亜紀"])
    first = people.person(catalog, "亜紀")
    assert first is not None and (first.role, first.source) == ("admin", "local")


def test_name_is_taken_from_the_browser_and_can_be_changed(opened: Callable[..., tuple], client: Any) -> None:
    client.kept["adapt_reviewer"] = "%E4%BA%9C%E7%B4%80"
    app, _ = opened(roles={"ben": "lead"})
    assert "<bdi>亜紀</bdi>" in html_of(app)
    app.button(key="change-person").click().run()
    assert "Who is reviewing?" in html_of(app) and "max-age=0" in html_of(app)
    assert not decides(app)
    known = {button.label: button for button in app.button if str(button.key).startswith("known-")}
    assert set(known) == {"ben", "亜紀"}
    known["ben"].click().run()
    assert '<bdi>ben</bdi><span class="role">Lead</span>' in html_of(app)


def test_name_from_the_address_stays_when_the_address_changes(opened: Callable[..., tuple]) -> None:
    app, _ = opened(reviewer="aki")
    app.query_params.clear()
    app.run()
    assert "<bdi>aki</bdi>" in html_of(app)


@pytest.mark.parametrize("name", ["x" * 81, "a\u202eb", "a\nb", "(policy)"])
def test_name_that_cannot_be_written_is_refused_in_one_line(opened: Callable[..., tuple], name: str) -> None:
    app, catalog = opened(reviewer=name)
    assert "That name cannot be used: 1 to 80 printable characters are allowed. Type another one." in html_of(app)
    assert people.everyone(catalog) == [] and not decides(app)


def test_entrance_says_what_is_wrong_with_a_typed_name(opened: Callable[..., tuple]) -> None:
    app, catalog = opened()
    for typed, said in (
        ("  ", "Type a name first."),
        ("x" * 81, "That name has 81 characters; at most 80 are allowed."),
    ):
        app.text_input[0].input(typed)
        app.button(key="FormSubmitter:name-Start reviewing").click().run()
        assert said in html_of(app) and not decides(app) and not app.exception
    assert people.everyone(catalog) == []


def test_typed_name_cannot_leave_the_script_or_the_page(opened: Callable[..., tuple]) -> None:
    app, _ = opened(reviewer="'</script><b>x")
    body = html_of(app)
    assert "<b>x" not in body and "adapt_reviewer=%27%3C%2Fscript%3E%3Cb%3Ex;" in body
    app.button(key="change-person").click().run()
    assert app.button(key="known-0").label == "\\'\\<\\/script\\>\\<b\\>x"


def test_listed_role_wins_over_the_catalogue(opened: Callable[..., tuple]) -> None:
    app, catalog = opened('roles = {aki = "auditor"}', roles={"aki": "lead"}, reviewer="aki")
    found = people.person(catalog, "aki")
    assert found is not None and found.role == "auditor"
    assert "Auditor" in html_of(app)


def test_person_put_out_of_action_is_told_so(opened: Callable[..., tuple]) -> None:
    app, catalog = opened(roles={"root": "admin", "aki": "reviewer"}, reviewer="aki")
    assert decides(app)
    people.set_active(catalog, "root", "aki", False)
    app.run()
    assert "aki may not review here any more. Ask an admin." in html_of(app)
    assert not decides(app)


def test_wrong_setting_is_one_line_on_the_screen(opened: Callable[..., tuple]) -> None:
    app, _ = opened('identity = "ldap"', reviewer="aki")
    assert "Nobody can be let in: " in html_of(app)
    assert "identity is &#x27;ldap&#x27;; allowed are local, oidc, proxy" in html_of(app)
    assert not decides(app) and not app.text_input


# --- a proxy ----------------------------------------------------------------------------------------


def test_proxy_header_names_the_person(opened: Callable[..., tuple], client: Any) -> None:
    client.sent.append(("x-user", "亜紀".encode().decode("latin-1")))
    app, catalog = opened(PROXY + 'default_role = "reviewer"', reviewer="mallory")
    body = html_of(app)
    assert "<bdi>亜紀</bdi>" in body and "not signed in" not in body and "mallory" not in body
    assert "change-person" not in keys_of(app)
    assert queue.item(catalog, 1).lease_owner == "亜紀"
    found = people.person(catalog, "亜紀")
    assert found is not None and (found.role, found.source) == ("reviewer", "proxy")


def test_missing_proxy_header_is_explained_in_one_line(opened: Callable[..., tuple], client: Any) -> None:
    client.kept["adapt_reviewer"] = "mallory"
    app, catalog = opened(PROXY, roles={"mallory": "admin"}, reviewer="mallory")
    assert "The proxy did not say who you are: X-User is missing." in html_of(app)
    assert not app.text_input and not decides(app)
    assert queue.progress(catalog).held == 0


def test_proxy_person_without_a_role_is_told_so(opened: Callable[..., tuple], client: Any) -> None:
    client.sent.append(("X-User", "ben"))
    # A role that somebody typed for themselves while names were not checked is worth nothing.
    app, catalog = opened(PROXY, roles={"ben": "admin"})
    assert "ben is signed in but has no role here." in html_of(app)
    found = people.person(catalog, "ben")
    assert found is not None and found.source == "local"


def test_proxy_person_reloads_after_the_longest_session(opened: Callable[..., tuple], client: Any) -> None:
    client.sent.append(("X-User", "aki"))
    app, _ = opened(PROXY + 'roles = {aki = "lead"}')
    assert decides(app)
    app.session_state["signed_in_since"] = time.time() - 13 * HOUR_S
    app.run()
    assert "This page has been open for more than 12 hours. Reload it to go on." in html_of(app)
    assert not decides(app)


@pytest.mark.parametrize(
    ("address", "reaches_this_machine_only"),
    [
        ("127.0.0.1", True),
        ("127.1.2.3", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        (None, False),
        ("", False),
        ("10.0.0.4", False),
        ("review.example.com", False),
    ],
)
def test_loopback_addresses_are_told_apart(address: str | None, reaches_this_machine_only: bool) -> None:
    assert proxy.is_loopback(address) is reaches_this_machine_only


# --- a sign-in service ------------------------------------------------------------------------------


def test_signed_in_person_is_known_by_the_claim(opened: Callable[..., tuple]) -> None:
    app, catalog = opened(OIDC + 'roles = {"aki@example.com" = "lead"}', user=signed_in(), reviewer="mallory")
    assert '<bdi>aki@example.com</bdi><span class="role">Lead</span>' in html_of(app)
    assert "sign-out" in keys_of(app) and "not signed in" not in html_of(app)
    assert queue.item(catalog, 1).lease_owner == "aki@example.com"


@pytest.mark.parametrize(
    ("user", "line"),
    [
        ({}, "You are not signed in."),
        ({"is_logged_in": False, "email": "aki@example.com"}, "You are not signed in."),
        (signed_in(13 * HOUR_S), "Your sign-in is older than 12 hours or has no date. Sign in again."),
        (signed_in(-HOUR_S), "older than 12 hours or has no date"),
        (signed_in(iat=None), "older than 12 hours or has no date"),
        (signed_in(iat="yesterday"), "older than 12 hours or has no date"),
        (signed_in(email=""), "Your sign-in service does not say your email."),
        (signed_in(email_verified=False), "The address aki@example.com has not been confirmed"),
        (signed_in(email="ben@example.com"), "ben@example.com is signed in but has no role here."),
    ],
)
def test_who_cannot_be_let_in_reads_why(opened: Callable[..., tuple], user: dict[str, Any], line: str) -> None:
    app, catalog = opened(OIDC + 'roles = {"aki@example.com" = "lead"}', user=user)
    assert line in html_of(app)
    assert not decides(app) and queue.progress(catalog).held == 0


def cookies_of(claims: dict[str, Any], secret: str | None = None) -> dict[str, str]:
    value = create_signed_value(secret or get_cookie_secret(), USER_COOKIE_NAME, json.dumps(claims))
    return {USER_COOKIE_NAME: value.decode()}


def test_picture_request_of_a_signed_in_person_is_read_from_the_cookie(
    queued: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = queued(1)
    (workspace / "adapt.toml").write_text(f"[review]\n{OIDC}", encoding="utf-8")
    monkeypatch.setenv("ADAPT_WORKSPACE", str(workspace))
    nothing = Headers()
    assert identity.name_in_request(nothing, cookies_of(signed_in())) == "aki@example.com"
    for cookies in (
        {},
        {USER_COOKIE_NAME: "forged"},
        {USER_COOKIE_NAME: "ü"},
        cookies_of(signed_in(), secret="another secret of the same length"),
        cookies_of(signed_in(13 * HOUR_S)),
    ):
        with pytest.raises(Unidentified):
            identity.name_in_request(nothing, cookies)


def test_sign_in_that_ends_in_an_open_tab_ends_the_moves(
    opened: Callable[..., tuple], monkeypatch: pytest.MonkeyPatch
) -> None:
    user = {"is_logged_in": True, "email": "aki@example.com", "iat": time.time()}
    app, catalog = opened(OIDC + 'roles = {"aki@example.com" = "lead"}', user=user)
    desk = data_of(app)
    send(app, "shown", item=desk["item"]["id"])
    later = datetime.now(UTC) + timedelta(hours=12, minutes=1)
    monkeypatch.setattr(identity, "_now", lambda: later)
    send(app, "decide", item=desk["item"]["id"], verdict="reject", reasons=["blurred"])
    assert queue.decisions(catalog) == []
    assert "Your sign-in is older than 12 hours" in html_of(app)
    assert not app.get("bidi_component")


@pytest.mark.parametrize(("settings", "left_s"), [(OIDC + "max_session_hours = 2\n", 1.5 * HOUR_S), ("", None)])
def test_time_left_is_that_of_the_sign_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: str, left_s: float | None
) -> None:
    (tmp_path / "adapt.toml").write_text(f"[review]\n{settings}", encoding="utf-8")
    monkeypatch.setenv("ADAPT_WORKSPACE", str(tmp_path))
    now = datetime(2026, 5, 1, 12, tzinfo=UTC)
    monkeypatch.setattr(identity, "_now", lambda: now)
    monkeypatch.setattr(identity.st, "user", {"iat": now.timestamp() - HOUR_S / 2})
    assert identity.seconds_left() == left_s


def test_claims_keep_people_apart_by_the_claim_that_was_chosen() -> None:
    config = ReviewConfig(identity="oidc", user_claim="preferred_username", max_session_hours=1)
    now = datetime.now(UTC)
    claims = {"is_logged_in": True, "preferred_username": "aki", "iat": now.timestamp() - 30, "email_verified": False}
    assert identity.claimed_name(config, claims, now) == "aki"
    with pytest.raises(Unidentified, match="too_old"):
        identity.claimed_name(config, claims | {"iat": now.timestamp() - HOUR_S - 1}, now)


# --- what a role sees -------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_screen_that_a_role_may_not_open_says_so_in_one_line(opened: Callable[..., tuple], lang: str) -> None:
    app, catalog = opened(roles={"root": "admin", "ann": "auditor"}, reviewer="ann", lang=lang)
    # What a typed address does: AppTest itself switches to pages that are files, and this one is none to them.
    app._page_hash = calc_hash("review")
    app.run()
    line = {
        "en": "“Review” is not open to your role (Auditor). Ask an admin for another role.",
        "ja": "「審査」は現在の役割（監査担当）では開けません。",
    }[lang]
    assert line in html_of(app)
    assert not decides(app) and queue.progress(catalog).held == 0


def test_every_screen_names_permissions_that_exist() -> None:
    from catalog import roles

    assert {permission for needed in frame.PAGES.values() for permission in needed} <= set(roles.PERMISSIONS)


def test_addresses_are_signed_for_nobody_in_particular_where_names_are_typed(opened: Callable[..., tuple]) -> None:
    opened(reviewer="aki")
    moment = time.time()
    typed = image_route.address("0" * 64, "1" * 32, moment=moment)
    assert typed == image_route.address("0" * 64, "1" * 32, person="", moment=moment)


# --- languages --------------------------------------------------------------------------------------


def test_language_is_remembered_for_the_person(opened: Callable[..., tuple]) -> None:
    app, catalog = opened(reviewer="aki")
    app.button_group(key="language").set_value("ja").run()
    found = people.person(catalog, "aki")
    assert found is not None and found.locale == "ja"
    again = AppTest.from_file(SCRIPT, default_timeout=30)
    again.query_params["reviewer"] = "aki"
    again.run()
    assert "documentElement.lang = 'ja'" in html_of(again)


def test_a_name_typed_in_another_case_is_the_same_person(opened: Callable[..., tuple]) -> None:
    app, catalog = opened(roles={"Ben": "lead"}, reviewer="ｂｅｎ")
    assert decides(app) and "<bdi>Ben</bdi>" in html_of(app)
    assert [person.name for person in people.everyone(catalog)] == ["Ben"]
    assert queue.item(catalog, 1).lease_owner == "Ben"


def test_a_vouched_name_written_like_another_is_refused_in_one_line(opened: Callable[..., tuple]) -> None:
    settings = OIDC + 'default_role = "reviewer"'
    app, catalog = opened(settings, roles={"Aki@Example.com": "lead"}, user=signed_in())
    assert not decides(app)
    assert "aki@example.com is written like Aki@Example.com, who is here already" in html_of(app)
    assert len(people.everyone(catalog)) == 1
