"""The parameters of /api/metrics/*, read as Jaeger reads them. Times and durations are milliseconds on the wire."""

import re

from starlette.datastructures import QueryParams

from query.api.jaeger_parameters import integer, parsed
from query.api.jaeger_strconv import parse_bool
from query.errors import BadRequest
from storage.requests import CallQuery
from storage.span import SpanKind
from storage.times import clamped_ns

DEFAULT_LOOKBACK_MS = 3_600_000
DEFAULT_STEP_MS = 5_000
DEFAULT_RATE_PER_MS = 600_000
MOST_STEPS = 11_000
"""Steps that lookback and ratePer may span together: what Prometheus, which Jaeger asks, allows a series."""

MOST_VALUES = 300_000
"""Values in one answer, 90 bytes each: of more operations only the most called are answered."""

_MS = 1_000_000
_LARGEST_NS = 2**62
_FLOAT = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", re.ASCII)


def call_query(given: QueryParams, now_ns: int, *, quantile: float | None = None) -> CallQuery:
    """What to count. BadRequest when Jaeger would refuse it, or when there would be more than MOST_STEPS.

    The moments begin at endTs - lookback, not before 1970. A ratePer above the step and not a multiple of it is
    rounded up to one.
    """
    services = tuple(service for service in given.getlist("service") if service)
    if not services:
        raise BadRequest("unable to parse param 'service': please provide at least one service name")
    by_operation = parsed(given, "groupByOperation", parse_bool) or False
    kinds = _span_kinds([kind for kind in given.getlist("spanKind") if kind] or ["server"])
    end_ms = integer(given, "endTs")
    end_ns = now_ns if end_ms is None else clamped_ns(end_ms * _MS)
    lookback_ns = _length_ns(given, "lookback", DEFAULT_LOOKBACK_MS, least_ms=0)
    step_ns = _length_ns(given, "step", DEFAULT_STEP_MS)
    window_ns = _length_ns(given, "ratePer", DEFAULT_RATE_PER_MS)
    begin_ns = max(0, end_ns - lookback_ns)
    steps = max(0, end_ns - begin_ns) // step_ns
    width = -(-window_ns // step_ns)
    if steps + width > MOST_STEPS:
        raise BadRequest(
            f"expected at most {MOST_STEPS} steps in lookback and ratePer, got {steps + width}; pass a larger step"
        )
    return CallQuery(
        services=services,
        kinds=kinds,
        end_ns=min(end_ns, begin_ns + steps * step_ns),
        step_ns=step_ns,
        points=steps + 1,
        window_ns=window_ns if window_ns <= step_ns else width * step_ns,
        by_operation=by_operation,
        quantile=quantile,
        limit=MOST_VALUES // (steps + 1),
    )


def required_quantile(given: QueryParams) -> float:
    """BadRequest when it is missing or not from 0 to 1."""
    text = given.getlist("quantile")[0] if given.getlist("quantile") else ""
    if not _FLOAT.fullmatch(text):
        raise BadRequest(f"unable to parse param 'quantile': strconv.ParseFloat: parsing \"{text}\": invalid syntax")
    quantile = float(text)
    if not 0 <= quantile <= 1:
        raise BadRequest(f"unable to parse param 'quantile': expected a number from 0 to 1, got {text}")
    return quantile


def _span_kinds(names: list[str]) -> tuple[int, ...]:
    numbers = {kind.name.lower(): int(kind) for kind in SpanKind}
    for name in names:
        if name not in numbers:
            raise BadRequest(f"unable to parse param 'spanKind': unsupported span kind: '{name}'")
    return tuple(dict.fromkeys(numbers[name] for name in names))


def _length_ns(given: QueryParams, name: str, default_ms: int, least_ms: int = 1) -> int:
    length_ms = integer(given, name)
    if length_ms is None:
        length_ms = default_ms
    if length_ms < least_ms:
        raise BadRequest(f"unable to parse param '{name}': expected at least {least_ms} ms, got {length_ms}")
    return min(length_ms * _MS, _LARGEST_NS)
