"""A TraceQL query as values: what `parser` gives and everything else takes.

It is the part of the language that finds spans by their own fields: filters in braces, joined by `&&` and `||`, and
`select`. Source: TraceQL's documentation and, where it is silent, Tempo's grammar.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from query.traceql.patterns import Pattern
from storage.span import SpanKind, StatusCode


class Scope(Enum):
    """Where an attribute is looked for, by the word before its dot. ANY: on the span, else on the resource."""

    ANY = ""
    SPAN = "span"
    RESOURCE = "resource"
    EVENT = "event"
    LINK = "link"
    INSTRUMENTATION = "instrumentation"


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute by its key, such as `.http.method` or `resource.service.name`."""

    scope: Scope
    key: str


class Intrinsic(Enum):
    """What a span or its trace has besides attributes, by the name that an answer gives it."""

    NAME = "name"
    KIND = "kind"
    STATUS = "status"
    STATUS_MESSAGE = "statusMessage"
    DURATION = "duration"
    SPAN_ID = "span:id"
    PARENT_ID = "span:parentID"
    TRACE_ID = "trace:id"
    TRACE_DURATION = "traceDuration"
    ROOT_NAME = "rootName"
    ROOT_SERVICE = "rootServiceName"
    EVENT_NAME = "event:name"
    LINK_SPAN_ID = "link:spanID"
    LINK_TRACE_ID = "link:traceID"
    SCOPE_NAME = "instrumentation:name"
    SCOPE_VERSION = "instrumentation:version"


Field = Attribute | Intrinsic
Literal = str | int | float | bool | StatusCode | SpanKind
"""A duration is an int, nanoseconds."""


@dataclass(frozen=True, slots=True)
class Constant:
    """A value that was written in the query."""

    value: Literal


Operand = Field | Constant


@dataclass(frozen=True, slots=True)
class Comparison:
    """operator: one of = != < <= > >=."""

    left: Operand
    operator: str
    right: Operand


@dataclass(frozen=True, slots=True)
class Match:
    """The whole text of a field against a regular expression; `negated` for `!~`."""

    operand: Operand
    pattern: Pattern
    negated: bool


@dataclass(frozen=True, slots=True)
class Presence:
    """Whether the span has the field: `!= nil`; `negated` for `= nil`."""

    field: Field
    negated: bool


@dataclass(frozen=True, slots=True)
class Conjunction:
    """All of these hold; () always does."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Disjunction:
    """At least one of these holds."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Negation:
    """It does not hold."""

    part: "Condition"


Condition = Comparison | Match | Presence | Conjunction | Disjunction | Negation
ANYTHING = Conjunction(())


@dataclass(frozen=True, slots=True)
class Filter:
    """`{ condition }`: the spans for which it holds."""

    condition: Condition


@dataclass(frozen=True, slots=True)
class Both:
    """`left && right`: the spans of both, when neither has none."""

    left: "Spansets"
    right: "Spansets"


@dataclass(frozen=True, slots=True)
class Either:
    """`left || right`: the spans of both."""

    left: "Spansets"
    right: "Spansets"


Spansets = Filter | Both | Either


@dataclass(frozen=True, slots=True)
class Query:
    """selected: the fields of `select`, which an answer shows besides those of the conditions."""

    spansets: Spansets
    selected: tuple[Field, ...] = ()

    def fields(self) -> tuple[Field, ...]:
        """Every field that the query names, once, in the order they come."""
        named = (field for one in filters_of(self.spansets) for field in _fields_of(one.condition))
        return tuple(dict.fromkeys((*named, *self.selected)))


def filters_of(spansets: Spansets) -> Iterator[Filter]:
    """The filters from left to right."""
    if isinstance(spansets, Filter):
        yield spansets
    else:
        yield from filters_of(spansets.left)
        yield from filters_of(spansets.right)


def _fields_of(condition: Condition) -> Iterator[Field]:
    match condition:
        case Comparison(left, _, right):
            yield from (operand for operand in (left, right) if not isinstance(operand, Constant))
        case Match(operand):
            if not isinstance(operand, Constant):
                yield operand
        case Presence(field):
            yield field
        case Conjunction(parts) | Disjunction(parts):
            for part in parts:
                yield from _fields_of(part)
        case Negation(part):
            yield from _fields_of(part)
