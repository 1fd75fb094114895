"""What a browser finds on 9411: redirects, config.json, the page (reference 1.13, 1.14)."""

import pytest

from tests.builders import a_trace_id, a_zipkin_trace
from tests.query.zipkin.conftest import Door, OpenDoor


@pytest.mark.parametrize(
    ("path", "location"), [("/", "/zipkin/"), ("/zipkin", "/zipkin/"), ("/favicon.ico", "/zipkin/favicon.ico")]
)
async def test_redirect_is_302_and_relative_even_behind_a_proxy(door: Door, path: str, location: str) -> None:
    headers = {"x-forwarded-proto": "https", "x-forwarded-port": "444", "host": "zipkin.example"}

    response = await door.client.get(path, headers=headers)

    assert (response.status_code, response.headers["location"]) == (302, location)


async def test_config_has_exactly_zipkins_keys_in_zipkins_order_and_form(door: Door) -> None:
    response = await door.get("/zipkin/config.json")

    assert response.text == (
        "{\n"
        '  "environment" : "",\n'
        '  "queryLimit" : 10,\n'
        '  "defaultLookback" : 900000,\n'
        '  "searchEnabled" : true,\n'
        '  "logsUrl" : null,\n'
        '  "supportUrl" : null,\n'
        '  "archivePostUrl" : null,\n'
        '  "archiveUrl" : null,\n'
        '  "dependency" : {\n'
        '    "enabled" : true,\n'
        '    "lowErrorRate" : 0.5,\n'
        '    "highErrorRate" : 0.75\n'
        "  }\n"
        "}"
    )
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    assert response.headers["cache-control"] == "max-age=600"


async def test_config_shows_the_settings(open_door: OpenDoor) -> None:
    door = open_door(
        search_enabled=False,
        ui_environment="zoë",
        ui_query_limit=20,
        ui_default_lookback_ms=1,
        ui_logs_url="http://logs/{traceId}",
        ui_support_url="http://help",
        ui_archive_post_url="http://archive/api",
        ui_archive_url="http://archive/{traceId}",
        ui_dependency_enabled=False,
        ui_dependency_low_error_rate=0.1,
        ui_dependency_high_error_rate=0.2,
    )

    assert await door.json("/zipkin/config.json") == {
        "environment": "zoë",
        "queryLimit": 20,
        "defaultLookback": 1,
        "searchEnabled": False,
        "logsUrl": "http://logs/{traceId}",
        "supportUrl": "http://help",
        "archivePostUrl": "http://archive/api",
        "archiveUrl": "http://archive/{traceId}",
        "dependency": {"enabled": False, "lowErrorRate": 0.1, "highErrorRate": 0.2},
    }


PLACES = [
    "",
    "index.html",
    "traces/abc",
    "dependency",
    "traceViewer",
    "search",
    "trace/abc",
    "dependencies",
    "monitor",
    "doors",
]


@pytest.mark.parametrize("path", PLACES)
async def test_every_place_of_zipkins_page_and_of_clews_is_the_page(door: Door, path: str) -> None:
    response = await door.get(f"/zipkin/{path}")

    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["cache-control"] == "no-cache"
    assert f'<base href="{"../" if "/" in path else "./"}">' in response.text


@pytest.mark.parametrize(
    "path",
    ["api/services", "api/traces?traceID=1", "api/dependencies", "api/v3/services", "api/v2/services", "favicon.svg"],
)
async def test_what_the_page_asks_is_found_below_the_page(door: Door, path: str) -> None:
    assert (await door.get(f"/zipkin/{path}")).status_code == 200


async def test_a_trace_as_clew_sees_it_is_found_below_the_page(door: Door) -> None:
    door.write(*a_zipkin_trace(1))

    assert (await door.json(f"/zipkin/api/clew/v1/traces/{a_trace_id(1).hex()}"))["traceId"] == a_trace_id(1).hex()


@pytest.mark.parametrize("path", ["/zipkin/static/gone.js", "/zipkin/nothing", "/zipkin/api/nothing"])
async def test_what_is_neither_a_place_nor_a_file_is_404(door: Door, path: str) -> None:
    assert (await door.get(path)).status_code == 404


@pytest.mark.parametrize("path", ["/zipkin/", "/zipkin/config.json", "/zipkin/favicon.ico"])
async def test_what_a_browser_has_already_is_not_sent_again(door: Door, path: str) -> None:
    tag = (await door.get(path)).headers["etag"]

    same = await door.client.get(path, headers={"if-none-match": f'"other", W/{tag}'})
    other = await door.client.get(path, headers={"if-none-match": '"other"'})

    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
    assert other.status_code == 200


async def test_documentation_needs_no_other_host(door: Door) -> None:
    text = (await door.get("/zipkin/api/docs")).text

    assert "//" not in text
    assert "GET /api/v2/traces" in text
    assert "annotationQuery" in text


@pytest.mark.parametrize(
    ("base_path", "base"), [("/foo/bar/", "/foo/bar/"), ("/", "/"), ('/"', "/&quot;/"), ("/zipkin/", "./")]
)
async def test_page_starts_from_the_base_path_that_is_configured(
    open_door: OpenDoor, base_path: str, base: str
) -> None:
    page = (await open_door(ui_base_path=base_path).get("/zipkin/")).text

    assert f'<base href="{base}">' in page


@pytest.mark.parametrize("path", ["/", "/zipkin", "/zipkin/", "/zipkin/config.json", "/favicon.ico"])
async def test_pages_are_404_and_the_api_answers_when_the_ui_is_disabled(open_door: OpenDoor, path: str) -> None:
    door = open_door(ui_enabled=False)

    assert (await door.get(path)).status_code == 404
    assert await door.json("/zipkin/api/v2/services") == []
