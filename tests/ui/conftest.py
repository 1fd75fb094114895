"""The page in Debian's Chromium, before real clews."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from query.ui.build_hook import build_page
from tests.process.clew_process import Clew
from tests.ui.browser import Complaints, a_context, chromium
from tests.ui.looking import Looking
from tests.ui.scene import Scene, running_scene
from tests.ui.shop import running_shop

# Fixtures are the package's and no longer: while Playwright lives, its event loop keeps others in this thread from
# running.


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="package")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    build_page()
    with running_scene(tmp_path_factory.mktemp("scene")) as scene:
        yield scene


@pytest.fixture
def browser_page(browser: Browser) -> Iterator[Page]:
    """A page that may complain."""
    context = a_context(browser)
    yield context.new_page()
    context.close()


@pytest.fixture
def page(browser_page: Page) -> Iterator[Page]:
    """A page that must not complain."""
    complaints = Complaints(browser_page)
    yield browser_page
    assert complaints == []


@pytest.fixture(scope="package")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clew]:
    """A clew with half an hour of a shop's traffic."""
    build_page()
    with running_shop(tmp_path_factory.mktemp("shop")) as clew:
        yield clew


@pytest.fixture(scope="package")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clew]:
    """A clew that nobody has sent anything."""
    build_page()
    with Clew(tmp_path_factory.mktemp("empty"), CLEW_STORAGE_URL="memory:") as clew:
        yield clew


@pytest.fixture
def look(browser: Browser, shop: Clew) -> Iterator[Looking]:
    """Opens views of the shop. In the end none must have complained."""
    with Looking(browser, shop).closed_at_the_end() as looking:
        yield looking
    assert looking.complaints == []


@pytest.fixture
def a_file(tmp_path: Path) -> Callable[[str, str], Path]:
    """`a_file(name, text)`: a file with this text."""

    def written(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text)
        return path

    return written
