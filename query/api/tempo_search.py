"""Search by TraceQL: a store finds candidates, and each whole trace is decided as it is read."""

from collections.abc import Callable, Sequence

from query.api.tempo_parameters import Search, Window
from query.reconstruct.assembly import assemble
from query.render.otlp_json import JsonObject
from query.render.tempo_search import Hit, search_json
from query.settings import QuerySettings
from query.traceql.evaluation import Evaluation, anchors
from query.traceql.fields import TraceFacts
from query.traceql.pushdown import trace_query
from query.traceql.syntax import Query
from storage.contract import SpanReader
from storage.span import Span

Take = Callable[[TraceFacts, list[Span]], bool]
"""Given the facts of a trace that a query finds and the spans it finds: whether the trace counts."""


class TraceqlSearch:
    """Searches with the grouping and the corrections of the settings. Its methods are for a reader thread."""

    def __init__(self, settings: QuerySettings) -> None:
        self._strict = settings.strict_trace_id
        self._max_skew_ns = settings.max_clock_skew_ns

    def answer(self, reader: SpanReader, search: Search) -> JsonObject:
        """The newest `limit` traces that are found. Each candidate is read once, and none after the last of them."""
        hits: list[Hit] = []

        def take(facts: TraceFacts, spans: list[Span]) -> bool:
            if not _lasts_as_asked(search, facts.duration_ns):
                return False
            hits.append(Hit(facts, spans[: search.spans], len(spans)))
            return True

        inspected = self.each(reader, search.query, search.window, search.limit, take)
        return search_json(hits, search.query.fields(), inspected)

    def each(self, reader: SpanReader, query: Query, window: Window, limit: int, take: Take) -> int:
        """Show `take` the traces that the query finds, newest first, until it took `limit`; how many were read.

        A trace is found when a span of it that started within the window satisfies one of the query's `anchors`.
        """
        conditions = anchors(query.spansets)
        inspected = 0

        def accepts(stored: Sequence[Span]) -> bool:
            nonlocal inspected
            inspected += 1
            evaluation = Evaluation(assemble(stored, max_clock_skew_ns=self._max_skew_ns))
            spans = evaluation.found(query.spansets)
            anchored = any(
                span.start_ns is not None
                and window.start_ns <= span.start_ns <= window.end_ns
                and any(evaluation.holds(span, condition) for condition in conditions)
                for span in spans
            )
            return anchored and take(evaluation.facts, spans)

        asked = trace_query(query.spansets, window.start_ns, window.end_ns, limit)
        reader.find_traces_where(asked, accepts, strict=self._strict)
        return inspected


def _lasts_as_asked(search: Search, duration_ns: int) -> bool:
    return (search.duration_min_ns is None or search.duration_min_ns <= duration_ns) and (
        search.duration_max_ns is None or duration_ns <= search.duration_max_ns
    )
