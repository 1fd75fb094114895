"""/trace/{id} and /traceMany (reference 1.5, 1.6, 2.1, 3.5)."""

from urllib.parse import quote

import pytest

from storage.ids import TraceId
from tests.builders import a_half_truncated_trace, a_short_trace_id, a_trace_id, a_zipkin_span, a_zipkin_trace
from tests.query.zipkin.conftest import Door, OpenDoor

PADDED = TraceId(bytes.fromhex("0000000000000001c1e3000000000002"))

MALFORMED = [
    ("0" * 16, "traceId is all zeros"),
    ("0" * 32, "traceId is all zeros"),
    ("0", "traceId is all zeros"),
    ("a" * 33, "traceId.length > 32"),
    ("0e8b46e1-81b", "0e8b46e1-81b should be lower-hex encoded with no prefix"),
    ("ABCD", "ABCD should be lower-hex encoded with no prefix"),
    ("0xab", "0xab should be lower-hex encoded with no prefix"),
    ("zoë", "zoë should be lower-hex encoded with no prefix"),
    ("\u0663", "\u0663 should be lower-hex encoded with no prefix"),
]


async def test_trace_gives_every_span_as_it_was_reported_and_not_merged(door: Door) -> None:
    door.write(*a_zipkin_trace(1))
    door.write(a_zipkin_span(1, 1))

    response = await door.get(f"/api/v2/trace/{a_trace_id(1).hex()}")

    assert [span["id"][-1] for span in response.json()] == ["1", "2", "2", "3", "1"]
    assert response.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("stored", "asked"),
    [
        pytest.param(a_short_trace_id(0xABC), "abc", id="short_is_padded_to_16"),
        pytest.param(a_short_trace_id(0xABC), "0000000000000abc", id="16_characters"),
        pytest.param(a_short_trace_id(0xABC), "0" * 29 + "abc", id="32_with_zero_prefix_is_the_64_bit_id"),
        pytest.param(PADDED, "1c1e3000000000002", id="17_characters_are_padded_to_32"),
        pytest.param(a_trace_id(1), a_trace_id(1).hex() + "%20", id="trailing_space"),
        pytest.param(a_trace_id(1), "%20%09" + a_trace_id(1).hex(), id="leading_blanks"),
    ],
)
async def test_trace_is_found_in_every_spelling_of_its_id(door: Door, stored: TraceId, asked: str) -> None:
    door.write(a_zipkin_span(stored))

    assert len(await door.json(f"/api/v2/trace/{asked}")) == 1


@pytest.mark.parametrize(
    ("asked", "named"),
    [("abc", "0000000000000abc"), ("1c1e3000000000002", PADDED.hex()), ("0" * 29 + "abc", "0000000000000abc")],
)
async def test_trace_is_404_with_the_normal_form_of_its_id_when_there_is_none(
    door: Door, asked: str, named: str
) -> None:
    response = await door.get(f"/api/v2/trace/{asked}")

    assert (response.status_code, response.text) == (404, f"{named} not found")
    assert response.headers["content-type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize(("asked", "text"), [*MALFORMED, (" ", "traceId is empty")])
async def test_trace_is_refused_when_its_id_is_malformed(door: Door, asked: str, text: str) -> None:
    assert await door.refusal(f"/api/v2/trace/{quote(asked)}") == text


async def test_trace_of_a_long_id_is_not_found_by_its_low_half_when_strict(door: Door) -> None:
    door.write(a_zipkin_span(a_trace_id(7)))

    assert (await door.get("/api/v2/trace/7")).status_code == 404


@pytest.mark.parametrize("asked", ["7", a_trace_id(7).hex()])
async def test_trace_is_found_by_either_form_of_its_id_when_not_strict(open_door: OpenDoor, asked: str) -> None:
    door = open_door(strict_trace_id=False)
    door.write(*a_half_truncated_trace(7))

    spans = await door.json(f"/api/v2/trace/{asked}")

    assert [len(span["traceId"]) for span in spans] == [32, 32, 16, 16]


async def test_trace_many_gives_the_traces_that_exist(door: Door) -> None:
    door.write(*a_zipkin_trace(1))

    response = await door.get("/api/v2/traceMany", traceIds=f"abcd,{a_trace_id(1).hex()}")

    assert [len(trace) for trace in response.json()] == [4]
    assert response.headers["content-type"] == "application/json"


async def test_trace_many_gives_an_empty_array_when_none_exists(door: Door) -> None:
    assert await door.json("/api/v2/traceMany", traceIds="a,b") == []


async def test_trace_many_gives_each_trace_as_an_array_of_its_own(door: Door) -> None:
    door.write(a_zipkin_span(1, 1), a_zipkin_span(2, 1), a_zipkin_span(1, 2))

    traces = await door.json("/api/v2/traceMany", traceIds=f"{a_trace_id(1).hex()},{a_trace_id(2).hex()}")

    assert [len(trace) for trace in traces] == [2, 1]


async def test_trace_many_does_not_find_long_ids_by_their_low_halves_when_strict(door: Door) -> None:
    door.write(a_zipkin_span(a_trace_id(1)), a_zipkin_span(a_trace_id(3)))

    assert await door.json("/api/v2/traceMany", traceIds="1,3") == []


@pytest.mark.parametrize(
    "asked", [f"{a_trace_id(1).hex()},1,{a_trace_id(3).hex()},3", "1,3", f"{a_trace_id(1).hex()},{a_trace_id(3).hex()}"]
)
async def test_trace_many_gives_both_forms_as_one_trace_when_not_strict(open_door: OpenDoor, asked: str) -> None:
    """Reference 3.8, ITStrictTraceIdFalse."""
    door = open_door(strict_trace_id=False)
    for number in (1, 2, 3):
        door.write(a_zipkin_span(a_trace_id(number)), a_zipkin_span(a_short_trace_id(number)))

    traces = await door.json("/api/v2/traceMany", traceIds=asked)

    assert sorted(trace[0]["traceId"][-1] for trace in traces) == ["1", "3"]
    assert [len(trace) for trace in traces] == [2, 2]


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ("", "traceIds parameter is empty"),
        ("abcd", "Use /api/v2/trace/{traceId} endpoint to retrieve a single trace"),
        ("a,b,a", "redundant traceId: a"),
        ("a,000a", "redundant traceId: 000a"),
        (f"a,{'0' * 31}a", f"redundant traceId: {'0' * 31}a"),
        ("a,", "traceId is empty"),
        (",a", "traceId is empty"),
        ("a, b", " b should be lower-hex encoded with no prefix"),
        *[(f"abcd,{malformed}", text) for malformed, text in MALFORMED],
    ],
)
async def test_trace_many_is_refused_with_zipkins_text(door: Door, asked: str, text: str) -> None:
    assert await door.refusal("/api/v2/traceMany", traceIds=asked) == text


async def test_trace_many_is_refused_when_the_parameter_is_missing(door: Door) -> None:
    assert await door.refusal("/api/v2/traceMany") == "Mandatory parameter/header/attribute is missing: traceIds"


@pytest.mark.parametrize(("count", "status"), [(1000, 200), (1001, 400)])
async def test_trace_many_takes_a_thousand_ids(door: Door, count: int, status: int) -> None:
    """Java's split leaves the rest in the thousandth part, which is then no id."""
    asked = ",".join(f"{number:032x}" for number in range(1, count + 1))

    assert (await door.get("/api/v2/traceMany", traceIds=asked)).status_code == status
