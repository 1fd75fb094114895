"""clew's own OpenAPI documents, and schemathesis asking by them: whatever is asked, nothing answers 500.

The APIs read every parameter as text and judge it themselves. Most questions carry values that fit their parameters,
so that they get past the refusals.
"""

from collections.abc import Sequence
from typing import Any
from zlib import crc32

import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from starlette.types import ASGIApp

from clew.uploads import file_uploads, otlp_uploads
from collector.settings import CollectorSettings
from query.api.jaeger import jaeger_app
from query.api.tempo import tempo_app
from query.api.zipkin import zipkin_app
from query.archive import TraceArchive
from query.service import QueryService
from query.settings import QuerySettings
from storage.batch import SpanBatch
from storage.memory import MemoryStore
from storage.span import SpanKind, StatusCode
from tests.builders import TODAY_NS, a_span, a_trace_id, a_zipkin_trace
from tests.query.door import NOW_NS

TRACE_IDS = [a_trace_id(number).hex() for number in (1, 2, 3)]
NUMBERS = ["", "0", "1", "-1", "1714867200000", "1714867200000000", "9223372036854775807", "9223372036854775808"]
TIMES = ("2024-05-05T00:00:00Z", "2024-05-05T01:00:00.123456789Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z")
FITTING: dict[str, Sequence[str]] = {
    "service": ["frontend", "backend", "nobody"],
    "operation": ["get", "all"],
    "spanKind": ["server", "client", "unspecified", ""],
    "traceID": TRACE_IDS,
    "trace_id": TRACE_IDS,
    "traceIds": [",".join(TRACE_IDS)],
    "tag": ["environment:test", "error:true"],
    "tags": ['{"error":"true"}', "{}"],
    "annotationQuery": ["error", "environment=test and foo", ""],
    "key": ["environment", "other"],
    "quantile": ["0", "0.95", "1"],
    "clockSkew": ["jaeger", "zipkin", "none"],
    "step": ["60000", "1000000"],
    "ratePer": ["1", "90000"],
    "q": ["{}", '{ .environment = "test" } && {} | select(name)', '{ name =~ "g.*" || status = error }', "{ .a = }"],
    "scope": ["", "span", "resource", "intrinsic"],
    "query.attributes": ['{"error":"true"}', "{}"],
    **dict.fromkeys(("groupByOperation", "raw", "rawTraces", "query.rawTraces", "prettyPrint"), ("true", "false")),
    **dict.fromkeys(("serviceName", "remoteServiceName", "query.serviceName"), ("frontend", "backend", "db", "")),
    **dict.fromkeys(("spanName", "query.operationName"), ("get", "all", "")),
    **dict.fromkeys(("startTime", "endTime", "query.startTimeMin", "query.startTimeMax"), TIMES),
}
DURATIONS = ["1ms", "1.5s", "0s", "100us"]


def a_service() -> QueryService:
    """Over a store with Zipkin and OTLP spans of several kinds, and an archive."""
    store = MemoryStore(max_spans=1000, autocomplete_keys=("environment",))
    spans = [
        *a_zipkin_trace(1),
        *(a_span(2, n, kind=kind, status_code=StatusCode.ERROR) for n, kind in enumerate(SpanKind, 1)),
    ]
    store.write(SpanBatch.of(spans, TODAY_NS))
    archive = TraceArchive(MemoryStore(max_spans=1000, autocomplete_keys=()), now_ns=lambda: NOW_NS)
    return QueryService(store, QuerySettings.model_validate({"autocomplete_keys": ("environment",)}), archive=archive)


def fitting(_: object, values: dict[str, Any] | None) -> dict[str, Any] | None:
    """Most values, chosen by what they are, become such as fit the parameter."""
    return values and {name: _fitting(name, value) for name, value in values.items()}


def _fitting(name: str, value: object) -> object:
    choice = crc32(f"{name}{value!r}".encode(errors="replace"))
    usual: Sequence[str] = [*NUMBERS, *DURATIONS] if "uration" in name else NUMBERS
    fit = FITTING.get(name, usual)
    return fit[choice // 8 % len(fit)] if choice % 8 else value


def asked(app: ASGIApp, document: str) -> schemathesis.BaseSchema:
    schema = schemathesis.openapi.from_asgi(document, app)
    schema.hook("map_query")(fitting)
    schema.hook("map_path_parameters")(fitting)
    return schema


limits = CollectorSettings.model_validate({})
jaeger = asked(
    jaeger_app(a_service(), uploads=otlp_uploads(limits), files=file_uploads(limits), now_ns=lambda: NOW_NS),
    "/docs/openapi.json",
)
tempo = asked(tempo_app(a_service(), now_ns=lambda: NOW_NS), "/docs/openapi.json")
zipkin = asked(zipkin_app(a_service(), clock_s=lambda: NOW_NS / 1e9), "/zipkin/api/openapi.json")
bounded = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


def test_the_documents_name_every_endpoint_that_is_asked() -> None:
    assert len(list(jaeger.get_all_operations())) > 15
    assert len(list(tempo.get_all_operations())) == 11
    assert len(list(zipkin.get_all_operations())) == 9


@jaeger.parametrize()
@bounded
def test_no_question_to_jaegers_api_is_a_server_error(case: schemathesis.Case[Any]) -> None:
    case.call_and_validate(checks=[not_a_server_error])


@zipkin.parametrize()
@bounded
def test_no_question_to_zipkins_api_is_a_server_error(case: schemathesis.Case[Any]) -> None:
    case.call_and_validate(checks=[not_a_server_error])


@tempo.parametrize()
@bounded
def test_no_question_to_tempos_api_is_a_server_error(case: schemathesis.Case[Any]) -> None:
    case.call_and_validate(checks=[not_a_server_error])
