"""The structs of jaeger.thrift, and what they look like when thriftpy2 has read them.

A field that was not sent is None. A string that is not UTF-8 is bytes.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import thriftpy2

IDL_PATH = str(Path(__file__).with_name("jaeger.thrift"))
_idl = thriftpy2.load(IDL_PATH, module_name="jaeger_idl_thrift")

PROCESS: type["Process"] = _idl.Process
SPAN: type["Span"] = _idl.Span
EMIT_BATCH: type["EmitBatch"] = _idl.EmitBatch
"""The arguments of Agent.emitBatch."""

STRING, DOUBLE, BOOL, LONG, BINARY = range(5)
FOLLOWS_FROM = 1


class Tag(Protocol):
    """`value_type` says which of the other five holds the value."""

    key: str | bytes | None
    value_type: int | None
    text: str | bytes | None
    number: float | None
    truth: bool | None
    whole: int | None
    raw: bytes | None


class Log(Protocol):
    """`timestamp`: epoch microseconds."""

    timestamp: int | None
    fields: Sequence[Tag] | None


class Reference(Protocol):
    """Ids are signed 64-bit numbers."""

    reference_type: int | None
    trace_id_low: int | None
    trace_id_high: int | None
    span_id: int | None


class Span(Protocol):
    """Ids are signed 64-bit numbers; `start_time` (epoch) and `duration` are microseconds."""

    trace_id_low: int | None
    trace_id_high: int | None
    span_id: int | None
    parent_span_id: int | None
    operation_name: str | bytes | None
    references: Sequence[Reference] | None
    flags: int | None
    start_time: int | None
    duration: int | None
    tags: Sequence[Tag] | None
    logs: Sequence[Log] | None


class Process(Protocol):
    """Who reports."""

    service_name: str | bytes | None
    tags: Sequence[Tag] | None


class Batch(Protocol):
    """Spans of one process."""

    process: Process | None
    spans: Sequence[Span] | None


class EmitBatch(Protocol):
    """The arguments of Agent.emitBatch."""

    batch: Batch | None
