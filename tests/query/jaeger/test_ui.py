"""An unmodified jaeger-ui build on 16686: its page on every path that is no file, and its files."""

import logging
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest

from query.api.jaeger import jaeger_app
from query.api.jaeger_ui import jaeger_ui_of
from query.errors import UiUnusable
from query.service import QueryService
from query.settings import QuerySettings
from tests.query.door import HttpDoor
from tests.query.ui_builds import HASHED_SCRIPT, OLD_INDEX, a_build

OpenUi = Callable[..., httpx.AsyncClient]


@pytest.fixture
async def open_ui(tmp_path: Path) -> AsyncIterator[OpenUi]:
    """`open_ui(base_path="", config="")`: a client of 16686 that serves the build in tmp_path/ui."""
    doors: list[HttpDoor] = []

    def open_one(base_path: str = "", config: str = "", index: str = OLD_INDEX) -> httpx.AsyncClient:
        a_build(tmp_path / "ui", index)
        settings = QuerySettings.model_validate(
            {"base_path": base_path, "ui_assets": str(tmp_path / "ui"), "ui_config": config}
        )
        doors.append(HttpDoor(lambda service: jaeger_app(service, ui=jaeger_ui_of(service)), settings))
        return doors[-1].client

    yield open_one
    for door in doors:
        await door.close()


@pytest.mark.parametrize(
    "path", ["/", "/search", "/search?service=x", "/trace/abc?uiFind=y", "/dependencies", "/monitor", "/index.html"]
)
@pytest.mark.parametrize("base_path", ["", "/jaeger"])
async def test_every_page_of_the_ui_is_its_index_below_the_base_path(
    open_ui: OpenUi, base_path: str, path: str
) -> None:
    response = await open_ui(base_path).get(base_path + path)

    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["cache-control"] == "no-cache"
    assert f'<base href="{base_path}/"' in response.text
    assert '"gitVersion":"v1.76.0"' in response.text


async def test_the_base_path_itself_leads_to_its_folder(open_ui: OpenUi) -> None:
    """The UI takes the folder of its own address for its base."""
    response = await open_ui("/jaeger").get("/jaeger?a=b")

    assert (response.status_code, response.headers["location"]) == (302, "/jaeger/?a=b")


@pytest.mark.parametrize("prefix", ["/jaeger", ""])
async def test_a_file_is_found_below_the_base_path_and_without_it(open_ui: OpenUi, prefix: str) -> None:
    client = open_ui("/jaeger")

    assert (await client.get(f"{prefix}/static/logo.svg")).text == "<svg/>"
    assert (await client.get(f"{prefix}/favicon.ico")).content == b"\0\0\1\0"


async def test_a_file_named_by_its_content_is_kept_for_good_and_others_are_asked_about(open_ui: OpenUi) -> None:
    client = open_ui()

    hashed, plain = await client.get(f"/{HASHED_SCRIPT}"), await client.get("/static/logo.svg")
    again = await client.get("/static/logo.svg", headers={"if-none-match": plain.headers["etag"]})

    assert hashed.headers["content-type"].startswith("text/javascript")
    assert hashed.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert plain.headers["cache-control"] == "no-cache"
    assert (again.status_code, again.content) == (304, b"")


async def test_a_file_that_is_not_there_is_404_and_not_a_page(open_ui: OpenUi) -> None:
    """A browser that is given a page for a script says only that it cannot parse it."""
    assert (await open_ui().get("/static/gone.js")).status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/static/../../secret",
        "/static/%2e%2e/%2e%2e/secret",
        "/static/..%2f..%2fsecret",
        "/..%2fsecret",
        "/static//etc/passwd",
        "/%2fetc%2fpasswd",
        "//etc/passwd",
        "/static/link",
        "/static/%00",
        "/static/..%5c..%5csecret",
        "/.hidden",
        "/static/" + "a" * 5000,
    ],
)
async def test_nothing_outside_of_the_folder_and_nothing_hidden_is_served(
    open_ui: OpenUi, tmp_path: Path, path: str
) -> None:
    client = open_ui()
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "ui" / "static" / "link").symlink_to(tmp_path / "secret")

    response = await client.get(path)

    assert response.status_code in (200, 404)
    assert "secret" not in response.text
    assert "root:" not in response.text


async def test_a_folder_is_a_page_and_not_a_listing(open_ui: OpenUi) -> None:
    client = open_ui()

    assert (await client.get("/static/")).status_code == 404
    assert (await client.get("/static")).text.startswith("<!doctype html>")


async def test_the_api_goes_before_the_ui(open_ui: OpenUi, tmp_path: Path) -> None:
    client = open_ui()
    (tmp_path / "ui" / "api").mkdir()
    (tmp_path / "ui" / "api" / "services").write_text("a file")

    assert (await client.get("/api/services")).json()["data"] == []
    assert (await client.get("/api/unknown")).status_code == 404


async def test_another_method_is_not_allowed(open_ui: OpenUi) -> None:
    assert (await open_ui().post("/search")).status_code == 405


async def test_the_head_of_a_page_and_of_a_file_is_answered(open_ui: OpenUi) -> None:
    client = open_ui()

    assert (await client.head("/search")).status_code == 200
    assert (await client.head(f"/{HASHED_SCRIPT}")).headers["content-length"] == "6"


def rewrite(path: Path, text: str) -> None:
    """As Kubernetes changes a mounted file: another one takes its place."""
    path.with_suffix(".new").write_text(text)
    os.replace(path.with_suffix(".new"), path)


async def test_the_configuration_is_read_again_when_it_changes(open_ui: OpenUi, tmp_path: Path) -> None:
    config = tmp_path / "ui.json"
    config.write_text('{"a": 1}')
    client = open_ui(config=str(config))
    before = (await client.get("/")).text

    rewrite(config, '{"a": 2}')

    assert 'JAEGER_CONFIG = {"a":1};' in before
    assert 'JAEGER_CONFIG = {"a":2};' in (await client.get("/")).text


async def test_a_configuration_that_broke_is_logged_once_and_the_page_stays(
    open_ui: OpenUi, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = tmp_path / "ui.json"
    config.write_text('{"a": 1}')
    client = open_ui(config=str(config))

    rewrite(config, "{")
    with caplog.at_level(logging.ERROR):
        pages = {(await client.get("/")).text for _ in range(3)}

    assert len(pages) == 1
    assert 'JAEGER_CONFIG = {"a":1};' in pages.pop()
    assert [record.message.partition(": cannot use")[0] for record in caplog.records] == ["QUERY_UI_CONFIG"]


async def test_a_configuration_that_went_away_and_came_back_is_read(open_ui: OpenUi, tmp_path: Path) -> None:
    config = tmp_path / "ui.js"
    config.write_text("function UIConfig() { return 1; }")
    client = open_ui(config=str(config))

    config.unlink()
    gone = (await client.get("/")).text
    config.write_text("function UIConfig() { return 2; }")

    assert "return 1;" in gone
    assert "return 2;" in (await client.get("/")).text


async def test_another_build_in_the_folder_is_served(open_ui: OpenUi, tmp_path: Path) -> None:
    client = open_ui()
    rewrite(tmp_path / "ui" / "index.html", "<html>next</html>")

    assert (await client.get("/")).text == "<html>next</html>"


@pytest.mark.parametrize(
    ("assets", "config", "message"),
    [
        ("nowhere", "", "UI_ASSETS: cannot read .*nowhere/index.html: .*No such file"),
        ("ui", "nowhere.json", "QUERY_UI_CONFIG: cannot read .*nowhere.json"),
        ("ui", "bad.json", "QUERY_UI_CONFIG: cannot use .*bad.json: expected a JSON object"),
    ],
)
async def test_a_build_or_configuration_that_cannot_be_used_is_named(
    tmp_path: Path, assets: str, config: str, message: str
) -> None:
    a_build(tmp_path / "ui")
    (tmp_path / "bad.json").write_text("[]")
    settings = QuerySettings.model_validate(
        {"ui_assets": str(tmp_path / assets), "ui_config": str(tmp_path / config) if config else ""}
    )
    door = HttpDoor(jaeger_app, settings)
    with pytest.raises(UiUnusable, match=message):
        jaeger_ui_of(door.service)
    await door.close()


def test_a_configuration_without_a_build_is_said_to_have_no_effect(caplog: pytest.LogCaptureFixture) -> None:
    settings = QuerySettings.model_validate({"ui_config": "x.json"})
    service = QueryService(HttpDoor(jaeger_app, settings).store, settings)

    assert jaeger_ui_of(service) is None
    assert "QUERY_UI_CONFIG has no effect without UI_ASSETS" in caplog.text
    service.close()
