"""POST /api/clew/v1/transform: a file of traces in clew's own view, and nothing of it stored."""

import gzip
import json
from typing import Any

import pytest

from tests.builders import a_short_trace_id, a_span
from tests.query.jaeger.conftest import Door, OpenDoor
from tests.query.jaeger.test_transform import a_document, a_json_span

PATH = "/api/clew/v1/transform"


def a_zipkin_json_span(trace: int, span: int, **changes: Any) -> dict[str, Any]:
    return {"traceId": f"{trace:016x}", "id": f"{span:016x}", "timestamp": 1714867200000000, "duration": 5, **changes}


async def test_an_uploaded_trace_is_the_document_of_the_same_trace_stored(door: Door) -> None:
    parent, child = a_json_span(1, 1), a_json_span(1, 2, parentSpanId=f"{1:016x}")
    span = a_span(trace=a_short_trace_id(2), span=1)
    door.write(span)
    stored = await door.json("/api/clew/v1/traces/2")
    downloaded = (await door.client.get("/api/traces/2")).content

    of_two = (await door.client.post(PATH, json=a_document(parent, child))).json()
    of_download = (await door.client.post(PATH, content=downloaded)).json()

    assert of_two["leftOut"] == {"spans": 0, "message": ""}
    (trace,) = of_two["traces"]
    assert [(span["depth"], span["service"]) for span in trace["spans"]] == [(0, "shop"), (1, "shop")]
    assert trace["criticalPath"]
    assert of_download["traces"][0]["summary"] == stored["summary"]
    assert door.store.statistics().spans == 1


async def test_several_traces_come_in_the_order_of_the_file(door: Door) -> None:
    body = [[a_zipkin_json_span(7, 1)], [a_zipkin_json_span(3, 1), a_zipkin_json_span(3, 2)]]

    traces = (await door.client.post(PATH, json=body)).json()["traces"]

    assert [(int(trace["traceId"], 16), len(trace["spans"])) for trace in traces] == [(7, 1), (3, 2)]


async def test_spans_that_are_left_out_are_told(door: Door) -> None:
    answer = (await door.client.post(PATH, json=a_document(a_json_span(), a_json_span(traceId="xyz")))).json()

    assert answer["leftOut"]["spans"] == 1
    assert "expected hex digits, got 'xyz'" in answer["leftOut"]["message"]
    assert len(answer["traces"]) == 1


async def test_a_compressed_file_is_inflated_and_the_answer_compressed_for_who_takes_it(door: Door) -> None:
    lines = b"\n".join(json.dumps(a_document(a_json_span(n))).encode() for n in (1, 2))
    headers = {"content-encoding": "gzip", "accept-encoding": "gzip"}

    response = await door.client.post(PATH, content=gzip.compress(lines), headers=headers)

    assert response.headers["content-encoding"] == "gzip"
    assert len(response.json()["traces"]) == 2


async def test_a_clock_rule_can_be_asked_for(door: Door) -> None:
    assert (await door.client.post(f"{PATH}?clockSkew=none", json=a_document(a_json_span()))).status_code == 200
    refused = await door.client.post(f"{PATH}?clockSkew=x", json=a_document(a_json_span()))
    assert (refused.status_code, "clockSkew" in refused.text) == (400, True)


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"<html>", 400, "'<html>', which is no JSON"),
        (b'{"resourceLogs":[]}', 400, "got OTLP logs"),
        (b" " * 100_001, 413, "100000 bytes"),
    ],
)
async def test_what_is_no_file_of_traces_is_refused_with_a_reason(
    door: Door, body: bytes, status: int, said: str
) -> None:
    response = await door.client.post(PATH, content=body)

    assert response.status_code == status
    assert said in response.json()["errors"][0]["msg"]


async def test_the_endpoint_answers_below_the_base_path_too(open_door: OpenDoor) -> None:
    door = open_door(base_path="/jaeger")

    assert (await door.client.post(f"/jaeger{PATH}", json=a_document(a_json_span()))).status_code == 200
