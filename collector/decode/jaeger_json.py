"""Jaeger's JSON, as its API answers and its UI downloads it: traces with their spans and processes.

No client sends it. It is read to look at a file again, so the shape decides and not a schema: an envelope
(`{"data":[...]}`), one trace, or a list of traces, as people cut them out. Source: Jaeger's UI model.
"""

import base64
import binascii
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

from collector.decode.decoded import DecodedColumns
from collector.decode.jaeger_spans import (
    NO_PROCESS,
    JaegerLog,
    JaegerProcess,
    JaegerReference,
    JaegerSpan,
    append_jaeger_span,
    clamped_ns,
    process_of,
)
from collector.decode.otlp_attributes import Pair
from collector.decode.otlp_fields import Rejections, SpanRefused
from collector.errors import MalformedPayload
from storage.attributes import AttributeValue
from storage.batch import SpanColumns
from storage.ids import NO_SPAN

_INT64 = -(2**63), 2**63 - 1
_ID_DIGITS = {16: 32, 8: 16}


class _Tag(Struct, gc=False):
    key: str
    value: Any = None
    type: str = ""


class _Reference(Struct, gc=False):
    traceID: str  # noqa: N815  # the wire's name
    spanID: str  # noqa: N815
    refType: str = "CHILD_OF"  # noqa: N815


class _Log(Struct, gc=False):
    timestamp: int | float = 0
    fields: list[_Tag] | None = None


class _Process(Struct, gc=False):
    serviceName: str = ""  # noqa: N815
    tags: list[_Tag] | None = None


class _Span(Struct, gc=False):
    traceID: str  # noqa: N815
    spanID: str  # noqa: N815
    operationName: str = ""  # noqa: N815
    parentSpanID: str = ""  # noqa: N815
    flags: int | None = None
    references: list[_Reference] | None = None
    startTime: int | float | None = None  # noqa: N815
    duration: int | float | None = None
    tags: list[_Tag] | None = None
    logs: list[_Log] | None = None
    processID: str | None = None  # noqa: N815
    process: _Process | None = None
    warnings: list[str] | None = None


class _Trace(Struct, gc=False):
    spans: list[_Span]
    processes: dict[str, _Process] | None = None


class _Envelope(Struct, gc=False):
    data: list[_Trace] | _Trace | UnsetType | None = UNSET
    spans: list[_Span] | UnsetType = UNSET
    processes: dict[str, _Process] | None = None


_DECODER = msgspec.json.Decoder(_Envelope | list[_Trace])


def decode(body: bytes) -> DecodedColumns:
    """The spans of all traces, in their order. MalformedPayload when it is no such document.

    A span with bad ids is rejected alone. Times are microseconds. A tag's type decides its value where the two agree;
    else the value stays what it is in JSON.
    """
    columns, rejections = SpanColumns(), Rejections()
    try:
        for number, trace in enumerate(_traces(body)):
            _append_trace(columns, rejections, trace, f"data[{number}]")
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise MalformedPayload(f"expected Jaeger's JSON of traces: {error}") from error
    except RecursionError:
        raise MalformedPayload("expected Jaeger's JSON of traces, got one nested too deep") from None
    return DecodedColumns(columns, rejections.by_reason, rejections.message)


def _append_trace(columns: SpanColumns, rejections: Rejections, trace: _Trace, where: str) -> None:
    processes = {key: _process(process) for key, process in (trace.processes or {}).items()}
    for index, sent in enumerate(trace.spans):
        try:
            append_jaeger_span(columns, _span(sent), _process_of(sent, processes))
        except SpanRefused as refusal:
            rejections.add(f"{where}.spans[{index}]", refusal)


def _traces(body: bytes) -> Sequence[_Trace]:
    document = _DECODER.decode(body)
    if isinstance(document, list):
        return document
    if document.spans is not UNSET:
        return [_Trace(document.spans, document.processes)]
    if document.data is UNSET:
        raise MalformedPayload("expected Jaeger's JSON of traces, got an object without `data` and `spans`")
    return [document.data] if isinstance(document.data, _Trace) else document.data or []


def _process(sent: _Process) -> JaegerProcess:
    return process_of(sent.serviceName, _pairs(sent.tags))


def _process_of(sent: _Span, processes: dict[str, JaegerProcess]) -> JaegerProcess:
    """The span's own one, as Elasticsearch holds spans, or the trace's of that id."""
    if sent.process is not None:
        return _process(sent.process)
    return processes.get(sent.processID or "", NO_PROCESS)


def _span(sent: _Span) -> JaegerSpan:
    return JaegerSpan(
        trace_id=_id(sent.traceID, 16, "invalid_trace_id", ".traceID"),
        span_id=_id(sent.spanID, 8, "invalid_span_id", ".spanID"),
        name=sent.operationName,
        start_ns=_nanoseconds(sent.startTime),
        duration_ns=_nanoseconds(sent.duration),
        flags=(sent.flags or 0) & 0xFFFF_FFFF,
        tags=_pairs(sent.tags),
        parent_span_id=_id(sent.parentSpanID, 8, "invalid_parent_span_id", ".parentSpanID")
        if sent.parentSpanID
        else NO_SPAN,
        references=list(_references(sent.references or ())),
        logs=[JaegerLog(_nanoseconds(log.timestamp) or 0, _pairs(log.fields)) for log in sent.logs or ()],
        warnings=list(sent.warnings or ()),
    )


def _references(sent: Sequence[_Reference]) -> Iterator[JaegerReference]:
    for index, one in enumerate(sent):
        where = f".references[{index}]"
        yield JaegerReference(
            _id(one.traceID, 16, "malformed_link", f"{where}.traceID"),
            _id(one.spanID, 8, "malformed_link", f"{where}.spanID"),
            follows=one.refType == "FOLLOWS_FROM",
        )


def _id(text: str, size: int, reason: str, where: str) -> bytes:
    """The id's bytes; leading zeros may be missing, as older Jaegers left them out."""
    digits = _ID_DIGITS[size]
    try:
        if 0 < len(text) <= digits:
            return binascii.unhexlify(text.rjust(digits, "0"))
    except (binascii.Error, ValueError):
        pass  # not lost: the refusal below says what it was
    raise SpanRefused(reason, f"{where}: expected 1 to {digits} hex digits, got {text[:40]!r}")


def _nanoseconds(micros: float | None) -> int | None:
    return None if micros is None else clamped_ns(round(micros * 1_000))


def _pairs(tags: Sequence[_Tag] | None) -> list[Pair]:
    return [(tag.key, _value(tag)) for tag in tags or ()]


def _value(tag: _Tag) -> AttributeValue:
    match tag.type, tag.value:
        case "int64", str() as written:
            return _int64(written)
        case "float64", bool() as value:
            return value
        case "float64", int() | float() as number:
            return float(number)
        case "float64", str() as written:
            return _float64(written)
        case "binary", str() as written:
            return _binary(written)
        case _, int() as number if not isinstance(number, bool) and not _INT64[0] <= number <= _INT64[1]:
            return float(number)
        case _, value:
            found: AttributeValue = value
            return found


def _int64(written: str) -> AttributeValue:
    """Jaeger writes what JavaScript cannot hold as text."""
    try:
        number = int(written)
    except ValueError:
        return written
    return number if _INT64[0] <= number <= _INT64[1] else written


def _float64(written: str) -> AttributeValue:
    try:
        return float(written)
    except ValueError:
        return written


def _binary(written: str) -> AttributeValue:
    try:
        return base64.b64decode(written, validate=True)
    except ValueError:
        return written
