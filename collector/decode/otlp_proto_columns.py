"""Clean spans of one resource and scope -> columns, all together.

Measured on 512-span requests: nearly all the time goes into Python objects, not into protobuf. So the lean view
(wire/README.md) makes few of them, fields are read and transposed in C, and an attribute that was seen before
costs one look-up.
"""

from array import array
from collections.abc import Sequence
from operator import attrgetter, sub

from google.protobuf.message import DecodeError

from collector.decode.otlp_fields import (
    MAX_KIND,
    MAX_TIME_NS,
    Attached,
    ResourceFields,
    ScopeFields,
    SpanRefused,
    add_event,
    add_link,
    checked_link_ids,
    kind_of,
    status_of,
)
from collector.decode.otlp_proto_values import AttributeCache, OddAttribute
from collector.decode.otlp_rows import OTLP, array_text, set_context, set_remote_services, times_of
from storage.attributes import key_set, keys_elsewhere
from storage.batch import SpanColumns
from storage.ids import NO_SPAN, NO_TRACE
from wire import otlp_lean_pb2 as lean

_FIELDS = attrgetter(
    "trace_id",
    "span_id",
    "parent_span_id",
    "name",
    "kind",
    "start_time_unix_nano",
    "end_time_unix_nano",
    "trace_state",
    "status",
    "flags",
    "dropped_attributes_count",
    "dropped_events_count",
    "dropped_links_count",
)
_KEY_SETS_MAX = 4096
_KEY_SET_MAX_CHARS = 1024


class OddSpan(Exception):  # not an error: it only needs the careful path
    """One of the spans is to be left out, or has text that is not UTF-8."""


class _KeySets(dict[tuple[str, ...], str]):
    """Keys -> their `attribute_keys` text: a bounded memory of `key_set`, like AttributeCache."""

    def __missing__(self, keys: tuple[str, ...]) -> str:
        text = key_set(list(keys))
        if len(text) <= _KEY_SET_MAX_CHARS:
            if len(self) >= _KEY_SETS_MAX:
                self.clear()
            self[keys] = text
        return text


_ATTRIBUTES = AttributeCache()
_KEY_SETS = _KeySets()


class _Rendered:
    """The attributes, events and links of consecutive spans, in the form of their columns."""

    __slots__ = ("events", "key_sets", "links", "texts", "token_counts", "tokens")

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.key_sets: list[str] = []
        self.tokens: list[int] = []
        self.token_counts: list[int] = []
        self.events: dict[int, str | None] = {}
        self.links: dict[int, str | None] = {}


def append_spans(
    columns: SpanColumns, spans: Sequence[lean.Span], resource: ResourceFields, scope: ScopeFields
) -> None:
    """Append all these spans, at least one. OddSpan when one of them is odd; then nothing was appended."""
    first = len(columns)
    try:
        trace_ids, span_ids, parents, names, kinds, starts, ends, states, *rest = zip(*map(_FIELDS, spans), strict=True)
        statuses, flags, dropped_attributes, dropped_events, dropped_links = rest
        _require_ids(trace_ids, span_ids, parents)
        decoded_names = [raw.decode() or None for raw in names]
        codes, messages = _statuses(statuses)
        trace_states = _texts(states)
        rendered = _rendered(spans, scope)
    except (OddAttribute, SpanRefused, UnicodeDecodeError, DecodeError):
        raise OddSpan from None
    count = len(trace_ids)
    columns.trace_id += trace_ids
    columns.span_id += span_ids
    columns.parent_span_id += [raw or NO_SPAN for raw in parents]
    _append_times(columns, starts, ends)
    columns.service += [resource.service] * count
    columns.name += decoded_names
    columns.kind += kinds if max(kinds) <= MAX_KIND and min(kinds) >= 0 else map(kind_of, kinds)
    columns.status_code += codes
    columns.protocol += [OTLP] * count
    columns.attributes += rendered.texts
    columns.attribute_keys += rendered.key_sets
    columns.tokens.extend(array("I", rendered.tokens))
    columns.token_counts += rendered.token_counts
    columns.resource += [resource.text] * count
    for column, values in (
        ("status_message", messages),
        ("trace_state", trace_states),
        ("events", rendered.events),
        ("links", rendered.links),
        ("flags", _present(flags)),
        ("dropped_attributes", _present(dropped_attributes)),
        ("dropped_events", _present(dropped_events)),
        ("dropped_links", _present(dropped_links)),
    ):
        if values:
            columns.sparse.setdefault(column, {}).update({first + index: value for index, value in values.items()})
    set_context(columns, range(first, first + count), resource, scope)
    set_remote_services(columns, first)


def _require_ids(trace_ids: Sequence[bytes], span_ids: Sequence[bytes], parents: Sequence[bytes]) -> None:
    if (
        set(map(len, trace_ids)) != {16}
        or set(map(len, span_ids)) != {8}
        or not {0, 8}.issuperset(map(len, parents))
        or NO_TRACE in trace_ids
        or NO_SPAN in span_ids
    ):
        raise OddSpan


def _append_times(columns: SpanColumns, starts: Sequence[int], ends: Sequence[int]) -> None:
    if min(starts) > 0 and max(starts) <= MAX_TIME_NS and max(ends) <= MAX_TIME_NS:
        columns.start_ns += starts
        columns.duration_ns += map(sub, ends, starts)
        return
    for start, end in zip(starts, ends, strict=True):
        start_ns, duration_ns = times_of(start, end)
        columns.start_ns.append(start_ns)
        columns.duration_ns.append(duration_ns)


def _statuses(raws: Sequence[bytes]) -> tuple[list[int], dict[int, str]]:
    codes, messages = [0] * len(raws), {}
    if any(raws):
        for index, raw in enumerate(raws):
            if raw:
                status = lean.Status.FromString(raw)
                codes[index] = status_of(status.code)
                if status.message:
                    messages[index] = status.message.decode()
    return codes, messages


def _texts(raws: Sequence[bytes]) -> dict[int, str]:
    return {index: raw.decode() for index, raw in enumerate(raws) if raw} if any(raws) else {}


def _present(numbers: Sequence[int]) -> dict[int, int]:
    return {index: number for index, number in enumerate(numbers) if number} if any(numbers) else {}


def _rendered(spans: Sequence[lean.Span], scope: ScopeFields) -> _Rendered:
    scope_tokens, keys_of_scope = scope.tokens, keys_elsewhere(scope.keys)
    look_up, known_sets, rendered = _ATTRIBUTES.__getitem__, _KEY_SETS, _Rendered()
    texts, key_sets, all_tokens, counts = rendered.texts, rendered.key_sets, rendered.tokens, rendered.token_counts
    for span in spans:
        found = list(map(look_up, span.attributes))
        if found:
            members, tokens, keys = zip(*found, strict=False)
            texts.append("{" + ",".join(members) + "}")
            key_sets.append(known_sets[keys])
            all_tokens += tokens
        else:
            texts.append("{}")
            key_sets.append("")
        count = len(found)
        if scope_tokens:
            all_tokens += scope_tokens
            count += len(scope_tokens)
        elsewhere = keys_of_scope
        if span.events or span.links:
            attached = _attach(span, rendered)
            count += len(attached.tokens)
            if attached.keys:
                elsewhere = keys_elsewhere((*scope.keys, *attached.keys))
        if elsewhere:
            key_sets[-1] += elsewhere
        counts.append(count)
    _ATTRIBUTES.count_spans(len(counts))
    return rendered


def _attach(span: lean.Span, rendered: _Rendered) -> Attached:
    """Render the events and links of the span whose text was rendered last, and add their tokens."""
    known, attached, row = _ATTRIBUTES, Attached(), len(rendered.texts) - 1
    for raw in span.events:
        event = lean.Event.FromString(raw)
        found = [known[pair] for pair in event.attributes]
        add_event(attached, event.time_unix_nano, event.name.decode(), found, event.dropped_attributes_count)
    for raw in span.links:
        link = lean.Link.FromString(raw)
        found = [known[pair] for pair in link.attributes]
        ids = checked_link_ids(link.trace_id, link.span_id)
        add_link(attached, ids, link.trace_state.decode(), link.flags, found, link.dropped_attributes_count)
    if attached.events:
        rendered.events[row] = array_text(attached.events)
    if attached.links:
        rendered.links[row] = array_text(attached.links)
    rendered.tokens += attached.tokens
    return attached
