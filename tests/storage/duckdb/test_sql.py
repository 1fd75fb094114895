"""The SQL that is composed, as it is sent: a change shows here."""

import re

import sqlalchemy as sa

from storage.attributes import token
from storage.duckdb.candidates import conditions_of, started_within
from storage.duckdb.sql import SPANS, TRACE_ID, compiled, spans_of_traces
from storage.requests import TagFilter, TraceQuery
from storage.span_conditions import StoredNames


def test_spans_of_traces_finds_the_rows_of_each_range_apart() -> None:
    text = spans_of_traces(TRACE_ID, ids=2, ranges=2)
    assert text.count("UNION ALL") == 1
    for bounds in ("seq BETWEEN $3 AND $4", "seq BETWEEN $5 AND $6"):
        found = f"SELECT rowid FROM spans WHERE {bounds} AND trace_id IN ($1, $2)"
        assert text.count(f" FROM spans WHERE {bounds} AND rowid IN ({found})") == 1


def test_a_search_with_everything_is_one_select_of_bound_conditions() -> None:
    query = TraceQuery(
        start_min_ns=1,
        start_max_ns=2,
        limit=3,
        service="s",
        operation="o",
        remote_service="r",
        tags=(TagFilter("k", "v"), TagFilter("error"), TagFilter("span.kind", "client")),
        duration_min_ns=4,
        duration_max_ns=5,
    )
    names = StoredNames(["s"], ["o"], ["r", "R"])
    conditions = conditions_of(query, names, lambda tag: ["{}"] if tag.key == "k" else [])
    columns = (SPANS.c.trace_id, SPANS.c.start_ns)
    statement = sa.select(*columns).where(started_within(1, 2), *conditions).order_by(columns[1].desc()).limit(30)
    text, parameters = compiled(statement)
    assert " ".join(with_values(text, parameters).split()) == (
        "SELECT spans.trace_id, spans.start_ns FROM spans "
        "WHERE spans.start_ns BETWEEN 1 AND 2 AND spans.service IN ('s') AND spans.name IN ('o') "
        "AND spans.remote_service IN ('r', 'R') "
        "AND spans.duration_ns >= 4 AND coalesce(spans.duration_ns, 0) <= 5 "
        f"AND (list_contains(spans.tokens, CAST({token('k', 'v')} AS UInteger)) OR spans.resource IN ('{{}}')) "
        f"AND (contains(spans.attribute_keys, '\\x1ferror\\x1f') "
        f"OR list_contains(spans.tokens, CAST({token('event', 'error')} AS UInteger)) OR spans.status_code = 2) "
        f"AND (list_contains(spans.tokens, CAST({token('span.kind', 'client')} AS UInteger)) OR spans.kind = 3) "
        "ORDER BY spans.start_ns DESC LIMIT 30"
    )


def with_values(text: str, parameters: list[object]) -> str:
    """The text as it would read with its parameters written out."""
    return re.sub(r"\$(\d+)", lambda place: repr(parameters[int(place[1]) - 1]), text)
