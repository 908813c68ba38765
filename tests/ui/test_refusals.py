"""What services refuse is said in the language of the screen, and stays English for scripts."""

import ast
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from screen_text import leftover_english, visible_text
from streamlit.testing.v1 import AppTest

from catalog import people, review, roles
from catalog.errors import CatalogError
from catalog.phrases import Phrase, say, told
from catalog.schema import ITEM_STATES, REGENERATION_STATES, ROLES
from catalog.store import Catalog
from catalog.terms import LEFT_OUT, REQUESTS, STATES, one_of
from catalog.terms import ROLES as ROLE_WORDS
from ui import deliveries
from ui.i18n import Translator

REPOSITORY = Path(__file__).resolve().parents[2]
UI = REPOSITORY / "ui"
REPORTED_AT_START = {"ui.oidc", "ui.review_config", "ui.serve"}
"""Modules whose refusals `adapt review` prints before there is a screen."""
LOGGED = {"ui.pictures"}
"""Modules whose refusals go to the log; a browser gets 404."""
ASKED_BY_COMMANDS = {"catalog.caption", "catalog.messages", "catalog.products"}
"""Modules that refuse what only a command line can ask for."""


@cache
def modules() -> dict[str, Path]:
    paths = [path for package in ("catalog", "ui") for path in (REPOSITORY / package).rglob("*.py")]
    return {
        ".".join(path.relative_to(REPOSITORY).with_suffix("").parts).removesuffix(".__init__"): path for path in paths
    }


def behind_the_screens() -> Iterator[tuple[str, ast.Module]]:
    """Yield each module that a screen imports, or one of those does."""
    seen: set[str] = set()
    waiting = [name for name in modules() if name.startswith("ui.")]
    while waiting:
        name = waiting.pop()
        if name in seen or name not in modules():
            continue
        seen.add(name)
        tree = ast.parse(modules()[name].read_text(encoding="utf-8"))
        yield name, tree
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                waiting += [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                waiting += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]


def refusals(kind: type[BaseException] = CatalogError) -> set[str]:
    return {kind.__name__}.union(*(refusals(one) for one in kind.__subclasses__()))


def test_every_refusal_behind_the_screens_can_be_said_in_japanese() -> None:
    """That each phrase has its Japanese, with the same places, is tested in `tests/catalog/test_phrases.py`."""
    kinds, looked_at, plain = refusals() - {"Unidentified"}, 0, []
    for name, tree in behind_the_screens():
        if name in REPORTED_AT_START | LOGGED | ASKED_BY_COMMANDS:
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in kinds:
                looked_at += 1
                if any(isinstance(given, ast.JoinedStr | ast.BinOp) for given in node.args) or (
                    # The first of two texts is a code, which stays.
                    node.args and isinstance(node.args[-1], ast.Constant)
                ):
                    plain.append(f"{name}:{node.lineno}")
    assert looked_at > 80
    assert plain == [], "write say(...) and its Japanese in catalog/locales/ja.toml"


def test_words_for_codes_cover_all_codes() -> None:
    assert tuple(STATES) == ITEM_STATES and tuple(REQUESTS) == REGENERATION_STATES and tuple(ROLE_WORDS) == ROLES
    assert tuple(LEFT_OUT) == deliveries.REASONS
    for words in (STATES, REQUESTS, ROLE_WORDS, LEFT_OUT):
        assert all(code == word for code, word in words.items())


def test_words_for_codes_are_those_of_the_screens() -> None:
    japanese = Translator("ja")
    for role, word in ROLE_WORDS.items():
        assert japanese.said(word) == japanese(f"roles.{role}")
    for state, word in STATES.items():
        assert japanese.said(word) == japanese(f"thresholds.state_{state}")


def test_choice_of_words_is_said_in_both_languages() -> None:
    words = [ROLE_WORDS[role] for role in ("reviewer", "lead", "admin")]
    assert one_of(words) == "reviewer, lead or admin" and one_of(words[:1]) == "reviewer"
    assert Translator("ja").said(one_of(words)) == "審査担当、審査責任者または管理者"


@pytest.fixture
def catalog(queued: Callable[..., Path]) -> Catalog:
    return Catalog.open(queued(2))


def test_refusal_is_english_for_scripts_and_japanese_on_a_japanese_screen(catalog: Catalog) -> None:
    people.sign_in(catalog, "aki")
    people.sign_in(catalog, "ren")
    with pytest.raises(roles.NotAllowed) as refused:
        review.bulk(catalog, "ren", [1, 2], "approve", seen=[1, 2], typed_count=2)
    assert str(refused.value) == (
        "ren is reviewer and may not decide in bulk; lead or admin may: an admin gives roles with adapt reviewers"
    )
    assert Translator("en")("grid.refused", detail=told(refused.value)).endswith(str(refused.value))
    assert Translator("ja")("grid.refused", detail=told(refused.value)) == (
        "何も記録していません。ren さんの役割は審査担当のため、一括での判定はできません。"
        "できるのは審査責任者または管理者です。役割の変更は管理者に依頼してください（adapt reviewers）"
    )


def test_refusal_shows_no_control_characters() -> None:
    refused = CatalogError(say("nobody here is called {name!r}; there are: {names}", name="x", names="a\x1b[2J\u202eb"))
    for language in ("en", "ja"):
        shown = Translator(language)("settings.refused", detail=told(refused))
        assert "\x1b" not in shown and "\u202e" not in shown and "a\ufffd" in shown


def test_text_without_translation_is_told_apart() -> None:
    japanese = Translator("ja")
    assert japanese.can_say(say("no items to decide; pick some")) and not japanese.can_say("written by hand")
    assert Translator("en").can_say("written by hand")
    assert isinstance(told(CatalogError(say("no items to decide; pick some"))), Phrase)


@pytest.fixture
def opened(queued: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """Return a function that opens a screen in Japanese on a workspace of two candidates."""

    def start(screen: str) -> AppTest:
        workspace = queued(2)
        monkeypatch.setenv("ADAPT_WORKSPACE", str(workspace))
        with Catalog.open(workspace) as catalog:
            people.sign_in(catalog, "aki")
        app = AppTest.from_file(UI / "main.py", default_timeout=30)
        app.query_params.update({"lang": "ja", "reviewer": "aki"})
        app.switch_page(f"app_pages/{screen}.py").run()
        assert not app.exception
        return app

    return start


def test_settings_refuse_in_japanese_that_the_last_admin_goes(opened: Callable[..., AppTest]) -> None:
    app = opened("settings")
    app.button(key="set-active").click().run()
    said = " ".join(visible_text(app))
    assert "何も保存していません。aki さんは最後の管理者です。先に別の人を管理者にしてください" in said
    assert [text for text in leftover_english(app, ["aki"]) if "管理者" in text] == []


def test_export_refuses_in_japanese_files_that_are_not_there(opened: Callable[..., AppTest], workspace: Path) -> None:
    pytest.importorskip("c2pa")
    workspace.mkdir(exist_ok=True)
    settings = '[export]\nc2pa_certificate = "certificate.pem"\nc2pa_key = "key.pem"\n'
    (workspace / "adapt.toml").write_text(settings, encoding="utf-8")
    app = opened("export")
    app.checkbox(key="sign").check()
    app.button(key="count-export").click().run()
    said = " ".join(visible_text(app))
    assert f"証明書 {workspace / 'certificate.pem'} を読めません（ファイルがありません）" in said
