"""The strict reader, the lenient reader and `SpanColumns.append` must tell the same of every valid body."""

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.decode.zipkin_columns import columns_of
from collector.decode.zipkin_json_lenient import read_spans
from collector.decode.zipkin_json_v2 import decode
from storage.batch import SpanColumns
from storage.ids import NO_SPAN, SpanId, TraceId
from storage.span import Endpoint, Event, Protocol, Span, SpanKind, StatusCode

_TEXTS = st.text(st.characters(codec="utf-8"), max_size=12)
_MICROS = st.integers(-(2**63), 2**63 - 1) | st.integers(1, 2**52)
_JSON_FLOATS = st.floats(allow_nan=False, allow_infinity=False)
_INT64 = (-(2**63), 2**63 - 1)


def _optional(**members: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=members)


_ENDPOINTS = st.none() | _optional(
    serviceName=st.none() | _TEXTS,
    ipv4=st.none() | st.ip_addresses(v=4).map(str),
    ipv6=st.none() | st.just("2001:db8::c001"),
    port=st.none() | st.integers(-1, 65535),
)
_HEX = "0123456789abcdef"
_BODIES = st.lists(
    st.builds(
        dict.__or__,
        st.fixed_dictionaries(
            {
                "traceId": st.text(_HEX, min_size=1, max_size=32).filter(lambda text: text.strip("0")),
                "id": st.text(_HEX, min_size=1, max_size=16).filter(lambda text: text.strip("0")),
            }
        ),
        _optional(
            parentId=st.none() | st.text(_HEX, min_size=1, max_size=16),
            kind=st.none() | st.sampled_from(["CLIENT", "SERVER", "PRODUCER", "CONSUMER"]),
            name=st.none() | _TEXTS,
            timestamp=st.none() | _MICROS,
            duration=st.none() | _MICROS,
            localEndpoint=_ENDPOINTS,
            remoteEndpoint=_ENDPOINTS,
            annotations=st.none()
            | st.lists(st.fixed_dictionaries({"timestamp": _MICROS, "value": _TEXTS}), max_size=3),
            tags=st.none() | st.dictionaries(_TEXTS | st.just("error"), _TEXTS, max_size=4),
            debug=st.none() | st.booleans(),
            shared=st.none() | st.booleans(),
            unknown=st.none() | st.lists(_TEXTS, max_size=2) | st.dictionaries(_TEXTS, _JSON_FLOATS, max_size=2),
        ),
    ),
    max_size=4,
)


def _expected(body: dict[str, Any]) -> Span:
    """The rules of section 2.2 once more, plainly."""
    span_id = SpanId(bytes.fromhex(body["id"].zfill(16)))
    parent = SpanId(bytes.fromhex((body.get("parentId") or "0").zfill(16)))
    kind = SpanKind[body["kind"]] if body.get("kind") else SpanKind.UNSPECIFIED
    tags = body.get("tags") or {}
    pairs = {(item["timestamp"], item["value"]) for item in body.get("annotations") or []}
    local = body.get("localEndpoint") or {}
    remote = body.get("remoteEndpoint") or {}
    return Span(
        trace_id=TraceId(bytes.fromhex(body["traceId"].zfill(32))),
        span_id=span_id,
        parent_span_id=None if parent in (span_id, NO_SPAN) else parent,
        name=(body.get("name") or "").lower() or None,
        kind=kind,
        start_ns=_positive_ns(body.get("timestamp")),
        duration_ns=_positive_ns(body.get("duration")),
        service=(local.get("serviceName") or "").lower() or None,
        status_code=StatusCode.ERROR if "error" in tags else StatusCode.UNSET,
        protocol=Protocol.ZIPKIN,
        attributes={key: tags[key] for key in sorted(tags)},
        events=tuple(Event(_clamped(timestamp * 1000), value) for timestamp, value in sorted(pairs)),
        debug=bool(body.get("debug")),
        shared=bool(body.get("shared")) and kind is not SpanKind.CLIENT,
        local=_endpoint(local, None),
        remote=_endpoint(remote, (remote.get("serviceName") or "").lower() or None),
    )


def _endpoint(sent: dict[str, Any], service: str | None) -> Endpoint:
    port = sent.get("port") or 0
    return Endpoint(service, sent.get("ipv4"), sent.get("ipv6"), port if port > 0 else None)


def _positive_ns(micros: int | None) -> int | None:
    return _clamped(micros * 1000) if micros is not None and micros > 0 else None


def _clamped(nanos: int) -> int:
    return min(max(nanos, _INT64[0]), _INT64[1])


def _contents(columns: SpanColumns) -> dict[str, object]:
    return {name: getattr(columns, name) for name in SpanColumns.__slots__}


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_BODIES, st.booleans())
def test_readers_agree_with_each_other_and_with_the_model(bodies: list[dict[str, Any]], escape_all: bool) -> None:
    payload = json.dumps(bodies, ensure_ascii=escape_all).encode()
    expected = SpanColumns()
    for body in bodies:
        expected.append(_expected(body))
    assert _contents(decode(payload).columns) == _contents(expected)
    assert _contents(columns_of(read_spans(payload), escape_free=False)) == _contents(expected)
