"""Texts that PostgreSQL cannot hold as they are, and those that many spans share."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.batch import SpanBatch
from storage.postgresql import nul
from storage.postgresql.store import PostgreSQLStore
from storage.requests import DependencyLink, Operation, RetentionPolicy
from storage.span import Endpoint, Scope, SpanKind
from tests.builders import SECOND, TODAY_NS, a_span, a_trace_id, exactly
from tests.contract.asking import found

ODD = "a\0b\x1ac\x1a0\x1a1\0"


@given(st.text(st.sampled_from("\0\x1a01x")))
def test_a_stored_text_has_no_nul_and_is_read_back_as_it_was(text: str) -> None:
    assert "\0" not in nul.stored(text)
    assert nul.plain(nul.stored(text)) == text


@given(st.lists(st.text(st.sampled_from("\0\x1a01x")), unique=True))
def test_different_texts_are_stored_as_different_ones(texts: list[str]) -> None:
    assert len({nul.stored(text) for text in texts}) == len(texts)


@pytest.mark.parametrize("maintained", [False, True])
def test_a_span_full_of_nuls_is_read_back_searched_listed_and_linked(store: PostgreSQLStore, maintained: bool) -> None:
    span = a_span(
        1,
        service=ODD,
        name=ODD,
        kind=SpanKind.CLIENT,
        status_message=ODD,
        trace_state=ODD,
        attributes={ODD: ODD, "http.host": ODD},
        scope=Scope(ODD, ODD),
        remote=Endpoint(ODD),
        parent=2,
    )
    store.write(SpanBatch.of([span, a_span(1, 2, service=ODD)]))
    if maintained:
        store.maintain(RetentionPolicy(None, None), TODAY_NS)
    assert exactly(store.get_traces([a_trace_id(1)])) == exactly([[span, a_span(1, 2, service=ODD)]])
    assert found(store, service=ODD, operation=ODD, remote_service=ODD) == [1]
    assert found(store, tags={ODD: ODD}) == [1]
    assert found(store, tags={ODD: None}) == [1]
    for key in ("otel.status_description", "w3c.tracestate", "scope.name", "otel.scope.version"):
        assert found(store, tags={key: ODD}) == [1]
    assert store.services() == [ODD]
    assert Operation(ODD, SpanKind.CLIENT) in store.operations(ODD)
    assert store.remote_services(ODD) == [ODD]
    assert store.tag_values("http.host") == [ODD]
    assert store.dependencies(TODAY_NS, TODAY_NS + SECOND) == [DependencyLink(ODD, ODD, 1)]
