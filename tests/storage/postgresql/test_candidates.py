"""The SQL of a search, as PostgreSQL gets it."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
import sqlalchemy as sa

from storage.attributes import token
from storage.postgresql import sql
from storage.postgresql.candidates import SharedTexts, conditions_of, started_within, visible
from storage.postgresql.columns import signed_token
from storage.requests import TagFilter, TraceQuery
from storage.span_conditions import StoredNames

SHARED = SharedTexts(
    key_sets=lambda key: [5], resources=lambda tag: [6, 7], scope_names=lambda text: [], scope_versions=lambda text: []
)
A_TAG = TraceQuery(10, 20, 1, tags=(TagFilter("k", "v"),))
NAMES = StoredNames(services=[1], operations=[2, 3], remote_services=None)


def text_of(query: TraceQuery, shared: SharedTexts = SHARED) -> tuple[str, dict[str, object]]:
    conditions = [started_within(query.start_min_ns, query.start_max_ns), *visible((8, 9))]
    statement = sa.select(sql.SPANS.c.trace_low).where(*conditions, *conditions_of(query, NAMES, shared))
    text, values = sql.compiled(statement)
    return " ".join(text.split()), values


def test_names_are_numbers_durations_plain_columns_and_tags_tokens_or_resources() -> None:
    query = TraceQuery(10, 2**70, 1, tags=(TagFilter("k", "v"),), duration_min_ns=1, duration_max_ns=2)
    text, values = text_of(query)
    assert text == (
        "SELECT spans.trace_low FROM spans WHERE spans.start_ns BETWEEN %(start_ns_1)s::BIGINT AND"
        " %(start_ns_2)s::BIGINT AND spans.received_ns >= %(received_ns_1)s::BIGINT AND"
        " spans.written >= %(written_1)s::BIGINT AND spans.service_id = %(service_id_1)s::BIGINT AND"
        " spans.name_id IN (%(name_id_1_1)s::BIGINT, %(name_id_1_2)s::BIGINT) AND"
        " spans.duration_ns >= %(duration_ns_1)s::BIGINT AND"
        " (spans.duration_ns <= %(duration_ns_2)s::BIGINT OR spans.duration_ns IS NULL) AND"
        " ((spans.tokens @> %(tokens_1)s::INTEGER[]) OR"
        " spans.resource_id IN (%(resource_id_1_1)s::BIGINT, %(resource_id_1_2)s::BIGINT))"
    )
    assert values["start_ns_2"] == 2**63 - 1
    assert values["tokens_1"] == [signed_token(token("k", "v"))]


def test_a_tag_that_no_resource_has_is_looked_for_among_the_key_sets_with_its_key() -> None:
    text, _ = text_of(A_TAG, replace(SHARED, resources=lambda tag: []))
    assert text.endswith("spans.keys_id IN (%(keys_id_1_1)s::BIGINT) AND (spans.tokens @> %(tokens_1)s::INTEGER[])")


def test_a_tag_whose_key_no_span_has_is_not_looked_for() -> None:
    text, _ = text_of(A_TAG, replace(SHARED, resources=lambda tag: [], key_sets=lambda key: []))
    assert "AND spans.keys_id IN (NULL) AND (1 != 1) AND" in text


@pytest.mark.parametrize(
    ("tag", "key_sets"),
    [(TagFilter("k", "v"), range(101)), (TagFilter("event", "v"), [5]), (TagFilter("k"), [])],
    ids=["a key of many key sets", "the name of an event", "presence, which may be the name of an event"],
)
def test_key_sets_are_not_asked_when_they_would_not_help(tag: TagFilter, key_sets: Sequence[int]) -> None:
    shared = replace(SHARED, resources=lambda tag: [], key_sets=lambda key: key_sets)
    text, _ = text_of(TraceQuery(10, 20, 1, tags=(tag,)), shared)
    assert text.endswith("AND spans.tokens @> %(tokens_1)s::INTEGER[]")


def test_presence_of_a_key_is_asked_of_the_sets_of_keys() -> None:
    text, _ = text_of(TraceQuery(10, 20, 1, tags=(TagFilter("error"),)))
    assert text.endswith(
        "((spans.tokens @> %(tokens_1)s::INTEGER[]) OR spans.keys_id IN (%(keys_id_1_1)s::BIGINT) OR"
        " spans.status_code = %(status_code_1)s::SMALLINT OR"
        " spans.resource_id IN (%(resource_id_1_1)s::BIGINT, %(resource_id_1_2)s::BIGINT))"
    )
