"""What all routes of 9411's reads have in common: mounts, methods, errors, compression (reference 1.0)."""

import gzip
import json
from threading import Event
from urllib.parse import urlencode

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from query.api.zipkin_parameters import TraceParameters
from query.api.zipkin_responses import accepts_gzip
from storage.errors import StoreUnavailable, UnsupportedByStore
from storage.memory import MemoryStore
from tests.builders import MS, a_trace_id, a_zipkin_span, a_zipkin_trace
from tests.query.zipkin.conftest import NOW_NS, Door, OpenDoor

READS = [
    "services",
    "spans?serviceName=frontend",
    "remoteServices?serviceName=frontend",
    "traces",
    f"trace/{a_trace_id(1).hex()}",
    f"traceMany?traceIds=abcd,{a_trace_id(1).hex()}",
    f"dependencies?endTs={NOW_NS // MS}",
    "autocompleteKeys",
    "autocompleteValues?key=environment",
]


class BrokenStore(MemoryStore):
    """A store whose list of services raises."""

    def __init__(self, error: Exception) -> None:
        super().__init__(max_spans=1, autocomplete_keys=())
        self._error = error

    def services(self) -> list[str]:
        raise self._error


class StuckStore(MemoryStore):
    """A store that lists services only when it is let go."""

    def __init__(self) -> None:
        super().__init__(max_spans=1, autocomplete_keys=())
        self.let_go = Event()

    def services(self) -> list[str]:
        self.let_go.wait()
        return []


@pytest.mark.parametrize("read", READS)
async def test_every_read_answers_the_same_under_both_mounts(open_door: OpenDoor, read: str) -> None:
    door = open_door(autocomplete_keys=("environment",))
    door.write(*a_zipkin_trace(1))

    at_root, under_zipkin = await door.get(f"/api/v2/{read}"), await door.get(f"/zipkin/api/v2/{read}")

    assert at_root.status_code == 200
    assert len(at_root.json()) > 0
    assert (under_zipkin.content, dict(under_zipkin.headers)) == (at_root.content, dict(at_root.headers))


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nothing/here"),
        ("GET", "/api/v2/nothing"),
        ("GET", "/api/v2/services/"),
        ("GET", "/api/v2/trace/"),
        ("GET", "/api/v1/traces"),
        ("GET", "/api/v1/spans"),
        ("GET", "/config.json"),
        ("GET", "/zipkin/nothing.js"),
        ("POST", "/api/v2/services"),
        ("PUT", "/api/v2/spans"),
        ("DELETE", "/zipkin/api/v2/traces"),
        ("PATCH", "/"),
    ],
)
async def test_unknown_path_and_wrong_method_are_404(door: Door, method: str, path: str) -> None:
    response = await door.client.request(method, path)

    # As Zipkin 3.5.1 answered when it was asked.
    assert (response.status_code, response.text) == (404, "404 Not Found")


@pytest.mark.parametrize("path", ["/", "/api/v2/traces", "/nothing/here"])
async def test_http_trace_is_405_on_every_path(door: Door, path: str) -> None:
    assert (await door.client.request("TRACE", path)).status_code == 405


@pytest.mark.parametrize(
    ("error", "status", "text"),
    [
        (StoreUnavailable("cannot read duckdb: disk gone"), 503, "cannot read duckdb: disk gone"),
        (StoreUnavailable(), 503, "StoreUnavailable"),
        (UnsupportedByStore("x has no graph"), 501, "x has no graph"),
        (RuntimeError("surprise"), 500, "surprise"),
        (RuntimeError(), 500, "RuntimeError"),
    ],
)
async def test_read_that_fails_is_answered_with_the_message_or_the_name(
    open_door: OpenDoor, error: Exception, status: int, text: str
) -> None:
    response = await open_door(BrokenStore(error)).get("/api/v2/services")

    assert (response.status_code, response.text) == (status, text)
    assert response.headers["content-type"] == "text/plain; charset=utf-8"


async def test_read_is_500_when_the_store_does_not_answer_in_time(open_door: OpenDoor) -> None:
    stuck = StuckStore()
    try:
        response = await open_door(stuck, timeout_ns=MS).get("/api/v2/services")
    finally:
        stuck.let_go.set()

    assert response.status_code == 500
    assert "QUERY_TIMEOUT" in response.text


@pytest.mark.parametrize(
    "read",
    [
        "services",
        "spans?serviceName=frontend",
        "remoteServices?serviceName=frontend",
        "traces",
        "traces?serviceName=frontend&annotationQuery=environment",
        "autocompleteKeys",
        "autocompleteValues?key=environment",
    ],
)
async def test_searches_answer_an_empty_array_when_search_is_disabled(open_door: OpenDoor, read: str) -> None:
    door = open_door(search_enabled=False, autocomplete_keys=("environment",))
    door.write(*a_zipkin_trace(1))

    assert await door.json(f"/api/v2/{read}") == []


@pytest.mark.parametrize(
    "read",
    [
        f"trace/{a_trace_id(1).hex()}",
        f"traceMany?traceIds=a,{a_trace_id(1).hex()}",
        f"dependencies?endTs={NOW_NS // MS}",
    ],
)
async def test_traces_by_id_and_dependencies_still_answer_when_search_is_disabled(
    open_door: OpenDoor, read: str
) -> None:
    door = open_door(search_enabled=False)
    door.write(*a_zipkin_trace(1))

    assert len(await door.json(f"/api/v2/{read}")) > 0


@pytest.mark.parametrize(
    ("read", "text"),
    [("traces?limit=0", "limit <= 0"), ("spans", "Mandatory parameter/header/attribute is missing: serviceName")],
)
async def test_wrong_parameters_are_refused_even_when_search_is_disabled(
    open_door: OpenDoor, read: str, text: str
) -> None:
    assert await open_door(search_enabled=False).refusal(f"/api/v2/{read}") == text


@pytest.mark.parametrize(
    "path", ["/api/v2/services", "/zipkin/api/v2/traces", "/zipkin/", "/", "/zipkin/config.json", "/zipkin/api/docs"]
)
async def test_everything_is_404_when_queries_are_disabled(open_door: OpenDoor, path: str) -> None:
    assert (await open_door(zipkin_enabled=False).get(path)).status_code == 404


def _services_answer_of(bytes_in_all: int) -> str:
    return "s" * (bytes_in_all - len('[""]'))


@pytest.mark.parametrize(("size", "encoding"), [(2047, None), (2048, "gzip")])
async def test_answer_is_compressed_from_2048_bytes_when_the_client_takes_gzip(
    door: Door, size: int, encoding: str | None
) -> None:
    name = _services_answer_of(size)
    door.write(a_zipkin_span(service=name))

    response = await door.client.get("/api/v2/services", headers={"accept-encoding": "gzip"})

    assert response.headers.get("content-encoding") == encoding
    assert response.json() == [name]


async def test_compressed_answer_inflates_to_the_same_bytes_and_says_that_it_varies(door: Door) -> None:
    door.write(*(a_zipkin_span(1, number) for number in range(1, 50)))
    path = f"http://clew/api/v2/trace/{a_trace_id(1).hex()}"
    request = httpx.Request("GET", path, headers={"accept-encoding": "deflate, gzip;q=0.5"})

    response = await door.client.send(request, stream=True)
    sent = b"".join([chunk async for chunk in response.aiter_raw()])

    assert response.headers["vary"] == "accept-encoding"
    assert response.headers["content-length"] == str(len(sent))
    assert gzip.decompress(sent) == (await door.get(path)).content


async def test_answer_is_not_compressed_when_the_client_does_not_take_gzip(door: Door) -> None:
    door.write(a_zipkin_span(service=_services_answer_of(5000)))

    response = await door.client.get("/api/v2/services", headers={"accept-encoding": "br, gzip;q=0"})

    assert "content-encoding" not in response.headers
    assert response.headers["vary"] == "accept-encoding"


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        ("", False),
        ("gzip", True),
        ("GZIP", True),
        ("deflate, gzip", True),
        ("gzip;q=0", False),
        ("gzip; q=0.000", False),
        ("gzip; q=0.001", True),
        ("*", True),
        ("*;q=0", False),
        ("gzip;q=0, *", False),
        ("identity", False),
        ("br;q=1.0,,", False),
    ],
)
def test_gzip_is_taken_when_the_header_names_it_with_weight(header: str, accepted: bool) -> None:
    assert accepts_gzip(header) is accepted


async def test_api_documents_every_route_and_parameter_once(door: Door) -> None:
    document = await door.json("/zipkin/api/openapi.json")

    routes = {
        path: [parameter["name"] for parameter in item["get"].get("parameters", [])]
        for path, item in document["paths"].items()
    }
    assert routes == {
        "/api/v2/services": [],
        "/api/v2/spans": ["serviceName"],
        "/api/v2/remoteServices": ["serviceName"],
        "/api/v2/traces": [
            "serviceName",
            "remoteServiceName",
            "spanName",
            "annotationQuery",
            "minDuration",
            "maxDuration",
            "endTs",
            "lookback",
            "limit",
        ],
        "/api/v2/trace/{trace_id}": ["trace_id"],
        "/api/v2/traceMany": ["traceIds"],
        "/api/v2/dependencies": ["endTs", "lookback"],
        "/api/v2/autocompleteKeys": [],
        "/api/v2/autocompleteValues": ["key"],
    }
    assert '"422"' not in json.dumps(document)


async def test_api_documentation_page_is_served(door: Door) -> None:
    response = await door.get("/zipkin/api/docs")

    assert response.status_code == 200
    assert "/zipkin/api/openapi.json" in response.text


_NAMES = st.sampled_from([*TraceParameters.model_json_schema()["properties"], "key", "traceIds", "other"])
_VALUES = st.one_of(
    st.text(st.characters(codec="utf-8"), max_size=40),
    st.integers().map(str),
    st.sampled_from(["", "1", "a,b", "error"]),
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    route=st.sampled_from([read.partition("?")[0] for read in READS]),
    parameters=st.lists(st.tuples(_NAMES, _VALUES), max_size=8),
)
async def test_any_parameters_are_answered_or_refused_as_zipkin_does(
    door: Door, route: str, parameters: list[tuple[str, str]]
) -> None:
    response = await door.client.get(f"/api/v2/{route}?{urlencode(parameters)}")

    assert response.status_code in (200, 400, 404)
