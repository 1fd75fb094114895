"""Many posts at once: the compiled loop says what the readers say, or leaves a post to them."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.decode.decoded import Decoded
from collector.decode.zipkin_json_v2 import decode, decode_together
from collector.errors import MalformedPayload
from tests.collector.decode.zipkin.reading import DATA, IDS, body_of, body_with, captured

_NAMES = st.text(st.characters(codec="ascii", exclude_characters='"\\', min_codepoint=32), max_size=12)
_TEXTS = st.text(st.characters(codec="utf-8", exclude_characters='"\\', min_codepoint=32), max_size=12)
_MICROS = st.integers(0, 9_223_372_036_854_775)
_HEX = "0123456789abcdef"
_NOTES = st.fixed_dictionaries({"timestamp": st.integers(0, 3) | _MICROS, "value": st.sampled_from("ab") | _TEXTS})


def _optional(**members: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=members)


_ENDPOINTS = _optional(
    serviceName=_NAMES,
    ipv4=st.ip_addresses(v=4).map(str) | st.just(""),
    ipv6=st.just(""),
    port=st.integers(0, 65535),
)
_SPANS = st.builds(
    dict.__or__,
    st.fixed_dictionaries(
        {
            "traceId": st.text(_HEX, min_size=1, max_size=32).filter(lambda text: text.strip("0")),
            "id": st.text(_HEX, min_size=1, max_size=16).filter(lambda text: text.strip("0")),
        }
    ),
    _optional(
        parentId=st.text(_HEX, min_size=1, max_size=16),
        kind=st.sampled_from(["CLIENT", "SERVER", "PRODUCER", "CONSUMER"]),
        name=_NAMES,
        timestamp=_MICROS,
        duration=_MICROS,
        localEndpoint=_ENDPOINTS,
        remoteEndpoint=_ENDPOINTS,
        annotations=st.lists(_NOTES, max_size=5),
        tags=st.dictionaries(_TEXTS | st.sampled_from(["error", "erroR", "errors", "erro"]), _TEXTS, max_size=6),
        debug=st.booleans(),
        shared=st.booleans(),
    ),
)
_POSTS = st.lists(st.lists(_SPANS, max_size=4), min_size=1, max_size=4)
_LAYOUTS = st.sampled_from([(",", ":"), (", ", ": "), (" ,\n\t", "\r : ")])


def rows(decoded: Decoded) -> list[dict[str, Any]]:
    """Each row whole, its tokens in any order."""
    found: list[dict[str, Any]] = decoded.columns.to_records().records.to_pylist()
    return [{**row, "tokens": sorted(row["tokens"])} for row in found]


def rows_alone(payloads: Sequence[bytes]) -> list[dict[str, Any]]:
    return [row for payload in payloads for row in rows(decode(payload))]


def is_taken(payload: bytes) -> bool:
    """Whether the loop takes it; if so, what it makes of it must be what the readers make of it."""
    together = decode_together([payload])
    (spans,) = together.spans_of
    if spans is None:
        assert len(together.columns) == 0
        return False
    assert rows(together) == rows(decode(payload))
    assert spans == len(together.columns)
    return True


@settings(deadline=None, max_examples=400, suppress_health_check=[HealthCheck.too_slow])
@given(_POSTS, _LAYOUTS)
def test_usual_posts_are_all_taken_and_read_as_each_alone(
    posts: list[list[dict[str, Any]]], layout: tuple[str, str]
) -> None:
    payloads = [json.dumps(post, ensure_ascii=False, separators=layout).encode() for post in posts]
    together = decode_together(payloads)
    assert together.spans_of == [len(post) for post in posts]
    assert rows(together) == rows_alone(payloads)
    assert together.last_payload_spans() == len(posts[-1])


@pytest.mark.parametrize("name", sorted(path.name for path in DATA.glob("*zipkin*.json")))
def test_what_envoy_sent_is_taken_and_what_sdks_escaped_is_left(name: str) -> None:
    assert is_taken(captured(name)) == name.startswith("envoy")


@pytest.mark.parametrize(
    "members",
    [
        {"tags": {"path": "a\\b"}},
        {"tags": {"quote": 'a"b'}},
        {"tags": {"line": "a\nb"}},
        {"tags": {f"key {number}": "" for number in range(129)}},
        {"annotations": [{"timestamp": number, "value": ""} for number in range(65)]},
        {"annotations": [{"timestamp": -1, "value": ""}]},
        {"name": "É"},
        {"localEndpoint": {"serviceName": "É"}},
        {"localEndpoint": {"ipv6": "2001:db8::c001"}},
        {"localEndpoint": {"ipv4": "::1"}},
        {"localEndpoint": {"ipv4": "010.1.1.1"}},
        {"localEndpoint": {"ipv4": "1.2.3"}},
        {"localEndpoint": {"ipv4": "1.2.3.256"}},
        {"localEndpoint": {"ipv4": "1.2.3.4."}},
        {"localEndpoint": {"unknown": 1}},
        {"localEndpoint": None},
        {"parentId": None},
        {"kind": None},
        {"timestamp": -1},
        {"timestamp": "12"},
        {"timestamp": 9_223_372_036_854_776},
        {"duration": 2**63 - 1},
        {"unknown": []},
        {"traceId": "0" * 15 + "a" * 16},
    ],
)
def test_an_odd_span_that_is_right_is_left_to_the_readers_or_read_alike(members: dict[str, Any]) -> None:
    payload = json.dumps([IDS | members], ensure_ascii=False).encode()
    assert len(decode(payload).columns) == 1
    assert is_taken(payload) == ("traceId" in members)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{}",
        b"[",
        b"[{",
        b'[{"',
        b"[null]",
        b"[{}]",
        b"[[]]",
        b"[] []",
        body_of({}) + b"x",
        body_of({})[:-1],
        body_of({})[:-1] + b",]",
        body_of({"traceId": ""}),
        body_of({"traceId": "0" * 32}),
        body_of({"traceId": "a" * 33}),
        body_of({"traceId": "A" * 32}),
        body_of({"id": ""}),
        body_of({"id": "0" * 16}),
        body_of({"id": "a" * 17}),
        body_of({"id": "g"}),
        body_of({"parentId": ""}),
        body_of({"parentId": "a" * 17}),
        body_of({"kind": ""}),
        body_of({"kind": "client"}),
        body_of({"kind": "CLIENT_"}),
        body_of({"localEndpoint": {"port": 65536}}),
        body_of({"tags": {"number": 1}}),
        body_of({"tags": []}),
        body_of({"annotations": [{"timestamp": 1}]}),
        body_of({"debug": 1}),
        body_with('"timestamp":01'),
        body_with('"timestamp":'),
        body_with('"timestamp":1.5'),
        body_with('"timestamp":1')[:-2],
        body_with('"debug":truE'),
        body_with('"name":"one","name":"two"'),
        body_with('"tags":{"one":"1","one":"2"}'),
        body_with('"tags":{"one":"1",}'),
        body_with('"tags":{"one" "1"}'),
        body_with('"name":"\t"'),
        body_with('"name":"').replace(b'"}', b'\xff"}'),
        b'[{"traceId":"1","id":"1","tags":{"k":"\xed\xa0\x80"}}]',
        b'[{"traceId":"1","id":"1","tags":{"k":"\xc3"}}]',
    ],
)
def test_whatever_zipkin_may_refuse_is_not_taken(payload: bytes) -> None:
    assert not is_taken(payload)


@settings(deadline=None, max_examples=500, suppress_health_check=[HealthCheck.too_slow])
@given(_POSTS, st.data())
def test_damaged_posts_are_read_alike_or_left_and_harm_no_neighbour(
    posts: list[list[dict[str, Any]]], data: st.DataObject
) -> None:
    good = [json.dumps(post, ensure_ascii=False, separators=(",", ":")).encode() for post in posts]
    victim = bytearray(data.draw(st.sampled_from(good)))
    place = data.draw(st.integers(0, len(victim) - 1))
    match data.draw(st.sampled_from(["change", "cut", "insert"])):
        case "change":
            victim[place] = data.draw(st.integers(0, 255))
        case "cut":
            del victim[place:]
        case _:
            victim.insert(place, data.draw(st.sampled_from(b'[]{}",:0\\ \xc3')))
    damaged = bytes(victim)
    together = decode_together([*good, damaged, *good])
    spans = [len(post) for post in posts]
    *_, of_damaged = together.spans_of[: len(posts) + 1]
    assert together.spans_of == [*spans, of_damaged, *spans]
    middle = [] if of_damaged is None else [damaged]
    assert rows(together) == rows_alone([*good, *middle, *good])


def test_a_post_that_is_refused_alone_is_not_taken_together() -> None:
    payloads = [body_of({}), body_of({"kind": "OTHER"}), body_of({}, {"name": "second"})]
    together = decode_together(payloads)
    assert together.spans_of == [1, None, 2]
    with pytest.raises(MalformedPayload, match="OTHER"):
        decode(payloads[1])


def test_room_is_used_again_without_a_trace_of_what_it_held() -> None:
    first = decode_together([body_of({"tags": {"a": "1" * 500}, "name": "first"})])
    before = rows(first)
    decode_together([body_of({"tags": {"b": "2" * 400}, "name": "other"})])
    assert rows(first) == before
