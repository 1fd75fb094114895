"""GET /api/search."""

from typing import Any

import pytest

from storage.memory import MemoryStore
from storage.requests import TraceQuery
from storage.span import Span, SpanKind, StatusCode
from tests.builders import (
    BACKEND,
    FRONTEND,
    HOUR,
    MS,
    SECOND,
    TODAY_NS,
    US,
    a_short_trace_id,
    a_span,
    a_span_id,
    a_trace_id,
    a_zipkin_trace,
)
from tests.query.tempo.conftest import NOW_NS, Door, OpenDoor

TODAY_S = TODAY_NS // SECOND


class TestAnswer:
    async def test_a_trace_is_shown_with_its_root_times_and_found_spans(self, door: Door) -> None:
        door.write(*a_zipkin_trace(1))
        q = '{ .http.path = "/api" && status != error } | select(name, kind, .absent)'
        span_set = {
            "spans": [
                {
                    "spanID": a_span_id(2).hex(),
                    "name": "get",
                    "startTimeUnixNano": str(TODAY_NS + 50 * MS),
                    "durationNanos": str(200 * MS),
                    "attributes": [
                        {"key": "http.path", "value": {"stringValue": "/api"}},
                        {"key": "status", "value": {"stringValue": "unset"}},
                        {"key": "kind", "value": {"stringValue": "client"}},
                    ],
                }
            ],
            "matched": 1,
        }
        assert await door.json("/api/search", q=q) == {
            "traces": [
                {
                    "traceID": a_trace_id(1).hex(),
                    "rootServiceName": FRONTEND,
                    "rootTraceName": "get",
                    "startTimeUnixNano": str(TODAY_NS),
                    "durationMs": 350,
                    "spanSet": span_set,
                    "spanSets": [span_set],
                    "serviceStats": {
                        BACKEND: {"spanCount": 2, "errorCount": 1},
                        FRONTEND: {"spanCount": 2, "errorCount": 0},
                    },
                }
            ],
            "metrics": {"inspectedTraces": 1},
        }

    async def test_attributes_keep_their_types(self, door: Door) -> None:
        door.write(a_span(attributes={"i": 200, "f": 0.5, "b": False, "a": [1]}))
        (trace,) = await door.search("{} | select(.i, .f, .b, .a, resource.service.name)")
        assert trace["spanSet"]["spans"][0]["attributes"] == [
            {"key": "i", "value": {"intValue": "200"}},
            {"key": "f", "value": {"doubleValue": 0.5}},
            {"key": "b", "value": {"boolValue": False}},
            {"key": "a", "value": {"arrayValue": {"values": [{"intValue": "1"}]}}},
            {"key": "service.name", "value": {"stringValue": FRONTEND}},
        ]

    async def test_three_spans_are_shown_unless_spss_says_otherwise(self, door: Door) -> None:
        door.write(*(a_span(1, n, start_ns=TODAY_NS + n) for n in range(1, 8)))
        for spss, shown in (("", 3), ("0", 3), ("5", 5), ("100", 7)):
            (trace,) = await door.search(spss=spss)
            assert len(trace["spanSet"]["spans"]) == shown
            assert trace["spanSet"]["matched"] == 7

    async def test_a_root_that_was_not_received_is_said(self, door: Door) -> None:
        door.write(a_span(span=2, parent=1))
        (trace,) = await door.search()
        assert (trace["rootServiceName"], trace["rootTraceName"]) == ("<root span not yet received>", "")

    async def test_a_64_bit_trace_id_has_16_digits(self, door: Door) -> None:
        door.write(a_span(a_short_trace_id(0xAB)))
        (trace,) = await door.search()
        assert trace["traceID"] == "00000000000000ab"

    async def test_nothing_found_is_an_empty_list(self, door: Door) -> None:
        assert await door.json("/api/search", q="{}") == {"traces": [], "metrics": {"inspectedTraces": 0}}

    async def test_a_span_without_a_start_is_counted_and_shown_at_zero(self, door: Door) -> None:
        door.write(a_span(1, 1), a_span(1, 2, parent=1, start_ns=None))
        (trace,) = await door.search()
        assert {span["startTimeUnixNano"] for span in trace["spanSet"]["spans"]} >= {"0"}


class TestLimits:
    async def test_the_latest_traces_come_first_and_twenty_by_default(self, door: Door) -> None:
        door.write(*(a_span(n, start_ns=TODAY_NS + n * US) for n in range(1, 31)))
        assert await door.found() == list(range(30, 10, -1))
        assert await door.found(limit=2) == [30, 29]
        assert len(await door.found(limit=100_000)) == 30

    async def test_refused_candidates_do_not_use_up_the_limit(self, door: Door) -> None:
        door.write(*(a_span(n, start_ns=TODAY_NS + n, attributes={"n": n}) for n in range(1, 101)))
        assert await door.found("{ .n < 4 }", limit=2) == [3, 2]

    async def test_no_more_traces_are_read_than_the_limit_needs(self, door: Door) -> None:
        door.write(*(a_span(n, start_ns=TODAY_NS + n) for n in range(1, 101)))
        answer = await door.json("/api/search", q='{ name =~ "g.*" }', limit=5)
        assert answer["metrics"] == {"inspectedTraces": 5}

    async def test_what_can_be_is_pushed_down_to_the_store(self, open_door: OpenDoor) -> None:
        store = Asked(max_spans=1000, autocomplete_keys=())
        q = '{ .service.name = "a" && .k = "v" && name =~ "x" } && {}'
        await open_door(store).search(q, start=TODAY_S, end=TODAY_S + 60)
        (asked,) = store.queries
        assert (asked.service, [(tag.key, tag.text) for tag in asked.tags]) == ("a", [("k", "v")])
        assert (asked.start_min_ns, asked.start_max_ns) == (TODAY_NS, TODAY_NS + 61 * SECOND - 1)


class TestWindow:
    async def test_without_times_the_last_hour_is_searched(self, door: Door) -> None:
        door.write(
            a_span(1, start_ns=NOW_NS - HOUR - 1), a_span(2, start_ns=NOW_NS - HOUR), a_span(3, start_ns=NOW_NS + 1)
        )
        assert await door.found() == [2]
        assert await door.found(start="0", end="0") == [2]

    async def test_start_and_end_are_seconds_and_the_last_is_whole(self, door: Door) -> None:
        for n, start_ns in enumerate((-1, 0, 2 * SECOND - 1, 2 * SECOND), 1):
            door.write(a_span(n, start_ns=TODAY_NS + start_ns))
        assert await door.found(start=TODAY_S, end=TODAY_S + 1) == [3, 2]

    async def test_a_trace_is_found_by_the_start_of_the_span_that_is_asked_for(self, door: Door) -> None:
        door.write(
            a_span(1, 1, start_ns=TODAY_NS, attributes={"asked": 1}),
            a_span(1, 2, parent=1, start_ns=TODAY_NS + 100 * SECOND),
        )
        late = {"start": TODAY_S + 50, "end": TODAY_S + 200}
        assert await door.found("{ .asked = 1 }", start=TODAY_S, end=TODAY_S + 10) == [1]
        assert await door.found("{ .asked = 1 }", **late) == []
        assert await door.found("{ .asked = 1 } && {}", **late) == []
        assert await door.found("{}", **late) == [1]

    async def test_durations_bound_the_whole_trace(self, door: Door) -> None:
        door.write(
            a_span(1, 1, duration_ns=10 * MS), a_span(1, 2, parent=1, start_ns=TODAY_NS + 400 * MS, duration_ns=MS)
        )
        door.write(a_span(2, duration_ns=10 * MS))
        assert await door.found(minDuration="300ms") == [1]
        assert await door.found(maxDuration="300ms") == [2]
        assert sorted(await door.found(minDuration="10ms", maxDuration="1h")) == [1, 2]


class TestLegacyTags:
    """Before TraceQL: logfmt, values as parts of the text in any case."""

    @pytest.fixture
    def door(self, open_door: OpenDoor) -> Door:
        door = open_door()
        door.write(
            a_span(1, service="shop-backend", name="update billing", attributes={"http.url": "http://x/API/my?q=1.0"}),
            a_span(2, service="cart", status_code=StatusCode.ERROR, attributes={"http.url": "http://y/"}),
        )
        return door

    @pytest.mark.parametrize(
        ("tags", "found"),
        [
            ("", [2, 1]),
            ("service.name=Shop", [1]),
            ("service.name=shop http.url=api/my", [1]),
            ("service.name=shop http.url=/y/", []),
            ('name="update bill"', [1]),
            ('http.url="q=1.0"', [1]),
            ("http.url=q.1", []),
            ("error=true", [2]),
            ("status.code=error", [2]),
            ("status.code=unset", [1]),
            ("root.service.name=cart root.name=get", [2]),
            ("http.url", [2, 1]),
        ],
    )
    async def test_tags_find_by_part_of_the_text(self, door: Door, tags: str, found: list[int]) -> None:
        traces = (await door.json("/api/search", tags=tags))["traces"]
        assert sorted(int(trace["traceID"][-16:], 16) for trace in traces) == sorted(found)

    @pytest.mark.parametrize("tags", ["=x", 'a="x', 'a="x"y', "a=1 a=2", "status.code=2"])
    async def test_what_is_no_logfmt_is_refused(self, door: Door, tags: str) -> None:
        assert (await door.refusal("/api/search", tags=tags)).startswith("invalid tags: ")


@pytest.mark.parametrize(
    ("parameters", "why"),
    [
        ({"q": "{} >> {}"}, "invalid TraceQL query: parse error at line 1, col 4: the operator '>>' is not supported"),
        ({"q": "{}", "tags": "a=b"}, "invalid request: can't specify tags and q in the same query"),
        ({"start": "x"}, "invalid start: expected a whole number from 0 to 4294967295, got 'x'"),
        ({"end": "4294967296"}, "invalid end: expected a whole number from 0 to 4294967295, got '4294967296'"),
        ({"start": "1.5"}, "invalid start: expected a whole number from 0 to 4294967295, got '1.5'"),
        ({"start": "10"}, "http parameter start must be before end. received start=10 end=0"),
        ({"start": "10", "end": "10"}, "http parameter start must be before end. received start=10 end=10"),
        ({"limit": "0"}, "invalid limit: must be a positive number"),
        ({"limit": "-1"}, "invalid limit: expected a whole number from 0 to 4294967295, got '-1'"),
        ({"spss": "²"}, "invalid spss: expected a whole number from 0 to 4294967295, got '²'"),
        (
            {"minDuration": "5"},
            'invalid minDuration: expected a duration with a unit such as "1.5s" or "100ms", got \'5\'',
        ),
        ({"minDuration": "2s", "maxDuration": "1s"}, "invalid maxDuration: must be greater than minDuration"),
    ],
)
async def test_a_wrong_parameter_is_refused_with_its_name(door: Door, parameters: dict[str, str], why: str) -> None:
    assert await door.refusal("/api/search", **parameters) == why


@pytest.mark.parametrize("name", ["start", "end", "limit", "spss", "minDuration", "maxDuration", "q", "tags"])
async def test_an_empty_parameter_is_an_absent_one(door: Door, name: str) -> None:
    door.write(a_span())
    answer = await door.json("/api/search", **{name: ""})
    assert len(answer["traces"]) == 1


async def test_ids_that_share_their_low_half_are_one_trace_when_ids_are_not_strict(open_door: OpenDoor) -> None:
    door = open_door(strict_trace_id=False)
    door.write(a_span(1, 1), a_span(a_short_trace_id(1), 2, parent=1, kind=SpanKind.SERVER))
    (trace,) = await door.search("{ kind = server }")
    assert trace["traceID"] == a_trace_id(1).hex()


class Asked(MemoryStore):
    """Remembers what it was asked."""

    def __init__(self, max_spans: int, autocomplete_keys: tuple[str, ...]) -> None:
        super().__init__(max_spans, autocomplete_keys)
        self.queries: list[TraceQuery] = []

    def find_traces_where(self, query: TraceQuery, *others: Any, **more: Any) -> list[list[Span]]:
        self.queries.append(query)
        return super().find_traces_where(query, *others, **more)
