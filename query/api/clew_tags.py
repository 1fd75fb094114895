"""GET /api/clew/v1/tags: which tags and values there are, for whoever types a search."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from query.api import jaeger_parameters as parameters
from query.api.jaeger_answers import Question, answered
from query.render.jaeger_values import JsonObject
from query.service import QueryService
from storage.attributes import text_of
from storage.span import Span

_TRACES = 30
_KEYS = 500
_VALUES = 50
_LONGEST_TEXT = 200
"""Nobody picks a longer one from a list."""

Handler = Callable[[Request], Awaitable[Response]]


class ClewTags:
    """The endpoint. now_ns: the clock that the default window ends at."""

    def __init__(self, service: QueryService, now_ns: Callable[[], int]) -> None:
        self._service = service
        self._strict = service.settings.strict_trace_id
        self._now_ns = now_ns

    def routes(self) -> list[tuple[str, Handler]]:
        """Every GET of tags, by its path."""
        return [("/api/clew/v1/tags", self.tags)]

    async def tags(self, request: Request) -> Response:
        """The tags of the newest 30 traces that satisfy a search, with their values; the most frequent first.

        A store keeps no list of every key and value; this is what is there now. The parameters are those of
        /api/clew/v1/trace-summaries without its limit.
        """

        def ask() -> Question:
            asked = parameters.trace_search(request.query_params, self._now_ns(), any_service=True).query
            query = replace(asked, limit=_TRACES)
            return lambda reader: _tags(
                span for spans in reader.find_traces(query, strict=self._strict) for span in spans
            )

        return await answered(self._service, request, ask)


def _tags(spans: Iterable[Span]) -> JsonObject:
    values: dict[str, Counter[str]] = {}
    for span in spans:
        for attributes in (span.attributes, span.resource.attributes):
            for key, value in attributes.items():
                values.setdefault(key, Counter())[text_of(value)] += 1
    by_frequency = sorted(values.items(), key=lambda item: (-item[1].total(), item[0]))
    return {"tags": [_tag(key, texts) for key, texts in by_frequency[:_KEYS]]}


def _tag(key: str, texts: Counter[str]) -> JsonObject:
    return {
        "key": key,
        "spans": texts.total(),
        "values": [
            {"text": text, "spans": spans} for text, spans in texts.most_common(_VALUES) if len(text) <= _LONGEST_TEXT
        ],
    }
