"""Which tags there are, and which values they have, for the editors of queries.

Names of services and spans are complete, as long as no query narrows them. All else is seen on the newest traces of the
window: a store keeps no list of every key and value, and an editor needs what is there now.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from query.api.tempo_parameters import TagSearch, Window
from query.api.tempo_search import TraceqlSearch
from query.render.tempo_search import TypedValue
from query.traceql.fields import SERVICE_NAME, TraceFacts, Value, values_of
from query.traceql.syntax import ANYTHING, Attribute, Field, Filter, Intrinsic, Presence, Query, Scope
from query.traceql.words import INTRINSICS
from storage.attributes import text_of
from storage.contract import SpanReader
from storage.span import Span, SpanKind, StatusCode

SAMPLED_TRACES = 100
_EVERYTHING = Query(Filter(ANYTHING))
INTRINSIC = "intrinsic"
_KEYWORDS: Mapping[Intrinsic, Iterable[StatusCode | SpanKind]] = {
    Intrinsic.STATUS: StatusCode,
    Intrinsic.KIND: SpanKind,
}
_WITHOUT_LIST = frozenset({Intrinsic.DURATION, Intrinsic.TRACE_DURATION})


class TempoTags:
    """Names and values of tags. Its methods are for a reader thread."""

    def __init__(self, search: TraceqlSearch) -> None:
        self._search = search

    def names(self, reader: SpanReader, asked: TagSearch) -> dict[str, list[str]]:
        """The names of each scope that has any, sorted, `limit` a scope at most."""
        found: dict[str, set[str]] = {}

        def see(span: Span, _: TraceFacts) -> None:
            for scope, keys in _keys(span):
                found.setdefault(scope, set()).update(keys)

        if asked.scope != INTRINSIC:
            self._look(reader, asked.query or _EVERYTHING, asked.window, see)
        found[INTRINSIC] = set(INTRINSICS)
        return {
            scope: sorted(keys)[: asked.limit] for scope, keys in found.items() if keys and asked.scope in ("", scope)
        }

    def values(self, reader: SpanReader, field: Field, asked: TagSearch) -> list[TypedValue]:
        """The values of a field, each once, by type and text, `limit` at most; none of a field that has too many."""
        if field in _WITHOUT_LIST:
            return []
        if isinstance(field, Intrinsic) and field in _KEYWORDS:
            return [TypedValue("keyword", one.name.lower()) for one in _KEYWORDS[field]]
        found = self._listed(reader, field) if asked.query is None else None
        if found is None:
            found = {typed for value in self._seen(reader, field, asked) if (typed := _typed(value))}
        return sorted(found, key=lambda value: (value.type, value.text))[: asked.limit]

    def _listed(self, reader: SpanReader, field: Field) -> set[TypedValue] | None:
        if field is Intrinsic.NAME:
            operations = (one for service in reader.services() for one in reader.operations(service))
            return {TypedValue("string", one.name) for one in operations}
        if field in (Attribute(Scope.ANY, SERVICE_NAME), Attribute(Scope.RESOURCE, SERVICE_NAME)):
            return {TypedValue("string", name) for name in reader.services()}
        return None

    def _seen(self, reader: SpanReader, field: Field, asked: TagSearch) -> list[Value]:
        seen: list[Value] = []

        def see(span: Span, facts: TraceFacts) -> None:
            seen.extend(values_of(span, field, facts))

        self._look(reader, asked.query or Query(Filter(Presence(field, negated=False))), asked.window, see)
        return seen

    def _look(self, reader: SpanReader, query: Query, window: Window, see: Callable[[Span, TraceFacts], None]) -> None:
        def take(facts: TraceFacts, spans: list[Span]) -> bool:
            for span in spans:
                see(span, facts)
            return True

        self._search.each(reader, query, window, SAMPLED_TRACES, take)


def _keys(span: Span) -> Iterator[tuple[str, Sequence[str]]]:
    yield Scope.SPAN.value, [*span.attributes]
    yield Scope.RESOURCE.value, [*span.resource.attributes, *([SERVICE_NAME] if span.service else [])]
    yield Scope.INSTRUMENTATION.value, [*span.scope.attributes]
    yield Scope.EVENT.value, [key for event in span.events for key in event.attributes]
    yield Scope.LINK.value, [key for link in span.links for key in link.attributes]


def _typed(value: Value) -> TypedValue | None:
    """None when it is nothing that a query could compare with."""
    match value:
        case StatusCode() | SpanKind():
            return TypedValue("keyword", value.name.lower())
        case str():
            return TypedValue("string", value) if value else None
        case bool():
            return TypedValue("bool", text_of(value))
        case int():
            return TypedValue("int", text_of(value))
        case float():
            return TypedValue("float", text_of(value))
        case _:
            return None
