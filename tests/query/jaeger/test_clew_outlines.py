"""The outline of a trace in columns: GET /api/clew/v1/traces/{id}/outline."""

import textwrap
from typing import Any

import msgspec
import pytest

from storage.span import Endpoint, Event, Link, Resource, SpanKind, StatusCode
from tests.builders import MS, TODAY_NS, a_span, a_span_id, a_trace_id, a_zipkin_span, a_zipkin_trace
from tests.query.jaeger.conftest import Door

TRACE_ID = a_trace_id(1).hex()
PATH = f"/api/clew/v1/traces/{TRACE_ID}/outline"


def of_document(document: dict[str, Any]) -> list[dict[str, Any]]:
    """What the columns say of each span, as the whole document says it."""
    start_ns = int(document["summary"].get("startTimeUnixNano", 0))
    return [
        {
            "spanId": one["span"]["spanId"],
            "parent": one.get("parent", -1),
            "service": one["service"],
            "name": one["span"]["name"],
            "start": int(one["span"]["startTimeUnixNano"]) - start_ns,
            "duration": number(one.get("durationNano")),
            "selfTime": number(one.get("selfTimeNano")),
            "criticalPathTime": number(one.get("criticalPathNano")),
        }
        for one in document["spans"]
    ]


def number(text: str | None) -> int | None:
    return None if text is None else int(text)


async def test_the_columns_say_what_the_document_says_in_its_order(door: Door) -> None:
    door.write(*a_zipkin_trace(1), a_zipkin_trace(1)[2])

    outline, document = await door.json(PATH), await door.json(PATH.removesuffix("/outline"))

    timing = outline["timing"]
    columns = {
        **outline["spans"],
        "spanId": textwrap.wrap(outline["spans"]["spanId"], 16),
        **{key: timing[key] for key in ("selfTime", "criticalPathTime")},
    }
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    told = [
        {
            **{key: row[key] for key in ("spanId", "parent", "start", "duration", "selfTime", "criticalPathTime")},
            "service": outline["services"][row["service"]],
            "name": outline["names"][row["name"]],
        }
        for row in rows
    ]
    assert told == of_document(document)
    assert (outline["traceId"], outline["summary"]) == (TRACE_ID, document["summary"])
    start_ns = int(document["summary"]["startTimeUnixNano"])
    assert list(zip(*timing["criticalPath"].values(), strict=True)) == [
        (one["span"], int(one["startTimeUnixNano"]) - start_ns, int(one["endTimeUnixNano"]) - start_ns)
        for one in document["criticalPath"]
    ]


@pytest.mark.parametrize(
    ("changes", "flags"),
    [
        ({}, 0),
        ({"status_code": StatusCode.ERROR}, 1),
        ({"attributes": {"component": "proxy"}}, 2),
        ({"resource": Resource({"telemetry.sdk.name": "envoy"})}, 2),
        ({"attributes": {"component": "java-web-servlet"}}, 0),
        ({"events": (Event(TODAY_NS, "exception"),)}, 8),
        ({"links": (Link(a_trace_id(2), a_span_id(2)),)}, 16),
    ],
)
async def test_flags_tell_errors_sidecars_events_and_links(door: Door, changes: dict[str, Any], flags: int) -> None:
    door.write(a_span(1, 1, **changes))

    assert (await door.json(PATH))["spans"]["flags"] == [flags]


async def test_a_span_of_several_reports_says_that_they_were_joined(door: Door) -> None:
    door.write(a_span(1, 1), a_span(1, 1))

    assert (await door.json(PATH))["spans"]["flags"] == [4]


async def test_kinds_and_protocols_are_numbers(door: Door) -> None:
    door.write(a_span(1, 1, kind=SpanKind.SERVER), a_zipkin_span(1, 2, parent=1, kind=SpanKind.CLIENT))

    spans = (await door.json(PATH))["spans"]

    assert (spans["kind"], spans["protocol"]) == ([2, 3], [2, 1])


async def test_orphans_and_warnings_are_told_by_position(door: Door) -> None:
    door.write(
        a_span(1, 1, duration_ns=10 * MS),
        a_span(1, 2, parent=9, start_ns=TODAY_NS + 200 * MS, attributes={"@jaeger@warnings": ["late"]}),
    )

    outline = await door.json(PATH)

    assert outline["roots"] == [{"span": 0, "reason": "parentless"}, {"span": 1, "reason": "orphan"}]
    assert [one["span"] for one in outline["warnings"]] == [1]


async def test_a_span_without_times_has_nulls(door: Door) -> None:
    door.write(a_zipkin_span(1, 1, start_ns=None, duration_ns=None, local=Endpoint("frontend")))

    outline = await door.json(PATH)

    columns = outline["spans"] | outline["timing"]
    assert [columns[key] for key in ("start", "duration", "selfTime")] == [[None], [None], [None]]


async def test_the_tree_of_a_large_trace_is_sent_before_its_times_are_reckoned(door: Door) -> None:
    door.write(*[a_span(1, number, parent=number - 1 or None) for number in range(1, 5_001)])

    response = await door.get(PATH)

    tree, rest = response.text.split("\n")
    assert len(msgspec.json.decode(tree + "}")["spans"]["parent"]) == 5_000
    assert len(msgspec.json.decode("{" + rest.removeprefix(","))["timing"]["selfTime"]) == 5_000


@pytest.mark.parametrize(("path", "status"), [(PATH, 404), (f"{PATH}?clockSkew=x", 400), (f"{PATH}x", 404)])
async def test_an_outline_that_there_is_not_is_refused(door: Door, path: str, status: int) -> None:
    assert (await door.get(path)).status_code == status
