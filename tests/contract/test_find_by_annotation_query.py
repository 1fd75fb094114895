"""Zipkin's annotationQuery at the level of the store: words, pairs, and its searches by tag (zipkin.md 3.1, 3.8)."""

from typing import Any

import pytest

from storage.attributes import AttributeValue
from storage.contract import SpanStore
from storage.span import Event, Link, Protocol, Resource, Scope, Span, SpanKind, StatusCode
from tests.builders import BACKEND, FRONTEND, TODAY_NS, a_span, a_span_id, a_trace_id, a_zipkin_span, a_zipkin_trace
from tests.contract.asking import a_query, found, same_spans
from tests.contract.conftest import Loaded, Writing


class TestPresence:
    """A filter without a text: Zipkin's annotationQuery word (zipkin.md 3.1)."""

    def test_a_word_finds_tag_keys_and_annotation_values(self, store: SpanStore, write: Writing) -> None:
        write(
            a_zipkin_span(1, tags={"foo": "bar"}),
            a_zipkin_span(2, tags={}, annotations={"foo": TODAY_NS}, start_ns=TODAY_NS),
            a_zipkin_span(3, tags={"bar": "foo", "food": "1"}, annotations={"foo ": TODAY_NS}),
        )
        assert found(store, tags={"foo": None}) == [1, 2]

    def test_a_word_finds_resource_attributes(self, store: SpanStore, write: Writing) -> None:
        write(a_span(1, resource=Resource({"host.name": "a"})), a_span(2))
        assert found(store, tags={"host.name": None}) == [1]

    @pytest.mark.parametrize(
        "changes",
        [
            {"scope": Scope("foo", "foo", {"foo": 1})},
            {"events": (Event(1, "e", {"foo": 1}),)},
            {"links": (Link(a_trace_id(9), a_span_id(9), attributes={"foo": 1}),)},
            {"name": "foo", "status_message": "foo", "trace_state": "foo"},
        ],
        ids=["scope", "event attribute", "link attribute", "other text"],
    )
    def test_a_word_finds_nothing_elsewhere(self, store: SpanStore, write: Writing, changes: dict[str, Any]) -> None:
        write(a_span(1, **changes))
        assert found(store, tags={"foo": None}) == []

    @pytest.mark.parametrize("value", ["", "v", 0, False, None, [], float("nan")])
    def test_a_word_finds_the_key_whatever_its_value(
        self, store: SpanStore, write: Writing, value: AttributeValue
    ) -> None:
        write(a_span(1, attributes={"foo": value}))
        assert found(store, tags={"foo": None}) == [1]

    def test_the_word_error_finds_the_status_too(self, store: SpanStore, write: Writing) -> None:
        write(
            a_span(1, status_code=StatusCode.ERROR, start_ns=TODAY_NS + 1),
            a_span(2, attributes={"error": False}, start_ns=TODAY_NS + 2),
            a_zipkin_span(3, tags={}, annotations={"error": 1}, start_ns=TODAY_NS + 3),
            a_span(4),
        )
        assert found(store, tags={"error": None}) == [3, 2, 1]

    def test_an_empty_text_is_a_text_and_no_question_for_presence(self, store: SpanStore, write: Writing) -> None:
        write(a_span(1, attributes={"foo": "bar"}), a_span(2, attributes={"foo": ""}))
        assert found(store, tags={"foo": ""}) == [2]

    def test_words_and_pairs_must_all_hold(self, store: SpanStore, write: Writing) -> None:
        """zipkin.md 3.8 ITSpanStore: foo | bar,foo | foo+baz=qux | bar,foo+baz=qux."""
        write(
            a_zipkin_span(1, tags={}, annotations={"foo": 1}, start_ns=TODAY_NS + 1),
            a_zipkin_span(2, tags={}, annotations={"bar": 1, "foo": 2}, start_ns=TODAY_NS + 2),
            a_zipkin_span(3, tags={"baz": "qux"}, annotations={"foo": 1}, start_ns=TODAY_NS + 3),
            a_zipkin_span(4, tags={"baz": "qux"}, annotations={"bar": 1, "foo": 2}, start_ns=TODAY_NS + 4),
        )
        assert found(store, tags={"foo": None}) == [4, 3, 2, 1]
        assert found(store, tags={"foo": None, "bar": None}) == [4, 2]
        assert found(store, tags={"foo": None, "bar": None, "baz": "qux"}) == [4]
        assert found(store, tags={"baz": None}) == [4, 3]


def mirrored_traces() -> list[Span]:
    """Two shared spans whose server half reported nothing: once the frontend calls, once the backend."""
    web: dict[str, Any] = {"tags": {"local": "web", "web-b": "1"}, "annotations": {"web": TODAY_NS}}
    app: dict[str, Any] = {"tags": {"local": "app", "app-b": "1"}, "annotations": {"app": TODAY_NS}}
    return [
        a_zipkin_span(1, 1, kind=SpanKind.CLIENT, service=FRONTEND, **web),
        a_zipkin_span(1, 1, kind=SpanKind.SERVER, service=BACKEND, shared=True, tags={}),
        a_zipkin_span(2, 1, kind=SpanKind.CLIENT, service=BACKEND, **app),
        a_zipkin_span(2, 1, kind=SpanKind.SERVER, service=FRONTEND, shared=True, tags={}),
    ]


class TestZipkinSearches:
    """zipkin.md 3.8 ITSpanStore, the cases about tags and annotations."""

    def test_a_span_is_found_by_all_its_tags_and_not_by_a_foreign_one(self, store: SpanStore, write: Writing) -> None:
        tags = {"http.path": "/a", "http.method": "GET", "environment": "test"}
        write(a_zipkin_span(1, tags=tags))
        assert found(store, tags={"foo": "bar"}) == []
        assert found(store, service=FRONTEND, tags=tags) == [1]

    def test_a_minimal_error_span_is_found_by_the_word_and_not_by_a_value(
        self, store: SpanStore, write: Writing
    ) -> None:
        write(a_zipkin_span(1, kind=SpanKind.CLIENT, tags={"error": ""}))
        assert found(store, service=FRONTEND) == [1]
        assert found(store, service=FRONTEND, tags={"error": None}) == [1]
        assert found(store, service=FRONTEND, tags={"error": "1"}) == []

    def test_a_tag_of_1024_characters_is_found(self, store: SpanStore, write: Writing) -> None:
        write(a_zipkin_span(1, tags={"long": "a" * 1024}), a_zipkin_span(2, tags={"long": "a" * 1023}))
        assert found(store, service=FRONTEND, tags={"long": "a" * 1024}) == [1]

    def test_a_fragment_named_like_json_is_found_with_its_trace(self, store: SpanStore, write: Writing) -> None:
        fragments = [
            a_zipkin_span(1, tags={"http.path": "/a"}),
            a_zipkin_span(1, name='{"foo":"bar"}', tags={"http.path.morepath": "/b"}),
        ]
        write(*fragments)
        (trace,) = store.find_traces(a_query(service=FRONTEND, operation='{"foo":"bar"}'))
        assert same_spans(trace, fragments)
        assert found(store, tags={"http.path": "/b"}) == []
        assert found(store, tags={"http.path.morepath": "/b"}) == [1]

    @pytest.mark.parametrize(
        ("service", "tags", "expected"),
        [
            (FRONTEND, {"web": None}, [1]),
            (BACKEND, {"web": None}, []),
            (BACKEND, {"app": None}, [2]),
            (FRONTEND, {"app": None}, []),
            (FRONTEND, {"web-b": None}, [1]),
            (BACKEND, {"web-b": None}, []),
            (BACKEND, {"app-b": None}, [2]),
            (FRONTEND, {"app-b": None}, []),
            (FRONTEND, {"local": "web"}, [1]),
            (BACKEND, {"local": "web"}, []),
            (BACKEND, {"local": "app"}, [2]),
            (FRONTEND, {"local": "app"}, []),
        ],
        ids=str,
    )
    def test_a_tag_is_bound_to_the_service_that_reported_it(
        self, loaded: Loaded, service: str, tags: dict[str, str | None], expected: list[int]
    ) -> None:
        assert found(loaded(mirrored_traces), service=service, tags=tags) == expected

    def test_the_standard_trace_is_found_by_tag_and_annotation_of_its_services(
        self, store: SpanStore, write: Writing
    ) -> None:
        write(*a_zipkin_trace(1))
        for service, tags in ((FRONTEND, {"foo": None}), (FRONTEND, {"http.path": "/api"}), (BACKEND, {"error": None})):
            assert found(store, service=service, tags=tags) == [1]

    def test_a_zipkin_error_tag_of_any_value_is_an_error_status(self, store: SpanStore, write: Writing) -> None:
        """zipkin.md 4.1 step 4: error is the presence of the tag."""
        span = a_zipkin_span(1, tags={"error": "false"})
        assert span.protocol is Protocol.ZIPKIN
        write(span)
        assert found(store, tags={"error": "true"}) == [1]
        assert found(store, tags={"error": "false"}) == [1]
