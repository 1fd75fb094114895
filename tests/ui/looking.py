"""Opens views of clew's page in every theme and language."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Self

from playwright.sync_api import Browser, BrowserContext, Page

from tests.process.clew_process import Clew
from tests.ui.browser import Complaints, Theme, a_context

LANGUAGES = ("en", "ko")
_LOCALES = {"en": "en-GB", "ko": "ko-KR"}


@dataclass
class Looking:
    """Views of `clew` in `browser`."""

    browser: Browser
    clew: Clew
    _contexts: list[BrowserContext] = field(default_factory=list)
    _heard: list[Complaints] = field(default_factory=list)
    _expected: list[str] = field(default_factory=list)

    def __call__(
        self,
        path: str,
        *,
        theme: Theme = "light",
        language: str = "en",
        door: str = "jaeger",
        clew: Clew | None = None,
        **more: Any,
    ) -> Page:
        """The view at this path of a door. more: of the browser's profile."""
        context = a_context(
            self.browser,
            theme=theme,
            locale=_LOCALES[language],
            timezone_id="Asia/Seoul",
            reduced_motion="reduce",
            **more,
        )
        self._contexts.append(context)
        page = context.new_page()
        self._heard.append(Complaints(page))
        page.goto(f"{(clew or self.clew).url(door)}{path}")
        return page

    def expect(self, text: str) -> None:
        """A complaint with this text belongs to the test."""
        self._expected.append(text)

    @property
    def complaints(self) -> list[str]:
        """All but those that were expected."""
        said = [complaint for heard in self._heard for complaint in heard]
        return [complaint for complaint in said if not any(text in complaint for text in self._expected)]

    @contextlib.contextmanager
    def closed_at_the_end(self) -> Iterator[Self]:
        """Closes every view."""
        try:
            yield self
        finally:
            for context in self._contexts:
                context.close()
