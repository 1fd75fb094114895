"""GET /api/search/tags, /api/search/tag/{tag}/values and their second versions."""

from typing import Any

import pytest

from query.api.tempo_tags import SAMPLED_TRACES
from storage.span import Event, Link, Resource, Scope
from tests.builders import BACKEND, FRONTEND, HOUR, SECOND, TODAY_NS, a_span, a_span_id, a_trace_id
from tests.query.tempo.conftest import NOW_NS, Door, OpenDoor


@pytest.fixture
def door(open_door: OpenDoor) -> Door:
    door = open_door()
    door.write(
        a_span(
            1,
            1,
            name="checkout",
            attributes={"http.method": "GET", "n": 1, "f": 1.5, "b": True, "list": ["x"], "empty": ""},
            resource=Resource({"pod": "p1"}),
            scope=Scope("lib", attributes={"language": "go"}),
            events=(Event(TODAY_NS, "e", {"exception.type": "E"}),),
            links=(Link(a_trace_id(5), a_span_id(5), attributes={"why": "retry"}),),
        ),
        a_span(1, 2, parent=1, service=BACKEND, attributes={"http.method": "POST", "n": 2}),
    )
    return door


async def scopes(door: Door, **parameters: Any) -> dict[str, list[str]]:
    answer = await door.json("/api/v2/search/tags", **parameters)
    return {scope["name"]: scope["tags"] for scope in answer["scopes"]}


async def values(door: Door, tag: str, **parameters: Any) -> list[tuple[str, str]]:
    answer = await door.json(f"/api/v2/search/tag/{tag}/values", **parameters)
    return [(value["type"], value["value"]) for value in answer["tagValues"]]


async def test_tags_are_listed_by_scope_with_all_intrinsics(door: Door) -> None:
    found = await scopes(door)
    assert found.pop("intrinsic") >= ["duration"]
    assert found == {
        "span": ["b", "empty", "f", "http.method", "list", "n"],
        "resource": ["pod", "service.name"],
        "instrumentation": ["language"],
        "event": ["exception.type"],
        "link": ["why"],
    }


async def test_grafanas_builder_finds_its_own_fields_among_the_intrinsics(door: Door) -> None:
    assert set((await scopes(door, scope="intrinsic"))["intrinsic"]) >= {
        *("duration", "kind", "name", "rootName", "rootServiceName", "status", "statusMessage", "traceDuration"),
        *("span:duration", "span:name", "trace:duration", "trace:rootName", "trace:rootService", "event:name"),
    }


@pytest.mark.parametrize("scope", ["span", "resource", "event", "link", "instrumentation", "intrinsic"])
async def test_a_scope_is_listed_alone_when_it_is_asked_for(door: Door, scope: str) -> None:
    assert set(await scopes(door, scope=scope)) == {scope}


async def test_an_unknown_scope_is_refused(door: Door) -> None:
    assert await door.refusal("/api/v2/search/tags", scope="galaxy") == "invalid scope: galaxy"
    assert "intrinsic" in await scopes(door, scope="none")


async def test_the_first_version_lists_names_in_one_list_without_intrinsics(door: Door) -> None:
    answer = await door.json("/api/search/tags")
    assert answer["tagNames"] == sorted(
        ["b", "empty", "exception.type", "f", "http.method", "language", "list", "n", "pod", "service.name", "why"]
    )
    assert (await door.json("/api/search/tags", scope="resource"))["tagNames"] == ["pod", "service.name"]
    assert "kind" in (await door.json("/api/search/tags", scope="intrinsic"))["tagNames"]


async def test_values_have_types(door: Door) -> None:
    assert await values(door, ".http.method") == [("string", "GET"), ("string", "POST")]
    assert await values(door, "span.n") == [("int", "1"), ("int", "2")]
    assert await values(door, ".f") == [("float", "1.5")]
    assert await values(door, ".b") == [("bool", "true")]
    assert await values(door, "resource.pod") == [("string", "p1")]
    assert await values(door, "event.exception.type") == [("string", "E")]
    assert await values(door, "rootName") == [("string", "checkout")]
    assert await values(door, "span:status") == [("keyword", "unset"), ("keyword", "ok"), ("keyword", "error")]
    assert ("keyword", "server") in await values(door, "kind")


@pytest.mark.parametrize("tag", [".list", ".empty", ".absent", "duration", "traceDuration", "resource.http.method"])
async def test_what_has_no_comparable_value_has_none(door: Door, tag: str) -> None:
    assert await values(door, tag) == []


async def test_services_and_names_are_complete_whatever_the_window(door: Door) -> None:
    door.write(a_span(9, service="ancient", name="old", start_ns=TODAY_NS - 100 * HOUR))
    services = [("string", name) for name in ("ancient", BACKEND, FRONTEND)]
    assert await values(door, "resource.service.name") == await values(door, ".service.name") == services
    assert await values(door, "name") == [("string", name) for name in ("checkout", "get", "old")]


async def test_a_query_narrows_values_to_the_spans_it_finds(door: Door) -> None:
    assert await values(door, ".http.method", q='{ .service.name = "backend" }') == [("string", "POST")]
    assert await values(door, "resource.service.name", q="{ .n = 1 }") == [("string", FRONTEND)]
    assert await scopes(door, q="{ .n = 2 }", scope="span") == {"span": ["http.method", "n"]}


@pytest.mark.parametrize("q", ["{ .n = }", "{}| rate()", "nonsense", ""])
async def test_a_query_that_cannot_be_read_yet_narrows_nothing(door: Door, q: str) -> None:
    assert len(await values(door, ".http.method", q=q)) == 2


async def test_the_first_version_gives_texts(door: Door) -> None:
    async def texts(tag: str) -> list[str]:
        answer = await door.json(f"/api/search/tag/{tag}/values")
        assert set(answer) == {"tagValues", "metrics"}
        return list(answer["tagValues"])

    assert await texts("service.name") == [BACKEND, FRONTEND]
    assert await texts("n") == ["1", "2"]
    assert await texts("name") == ["checkout", "get"]
    assert await texts("root.service.name") == [FRONTEND]
    assert await texts("status.code") == ["unset", "ok", "error"]


async def test_a_tag_may_be_escaped_twice_and_hold_a_slash(door: Door) -> None:
    """Grafana escapes it twice."""
    door.write(a_span(2, attributes={"a/b c": "x"}))
    assert await values(door, ".http%252Emethod") == [("string", "GET"), ("string", "POST")]
    assert await values(door, ".%22a%252Fb%2520c%22") == [("string", "x")]


async def test_what_is_no_tag_is_refused(door: Door) -> None:
    assert (await door.refusal("/api/v2/search/tag/%7B%7D/values")).startswith("please provide a valid tagName: ")


async def test_a_limit_bounds_each_list(door: Door) -> None:
    assert await values(door, ".n", limit=1) == [("int", "1")]
    assert all(len(tags) == 1 for tags in (await scopes(door, limit=1)).values())
    assert len((await door.json("/api/search/tags", limit=3))["tagNames"]) == 3


async def test_the_newest_traces_of_the_window_are_looked_at(door: Door) -> None:
    door.write(*(a_span(n, start_ns=TODAY_NS + n, attributes={"k": n}) for n in range(1000, 1300)))
    newest = {("int", str(n)) for n in range(1300 - SAMPLED_TRACES, 1300)}
    assert set(await values(door, ".k")) == newest
    door.write(a_span(2000, start_ns=NOW_NS - HOUR - 1, attributes={"old": 1}))
    assert await values(door, ".old") == []
    start_s = (NOW_NS - 2 * HOUR) // SECOND
    assert await values(door, ".old", start=start_s, end=NOW_NS // SECOND) == [("int", "1")]


async def test_values_of_a_rare_tag_are_found_behind_newer_traces_without_it(door: Door) -> None:
    door.write(
        a_span(3, attributes={"rare": "x"}), *(a_span(n, start_ns=TODAY_NS + n * SECOND) for n in range(10, 300))
    )
    assert await values(door, ".rare") == [("string", "x")]
