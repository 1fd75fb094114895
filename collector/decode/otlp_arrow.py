"""What the compiled loops filled, with what its resources and scopes say -> Arrow."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from collector.decode.compiled.otlp_spans import SpanRows
from collector.decode.compiled.text import Texts
from collector.decode.otlp_fields import ResourceFields, ScopeFields
from collector.decode.otlp_rows import rare_context
from collector.decode.room import copied, strings, token_lists
from storage.batch import SpanRecords, rare_column
from storage.span import Protocol

_OTLP = pa.scalar(int(Protocol.OTLP), pa.uint8())


class Group(NamedTuple):
    """How many spans that follow one another share this resource and this scope."""

    spans: int
    resource: ResourceFields
    scope: ScopeFields


def records_of(rows: SpanRows, groups: Sequence[Group], n: int) -> SpanRecords:
    """The first n rows, copied: Arrow would refer to the room itself, which the next request fills."""
    start_ns, duration_ns, parents = (
        column[:n].copy() for column in (rows.start_ns, rows.duration_ns, rows.parent_span_id)
    )
    absent = (start_ns == 0) & (duration_ns == 0)
    arrays: dict[str, pa.Array] = {
        "trace_id": pa.Array.from_buffers(pa.binary(16), n, [None, copied(rows.trace_id[: 16 * n])]),
        "span_id": pa.array(rows.span_id[:n].copy()),
        "parent_span_id": pa.array(parents, mask=parents == 0),
        "start_ns": pa.array(start_ns, mask=absent),
        "duration_ns": pa.array(duration_ns, mask=absent),
        "kind": pa.array(rows.kind[:n].copy()),
        "status_code": pa.array(rows.status_code[:n].copy()),
        "protocol": pa.repeat(_OTLP, n),
        "tokens": token_lists(rows.tokens, rows.token_ends, n),
        "flags": pa.array(rows.flags[:n].copy()),
        "attributes": strings(rows.attributes, n),
        "attribute_keys": strings(rows.attribute_keys, n),
        "service": _shared([group.resource.service for group in groups], groups),
        "resource": _shared([group.resource.text for group in groups], groups),
    }
    for column in ("name", "events", "links", "status_message", "trace_state", "remote_service"):
        texts: Texts = getattr(rows, column)
        if texts.ends[n]:
            arrays[column] = strings(texts, n, nullable=True)
    for column, values in (
        ("scope_name", [group.scope.name or None for group in groups]),
        ("scope_version", [group.scope.version or None for group in groups]),
    ):
        if any(values):
            arrays[column] = _shared(values, groups)
    if rare := _rare(rows.dropped[:n], groups):
        arrays["rare"] = rare_column(rare, n)
    return SpanRecords.of(arrays)


def _shared(values: Sequence[str | None], groups: Sequence[Group]) -> pa.Array:
    """A column in which all spans of a group have the group's value."""
    parts = [pa.repeat(pa.scalar(value, pa.string()), group.spans) for value, group in zip(values, groups, strict=True)]
    return pa.concat_arrays(parts) if len(parts) > 1 else parts[0]


def _rare(dropped: npt.NDArray[np.uint32], groups: Sequence[Group]) -> dict[str, dict[int, Any]]:
    """The members of the column `rare`, as SpanColumns.sparse has them."""
    found: dict[str, dict[int, Any]] = {}
    first = 0
    for spans, resource, scope in groups:
        for member, value in rare_context(resource, scope):
            if value:
                found.setdefault(member, {}).update(dict.fromkeys(range(first, first + spans), value))
        first += spans
    for member, counts in zip(("dropped_attributes", "dropped_events", "dropped_links"), dropped.T, strict=True):
        if counts.any():
            found[member] = {row: int(counts[row]) for row in np.flatnonzero(counts).tolist()}
    return found
