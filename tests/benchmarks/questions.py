"""The reads that are measured: for each a name, and the requests that are made in turn."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from storage.span import SpanKind
from tests.benchmarks.loading import Filled
from tests.benchmarks.vocabulary import RARE_TAG, SERVICES, operation

_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS
_BUSY_SERVICES = SERVICES[:12]
_SUMMARIES = "/api/clew/v1/trace-summaries"
_GRAPH = "/api/clew/v1/dependencies"


@dataclass(frozen=True, slots=True)
class Question:
    """door: the name in clew's ready line. paths: asked one after another, as often as `asked` says.

    problem: what is wrong with the decoded answer to a path, None when nothing is. An answer is checked, not timed.
    """

    name: str
    door: str
    paths: tuple[str, ...]
    asked: int
    problem: Callable[[str, Any], str | None]


def questions_of(filled: Filled) -> list[Question]:
    """All questions to a store so filled. Searches look back 24 hours (or as far as there are spans) from its end."""
    return [
        *_trace_by_id(filled),
        *_searches(filled),
        *_summaries(filled),
        *_names(filled),
        *_dependencies(filled),
        *_service_performance(filled),
    ]


def _trace_by_id(filled: Filled) -> list[Question]:
    expected = {sample.trace_id: sample.spans for sample in filled.samples}

    def zipkin(path: str, answer: Any) -> str | None:
        return _differs(len(answer), expected[path.rsplit("/", 1)[1]], "spans")

    def jaeger(path: str, answer: Any) -> str | None:
        return _differs(len(answer["data"][0]["spans"]), expected[path.rsplit("/", 1)[1]], "spans")

    return [
        Question("trace by id", "zipkin", tuple(f"/api/v2/trace/{id_}" for id_ in expected), 300, zipkin),
        Question("trace by id", "jaeger", tuple(f"/api/traces/{id_}" for id_ in expected), 300, jaeger),
    ]


def _searches(filled: Filled) -> list[Question]:
    span_name = operation(SpanKind.SERVER, 1)
    key, value = RARE_TAG
    variants: list[tuple[str, dict[str, str], dict[str, str]]] = [
        ("newest 20 of a service", {}, {}),
        ("+ operation", {"spanName": span_name}, {"operation": span_name}),
        (
            "+ tag",
            {"annotationQuery": "http.response.status_code=500"},
            {"tags": json.dumps({"http.response.status_code": "500"})},
        ),
        ("+ min duration", {"minDuration": "200000"}, {"minDuration": "200ms"}),
    ]
    found = []
    for name, of_zipkin, of_jaeger in variants:
        found.append(Question(name, "zipkin", _zipkin_searches(filled, of_zipkin), 120, _twenty_zipkin))
        found.append(Question(name, "jaeger", _jaeger_searches(filled, of_jaeger), 120, _twenty_jaeger))
    rare = {"annotationQuery": f"{key}={value}", "limit": "20"}
    paths = (f"/api/v2/traces?{urlencode(rare | _zipkin_window(filled, _DAY_MS))}",)
    found.append(Question("rare tag, no service, 24 h", "zipkin", paths, 30, _some))
    return found


def _summaries(filled: Filled) -> list[Question]:
    variants: list[tuple[str, dict[str, str]]] = [
        ("newest 20 of a service", {}),
        ("+ tag", {"tags": json.dumps({"http.response.status_code": "500"})}),
        ("+ min duration", {"minDuration": "200ms"}),
    ]
    found = [
        Question(f"summaries, {name}", "jaeger", _jaeger_searches(filled, conditions, _SUMMARIES), 120, _twenty_listed)
        for name, conditions in variants
    ]
    end_us = filled.ends_ns // 1000
    most = {"limit": "1500", "start": str(end_us - _DAY_MS * 1000), "end": str(end_us)}
    found.append(Question("summaries, newest 1500", "jaeger", (f"{_SUMMARIES}?{urlencode(most)}",), 30, _listed(1500)))
    window = {
        "query.startTimeMin": _rfc3339(filled.ends_ns - _DAY_MS * 1_000_000),
        "query.startTimeMax": _rfc3339(filled.ends_ns),
        "query.searchDepth": "20",
    }
    paths = tuple(
        f"/api/v3/trace-summaries?{urlencode({'query.serviceName': service, **window})}" for service in _BUSY_SERVICES
    )
    found.append(Question("summaries of /api/v3", "jaeger", paths, 120, _twenty_listed))
    return found


def _service_performance(filled: Filled) -> list[Question]:
    end = {"endTs": str(filled.ends_ns // 1_000_000)}
    hourly = {**end, "lookback": str(7 * _DAY_MS), "step": str(_HOUR_MS), "ratePer": str(_HOUR_MS)}
    found = []
    for name, path, more in (
        ("latencies", "latencies", {"quantile": "0.95"}),
        ("latencies by operation", "latencies", {"quantile": "0.95", "groupByOperation": "true"}),
        ("calls", "calls", {}),
        ("errors", "errors", {}),
    ):
        paths = tuple(
            f"/api/metrics/{path}?{urlencode({'service': service, **hourly, **more})}" for service in _BUSY_SERVICES
        )
        found.append(Question(f"{name} of a week", "jaeger", paths, 60, _series))
    return [*found, *_monitor_tab(filled, end)]


def _monitor_tab(filled: Filled, end: Mapping[str, str]) -> list[Question]:
    """What Jaeger's Monitor tab asks of its longest time, and the largest question that is answered: its step for a
    week of every service."""
    two_days = {**end, "lookback": str(2 * _DAY_MS), "quantile": "0.95"}
    by_minute = {"step": "60000", "ratePer": "600000"}
    whole = {"step": str(2 * _DAY_MS), "ratePer": str(2 * _DAY_MS), "groupByOperation": "true"}
    found = []
    for name, path, more in (
        ("latencies by minutes", "latencies", by_minute),
        ("calls by minutes", "calls", by_minute),
        ("latencies by operation", "latencies", whole),
    ):
        paths = tuple(
            f"/api/metrics/{path}?{urlencode({'service': service, **two_days, **more})}" for service in _BUSY_SERVICES
        )
        found.append(Question(f"{name} of 48 h", "jaeger", paths, 60, _series))
    week = urlencode(
        [("service", service) for service in filled.services]
        + [*{**two_days, "lookback": str(7 * _DAY_MS), "step": "60000", "ratePer": "60000"}.items()]
    )
    path = f"/api/metrics/latencies?{week}"
    return [*found, Question("latencies of all services, week by minutes", "jaeger", (path,), 10, _series)]


def _zipkin_searches(filled: Filled, conditions: Mapping[str, str]) -> tuple[str, ...]:
    window = _zipkin_window(filled, _DAY_MS)
    return tuple(
        f"/api/v2/traces?{urlencode({'serviceName': service, 'limit': '20', **conditions, **window})}"
        for service in _BUSY_SERVICES
    )


def _jaeger_searches(filled: Filled, conditions: Mapping[str, str], path: str = "/api/traces") -> tuple[str, ...]:
    end_us = filled.ends_ns // 1000
    window = {"start": str(end_us - _DAY_MS * 1000), "end": str(end_us)}
    return tuple(
        f"{path}?{urlencode({'service': service, 'limit': '20', **conditions, **window})}" for service in _BUSY_SERVICES
    )


def _names(filled: Filled) -> list[Question]:
    def services(_: str, answer: Any) -> str | None:
        names = answer["data"] if isinstance(answer, dict) else answer
        return _differs(sorted(names), sorted(filled.services), "services")

    def operations(_: str, answer: Any) -> str | None:
        names = answer["data"] if isinstance(answer, dict) else answer
        return None if len(names) >= 10 else f"expected at least 10 operations, got {len(names)}"

    return [
        Question("services", "zipkin", ("/api/v2/services",), 60, services),
        Question("services", "jaeger", ("/api/services",), 60, services),
        Question(
            "operations",
            "zipkin",
            tuple(f"/api/v2/spans?serviceName={name}" for name in _BUSY_SERVICES),
            60,
            operations,
        ),
        Question(
            "operations", "jaeger", tuple(f"/api/services/{name}/operations" for name in _BUSY_SERVICES), 60, operations
        ),
    ]


def _dependencies(filled: Filled) -> list[Question]:
    found = []
    windows = (("1 h", _HOUR_MS), ("24 h", _DAY_MS), ("30 d", 30 * _DAY_MS))
    for window, lookback_ms in windows:
        name, asked = f"dependencies, {window}", 30
        query = urlencode(_zipkin_window(filled, lookback_ms))
        found.append(Question(name, "zipkin", (f"/api/v2/dependencies?{query}",), asked, _some))
        found.append(Question(name, "jaeger", (f"/api/dependencies?{query}",), asked, _some))
        found.append(Question(f"service graph, {window}", "jaeger", (f"{_GRAPH}?{query}",), asked, _edges))
    return found


def _zipkin_window(filled: Filled, lookback_ms: int) -> dict[str, str]:
    return {"endTs": str(filled.ends_ns // 1_000_000), "lookback": str(lookback_ms)}


def _twenty_zipkin(_: str, answer: Any) -> str | None:
    return _differs(len(answer), 20, "traces")


def _twenty_jaeger(_: str, answer: Any) -> str | None:
    return _differs(len(answer["data"]), 20, "traces")


def _listed(expected: int) -> Callable[[str, Any], str | None]:
    return lambda _, answer: _differs(len(answer["summaries"]), expected, "summaries")


def _twenty_listed(_: str, answer: Any) -> str | None:
    """A store of a million spans does not have 20 slow traces of every service."""
    found = len(answer["summaries"])
    return None if 0 < found <= 20 else f"expected 1 to 20 summaries, got {found}"


def _edges(_: str, answer: Any) -> str | None:
    return None if answer["edges"] else "expected edges, got none"


def _series(_: str, answer: Any) -> str | None:
    return None if answer["metrics"] else "expected series, got none"


def _rfc3339(time_ns: int) -> str:
    return datetime.fromtimestamp(time_ns // 10**9, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _some(_: str, answer: Any) -> str | None:
    found = answer["data"] if isinstance(answer, dict) else answer
    return None if found else "expected an answer with content, got an empty one"


def _differs(got: object, expected: object, what: str) -> str | None:
    return None if got == expected else f"expected {expected} {what}, got {got}"
