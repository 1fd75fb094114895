"""POST /api/archive/{id}, and the traces that were put there."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from query.archive import TraceArchive
from storage.contract import SpanStore
from storage.factory import open_archive
from storage.requests import RetentionPolicy
from storage.settings import StorageSettings
from storage.span import Event, Link, Resource, Scope, Span
from tests.builders import SECOND, a_half_truncated_trace, a_span, a_span_id, a_trace_id, a_zipkin_trace, exactly
from tests.query.jaeger.conftest import NOW_NS, Door, OpenDoor

TRACE = a_trace_id(1)
KEPT = f"/api/archive/{TRACE.hex()}"


@pytest.fixture(params=["memory", "duckdb"])
async def archive(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[TraceArchive]:
    url = {"memory": "memory:", "duckdb": f"duckdb:///{tmp_path}/archive.duckdb"}[request.param]
    store = open_archive(StorageSettings.model_validate({"url": "memory:", "archive_url": url}))
    assert store is not None
    with store:
        kept = TraceArchive(store, now_ns=lambda: NOW_NS)
        yield kept
        kept.close()


@pytest.fixture
def archiving(open_door: OpenDoor, archive: TraceArchive) -> Door:
    return open_door(archive=archive)


def an_odd_span(number: int = 1) -> Span:
    """A span with a value of every type, wherever it can have one."""
    values: dict[str, Any] = {"s": "x", "i": 1, "d": 1.0, "b": True, "y": b"\xff", "l": ["x", 1, None], "m": {"k": 2.0}}
    return a_span(
        TRACE,
        number,
        attributes=values,
        resource=Resource(values | {"service.name": "frontend"}, 1, "https://schema"),
        scope=Scope("lib", "1", values, 2, "https://schema"),
        events=(Event(NOW_NS, "boom", values, 3),),
        links=(Link(a_trace_id(2), a_span_id(3), "k=v", values, 4, 1),),
        flags=0x101,
    )


def forget_everything(door: Door) -> None:
    assert door.store.maintain(RetentionPolicy(max_age_ns=1, max_bytes=None), NOW_NS + SECOND) > 0


def archived(store: SpanStore) -> list[Span]:
    (spans,) = store.get_traces([TRACE])
    return spans


async def test_an_archived_trace_is_found_by_id_after_retention_took_it(archiving: Door) -> None:
    archiving.write(*a_zipkin_trace(1))
    before = await archiving.data(f"/api/traces/{TRACE.hex()}")

    response = await archiving.client.post(KEPT)
    forget_everything(archiving)

    assert (response.status_code, response.headers["content-type"]) == (200, "application/json")
    assert response.json() == {"data": [], "total": 0, "limit": 0, "offset": 0, "errors": []}
    assert await archiving.data(f"/api/traces/{TRACE.hex()}") == before
    assert await archiving.data("/api/traces", traceID=TRACE.hex()) == before
    assert await archiving.data("/api/traces", service="frontend") == []


async def test_archived_spans_keep_every_value_and_type(archiving: Door, archive: TraceArchive) -> None:
    archiving.write(an_odd_span(), *a_zipkin_trace(TRACE))

    await archiving.client.post(KEPT)

    assert exactly(archived(archive.store)) == exactly([an_odd_span(), *a_zipkin_trace(TRACE)])


async def test_archiving_twice_does_not_double_spans(archiving: Door, archive: TraceArchive) -> None:
    archiving.write(an_odd_span(), an_odd_span(), a_span(TRACE, 2))

    statuses = [(await archiving.client.post(KEPT)).status_code for _ in range(3)]

    assert statuses == [200, 200, 200]
    assert exactly(archived(archive.store)) == exactly([an_odd_span(), an_odd_span(), a_span(TRACE, 2)])


async def test_archiving_a_trace_that_grew_adds_what_is_new(archiving: Door, archive: TraceArchive) -> None:
    archiving.write(a_span(TRACE, 1))
    await archiving.client.post(KEPT)
    archiving.write(a_span(TRACE, 2))
    await archiving.client.post(KEPT)

    assert [span.span_id for span in archived(archive.store)] == [a_span_id(1), a_span_id(2)]


async def test_a_trace_that_is_only_in_the_archive_can_be_archived_again(
    archiving: Door, archive: TraceArchive
) -> None:
    archiving.write(a_span(TRACE, 1))
    await archiving.client.post(KEPT)
    forget_everything(archiving)

    assert (await archiving.client.post(KEPT)).status_code == 200
    assert len(archived(archive.store)) == 1


async def test_a_trace_whose_id_was_cut_is_archived_whole_when_ids_are_lenient(
    open_door: OpenDoor, archive: TraceArchive
) -> None:
    door = open_door(archive=archive, strict_trace_id=False)
    door.write(*a_half_truncated_trace(1))
    before = await door.data(f"/api/traces/{TRACE.hex()}")

    for _ in range(2):
        assert (await door.client.post(KEPT)).status_code == 200
    forget_everything(door)

    assert await door.data(f"/api/traces/{TRACE.hex()}") == before
    assert archive.store.statistics().spans == 4


async def test_several_traces_come_in_the_order_asked_from_wherever_they_are(archiving: Door) -> None:
    archiving.write(a_span(1), a_span(3))
    for number in (1, 3):
        await archiving.client.post(f"/api/archive/{a_trace_id(number).hex()}")
    forget_everything(archiving)
    archiving.write(a_span(2))

    ids = [a_trace_id(number).hex() for number in (3, 2, 4, 1)]
    answer = await archiving.json("/api/traces?" + "&".join(f"traceID={one}" for one in ids))

    assert [trace["traceID"] for trace in answer["data"]] == [ids[0], ids[1], ids[3]]
    assert answer["errors"] == [{"msg": "trace not found", "traceID": ids[2]}]


async def test_an_unknown_trace_cannot_be_archived(archiving: Door) -> None:
    response = await archiving.client.post(KEPT)

    assert response.status_code == 404
    assert response.json()["errors"] == [{"code": 404, "msg": "trace not found"}]


async def test_without_an_archive_jaegers_answer_says_so(door: Door) -> None:
    door.write(*a_zipkin_trace(1))

    response = await door.client.post(KEPT)

    assert response.status_code == 500
    assert response.json()["errors"] == [{"code": 500, "msg": "archive span storage was not configured"}]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/api/archive/xyz", 'strconv.ParseUint: parsing "xyz": invalid syntax'),
        (f"{KEPT}?start=x", "unable to parse param 'start': strconv.ParseInt: parsing \"x\": invalid syntax"),
    ],
)
async def test_a_wrong_parameter_is_refused(archiving: Door, path: str, message: str) -> None:
    response = await archiving.client.post(path)

    assert (response.status_code, response.json()["errors"][0]["msg"]) == (400, message)


async def test_reading_the_archive_path_is_no_endpoint(archiving: Door) -> None:
    assert (await archiving.get(KEPT)).status_code == 404
