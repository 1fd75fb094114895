"""The page in a real browser, Debian's Chromium, before a real clew that the shop's traffic fills."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from query.ui.build_hook import build_page
from tests.process.clew_process import Clew
from tests.ui.shop import Traffic

CHROMIUM = "/usr/bin/chromium"
BASE_PATH = "/jaeger"
MINUTES = 30
THEMES = ("light", "dark")
LANGUAGES = ("en", "ko")


@pytest.fixture(scope="package")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clew]:
    """A clew with half an hour of the shop's traffic that ends now, below BASE_PATH and without it."""
    build_page()
    with Clew(tmp_path_factory.mktemp("shop"), QUERY_BASE_PATH=BASE_PATH) as clew:
        with httpx.Client(timeout=60) as client:
            for document in Traffic(time.time_ns()).documents(MINUTES, a_minute=12):
                answer = client.post(
                    f"{clew.url('otlp_http')}/v1/traces",
                    content=json.dumps(document),
                    headers={"content-type": "application/json"},
                )
                assert answer.status_code == 200, answer.text
        yield clew


@pytest.fixture(scope="package")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clew]:
    """A clew that nobody has sent anything."""
    build_page()
    with Clew(tmp_path_factory.mktemp("empty"), CLEW_STORAGE_URL="memory:") as clew:
        yield clew


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    # Package-wide and no longer: while it lives, its event loop keeps others in this thread from running.
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@dataclass
class Looking:
    """Opens views. problems: what their consoles said that they should not."""

    browser: Browser
    clew: Clew
    problems: list[str] = field(default_factory=list)
    allowed: tuple[str, ...] = ()

    def __call__(
        self,
        path: str,
        *,
        theme: str = "light",
        language: str = "en",
        door: str = "jaeger",
        clew: Clew | None = None,
        size: tuple[int, int] = (1440, 900),
    ) -> Page:
        """The view at this path of a door, such as /dependencies."""
        context = self.browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            locale="ko-KR" if language == "ko" else "en-GB",
            timezone_id="Asia/Seoul",
            reduced_motion="reduce",
            accept_downloads=True,
        )
        page = context.new_page()
        page.add_init_script(f"localStorage.setItem('clew.theme', '{theme}')")
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.goto(f"{(clew or self.clew).url(door)}{path}")
        return page

    def allow(self, *texts: str) -> None:
        """Console errors with these texts belong to the test."""
        self.allowed += texts

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not any(text in message.text for text in self.allowed):
            self.problems.append(message.text)


@pytest.fixture
def look(browser: Browser, shop: Clew) -> Iterator[Callable[..., Page]]:
    """As Looking. In the end no view must have complained."""
    looking = Looking(browser, shop)
    yield looking
    for context in browser.contexts:
        context.close()
    assert looking.problems == []


@pytest.fixture
def files(tmp_path: Path) -> Callable[[str, str], Path]:
    """`files(name, text)`: a file with this text."""

    def a_file(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text)
        return path

    return a_file
