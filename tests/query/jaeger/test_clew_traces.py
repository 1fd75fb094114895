"""clew's own view of a trace: GET /api/clew/v1/traces/{id}."""

import gzip
import json
from typing import Any

import pytest

from query.reconstruct.reconstruction import reconstruct
from query.render.clew_trace import trace_document
from storage.span import Endpoint, Event, Resource, Scope, Span, SpanKind, StatusCode
from tests.builders import MS, TODAY_NS, a_short_trace_id, a_span, a_trace_id, a_zipkin_span, a_zipkin_trace
from tests.query.jaeger.conftest import Door, OpenDoor

TRACE_ID = a_trace_id(1).hex()
PATH = f"/api/clew/v1/traces/{TRACE_ID}"


def nano(time_ns: int) -> str:
    return str(time_ns)


async def test_a_trace_comes_as_a_tree_with_its_times_and_a_summary(door: Door) -> None:
    door.write(*a_zipkin_trace(1), a_zipkin_trace(1)[2])

    found = await door.json(PATH)

    assert found["traceId"] == TRACE_ID
    assert found["summary"] == {
        "rootService": "frontend",
        "rootOperation": "get",
        "startTimeUnixNano": nano(TODAY_NS),
        "endTimeUnixNano": nano(TODAY_NS + 350 * MS),
        "durationNano": nano(350 * MS),
        "spans": 4,
        "errors": 1,
        "depth": 4,
        "roots": 1,
        "orphans": 0,
        "circles": 0,
        "reports": 5,
        "services": [
            {"name": "backend", "spans": 2, "errors": 1},
            {"name": "frontend", "spans": 2, "errors": 0},
        ],
    }
    told = ("root", "parent", "depth", "service", "selfTimeNano", "criticalPathNano", "error", "reports")
    assert [{key: span[key] for key in told if key in span} for span in found["spans"]] == [
        {
            "root": "parentless",
            "depth": 0,
            "service": "frontend",
            "selfTimeNano": nano(150 * MS),
            "criticalPathNano": nano(150 * MS),
            "error": False,
            "reports": 1,
        },
        *(
            {
                "parent": at - 1,
                "depth": at,
                "service": service,
                "selfTimeNano": nano(self_ms * MS),
                "criticalPathNano": nano(self_ms * MS),
                "error": error,
                "reports": reports,
            }
            for at, (service, self_ms, error, reports) in enumerate(
                [("frontend", 50, False, 1), ("backend", 100, False, 2), ("backend", 50, True, 1)], 1
            )
        ),
    ]
    assert [section["span"] for section in found["criticalPath"]] == [0, 1, 2, 3, 2, 0]


async def test_a_span_comes_whole(door: Door) -> None:
    door.write(
        a_span(
            kind=SpanKind.SERVER,
            status_code=StatusCode.ERROR,
            status_message="boom",
            start_ns=TODAY_NS,
            duration_ns=MS,
            attributes={"n": 1, "@jaeger@warnings": ["late"]},
            events=(Event(TODAY_NS + 1, "e"),),
            resource=Resource({"host.name": "h"}, 2, "http://schema"),
            scope=Scope("lib", "1"),
        )
    )

    found = await door.json(PATH)

    assert found["resources"] == [
        {
            "attributes": [{"key": "host.name", "value": {"stringValue": "h"}}],
            "droppedAttributesCount": 2,
            "schemaUrl": "http://schema",
        }
    ]
    assert found["spans"] == [
        {
            "root": "parentless",
            "depth": 0,
            "service": "frontend",
            "durationNano": nano(MS),
            "selfTimeNano": nano(MS),
            "onCriticalPath": True,
            "criticalPathNano": nano(MS),
            "error": True,
            "protocol": "otlp",
            "reports": 1,
            "warnings": ["late"],
            "resource": 0,
            "scope": {"name": "lib", "version": "1"},
            "span": {
                "traceId": TRACE_ID,
                "spanId": "0000000000000001",
                "name": "get",
                "kind": 2,
                "startTimeUnixNano": nano(TODAY_NS),
                "endTimeUnixNano": nano(TODAY_NS + MS),
                "attributes": [{"key": "n", "value": {"intValue": "1"}}],
                "events": [{"timeUnixNano": nano(TODAY_NS + 1), "name": "e"}],
                "status": {"message": "boom", "code": 2},
            },
        }
    ]


async def test_what_is_not_known_is_left_out_and_not_zero(door: Door) -> None:
    door.write(a_zipkin_span(start_ns=None, duration_ns=None), a_zipkin_span(1, 2, parent=9, duration_ns=0))

    found = await door.json(PATH)

    absent, orphan = found["spans"]
    assert not {"durationNano", "selfTimeNano", "criticalPathNano", "parent"} & set(absent)
    assert "startTimeUnixNano" not in absent["span"]
    assert (orphan["durationNano"], orphan["selfTimeNano"], orphan["root"]) == ("0", "0", "orphan")
    assert (absent["onCriticalPath"], orphan["onCriticalPath"]) == (False, True)


async def test_a_trace_without_any_start_has_no_times(door: Door) -> None:
    door.write(a_zipkin_span(start_ns=None, duration_ns=None))

    found = await door.json(PATH)

    assert found["criticalPath"] == []
    assert not any(key.endswith("Nano") for key in found["summary"])


async def test_equal_resources_are_listed_once(door: Door) -> None:
    hosts = ["a", "b", "a"]
    door.write(*(a_span(1, n, resource=Resource({"host.name": host})) for n, host in enumerate(hosts, 1)))

    found = await door.json(PATH)

    assert len(found["resources"]) == 2
    assert [span["resource"] for span in found["spans"]] == [0, 1, 0]


@pytest.mark.parametrize(
    ("rule", "moved_ms", "warning"),
    [
        ("", 0, "clock skew adjustment disabled; not applying calculated delta of 7ms"),
        ("jaeger", 0, "clock skew adjustment disabled; not applying calculated delta of 7ms"),
        ("zipkin", 7, "This span's timestamps were adjusted by 7ms"),
        ("none", 0, None),
    ],
)
async def test_clocks_are_corrected_by_the_rule_asked_for(
    door: Door, rule: str, moved_ms: int, warning: str | None
) -> None:
    here, there = Endpoint(ipv4="10.0.0.1"), Endpoint(ipv4="10.0.0.2")
    door.write(
        a_zipkin_span(span=1, kind=SpanKind.CLIENT, start_ns=TODAY_NS, local=here),
        a_zipkin_span(span=2, parent=1, kind=SpanKind.SERVER, start_ns=TODAY_NS - 7 * MS, local=there),
    )

    (_, called) = (await door.json(PATH, clockSkew=rule))["spans"]

    assert called["span"]["startTimeUnixNano"] == nano(TODAY_NS + (moved_ms - 7) * MS)
    assert called["warnings"] == ([warning] if warning else [])


async def test_jaegers_rule_corrects_up_to_the_setting(open_door: OpenDoor) -> None:
    door = open_door(max_clock_skew_ns=10 * MS)
    door.write(
        a_span(1, 1, start_ns=TODAY_NS, resource=Resource({"host.name": "a"})),
        a_span(1, 2, parent=1, start_ns=TODAY_NS - 7 * MS, resource=Resource({"host.name": "b"})),
    )

    (_, called) = (await door.json(PATH))["spans"]

    assert called["span"]["startTimeUnixNano"] == nano(TODAY_NS)


async def test_both_forms_of_a_trace_id_are_one_trace_when_ids_are_not_strict(open_door: OpenDoor) -> None:
    door = open_door(strict_trace_id=False)
    door.write(a_span(a_short_trace_id(1), 1), a_span(a_trace_id(1), 2, parent=1))

    found = await door.json("/api/clew/v1/traces/1")

    assert (found["traceId"], found["summary"]["spans"]) == (TRACE_ID, 2)


@pytest.mark.parametrize("path", ["/api/clew/v1/traces/7", f"/jaeger{PATH}"])
async def test_an_unknown_trace_is_not_found(open_door: OpenDoor, path: str) -> None:
    response = await open_door(base_path="/jaeger").get(path)

    assert response.status_code == 404
    assert response.json()["errors"] == [{"code": 404, "msg": "trace not found"}]


async def test_the_base_path_may_stand_before_it(open_door: OpenDoor) -> None:
    door = open_door(base_path="/jaeger")
    door.write(a_span())

    assert await door.json(f"/jaeger{PATH}") == await door.json(PATH)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/api/clew/v1/traces/xyz!", "xyz!"),
        (
            f"{PATH}?clockSkew=both",
            "unable to parse param 'clockSkew': expected one of jaeger, zipkin, none, got 'both'",
        ),
    ],
)
async def test_a_wrong_parameter_is_refused(door: Door, path: str, message: str) -> None:
    assert message in await door.refusal(path)


async def test_the_document_can_be_compressed_and_indented(door: Door) -> None:
    door.write(*a_zipkin_trace(1))
    plain = await door.get(PATH)

    pretty = await door.get(PATH, prettyPrint="true")
    async with door.client.stream("GET", PATH, headers={"accept-encoding": "gzip"}) as zipped:
        raw = b"".join([piece async for piece in zipped.aiter_raw()])

    assert "\n    " in pretty.text
    assert zipped.headers["content-encoding"] == "gzip"
    assert gzip.decompress(raw) == plain.content
    assert pretty.json() == plain.json()


async def test_head_answers_without_a_body(door: Door) -> None:
    door.write(a_span())

    response = await door.client.head(PATH)

    assert (response.status_code, response.content) == (200, b"")
    assert (await door.client.head("/api/clew/v1/traces/7")).status_code == 404


async def test_a_large_trace_is_sent_in_pieces_of_bounded_size(door: Door) -> None:
    spans = [a_span(1, n, parent=n - 1 or None, start_ns=TODAY_NS + n, duration_ns=MS) for n in range(1, 5001)]
    door.write(*spans)

    found = await door.json(PATH)
    pieces = list(trace_document(reconstruct(spans)))

    assert [span["depth"] for span in found["spans"]] == list(range(5000))
    assert json.loads(b"".join(pieces)) == found
    assert len(pieces) > 10
    assert max(map(len, pieces)) < sum(map(len, pieces)) / 5


async def test_a_text_that_utf8_cannot_hold_is_escaped(door: Door) -> None:
    """A lone surrogate, which JSON may carry."""
    spans: list[Span] = [a_span(attributes={"k": "\ud800"})]

    assert b"\\ud800" in b"".join(trace_document(reconstruct(spans)))


async def test_the_documentation_tells_every_field(door: Door) -> None:
    door.write(*a_zipkin_trace(1), a_span(1, 9, parent=77, scope=Scope("lib")), a_zipkin_span(1, 10, start_ns=None))
    document = (await door.get("/docs/openapi.json")).json()
    operation = document["paths"]["/api/clew/v1/traces/{trace_id}"]["get"]

    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    _check(schema, await door.json(PATH), "$")


def _check(schema: Any, value: Any, where: str) -> None:
    """The value has what the schema requires and nothing that it does not name."""
    types: dict[str, type] = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool}
    assert isinstance(value, types[schema["type"]]), where
    assert value in schema.get("enum", [value]), where
    for item in value if isinstance(value, list) else []:
        _check(schema["items"], item, f"{where}[]")
    if isinstance(value, dict) and "properties" in schema:
        assert set(schema["required"]) <= set(value) <= set(schema["properties"]), where
        for key, member in value.items():
            _check(schema["properties"][key], member, f"{where}.{key}")
