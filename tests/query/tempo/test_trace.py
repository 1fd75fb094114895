"""GET /api/traces/{id} and /api/v2/traces/{id}."""

import base64
import gzip
import json
from typing import Any

import pytest
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from query.reconstruct.assembly import assemble
from query.render.tempo_trace import batches_json, trace_by_id_bytes, trace_by_id_json, trace_bytes
from storage.span import Event, Link, Resource, Scope, Span, SpanKind, StatusCode
from tests.builders import MS, TODAY_NS, a_span, a_span_id, a_trace_id, a_zipkin_trace
from tests.query.tempo.conftest import Door
from tests.span_strategies import spans
from wire.tempo_pb2 import TraceByIDResponse

ID = a_trace_id(1).hex()
PROTOBUF = {"Accept": "application/protobuf"}


def base64_of(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


async def test_a_trace_is_batches_with_ids_in_base64_and_enumerations_by_name(door: Door) -> None:
    """As protobuf's own JSON: Kiali compares `kind` and `status.code` with these names."""
    door.write(
        a_span(1, 1, kind=SpanKind.SERVER, attributes={"n": 200}, resource=Resource({"pod": "p1"})),
        a_span(
            1,
            2,
            parent=1,
            status_code=StatusCode.ERROR,
            start_ns=TODAY_NS + MS,
            resource=Resource({"pod": "p1"}),
            events=(Event(TODAY_NS, "e"),),
            links=(Link(a_trace_id(2), a_span_id(9)),),
        ),
    )
    (batch,) = (await door.json(f"/api/traces/{ID}"))["batches"]
    assert batch["resource"]["attributes"] == [
        {"key": "pod", "value": {"stringValue": "p1"}},
        {"key": "service.name", "value": {"stringValue": "frontend"}},
    ]
    ((server, client),) = [scope_spans["spans"] for scope_spans in batch["scopeSpans"]]
    assert server["traceId"] == base64_of(a_trace_id(1))
    assert server["spanId"] == base64_of(a_span_id(1))
    assert (server["kind"], server["status"]) == ("SPAN_KIND_SERVER", {})
    assert server["attributes"] == [{"key": "n", "value": {"intValue": "200"}}]
    assert (server["startTimeUnixNano"], server["endTimeUnixNano"]) == (
        str(TODAY_NS + 100_000),
        str(TODAY_NS + 100_000 + 200 * MS),
    )
    assert client["parentSpanId"] == server["spanId"]
    assert client["status"] == {"code": "STATUS_CODE_ERROR"}
    assert client["links"] == [{"traceId": base64_of(a_trace_id(2)), "spanId": base64_of(a_span_id(9))}]


async def test_every_batch_has_the_spans_of_one_scope_since_kiali_reads_no_further(door: Door) -> None:
    door.write(
        a_span(1, 1, scope=Scope("a"), resource=Resource({}, schema_url="s")),
        a_span(1, 2, parent=1, scope=Scope("b"), resource=Resource({}, schema_url="s")),
    )
    batches = (await door.json(f"/api/traces/{ID}"))["batches"]
    assert [[one["scope"]["name"] for one in batch["scopeSpans"]] for batch in batches] == [["a"], ["b"]]
    assert batches[0]["resource"] == batches[1]["resource"]
    assert [batch["schemaUrl"] for batch in batches] == ["s", "s"]


async def test_the_second_version_has_the_trace_below_its_name(door: Door) -> None:
    door.write(*a_zipkin_trace(1))
    first, second = await door.json(f"/api/traces/{ID}"), await door.json(f"/api/v2/traces/{ID}")
    assert second == {"trace": {"resourceSpans": first["batches"]}, "metrics": {}}


async def test_protobuf_is_given_to_who_accepts_it(door: Door) -> None:
    door.write(*a_zipkin_trace(1))
    answers = [await door.client.get(f"/api{version}/traces/{ID}", headers=PROTOBUF) for version in ("", "/v2")]
    assert [answer.headers["content-type"] for answer in answers] == ["application/protobuf"] * 2
    first, second = TracesData.FromString(answers[0].content), TraceByIDResponse.FromString(answers[1].content)
    assert second.trace == first
    spans = [span for batch in first.resource_spans for scope in batch.scope_spans for span in scope.spans]
    assert {span.trace_id for span in spans} == {a_trace_id(1)}
    assert len(spans) == 4


async def test_a_shared_span_id_is_two_ids(door: Door) -> None:
    """Tempo makes the halves of a Zipkin call apart, too."""
    door.write(*a_zipkin_trace(1))
    batches = (await door.json(f"/api/traces/{ID}"))["batches"]
    ids = [span["spanId"] for batch in batches for scope in batch["scopeSpans"] for span in scope["spans"]]
    assert len(set(ids)) == len(ids) == 4


@pytest.mark.parametrize("version", ["", "/v2"])
@pytest.mark.parametrize("headers", [{}, PROTOBUF])
async def test_an_unknown_trace_is_a_404(door: Door, version: str, headers: dict[str, str]) -> None:
    """Kiali takes batches[0] and Grafana the trace without a look, so an empty answer would break them."""
    answer = await door.client.get(f"/api{version}/traces/{ID}", headers=headers)
    assert (answer.status_code, answer.text) == (404, "trace not found\n")


@pytest.mark.parametrize("trace_id", ["x", "0" * 33, "12g4", "%20"])
async def test_what_is_no_trace_id_is_refused(door: Door, trace_id: str) -> None:
    assert (await door.refusal(f"/api/traces/{trace_id}")).startswith("invalid trace id: ")


async def test_a_trace_is_found_by_its_id_without_leading_zeros(door: Door) -> None:
    door.write(a_span())
    assert ID.startswith("0000")
    assert (await door.json(f"/api/traces/{ID.lstrip('0').upper()}"))["batches"]


async def test_start_and_end_filter_nothing_and_must_be_times(door: Door) -> None:
    door.write(a_span())
    assert (await door.get(f"/api/traces/{ID}?start=1&end=2")).status_code == 200
    assert "start must be before end" in await door.refusal(f"/api/traces/{ID}?start=2&end=1")
    assert "invalid start" in await door.refusal(f"/api/v2/traces/{ID}?start=x&end=1")


async def test_a_long_answer_is_compressed_for_who_takes_it(door: Door) -> None:
    door.write(*(a_span(1, n) for n in range(1, 20)))
    plain = await door.get(f"/api/traces/{ID}")
    async with door.client.stream("GET", f"/api/traces/{ID}", headers={"accept-encoding": "gzip"}) as answer:
        assert answer.headers["content-encoding"] == "gzip"
        packed = b"".join([chunk async for chunk in answer.aiter_raw()])
    assert json.loads(gzip.decompress(packed)) == plain.json()


@given(st.lists(spans(), min_size=1, max_size=4))
def test_both_versions_and_both_forms_say_the_same_of_any_trace(stored: list[Span]) -> None:
    """The JSON is what protobuf's own writer makes of the protobuf, but for batches apart by scope."""
    trace = assemble(stored)
    message = TracesData.FromString(trace_bytes(trace))
    second_message = TraceByIDResponse.FromString(trace_by_id_bytes(trace)).trace
    assert second_message.SerializeToString() == message.SerializeToString()
    second: Any = trace_by_id_json(trace)
    assert batches_json(trace) == {"batches": second["trace"]["resourceSpans"]}
    read = json_format.ParseDict(second["trace"], TracesData())
    assert sorted(_spans_of(read)) == sorted(_spans_of(message))


def _spans_of(data: TracesData) -> list[list[str]]:
    """Every span with its resource and scope, in a form that has one NaN."""
    return [
        [json_format.MessageToJson(one, sort_keys=True) for one in (group.resource, part.scope, span)]
        for group in data.resource_spans
        for part in group.scope_spans
        for span in part.spans
    ]
