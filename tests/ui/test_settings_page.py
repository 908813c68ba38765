"""The settings page wired to the services: one's own keys and language, the rules, people and roles."""

from collections.abc import Callable
from pathlib import Path

import pytest
from screen_text import leftover_english
from streamlit.testing.v1 import AppTest

from catalog import people, policies
from catalog.store import Catalog

SCRIPT = Path(__file__).resolve().parents[2] / "ui" / "main.py"
HOSTILE = "<b>x</b> =1+1"


class Settings:
    """The page in a test."""

    def __init__(self, app: AppTest, catalog: Catalog) -> None:
        self.app, self.catalog = app, catalog

    @property
    def text(self) -> str:
        return "\n".join(str(element.proto.body) for element in self.app.get("html"))

    def press(self, label: str) -> "Settings":
        next(button for button in self.app.button if button.label == label).click().run()
        assert not self.app.exception
        return self

    def give_key(self, action: str, letter: str) -> "Settings":
        self.app.selectbox(key="key_action").set_value(action)
        self.app.text_input(key="key_letter").input(letter)
        return self.press("Save key")

    def keys(self) -> object:
        return people.known(self.catalog, "ada").settings.get("keys")


@pytest.fixture
def page(queued: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Settings]:
    """Return a function that opens the page as ada, of a role."""

    def start(role: str = "admin", *, lang: str = "en", others: tuple[str, ...] = ()) -> Settings:
        workspace = queued(0)
        monkeypatch.setenv("ADAPT_WORKSPACE", str(workspace))
        catalog = Catalog.open(workspace)
        people.sign_in(catalog, "ada", role=role)
        for name in others:
            people.sign_in(catalog, name, role="reviewer")
        app = AppTest.from_file(SCRIPT, default_timeout=60)
        app.query_params.update({"lang": lang, "reviewer": "ada"})
        app.switch_page("app_pages/settings.py").run()
        assert not app.exception
        return Settings(app, catalog)

    return start


def test_settings_keeps_a_persons_own_keys(page: Callable[..., Settings]) -> None:
    settings = page("reviewer")
    people.save_settings(settings.catalog, "ada", settings={"other": 1})
    settings.give_key("approve", "J")
    assert settings.keys() == {"approve": "j"} and "Keys saved." in settings.text
    assert "<td>Approve</td><td><kbd>J</kbd></td>" in settings.text
    settings.press("Back to the first keys")
    assert people.known(settings.catalog, "ada").settings == {"other": 1, "keys": {}}


@pytest.mark.parametrize(
    ("letter", "message"),
    [
        ("c", "C is refused: browsers use it to copy or to reload."),
        ("1", "1 already has a use on this screen."),
        ("x", "X already means “Reject”."),
        ("", "is no key for this. Choose a letter from A to Z."),
        ("é", "É is no key for this."),
    ],
)
def test_settings_refuses_a_key_that_cannot_be_one(page: Callable[..., Settings], letter: str, message: str) -> None:
    settings = page().give_key("approve", letter)
    assert message in settings.text and settings.keys() is None


def test_settings_changes_the_language_for_good(page: Callable[..., Settings]) -> None:
    settings = page("auditor")
    settings.app.button_group(key="settings_language").set_value("ja").run()
    assert people.known(settings.catalog, "ada").locale == "ja"
    assert "審査のルール" in settings.text and settings.app.query_params["lang"] in ("ja", ["ja"])


def test_settings_saves_rules_as_a_new_version(page: Callable[..., Settings]) -> None:
    settings = page("lead")
    settings.app.number_input(key="rules-quorum-0").set_value(2)
    settings.app.number_input(key="rules-second-0").set_value(25.0)
    settings.app.checkbox(key="rules-skip-0").check()
    settings.press("Save as a new version")
    assert "Write a note that says why." in settings.text and policies.versions(settings.catalog) == []
    settings.app.text_area(key="rules-note-0").input("two people look at <all> of it")
    settings.press("Save as a new version")
    rules = policies.current(settings.catalog)
    assert (rules.version, rules.quorum, rules.second_opinion_share, rules.skip_needs_reason) == (1, 2, 0.25, True)
    assert rules.lease_s == 300.0 and rules.min_view_s == 0.4
    assert "Saved as version 1." in settings.text and "two people look at &lt;all&gt; of it" in settings.text
    settings.app.text_area(key="rules-note-1").input("again")
    settings.press("Save as a new version")
    assert "Nothing was changed" in settings.text and policies.current(settings.catalog).version == 1


@pytest.mark.parametrize("role", ["reviewer", "auditor"])
def test_settings_shows_rules_to_everybody_and_lets_few_change_them(page: Callable[..., Settings], role: str) -> None:
    settings = page(role)
    assert "Rules in force (version 0)" in settings.text
    assert not settings.app.number_input and "Save role" not in [button.label for button in settings.app.button]


def test_settings_gives_roles(page: Callable[..., Settings]) -> None:
    settings = page(others=("ben", HOSTILE))
    assert "&lt;b&gt;x&lt;/b&gt; =1+1" in settings.text and "<b>x</b>" not in settings.text
    settings.app.selectbox(key="people_name").set_value("ben").run()
    settings.app.selectbox(key="role-ben-reviewer").set_value("lead").run()
    settings.press("Save role")
    assert people.known(settings.catalog, "ben").role == "lead" and "The role of ben was saved." in settings.text
    settings.press("Stop this person")
    assert not people.known(settings.catalog, "ben").active and "✕ Stopped" in settings.text
    settings.press("Let this person in again")
    assert people.known(settings.catalog, "ben").active


def test_settings_shows_what_the_rules_refuse(page: Callable[..., Settings]) -> None:
    settings = page()
    settings.app.selectbox(key="role-ada-admin").set_value("reviewer").run()
    settings.press("Save role")
    assert "Nothing was saved. ada is the last admin" in settings.text
    assert people.known(settings.catalog, "ada").role == "admin"


def test_settings_in_japanese_has_no_english_left(page: Callable[..., Settings]) -> None:
    assert leftover_english(page(lang="ja").app, ["ada"]) == []


def test_settings_says_the_action_in_the_language_switched_to(page: Callable[..., Settings]) -> None:
    settings = page()
    settings.app.run()
    settings.app.button_group(key="language").set_value("ja").run()
    sent = settings.app.selectbox(key="key_action").proto
    assert sent.set_value and sent.raw_value == "承認"
