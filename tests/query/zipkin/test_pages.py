"""What a browser finds on 9411: redirects, config.json, the page (reference 1.13, 1.14)."""

import pytest

from query.api.zipkin_pages import page_html
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


@pytest.mark.parametrize(
    "path", ["/zipkin/", "/zipkin/index.html", "/zipkin/traces/abc", "/zipkin/dependency", "/zipkin/traceViewer"]
)
async def test_page_says_what_clew_is_and_where_the_api_is_documented(door: Door, path: str) -> None:
    response = await door.get(path)

    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["cache-control"] == "max-age=60"
    assert "clew collects traces" in response.text
    assert '<a href="api/docs">' in response.text


@pytest.mark.parametrize("path", ["api/docs", "api/openapi.json", "api/v2/services", "api/v2/traces", "favicon.ico"])
async def test_page_links_only_to_what_this_port_serves(door: Door, path: str) -> None:
    page = (await door.get("/zipkin/")).text

    assert f'href="{path}"' in page
    assert page.count("href=") == 6  # these five and the base
    assert (await door.get(f"/zipkin/{path}")).status_code == 200


@pytest.mark.parametrize("path", ["/zipkin/", "/zipkin/config.json", "/zipkin/favicon.ico"])
async def test_what_a_browser_has_already_is_not_sent_again(door: Door, path: str) -> None:
    tag = (await door.get(path)).headers["etag"]

    same = await door.client.get(path, headers={"if-none-match": f'"other", W/{tag}'})
    other = await door.client.get(path, headers={"if-none-match": '"other"'})

    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
    assert other.status_code == 200


def test_page_lists_the_open_doors_and_how_to_send_spans() -> None:
    html = page_html("/zipkin", None, {"zipkin": "0.0.0.0:9999"})

    assert "<code>0.0.0.0:9999</code>" in html
    assert "address: THIS_HOST:9999" in html
    assert "http://THIS_HOST:4318" in html


async def test_documentation_needs_no_other_host(door: Door) -> None:
    text = (await door.get("/zipkin/api/docs")).text

    assert "//" not in text
    assert "GET /api/v2/traces" in text
    assert "annotationQuery" in text


def test_page_of_a_trace_links_to_its_json() -> None:
    assert '<a href="api/v2/trace/abc123">' in page_html("/zipkin", "abc123")


@pytest.mark.parametrize("trace_id", ['"><script>', "ABC", "", "a" * 33])
def test_page_repeats_nothing_that_is_not_a_trace_id(trace_id: str) -> None:
    assert page_html("/zipkin", trace_id) == page_html("/zipkin", None)


@pytest.mark.parametrize(
    ("base_path", "base"), [("/zipkin", "/zipkin/"), ("/foo/bar/", "/foo/bar/"), ("/", "/"), ('/"', "/&quot;/")]
)
def test_page_is_relative_to_the_base_path(base_path: str, base: str) -> None:
    assert f'<base href="{base}">' in page_html(base_path, None)


@pytest.mark.parametrize("path", ["/", "/zipkin", "/zipkin/", "/zipkin/config.json", "/favicon.ico"])
async def test_pages_are_404_and_the_api_answers_when_the_ui_is_disabled(open_door: OpenDoor, path: str) -> None:
    door = open_door(ui_enabled=False)

    assert (await door.get(path)).status_code == 404
    assert await door.json("/zipkin/api/v2/services") == []
