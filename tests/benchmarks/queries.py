"""Reads over HTTP from the real command on a filled store: the first one with nothing cached, then many."""

import contextlib
import http.client
import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.latencies import Latencies, latencies_of
from tests.benchmarks.loading import Filled, fill
from tests.benchmarks.population import Shape
from tests.benchmarks.questions import Question, questions_of
from tests.benchmarks.server_watch import ServerWatch
from tests.benchmarks.stores import MeasuredStore, measured_store
from tests.process.clew_process import Clew

_TIMEOUT_S = 120
_LONG_ENOUGH_S = 60
_FEWEST = 3
"""A slow question is asked no more after so long, but at least so often: its figures are no secret by then."""
_READ_BYTES = 2**24
_SETTINGS = {"QUERY_TIMEOUT": "100s", "CLEW_RETENTION": "0"}


@dataclass(frozen=True, slots=True)
class QuestionResult:
    """cold_ms: the first answer of a fresh process, the store's files evicted from the page cache. warm: of a process
    whose files are in the page cache. problems: answers that were not what was asked for, at most three."""

    name: str
    api: str
    cold_ms: float
    warm: Latencies
    answer_bytes: int
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class QueriesResult:
    store: str
    spans: int
    fill_spans_per_s: float
    disk_bytes_per_span: float
    server_cpu_s: float
    rss_max_bytes: int
    questions: tuple[QuestionResult, ...]


def measure_queries(
    directory: Path, spans: int, report: Callable[[str], object], store: str, shape: Shape
) -> QueriesResult:
    """Fill a store with so many spans (unless `directory` has them), and ask it everything."""
    directory.mkdir(parents=True, exist_ok=True)
    with measured_store(store, directory) as measured:
        filled = fill(measured, directory, spans, lambda written: report(f"writing: {written:,} of {spans:,}"), shape)
        return _measured(measured, directory, filled, report)


def _measured(
    measured: MeasuredStore, directory: Path, filled: Filled, report: Callable[[str], object]
) -> QueriesResult:
    settings = _SETTINGS | {"CLEW_STORAGE_URL": measured.url}
    questions = questions_of(filled)
    cold: list[float] = []
    for question in questions:
        report(f"cold: {question.name} ({question.door})")
        cold.append(_cold(measured, directory, settings, question))
    _read_into_page_cache(measured)
    with Clew(directory, **settings) as clew, ServerWatch(clew.process.pid, directory) as watch:
        results = []
        for question, cold_s in zip(questions, cold, strict=True):
            report(f"warm: {question.name} ({question.door})")
            results.append(_warm(clew.doors[question.door], question, cold_s))
    return _result(measured.name, filled, watch, results)


def _result(store: str, filled: Filled, watch: ServerWatch, results: list[QuestionResult]) -> QueriesResult:
    return QueriesResult(
        store=store,
        spans=filled.spans,
        fill_spans_per_s=filled.spans_per_s,
        disk_bytes_per_span=round(filled.disk_bytes / filled.spans, 1),
        server_cpu_s=round(watch.cpu_s, 1),
        rss_max_bytes=watch.rss_max_bytes,
        questions=tuple(results),
    )


def _cold(measured: MeasuredStore, directory: Path, settings: Mapping[str, str], question: Question) -> float:
    measured.restart()
    for path in measured.files():
        with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
            os.fsync(file.fileno())  # only clean pages can be evicted
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    with Clew(directory, **settings) as clew:
        connection = http.client.HTTPConnection(clew.doors[question.door], timeout=_TIMEOUT_S)
        began_s = time.monotonic()
        _ask(connection, question.paths[0])
        took_s = time.monotonic() - began_s
        connection.close()
        return took_s


def _read_into_page_cache(measured: MeasuredStore) -> None:
    for path in measured.files():
        with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
            while file.read(_READ_BYTES):
                pass


def _warm(address: str, question: Question, cold_s: float) -> QuestionResult:
    connection = http.client.HTTPConnection(address, timeout=_TIMEOUT_S)
    taken_s: list[float] = []
    problems: list[str] = []
    answer = b""
    for number in range(question.asked):
        if number >= _FEWEST and sum(taken_s) > _LONG_ENOUGH_S:
            break
        path = question.paths[number % len(question.paths)]
        began_s = time.monotonic()
        status, answer = _ask(connection, path)
        taken_s.append(time.monotonic() - began_s)
        if status != 200:
            problems.append(f"{path}: status {status}: {answer[:200]!r}")
        elif problem := question.problem(path, json.loads(answer)):
            problems.append(f"{path}: {problem}")
    connection.close()
    return QuestionResult(
        name=question.name,
        api=question.door,
        cold_ms=round(cold_s * 1000, 1),
        warm=latencies_of(taken_s),
        answer_bytes=len(answer),
        problems=tuple(problems[:3]),
    )


def _ask(connection: http.client.HTTPConnection, path: str) -> tuple[int, bytes]:
    connection.request("GET", path)
    answer = connection.getresponse()
    return answer.status, answer.read()
