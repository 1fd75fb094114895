"""`python -m tests.ui FOLDER` takes the README's pictures of the views that show a shop's traffic."""

import json
import sys
import tempfile
from pathlib import Path

import httpx
from playwright.sync_api import Page, expect

from query.ui.build_hook import build_page
from tests.process.clew_process import Clew
from tests.ui.browser import chromium
from tests.ui.compare_ids import two_checkouts
from tests.ui.looking import Looking
from tests.ui.shop import running_shop


def take(folder: Path) -> None:
    """One PNG a view."""
    build_page()
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as directory,
        running_shop(Path(directory)) as shop,
        chromium() as browser,
        Looking(browser, shop).closed_at_the_end() as look,
    ):
        _save(folder, "search", look("/search?service=gateway&lookback=1h&limit=100"), "main li a")
        first, _, _ = two_checkouts(shop).partition("...")
        _save(folder, "trace", look(f"/trace/{first}"), "[role=treegrid] [role=row]")
        _save(folder, "compare", look(f"/trace/{two_checkouts(shop)}"), "[role=treegrid] [role=row]")
        _save(folder, "graph", look("/dependencies?lookback=1h"), ".graph-node")
        _save(folder, "monitor", look("/monitor?service=gateway&lookback=30m"), "tbody tr")
        _save(folder, "doors", look("/doors"), "tbody tr")
        page = look("/dependencies", theme="dark", language="ko")
        page.locator("[id='node-service:payment']").click()
        page.mouse.move(5, 5)
        _save(folder, "graph-dark-ko", page, ".graph-panel")
        page = look("/file", theme="dark")
        page.locator("input[type=file]").set_input_files(str(_downloaded(shop, Path(directory))))
        _save(folder, "file-dark", page, "tbody tr")


def _downloaded(shop: Clew, folder: Path) -> Path:
    document = httpx.get(f"{shop.url('jaeger')}/api/traces?service=payment&limit=8").json()
    file = folder / "payments.json"
    file.write_text(json.dumps(document))
    return file


def _save(folder: Path, name: str, page: Page, there: str) -> None:
    expect(page.locator(there).first).to_be_visible()
    page.wait_for_timeout(1000)  # charts are drawn a frame or two after their rows
    page.screenshot(path=folder / f"{name}.png")


if __name__ == "__main__":
    expect.set_options(timeout=120_000)
    take(Path(sys.argv[1]))
