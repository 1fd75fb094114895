"""Call rates, error rates and latencies as Jaeger's Monitor tab reads them: protobuf's JSON of a MetricFamily.

Source: Jaeger's metrics model (OpenMetrics) and its Prometheus store, whose names, labels and help texts these are.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta

from query.render.jaeger_values import JsonObject
from storage.requests import CallQuery, CallSeries

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NOTHING = "NaN"
"""Protobuf's JSON of what Prometheus says of 0 errors in 0 calls; Jaeger's UI leaves a gap there."""


def latencies_json(query: CallQuery, found: Sequence[CallSeries]) -> JsonObject:
    """Milliseconds at the query's quantile."""

    def milliseconds(series: CallSeries) -> Iterable[object]:
        return (_NOTHING if latency is None else latency / 1e6 for latency in series.latencies_ns)

    return _family("latencies", f"{query.quantile:.2f}th quantile latency", query, found, milliseconds)


def call_rates_json(query: CallQuery, found: Sequence[CallSeries]) -> JsonObject:
    """Calls a second."""
    window_s = query.window_ns / 1e9

    def rates(series: CallSeries) -> Iterable[object]:
        return (calls / window_s for calls in series.calls)

    return _family("call_rate", "calls/sec", query, found, rates)


def error_rates_json(query: CallQuery, found: Sequence[CallSeries]) -> JsonObject:
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
) -> JsonObject:
    times = [_time_text(moment_ns) for moment_ns in query.moments_ns]
    return {
        "name": f"{'service_operation' if query.by_operation else 'service'}_{what}",
        "type": "GAUGE",
        "help": f"{text}, grouped by service{' & operation' if query.by_operation else ''}",
        "metrics": [
            {
                "labels": _labels(series),
                "metricPoints": [
                    {"gaugeValue": {"doubleValue": value}, "timestamp": time}
                    for value, time in zip(values(series), times, strict=True)
                ],
            }
            for series in found
        ],
    }


def _labels(series: CallSeries) -> list[JsonObject]:
    # The service first: Jaeger's UI takes the first label for it.
    labels: list[JsonObject] = [{"name": "service_name", "value": series.service}]
    if series.operation is not None:
        labels.append({"name": "operation", "value": series.operation})
    return labels


def _time_text(time_ns: int) -> str:
    """RFC 3339 as protobuf writes it, in whole milliseconds: without a fraction or with three digits of it."""
    at = _EPOCH + timedelta(milliseconds=time_ns // 1_000_000)
    text = at.isoformat(timespec="milliseconds").removesuffix("+00:00").removesuffix(".000")
    return f"{text}Z"
