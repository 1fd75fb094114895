"""The one schema of a span on its way to disk, and the two forms a decoder and a store see.

`SpanColumns` is what decoders fill: plain Python lists, one per dense column, so that a 5-span post costs a few
list appends and thousands of posts merge by `extend`. `SpanBatch` is the Arrow record batch that crosses from
collector to storage; it is built once per commit. Column names, order and types live here and nowhere else.
"""

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, chain, groupby
from typing import Any, Self, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from storage import attributes as attrs
from storage.ids import NO_SPAN, SpanId
from storage.span import Event, Link, Span

DENSE_FIELDS = (
    pa.field("trace_id", pa.binary(16), nullable=False),
    pa.field("span_id", pa.uint64(), nullable=False),
    pa.field("parent_span_id", pa.uint64()),
    pa.field("start_ns", pa.int64()),
    pa.field("duration_ns", pa.int64()),
    pa.field("service", pa.string()),
    pa.field("name", pa.string()),
    pa.field("kind", pa.uint8(), nullable=False),
    pa.field("status_code", pa.uint8(), nullable=False),
    pa.field("protocol", pa.uint8(), nullable=False),
    pa.field("attributes", pa.string(), nullable=False),
    pa.field("attribute_keys", pa.string(), nullable=False),
    pa.field("tokens", pa.list_(pa.uint32()), nullable=False),
    pa.field("resource", pa.string(), nullable=False),
)

SPARSE_FIELDS = (
    pa.field("scope_name", pa.string()),
    pa.field("scope_version", pa.string()),
    pa.field("status_message", pa.string()),
    pa.field("events", pa.string()),
    pa.field("links", pa.string()),
    pa.field("trace_state", pa.string()),
    pa.field("flags", pa.uint32(), nullable=False),
    pa.field("debug", pa.bool_(), nullable=False),
    pa.field("shared", pa.bool_(), nullable=False),
    pa.field("local_ipv4", pa.string()),
    pa.field("local_port", pa.uint16()),
    pa.field("remote_service", pa.string()),
    pa.field("remote_ipv4", pa.string()),
    pa.field("remote_port", pa.uint16()),
)
"""Columns that most spans leave at their default: null, or 0/false where the column is not nullable."""

RARE = (
    "scope_attributes",
    "scope_schema_url",
    "scope_dropped_attributes",
    "resource_schema_url",
    "resource_dropped_attributes",
    "dropped_attributes",
    "dropped_events",
    "dropped_links",
    "local_ipv6",
    "remote_ipv6",
)
"""What hardly any span has, and no search asks for: the members of the JSON object `rare`, in this order.

A column of its own for each cost every commit 1.3 ms and every span 90 bytes of log, to say nothing."""

SPAN_SCHEMA = pa.schema(
    [
        *DENSE_FIELDS,
        *SPARSE_FIELDS,
        pa.field("received_ns", pa.int64(), nullable=False),
        pa.field("rare", pa.string()),
    ]
)
"""`attributes`, `resource`: typed JSON objects (storage.attributes). `events`, `links`: JSON arrays of objects
(`events_text`, `links_text`). `tokens`: `attributes.token` of every span, event, link and scope attribute and of
`event=<name>` per event, in no promised order; resource attributes are NOT in it. `received_ns`: when clew took the
span in, epoch ns; retention counts from it. `rare`: null, or the JSON object of RARE's members that are not empty."""

COLUMN_NAMES: tuple[str, ...] = tuple(SPAN_SCHEMA.names)
_UNSTAMPED = pa.schema([field for field in SPAN_SCHEMA if field.name != "received_ns"])
_SPARSE_NAMES = frozenset((*(field.name for field in SPARSE_FIELDS), *RARE))
_STRING_LISTS = ("service", "name", "attributes", "attribute_keys", "resource")
_SMALL_INTS = ("kind", "status_code", "protocol")
_DENSE_LISTS = (
    "trace_id",
    "span_id",
    "parent_span_id",
    "start_ns",
    "duration_ns",
    "token_counts",
    *_STRING_LISTS,
    *_SMALL_INTS,
)


class SpanColumns:
    """Spans in columns, as a decoder fills them. All dense lists have one length; `len()` gives it.

    trace_id, span_id: raw bytes, 16 and 8 each; parent_span_id: 8 bytes, all zero when absent.
    start_ns, duration_ns: int or None, within int64. service, name: str or None. attributes, resource: typed JSON text.
    attribute_keys: `attributes.key_set` and `attributes.keys_elsewhere`. tokens: all rows' tokens after one another;
    token_counts: how many per row.
    sparse: column or member of RARE -> {row: value}; a row that is not there has the default (0, false or null).
    `scope_attributes` is typed JSON text.
    """

    __slots__ = (
        "attribute_keys",
        "attributes",
        "duration_ns",
        "kind",
        "name",
        "parent_span_id",
        "protocol",
        "resource",
        "service",
        "span_id",
        "sparse",
        "start_ns",
        "status_code",
        "token_counts",
        "tokens",
        "trace_id",
    )

    def __init__(self) -> None:
        self.trace_id: list[bytes] = []
        self.span_id: list[bytes] = []
        self.parent_span_id: list[bytes] = []
        self.start_ns: list[int | None] = []
        self.duration_ns: list[int | None] = []
        self.service: list[str | None] = []
        self.name: list[str | None] = []
        self.kind: list[int] = []
        self.status_code: list[int] = []
        self.protocol: list[int] = []
        self.attributes: list[str] = []
        self.attribute_keys: list[str] = []
        self.tokens: array[int] = array("I")
        self.token_counts: list[int] = []
        self.resource: list[str] = []
        self.sparse: dict[str, dict[int, Any]] = {}

    def __len__(self) -> int:
        return len(self.trace_id)

    def set_sparse(self, column: str, row: int, value: object) -> None:
        """Give one row a value other than the default in a sparse column or a member of RARE."""
        rows = self.sparse.get(column)
        if rows is None:
            if column not in _SPARSE_NAMES:
                raise KeyError(column)
            rows = self.sparse[column] = {}
        rows[row] = value

    def extend(self, other: "SpanColumns") -> None:
        """Append all rows of `other`, which stays as it is."""
        offset = len(self)
        self.trace_id += other.trace_id
        self.span_id += other.span_id
        self.parent_span_id += other.parent_span_id
        self.start_ns += other.start_ns
        self.duration_ns += other.duration_ns
        self.service += other.service
        self.name += other.name
        self.kind += other.kind
        self.status_code += other.status_code
        self.protocol += other.protocol
        self.attributes += other.attributes
        self.attribute_keys += other.attribute_keys
        self.tokens += other.tokens
        self.token_counts += other.token_counts
        self.resource += other.resource
        for column, rows in other.sparse.items():
            mine = self.sparse.setdefault(column, {})
            for row, value in rows.items():
                mine[row + offset] = value

    def take(self, rows: Sequence[int]) -> "SpanColumns":
        """New columns of these rows, in this order; each row at most once."""
        taken = SpanColumns()
        for column in _DENSE_LISTS:
            mine = getattr(self, column)
            getattr(taken, column).extend([mine[row] for row in rows])
        ends = list(accumulate(self.token_counts))
        for row in rows:
            taken.tokens += self.tokens[ends[row] - self.token_counts[row] : ends[row]]
        position = {row: index for index, row in enumerate(rows)}
        for column, values in self.sparse.items():
            taken.sparse[column] = {position[row]: value for row, value in values.items() if row in position}
        return taken

    def append(self, span: Span) -> None:
        """Append one span value: what tests and small tools use, and what every decoder must agree with."""
        row = len(self)
        tokens = search_tokens(span)
        self.trace_id.append(span.trace_id)
        self.span_id.append(span.span_id)
        self.parent_span_id.append(span.parent_span_id or NO_SPAN)
        self.start_ns.append(span.start_ns)
        self.duration_ns.append(span.duration_ns)
        self.service.append(span.service)
        self.name.append(span.name)
        self.kind.append(int(span.kind))
        self.status_code.append(int(span.status_code))
        self.protocol.append(int(span.protocol))
        self.attributes.append(attrs.encode(span.attributes))
        self.attribute_keys.append(attrs.key_set(list(span.attributes)) + attrs.keys_elsewhere(_keys_elsewhere(span)))
        self.tokens.extend(tokens)
        self.token_counts.append(len(tokens))
        self.resource.append(attrs.encode(span.resource.attributes))
        for column, value in _sparse_values(span):
            if value:
                self.set_sparse(column, row, value)

    def census(self) -> Mapping[tuple[str | None, bool], int]:
        """How many spans each service has, those with the debug flag apart."""
        services, debug = self.service, self.sparse.get("debug")
        if services and not debug and services.count(services[0]) == len(services):
            return {(services[0], False): len(services)}
        flags = debug or {}
        return Counter(zip(services, [bool(flags.get(row)) for row in range(len(services))], strict=True))

    def trace_ids(self) -> bytes:
        """All trace ids after one another, 16 bytes each."""
        return b"".join(self.trace_id)

    def debug_rows(self) -> list[int]:
        """The rows of spans with the debug flag."""
        return [row for row, debug in self.sparse.get("debug", {}).items() if debug]

    def to_records(self) -> "SpanRecords":
        """The same rows in Arrow."""
        n = len(self)
        parents = np.frombuffer(b"".join(self.parent_span_id), dtype=">u8").astype("<u8")
        offsets = np.zeros(n + 1, dtype=np.int32)
        np.cumsum(np.asarray(self.token_counts, dtype=np.int32), out=offsets[1:])
        arrays: dict[str, pa.Array] = {
            "trace_id": pa.Array.from_buffers(pa.binary(16), n, [None, pa.py_buffer(self.trace_ids())]),
            "span_id": pa.array(np.frombuffer(b"".join(self.span_id), dtype=">u8").astype("<u8")),
            "parent_span_id": pa.array(parents, mask=parents == 0),
            "start_ns": pa.array(self.start_ns, pa.int64()),
            "duration_ns": pa.array(self.duration_ns, pa.int64()),
            "tokens": pa.ListArray.from_arrays(pa.array(offsets), pa.array(_token_numbers(self.tokens))),
        }
        for column in _STRING_LISTS:
            arrays[column] = pa.array(getattr(self, column), pa.string())
        for column in _SMALL_INTS:
            arrays[column] = pa.array(np.frombuffer(bytes(getattr(self, column)), dtype=np.uint8))
        for field in SPARSE_FIELDS:
            arrays[field.name] = _sparse_array(field, self.sparse.get(field.name), n)
        arrays["rare"] = rare_column(self.sparse, n)
        return SpanRecords.of(arrays)

    def to_batch(self, received_ns: int) -> "SpanBatch":
        """The same rows as a batch, all received at `received_ns`."""
        return SpanBatch.received([self], received_ns)


class SpanRecords:
    """Spans in Arrow on their way to a batch: SPAN_SCHEMA without `received_ns`. Immutable.

    What a decoder makes that handles a whole payload at once, where `SpanColumns` is for one that goes span by span.
    """

    __slots__ = ("records",)

    def __init__(self, records: pa.RecordBatch) -> None:
        self.records = records

    def __len__(self) -> int:
        return int(self.records.num_rows)

    @classmethod
    def of(cls, arrays: Mapping[str, pa.Array]) -> Self:
        """These columns. A nullable one that is missing is all null, another one all 0 or false."""
        n = len(arrays["trace_id"])
        columns = [
            arrays[field.name] if field.name in arrays else _sparse_array(field, None, n) for field in _UNSTAMPED
        ]
        return cls(pa.RecordBatch.from_arrays(columns, schema=_UNSTAMPED))

    def census(self) -> Mapping[tuple[str | None, bool], int]:
        """As SpanColumns.census."""
        service = self.records["service"].dictionary_encode("encode")
        codes = 2 * service.indices.to_numpy() + self.records["debug"].to_numpy(zero_copy_only=False)
        names = service.dictionary.to_pylist()
        found = zip(*np.unique(codes, return_counts=True), strict=True)
        return {(names[int(code) // 2], bool(code % 2)): int(spans) for code, spans in found}

    def trace_ids(self) -> bytes:
        """As SpanColumns.trace_ids."""
        column = self.records["trace_id"]
        return bytes(column.buffers()[1][16 * column.offset : 16 * (column.offset + len(column))])

    def debug_rows(self) -> list[int]:
        """As SpanColumns.debug_rows."""
        return [row for row, debug in enumerate(self.records["debug"].to_pylist()) if debug]

    def take(self, rows: Sequence[int]) -> "SpanRecords":
        """As SpanColumns.take."""
        return SpanRecords(self.records.take(pa.array(rows, pa.int64())))

    def to_records(self) -> "SpanRecords":
        """Itself."""
        return self

    def to_batch(self, received_ns: int) -> "SpanBatch":
        """As SpanColumns.to_batch."""
        return SpanBatch.received([self], received_ns)


DecodedSpans = SpanColumns | SpanRecords
"""What a decoder gives: spans in one of their two forms."""


class SpanBatch:
    """An Arrow record batch of SPAN_SCHEMA: the only thing that crosses from collector to storage. Immutable."""

    __slots__ = ("records",)

    def __init__(self, records: pa.RecordBatch) -> None:
        if not records.schema.equals(SPAN_SCHEMA):
            raise ValueError(f"expected a record batch of SPAN_SCHEMA, got {records.schema}")
        self.records = records

    def __len__(self) -> int:
        return int(self.records.num_rows)

    @classmethod
    def of(cls, spans: Iterable[Span], received_ns: int = 0) -> Self:
        """A batch of these span values, in their order."""
        columns = SpanColumns()
        for span in spans:
            columns.append(span)
        return cls.received([columns], received_ns)

    @classmethod
    def received(cls, parts: Iterable[DecodedSpans], received_ns: int) -> Self:
        """One batch of all these spans, in their order, all received at `received_ns`."""
        records = [part.to_records().records for part in _in_few_parts(parts)]
        whole = pa.concat_batches(records) if len(records) > 1 else records[0]
        arrays = dict(zip(_UNSTAMPED.names, whole.columns, strict=True))
        arrays["received_ns"] = pa.array(np.full(len(whole), received_ns, dtype=np.int64))
        return cls(pa.RecordBatch.from_arrays([arrays[name] for name in COLUMN_NAMES], schema=SPAN_SCHEMA))

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """Each span as a tuple of plain values in COLUMN_NAMES order, as `storage.rows.span_of` reads it."""
        columns = [column.to_pylist() for column in self.records.columns]
        return zip(*columns, strict=True)


def _in_few_parts(parts: Iterable[DecodedSpans]) -> Iterator[DecodedSpans]:
    """The same spans, at least one part: lists that follow one another are put together, for each part has its cost."""
    given = False
    for kind, run in groupby(parts, type):
        given = True
        first, *others = run
        if kind is SpanRecords or not others:
            yield from (first, *others)
            continue
        together = SpanColumns()
        for part in (first, *others):
            together.extend(cast("SpanColumns", part))
        yield together
    if not given:
        yield SpanColumns()


def rare_column(sparse: Mapping[str, Mapping[int, Any]], n: int) -> pa.Array:
    """The column `rare` of n rows, from RARE's members as SpanColumns.sparse has them."""
    return _sparse_array(SPAN_SCHEMA.field("rare"), _rare_texts(sparse), n)


def search_tokens(span: Span) -> list[int]:
    """The tokens of one span: see SPAN_SCHEMA."""
    found = [attrs.token(key, attrs.text_of(value)) for key, value in span.attributes.items()]
    found += [attrs.token(key, attrs.text_of(value)) for key, value in span.scope.attributes.items()]
    for event in span.events:
        found.append(attrs.token("event", event.name))
        found += [attrs.token(key, attrs.text_of(value)) for key, value in event.attributes.items()]
    for link in span.links:
        found += [attrs.token(key, attrs.text_of(value)) for key, value in link.attributes.items()]
    return found


def _keys_elsewhere(span: Span) -> Iterator[str]:
    attached: tuple[Event | Link, ...] = (*span.events, *span.links)
    return chain(span.scope.attributes, *(each.attributes for each in attached))


def events_text(events: Iterable[Event]) -> str:
    """`[{"time_ns":1,"name":"x","attributes":{...},"dropped":2}, ...]`; attributes and dropped only when not empty."""
    return _json_array(
        f'{{"time_ns":{event.time_ns},"name":{attrs.encode_value(event.name)}'
        f"{_optional(event.attributes, event.dropped_attributes)}}}"
        for event in events
    )


def links_text(links: Iterable[Link]) -> str:
    """`[{"trace_id":"<32 hex>","span_id":"<16 hex>","trace_state":"..","flags":1,"attributes":{..},"dropped":2}, ...]`.

    trace_state, flags, attributes and dropped only when not empty.
    """
    return _json_array(
        f'{{"trace_id":"{link.trace_id.hex()}","span_id":"{link.span_id.hex()}"'
        + (f',"trace_state":{attrs.encode_value(link.trace_state)}' if link.trace_state else "")
        + (f',"flags":{link.flags}' if link.flags else "")
        + f"{_optional(link.attributes, link.dropped_attributes)}}}"
        for link in links
    )


def span_id_of_number(number: int) -> SpanId:
    """The 8 raw bytes of a span id column's value."""
    return SpanId(number.to_bytes(8, "big"))


def _optional(attributes: attrs.Attributes, dropped: int) -> str:
    return (f',"attributes":{attrs.encode(attributes)}' if attributes else "") + (
        f',"dropped":{dropped}' if dropped else ""
    )


def _json_array(items: Iterable[str]) -> str:
    return f"[{','.join(items)}]"


def _sparse_values(span: Span) -> tuple[tuple[str, object], ...]:
    return (
        ("scope_name", span.scope.name),
        ("scope_version", span.scope.version),
        ("status_message", span.status_message),
        ("events", events_text(span.events) if span.events else None),
        ("links", links_text(span.links) if span.links else None),
        ("trace_state", span.trace_state),
        ("scope_attributes", attrs.encode(span.scope.attributes) if span.scope.attributes else None),
        ("resource_schema_url", span.resource.schema_url),
        ("scope_schema_url", span.scope.schema_url),
        ("flags", span.flags),
        ("dropped_attributes", span.dropped_attributes),
        ("dropped_events", span.dropped_events),
        ("dropped_links", span.dropped_links),
        ("resource_dropped_attributes", span.resource.dropped_attributes),
        ("scope_dropped_attributes", span.scope.dropped_attributes),
        ("debug", span.debug),
        ("shared", span.shared),
        ("local_ipv4", span.local.ipv4),
        ("local_ipv6", span.local.ipv6),
        ("local_port", span.local.port),
        ("remote_service", span.remote.service),
        ("remote_ipv4", span.remote.ipv4),
        ("remote_ipv6", span.remote.ipv6),
        ("remote_port", span.remote.port),
    )


def _token_numbers(tokens: "array[int]") -> npt.NDArray[np.uint32]:
    # An empty array.array points anywhere, and Arrow complains on stderr of a buffer that is not aligned.
    return np.frombuffer(tokens, dtype="<u4") if tokens else np.empty(0, dtype="<u4")


def _rare_texts(sparse: Mapping[str, Mapping[int, Any]]) -> dict[int, str]:
    members: dict[int, list[str]] = {}
    for name in RARE:
        for row, value in sparse.get(name, {}).items():
            text = value if name == "scope_attributes" else attrs.encode_value(value)
            members.setdefault(row, []).append(f'"{name}":{text}')
    return {row: f"{{{','.join(texts)}}}" for row, texts in members.items()}


def _sparse_array(field: pa.Field, rows: Mapping[int, Any] | None, n: int) -> pa.Array:
    if not rows:
        return pa.nulls(n, field.type) if field.nullable else pa.array(np.zeros(n, field.type.to_pandas_dtype()))
    default = None if field.nullable else 0
    values = [default] * n
    for row, value in rows.items():
        values[row] = value
    if field.type == pa.bool_():
        return pa.array([bool(value) for value in values], field.type)
    return pa.array(values, field.type)
