"""Which spans of an assembled trace a query finds.

Types count, as in Tempo: the text "200" is not the number 200. A comparison with an absent field is false, also with
`!=` and `!~`. Arrays, maps and bytes are present and equal nothing. Of several values of a field one must satisfy.
"""

import operator
from collections.abc import Callable, Sequence
from enum import IntEnum

from query.reconstruct.trace import Trace
from query.traceql.fields import TraceFacts, Value, values_of
from query.traceql.syntax import (
    Both,
    Comparison,
    Condition,
    Conjunction,
    Constant,
    Disjunction,
    Either,
    Filter,
    Match,
    Negation,
    Operand,
    Presence,
    Spansets,
)
from storage.span import Span

_ORDER: dict[str, Callable[[str | float, str | float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Evaluation:
    """One trace under a query's conditions."""

    def __init__(self, trace: Trace) -> None:
        self._spans = [shown.span for shown in trace.spans]
        self.facts = TraceFacts(trace)

    def found(self, spansets: Spansets) -> list[Span]:
        """The spans that are found, each once; [] when the trace is not. The smaller side of `&&` and `||` is first."""
        if isinstance(spansets, Filter):
            return [span for span in self._spans if self.holds(span, spansets.condition)]
        left, right = self.found(spansets.left), self.found(spansets.right)
        if isinstance(spansets, Both) and not (left and right):
            return []
        smaller, larger = (left, right) if len(left) < len(right) else (right, left)
        seen = {id(span) for span in smaller}
        return smaller + [span for span in larger if id(span) not in seen]

    def holds(self, span: Span, condition: Condition) -> bool:
        """Whether one span satisfies a condition."""
        match condition:
            case Comparison(left, sign, right):
                return any(
                    _compares(one, sign, other)
                    for one in self._values(span, left)
                    for other in self._values(span, right)
                )
            case Match(operand, pattern, negated):
                texts = (value for value in self._values(span, operand) if isinstance(value, str))
                return any(pattern.matches(text) is not negated for text in texts)
            case Presence(field, negated):
                return bool(values_of(span, field, self.facts)) is not negated
            case Conjunction(parts):
                return all(self.holds(span, part) for part in parts)
            case Disjunction(parts):
                return any(self.holds(span, part) for part in parts)
            case Negation(part):
                return not self.holds(span, part)

    def _values(self, span: Span, operand: Operand) -> Sequence[Value]:
        return (operand.value,) if isinstance(operand, Constant) else values_of(span, operand, self.facts)


def anchors(spansets: Spansets) -> list[Condition]:
    """The conditions one of which a span within the window of time must satisfy.

    Of `&&` these are the left side's, unless it asks nothing: then the right side's. Of `||` both sides'.
    """
    match spansets:
        case Filter(condition):
            return [condition]
        case Both(left, right):
            asked = anchors(left)
            return anchors(right) if asked == [Conjunction(())] else asked
        case Either(left, right):
            return anchors(left) + anchors(right)


def _compares(left: Value, sign: str, right: Value) -> bool:
    kind = _comparable(left)
    if kind is None or kind is not _comparable(right):
        return False
    if sign in ("=", "!="):
        return (left == right) is (sign == "=")
    if isinstance(left, str) and isinstance(right, str):
        return _ORDER[sign](left, right)
    if kind is float and isinstance(left, int | float) and isinstance(right, int | float):
        return _ORDER[sign](left, right)
    return False


def _comparable(value: Value) -> type | None:
    """What a value can be compared with: values of which this is the same; None is with nothing."""
    if isinstance(value, bool | IntEnum | str):
        return type(value)
    return float if isinstance(value, int | float) else None
