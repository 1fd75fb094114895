"""The service graph of a time window, linked from the narrow columns of its traces.

Attributes are most of what a span takes: they are read only of those spans whose far ends nobody else tells of.
"""

from collections.abc import Iterator, Mapping, Sequence

import msgspec
import numpy as np
import pyarrow as pa

from storage import attributes as attrs
from storage.linking.graph import MINUTE_NS, whole_minutes
from storage.linking.graph_counts import graph_of_counts
from storage.linking.graph_table import GRAPH_CALLS, graph_calls_of_table
from storage.linking.peer import PEER_KEYS
from storage.linking.row_index import Ints
from storage.postgresql import sql
from storage.postgresql.link_traces import Moment, Spans, traces_started, whole_traces
from storage.postgresql.session import Arrows
from storage.requests import ServiceGraph
from storage.times import clamped_ns

_ATTRIBUTES_AT_ONCE = 20_000
_ATTRIBUTES = (
    "SELECT written, attributes, remote_ipv4, rare FROM spans"
    " WHERE trace_low = ANY({lows}) AND written = ANY({written}) AND {visible}"
)


def graph(connection: Arrows, start_ns: int, end_ns: int) -> ServiceGraph:
    """SpanReader.service_graph, as of the moment of the connection's transaction."""
    minutes = whole_minutes(start_ns, end_ns)
    window = clamped_ns(minutes.start * MINUTE_NS), clamped_ns(minutes.stop * MINUTE_NS - 1)
    return graph_of_counts(pa.concat_tables([GRAPH_CALLS.empty_table(), *_calls(connection, *window)]))


def _calls(connection: Arrows, first_ns: int, last_ns: int) -> Iterator[pa.Table]:
    moment = Moment.of(connection)
    for spans in whole_traces(connection, moment, traces_started(connection, moment, first_ns, last_ns)):

        def describe(rows: Ints, spans: Spans = spans) -> pa.ListArray:
            return _peer_texts(connection, moment, spans, rows)

        yield graph_calls_of_table(spans.links, first_ns, last_ns, describe)


def _peer_texts(connection: Arrows, moment: Moment, spans: Spans, rows: Ints) -> pa.ListArray:
    """What `peer_table.peers_of` takes, of these rows."""
    told: dict[int, Sequence[str | None]] = {}
    for first in range(0, len(rows), _ATTRIBUTES_AT_ONCE):
        asked = rows[first : first + _ATTRIBUTES_AT_ONCE]
        lows = np.unique(spans.trace_lows[spans.links["trace"].to_numpy()[asked]])
        statement = _ATTRIBUTES.format(
            lows=sql.bigints(lows.tolist()),
            written=sql.bigints(spans.written[asked].tolist()),
            visible=moment.visible,
        )
        found = connection.fetch(statement)
        for written, *values in zip(*(column.to_pylist() for column in found.columns), strict=True):
            told[written] = _texts(*values)
    return pa.array([told[place] for place in spans.written[rows].tolist()], pa.list_(pa.string()))


def _texts(attributes: str, remote_ipv4: str | None, rare: str | None) -> Sequence[str | None]:
    values = attrs.decode(attributes)
    address = remote_ipv4 or (msgspec.json.decode(rare).get("remote_ipv6") if rare else None)
    return [*(_text(values, key) for key in PEER_KEYS[:-1]), address]


def _text(values: Mapping[str, attrs.AttributeValue], key: str) -> str | None:
    value = values.get(key)
    if value is True:
        return "true"
    return value if isinstance(value, str) else None
