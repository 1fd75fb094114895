"""The SQL that is composed, as it is sent: a change shows here."""

import re

import sqlalchemy as sa

from storage.attributes import token
from storage.duckdb.candidates import conditions_of, started_within
from storage.duckdb.sql import SPANS, TRACE_ID, compiled, rows, rows_of_traces
from storage.requests import TagFilter, TraceQuery
from storage.span_conditions import StoredNames


def test_the_rows_of_traces_are_looked_for_in_each_group_of_ranges_apart() -> None:
    assert rows_of_traces(TRACE_ID, ids=2, near=[[(3, 4), (7, 9)], [(900, 901)]]) == (
        "SELECT rowid, seq FROM spans "
        "WHERE seq BETWEEN 3 AND 9 AND (seq BETWEEN 3 AND 4 OR seq BETWEEN 7 AND 9) AND trace_id IN ($1, $2) "
        "UNION ALL SELECT rowid, seq FROM spans "
        "WHERE seq BETWEEN 900 AND 901 AND (seq BETWEEN 900 AND 901) AND trace_id IN ($1, $2)"
    )


def test_rows_are_read_within_ranges_of_commits_and_of_rows() -> None:
    assert rows("name", seqs=[(3, 4)], row_ids=[(10, 20), (40, 50)]) == (
        "SELECT name FROM spans WHERE seq BETWEEN 3 AND 4 AND (seq BETWEEN 3 AND 4) "
        "AND rowid BETWEEN 10 AND 50 AND (rowid BETWEEN 10 AND 20 OR rowid BETWEEN 40 AND 50) "
        "AND rowid IN (SELECT unnest($1::BIGINT[]))"
    )


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
