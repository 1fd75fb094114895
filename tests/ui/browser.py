"""Debian's Chromium, driven by Playwright, and what is asked of every page that it shows."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from query.ui.build_hook import WEB, install_packages

CHROMIUM = Path("/usr/bin/chromium")
SIZE = {"width": 1440, "height": 860}
Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")

# How long a test waits for what it expects: a machine that runs other tests besides may take its time.
expect.set_options(timeout=30_000)


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """A browser without a window. Fails when Chromium is not installed."""
    assert CHROMIUM.exists(), f"{CHROMIUM} is missing; on Debian: apt-get install chromium"
    with sync_playwright() as playwright:
        # As root, which CI is, Chromium has no sandbox.
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


def a_context(browser: Browser, *, theme: Theme = "light", locale: str = "en-GB", **more: Any) -> BrowserContext:
    """A profile of its own, without anything stored."""
    return browser.new_context(
        viewport={"width": SIZE["width"], "height": SIZE["height"]}, color_scheme=theme, locale=locale, **more
    )


class Complaints(list[str]):
    """What a page complained of: errors in its scripts, what its policy forbade, requests to other hosts."""

    def __init__(self, page: Page) -> None:
        super().__init__()
        page.on("pageerror", lambda error: self.append(f"error: {error}"))
        page.on("console", lambda message: self.append(f"console: {message.text}") if message.type == "error" else None)
        page.on("request", lambda request: self._look_at(request.url))

    def _look_at(self, url: str) -> None:
        if not url.startswith(("http://127.0.0.1:", "data:", "blob:")):
            self.append(f"request to another host: {url}")


def serious_findings(page: Page) -> list[str]:
    """What axe-core finds on the page as it is now, of serious and critical impact; each with where."""
    install_packages(checks=True)
    # Evaluated, not added to the page, whose policy would rightly refuse it.
    page.evaluate((WEB / "node_modules" / "axe-core" / "axe.min.js").read_text())
    found: dict[str, Any] = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{one['id']} ({one['impact']}): {one['help']}: {json.dumps([node['html'][:160] for node in one['nodes'][:3]])}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]
