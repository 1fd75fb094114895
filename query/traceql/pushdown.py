"""What of a query a store can look for: a TraceQuery that every trace the query finds satisfies, and hardly any other.

Pushed down are the service (`service.name` with `=`), the name, attributes of span and resource compared by `=` with a
constant (by their text form) or present, `status = error`, `kind`, and bounds of the duration. Of `||` it is what both
sides have in common. All else, and all of it exactly, is decided by `evaluation` on the traces that a store finds so.

Not pushed down are attributes that are shown otherwise than they are stored: what Zipkin's endpoints become, addresses
that came as numbers, and names that were repaired.
"""

from dataclasses import dataclass

from query.reconstruct.zipkin_as_otel import START_ABSENT_KEY
from query.traceql.evaluation import anchors
from query.traceql.fields import SERVICE_NAME
from query.traceql.syntax import (
    Attribute,
    Comparison,
    Condition,
    Conjunction,
    Constant,
    Disjunction,
    Intrinsic,
    Literal,
    Presence,
    Scope,
    Spansets,
)
from storage.attributes import text_of
from storage.conventions import EMPTY_SPAN_NAME, MISSING_SERVICE_NAME, WARNINGS_KEY
from storage.requests import TagFilter, TraceQuery
from storage.span import SpanKind, StatusCode

_SHOWN_OTHERWISE = frozenset(
    {
        "network.local.address",
        "net.host.port",
        "peer.service",
        "network.peer.address",
        "net.peer.port",
        "ip",
        "peer.ipv4",
        START_ABSENT_KEY,
        WARNINGS_KEY,
    }
)
_INT64_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Service:
    """The local service."""

    name: str


@dataclass(frozen=True, slots=True)
class Name:
    """The span's name."""

    name: str


@dataclass(frozen=True, slots=True)
class AtLeast:
    """The least duration."""

    duration_ns: int


@dataclass(frozen=True, slots=True)
class AtMost:
    """The largest duration."""

    duration_ns: int


_Pushed = frozenset[Service | Name | AtLeast | AtMost | TagFilter]
_NOTHING: _Pushed = frozenset()


def trace_query(spansets: Spansets, start_min_ns: int, start_max_ns: int, limit: int) -> TraceQuery:
    """The search whose traces hold all that the query can find in the window, see `evaluation.anchors`."""
    pushed = _common([_pushed(condition) for condition in anchors(spansets)])
    services = sorted(one.name for one in pushed if isinstance(one, Service))
    names = sorted(one.name for one in pushed if isinstance(one, Name))
    return TraceQuery(
        start_min_ns=start_min_ns,
        start_max_ns=start_max_ns,
        limit=limit,
        # Of two names that one span cannot have both any will do: evaluation finds nothing.
        service=services[0] if services else None,
        operation=names[0] if names else None,
        tags=tuple(
            sorted((one for one in pushed if isinstance(one, TagFilter)), key=lambda one: (one.key, one.text or ""))
        ),
        duration_min_ns=max((one.duration_ns for one in pushed if isinstance(one, AtLeast)), default=None),
        duration_max_ns=min((one.duration_ns for one in pushed if isinstance(one, AtMost)), default=None),
    )


def _pushed(condition: Condition) -> _Pushed:
    match condition:
        case Conjunction(parts):
            return frozenset().union(*map(_pushed, parts))
        case Disjunction(parts):
            return _common(list(map(_pushed, parts)))
        case Comparison(field, sign, Constant(value)) if not isinstance(field, Constant):
            return _intrinsic(field, sign, value) if isinstance(field, Intrinsic) else _attribute(field, sign, value)
        case Presence(Attribute() as field, False) if _is_stored(field) and field.key != SERVICE_NAME:
            return frozenset({TagFilter(field.key)})
        case _:
            return _NOTHING


def _is_stored(field: Attribute) -> bool:
    return field.scope in (Scope.ANY, Scope.SPAN, Scope.RESOURCE) and field.key not in _SHOWN_OTHERWISE


def _common(sides: list[_Pushed]) -> _Pushed:
    return frozenset.intersection(*sides) if sides else _NOTHING


def _attribute(field: Attribute, sign: str, value: Literal) -> _Pushed:
    if sign != "=" or not _is_stored(field):
        return _NOTHING
    if field.key == SERVICE_NAME and field.scope is not Scope.SPAN:
        wanted = isinstance(value, str) and value not in ("", MISSING_SERVICE_NAME)
        return frozenset({Service(str(value))}) if wanted else _NOTHING
    # 0 and -0.0 are equal and have two texts.
    if isinstance(value, StatusCode | SpanKind) or (not isinstance(value, bool) and value == 0):
        return _NOTHING
    return frozenset({TagFilter(field.key, text_of(value))})


def _intrinsic(field: Intrinsic, sign: str, value: Literal) -> _Pushed:
    match field, value:
        case Intrinsic.NAME, str() if sign == "=" and value not in ("", EMPTY_SPAN_NAME):
            return frozenset({Name(value)})
        case Intrinsic.STATUS, StatusCode.ERROR if sign == "=":
            return frozenset({TagFilter("error", "true")})
        case Intrinsic.KIND, SpanKind() if sign == "=" and value is not SpanKind.UNSPECIFIED:
            return frozenset({TagFilter("span.kind", value.name.lower())})
        case Intrinsic.DURATION, int() | float():
            return _duration(sign, value)
        case _:
            return _NOTHING


def _duration(sign: str, value: float) -> _Pushed:
    """Bounds are inclusive, so hardly any other span passes; durations of 1 ns and less may be repaired ones."""
    bounded = int(max(-_INT64_MAX, min(value, _INT64_MAX)))
    least = frozenset({AtLeast(bounded)}) if bounded > 1 else _NOTHING
    most = frozenset({AtMost(bounded + 1)})
    return {">": least, ">=": least, "<": most, "<=": most, "=": least | most}.get(sign, _NOTHING)
