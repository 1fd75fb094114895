"""POST /api/transform: an OTLP JSON file as Jaeger's UI shows it when it is dropped onto the search page."""

import gzip
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.query.jaeger.conftest import Door

DATA = Path(__file__).parents[2] / "data"


def a_document(*spans: dict[str, Any]) -> dict[str, Any]:
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": list(spans)}]}]}


def a_json_span(trace: int = 1, span: int = 1, **changes: Any) -> dict[str, Any]:
    values = {
        "traceId": f"{trace:032x}",
        "spanId": f"{span:016x}",
        "name": "get",
        "startTimeUnixNano": "1714867200000001500",
        "endTimeUnixNano": "1714867200000005500",
    }
    return values | changes


async def test_an_otlp_document_becomes_jaegers_traces(door: Door) -> None:
    response = await door.client.post("/api/transform", json=a_document(a_json_span()))

    assert (response.status_code, response.headers["content-type"]) == (200, "application/json")
    assert response.json() == {
        "data": [
            {
                "traceID": "0000000000000001",
                "spans": [
                    {
                        "traceID": "0000000000000001",
                        "spanID": "0000000000000001",
                        "operationName": "get",
                        "references": [],
                        "startTime": 1714867200000001,
                        "duration": 4,
                        "tags": [],
                        "logs": [],
                        "processID": "p1",
                        "warnings": None,
                    }
                ],
                "processes": {"p1": {"serviceName": "shop", "tags": []}},
                "warnings": None,
            }
        ],
        "total": 0,
        "limit": 0,
        "offset": 0,
        "errors": None,
    }


async def test_a_real_sdks_document_is_transformed_and_not_stored(door: Door) -> None:
    body = (DATA / "otelnode-json.json").read_bytes()

    response = await door.client.post("/api/transform", content=body)

    sent = [
        span
        for resource in json.loads(body)["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    ]
    shown = [span["spanID"] for trace in response.json()["data"] for span in trace["spans"]]
    assert sorted(shown) == sorted(span["spanId"] for span in sent)
    assert door.store.statistics().spans == 0


async def test_spans_are_grouped_by_trace_in_order_of_appearance_and_repeated_ones_stay(door: Door) -> None:
    document = a_document(a_json_span(2), a_json_span(1), a_json_span(2), a_json_span(2, 3))

    traces = (await door.client.post("/api/transform", json=document)).json()["data"]

    assert [(trace["traceID"][-1], len(trace["spans"])) for trace in traces] == [("2", 3), ("1", 1)]


@pytest.mark.parametrize("document", [{}, {"resourceSpans": []}])
async def test_a_document_without_spans_has_no_traces(door: Door, document: dict[str, Any]) -> None:
    assert (await door.client.post("/api/transform", json=document)).json()["data"] == []


async def test_the_answer_can_be_indented(door: Door) -> None:
    response = await door.client.post("/api/transform?prettyPrint=true", json=a_document(a_json_span()))

    assert response.text.startswith('{\n    "data": [\n')


async def test_a_compressed_document_is_inflated(door: Door) -> None:
    body = gzip.compress(json.dumps(a_document(a_json_span())).encode())

    response = await door.client.post("/api/transform", content=body, headers={"content-encoding": "gzip"})

    assert len(response.json()["data"]) == 1


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "expected an OTLP ExportTraceServiceRequest as JSON"),
        (b"{", "expected an OTLP ExportTraceServiceRequest as JSON"),
        (b"[]", "expected an OTLP ExportTraceServiceRequest as a JSON object"),
        (b"[" * 100_000, "expected an OTLP ExportTraceServiceRequest as JSON"),
        (b"\xff", "expected an OTLP ExportTraceServiceRequest as JSON"),
        (json.dumps(a_document(a_json_span(traceId="xyz"))).encode(), "resourceSpans[0].scopeSpans[0].spans[0]"),
    ],
)
async def test_a_bad_document_is_refused_with_a_reason(door: Door, body: bytes, message: str) -> None:
    response = await door.client.post("/api/transform", content=body)

    assert response.status_code == 400
    assert message in response.json()["errors"][0]["msg"]


async def test_a_document_beyond_the_doors_limits_is_refused(door: Door) -> None:
    """The limits of the test's door are 100 kB on the wire and 200 kB inflated."""
    wire = await door.client.post("/api/transform", content=b" " * 100_001)
    inflated = await door.client.post(
        "/api/transform", content=gzip.compress(b" " * 200_001), headers={"content-encoding": "gzip"}
    )

    assert (wire.status_code, inflated.status_code) == (413, 413)
    assert "100000 bytes" in wire.json()["errors"][0]["msg"]


async def test_a_document_compressed_in_another_way_is_refused(door: Door) -> None:
    response = await door.client.post("/api/transform", content=b"{}", headers={"content-encoding": "br"})

    assert response.status_code == 415
    assert response.json()["errors"][0]["msg"] == "expected content encoding gzip or deflate, got br"


async def test_a_document_beyond_the_room_that_all_share_is_told_to_come_again(door: Door) -> None:
    """Three at once hold 99 kB each; the door of the test has room for 200 kB."""
    answers: list[httpx.Response] = []

    async def document(others: int) -> AsyncIterator[bytes]:
        yield b" " * 99_000
        if others:
            answers.append(await door.client.post("/api/transform", content=document(others - 1)))
        yield b"{}"

    answers.append(await door.client.post("/api/transform", content=document(others=2)))

    assert [answer.status_code for answer in answers] == [503, 200, 200]
    assert answers[0].headers["retry-after"] == "1"


async def test_reading_the_path_is_no_endpoint(door: Door) -> None:
    assert (await door.get("/api/transform")).status_code == 404
