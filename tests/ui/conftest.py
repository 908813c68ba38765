"""What every test of a screen starts from."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from browser import CHROMIUM, FLAGS
from streamlit import config
from streamlit.runtime.session_manager import ClientContext


@dataclass
class Browser(ClientContext):
    """What a browser sent when it connected; AppTest has none of it."""

    sent: list[tuple[str, str]] = field(default_factory=list)
    kept: dict[str, str] = field(default_factory=dict)

    @property
    def headers(self) -> Iterable[tuple[str, str]]:
        return self.sent

    @property
    def cookies(self) -> Mapping[str, str]:
        return self.kept

    @property
    def remote_ip(self) -> str | None:
        return None


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A browser that is started once for a module's tests."""
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def heard(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """What our own loggers say, also after libraries in other tests configured logging for the whole process."""
    logging.disable(logging.NOTSET)
    loggers = [logging.getLogger(name) for name in ("ui.image_route", "ui.proxy")]
    for logger in loggers:
        logger.disabled, logger.propagate = False, False
        logger.setLevel(logging.WARNING)
        logger.addHandler(caplog.handler)
    yield caplog
    for logger in loggers:
        logger.propagate = True
        logger.removeHandler(caplog.handler)


@pytest.fixture(autouse=True)
def client(monkeypatch: pytest.MonkeyPatch) -> Browser:
    """The browser that pages under AppTest see: no header and no cookie until a test adds some."""
    connected = Browser()
    # As in `ui/.streamlit/config.toml`, which AppTest does not read: texts below constants are no part of a page.
    config.set_option("runner.magicEnabled", False)
    monkeypatch.setattr("streamlit.runtime.context._get_client_context", lambda: connected)
    return connected
