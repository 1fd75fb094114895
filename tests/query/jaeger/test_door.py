"""What holds for every answer on 16686: paths, methods, errors, compression, pages."""

import re
import threading
from collections.abc import Sequence

import pytest

from storage.errors import StoreUnavailable, UnsupportedByStore
from storage.memory import MemoryStore
from tests.builders import a_span, a_trace_id, a_zipkin_trace
from tests.query.jaeger.conftest import Door, OpenDoor

EVERY_ENDPOINT = [
    "/api/services",
    "/api/services/frontend/operations",
    "/api/operations?service=frontend",
    "/api/traces?service=frontend",
    f"/api/traces/{a_trace_id(1).hex()}",
    "/api/dependencies",
    "/api/metrics/latencies?service=frontend&quantile=0.5",
    "/api/metrics/calls?service=frontend",
    "/api/metrics/errors?service=frontend",
    "/api/metrics/minstep",
]


class BrokenStore(MemoryStore):
    """A store whose names cannot be read."""

    def __init__(self, error: Exception) -> None:
        super().__init__(max_spans=1, autocomplete_keys=())
        self._error = error

    def services(self) -> list[str]:
        raise self._error


class SlowStore(MemoryStore):
    """A store whose names come only when `released` is set."""

    def __init__(self) -> None:
        super().__init__(max_spans=1, autocomplete_keys=())
        self.released = threading.Event()

    def services(self) -> list[str]:
        self.released.wait(timeout=60)
        return []


@pytest.mark.parametrize("path", EVERY_ENDPOINT)
async def test_every_endpoint_answers_below_the_base_path_and_without_it(open_door: OpenDoor, path: str) -> None:
    """One release of Grafana dropped the base path on searches (clients.md 4)."""
    door = open_door(base_path="/jaeger")
    door.write(*a_zipkin_trace(1))

    assert await door.json(f"/jaeger{path}") == await door.json(path)


@pytest.mark.parametrize("path", ["/jaeger/api/services", "/other/api/services"])
async def test_a_base_path_that_is_not_set_is_a_page(door: Door, path: str) -> None:
    assert "<html" in (await door.get(path)).text


@pytest.mark.parametrize(
    "path",
    [
        "/api",
        "/api/",
        "/api/nope",
        "/api/services/",
        "/api/services/x",
        "/api/traces/",
        "/api/traces/1/2",
        "/api/v3/nope",
        "/api/metrics",
        "/api/metrics/nope",
        "/jaeger/api",
        "/jaeger/api/nope",
    ],
)
async def test_an_unknown_path_of_the_api_is_gos_404(open_door: OpenDoor, path: str) -> None:
    response = await open_door(base_path="/jaeger").get(path)

    assert (response.status_code, response.text) == (404, "404 page not found\n")
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_another_method_on_the_api_is_an_unknown_path(door: Door, method: str) -> None:
    response = await door.client.request(method, "/api/services")

    assert (response.status_code, response.text) == (404, "404 page not found\n")


@pytest.mark.parametrize("path", EVERY_ENDPOINT)
async def test_every_endpoint_answers_head(door: Door, path: str) -> None:
    door.write(*a_zipkin_trace(1))

    assert (await door.client.head(path)).status_code == 200


@pytest.mark.parametrize(
    ("path", "base"),
    [
        ("/", "./"),
        ("/search", "./"),
        ("/trace/abc?uiFind=x", "../"),
        ("/trace/a...b", "../"),
        ("/dependencies", "./"),
        ("/monitor", "./"),
        ("/any/thing%2Felse/", "../../"),
    ],
)
@pytest.mark.parametrize("base_path", ["", "/jaeger", "/two/folders"])
async def test_every_other_path_is_the_page_which_finds_its_files_from_there(
    open_door: OpenDoor, base_path: str, path: str, base: str
) -> None:
    """By steps up from its own address, so that it does whatever prefix a proxy adds or takes away."""
    response = await open_door(base_path=base_path).get(base_path + path)

    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert f'<base href="{base}">' in response.text


@pytest.mark.parametrize("base_path", ["", "/jaeger"])
async def test_a_file_of_the_page_that_is_not_there_is_404(open_door: OpenDoor, base_path: str) -> None:
    """A browser that is given a page for a script says only that it cannot parse it."""
    assert (await open_door(base_path=base_path).get(f"{base_path}/static/gone.js")).status_code == 404


@pytest.mark.parametrize("base_path", ["", "/jaeger"])
async def test_zipkins_reads_are_here_too_for_the_page(open_door: OpenDoor, base_path: str) -> None:
    door = open_door(base_path=base_path)
    door.write(*a_zipkin_trace(1))

    found = await door.json(f"{base_path}/api/v2/trace/{a_trace_id(1).hex()}")
    unknown = await door.get(f"{base_path}/api/v2/trace/1")

    assert {span["traceId"] for span in found} == {a_trace_id(1).hex()}
    assert unknown.status_code == 404


async def test_the_base_path_itself_is_the_page(open_door: OpenDoor) -> None:
    assert '<base href="jaeger/">' in (await open_door(base_path="/jaeger").get("/jaeger")).text


async def test_kiali_finds_jaegers_version_in_the_page(door: Door) -> None:
    """It cuts between the marker and the next semicolon and reads JSON (clients.md 3)."""
    text = (await door.get("/")).text

    assert text.count("JAEGER_VERSION") == 1
    assert re.findall(r"const JAEGER_VERSION = (\{.*\});", text) == [
        '{"gitCommit":"","gitVersion":"v1.76.0","buildDate":""}'
    ]


async def test_another_method_on_a_page_is_not_allowed(door: Door) -> None:
    response = await door.client.post("/search")

    assert (response.status_code, response.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("base_path", ["", "/jaeger"])
async def test_the_api_is_documented(open_door: OpenDoor, base_path: str) -> None:
    door = open_door(base_path=base_path)

    viewer, document = await door.get(f"{base_path}/docs"), await door.json(f"{base_path}/docs/openapi.json")

    assert f"{base_path}/docs/openapi.json" in viewer.text
    assert {
        "/api/archive/{trace_id}",
        "/api/metrics/latencies",
        "/api/services/{service}/operations",
        "/api/traces",
        "/api/traces/{trace_id}",
    } <= set(document["paths"])
    names = [parameter["name"] for parameter in document["paths"]["/api/traces"]["get"]["parameters"]]
    assert {"service", "tags", "limit", "traceID"} <= set(names)


async def test_the_documentation_needs_no_other_host(door: Door) -> None:
    text = (await door.get("/docs")).text

    assert "//" not in re.sub(r"https?://www\.w3\.org", "", text)
    assert "<script" not in text
    assert "GET /api/traces/{trace_id}" in text
    assert "POST /api/archive/{trace_id}" in text


@pytest.mark.parametrize("path", ["/api/services", "/api/unknown", "/search", "/api/traces", "/docs"])
async def test_every_answer_has_the_header_that_names_its_own_trace(door: Door, path: str) -> None:
    """Empty, as Jaeger's when it does not trace itself."""
    assert (await door.get(path)).headers["traceresponse"] == ""


async def test_a_large_answer_is_compressed_for_who_accepts_it(door: Door) -> None:
    door.write(*(a_span(number) for number in range(1, 20)))

    response = await door.client.get("/api/traces?service=frontend", headers={"accept-encoding": "br, gzip;q=0.5"})

    assert response.headers["content-encoding"] == "gzip"
    assert response.headers["vary"] == "Accept-Encoding"
    assert len(response.json()["data"]) == 19


@pytest.mark.parametrize("accepted", ["", "identity", "gzip;q=0", "br"])
async def test_a_large_answer_is_plain_for_who_does_not_accept_gzip(door: Door, accepted: str) -> None:
    door.write(*(a_span(number) for number in range(1, 20)))

    response = await door.client.get("/api/traces?service=frontend", headers={"accept-encoding": accepted})

    assert "content-encoding" not in response.headers


async def test_a_small_answer_is_not_compressed(door: Door) -> None:
    response = await door.client.get("/api/services", headers={"accept-encoding": "gzip"})

    assert "content-encoding" not in response.headers


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (StoreUnavailable("the database is gone"), 503, "the database is gone"),
        (UnsupportedByStore("x has no graph"), 501, "x has no graph"),
        (RuntimeError("secret detail"), 500, "internal error"),
    ],
)
async def test_a_store_that_fails_is_told_with_an_envelope(
    open_door: OpenDoor, error: Exception, status: int, message: str
) -> None:
    response = await open_door(reader=BrokenStore(error)).get("/api/services")

    assert response.status_code == status
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert response.json()["errors"] == [{"code": status, "msg": message}]


async def test_a_read_that_takes_too_long_is_500_with_the_setting_to_change(open_door: OpenDoor) -> None:
    store = SlowStore()
    try:
        response = await open_door(reader=store, timeout_ns=1_000_000).get("/api/services")
    finally:
        store.released.set()

    assert response.status_code == 500
    assert response.json()["errors"] == [{"code": 500, "msg": "no answer within 0.001 s; raise QUERY_TIMEOUT"}]


@pytest.mark.parametrize(
    "query",
    [
        "service=%ff%fe",
        "service=a%00b",
        "limit=%F0%9F%98%80",
        "tag",
        "&&&",
        "traceID",
        "a" * 5000,
        "service=s&start=99999999999999999999",
        "service=s&tags=%7B%22a%22%3A%7B%7D%7D",
    ],
)
async def test_no_query_makes_the_framework_answer_for_itself(door: Door, query: str) -> None:
    statuses: Sequence[int] = [(await door.get(f"{path}?{query}")).status_code for path in _paths()]

    assert set(statuses) <= {200, 400, 404}


def _paths() -> list[str]:
    return [endpoint.partition("?")[0] for endpoint in EVERY_ENDPOINT]
