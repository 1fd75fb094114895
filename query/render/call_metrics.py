"""Call rates, error rates and latencies as Jaeger's Monitor tab reads them: protobuf's JSON of a MetricFamily.

Source: Jaeger's metrics model (OpenMetrics) and its Prometheus store, whose names, labels and help texts these are.
Each document is text in parts.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from query.render.jaeger_envelope import to_bytes
from query.render.jaeger_values import JsonObject
from storage.requests import CallQuery, CallSeries

_NOTHING = "NaN"
"""Protobuf's JSON of what Prometheus says of 0 errors in 0 calls; Jaeger's UI leaves a gap there."""


def latencies_document(query: CallQuery, found: Sequence[CallSeries]) -> Iterator[bytes]:
    """Milliseconds at the query's quantile."""

    def milliseconds(series: CallSeries) -> Iterable[object]:
        return (_NOTHING if latency is None else latency / 1e6 for latency in series.latencies_ns)

    return _family("latencies", f"{query.quantile:.2f}th quantile latency", query, found, milliseconds)


def call_rates_document(query: CallQuery, found: Sequence[CallSeries]) -> Iterator[bytes]:
    """Calls a second."""
    window_s = query.window_ns / 1e9

    def rates(series: CallSeries) -> Iterable[object]:
        return (calls / window_s for calls in series.calls)

    return _family("call_rate", "calls/sec", query, found, rates)


def error_rates_document(query: CallQuery, found: Sequence[CallSeries]) -> Iterator[bytes]:
    """Errors as a fraction of the calls: 0 where all calls went well."""

    def fractions(series: CallSeries) -> Iterable[object]:
        counted = zip(series.errors, series.calls, strict=True)
        return (errors / calls if calls else _NOTHING for errors, calls in counted)

    return _family(
        "error_rate", "error rate, computed as a fraction of errors/sec over calls/sec", query, found, fractions
    )


def _family(
    what: str,
    text: str,
    query: CallQuery,
    found: Sequence[CallSeries],
    values: Callable[[CallSeries], Iterable[object]],
) -> Iterator[bytes]:
    head: JsonObject = {
        "name": f"{'service_operation' if query.by_operation else 'service'}_{what}",
        "type": "GAUGE",
        "help": f"{text}, grouped by service{' & operation' if query.by_operation else ''}",
    }
    yield to_bytes(head)[:-1] + b',"metrics":['
    times = _times_in_points(query)
    for number, series in enumerate(found):
        yield (b"," if number else b"") + b'{"labels":' + to_bytes(_labels(series)) + b',"metricPoints":['
        yield _points(values(series), times) + b"]}"
    yield b"]}"


def _points(values: Iterable[object], times: Sequence[bytes]) -> bytes:
    """The points of one series. Their numbers are written at once and then cut apart, for there may be 300,000."""
    texts = to_bytes(list(values))[1:-1].split(b",")
    return b",".join([b'{"gaugeValue":{"doubleValue":' + text + time for text, time in zip(texts, times, strict=True)])


def _times_in_points(query: CallQuery) -> list[bytes]:
    """How each point goes on after its value: RFC 3339 as protobuf writes it, in whole milliseconds, without a fraction
    or with three digits of it."""
    times_ms = np.array(query.moments_ns, dtype=np.int64) // 1_000_000
    texts = np.datetime_as_string(times_ms.astype("datetime64[ms]")).tolist()
    return [b'},"timestamp":"' + text.removesuffix(".000").encode() + b'Z"}' for text in texts]


def _labels(series: CallSeries) -> list[JsonObject]:
    # The service first: Jaeger's UI takes the first label for it.
    labels: list[JsonObject] = [{"name": "service_name", "value": series.service}]
    if series.operation is not None:
        labels.append({"name": "operation", "value": series.operation})
    return labels
