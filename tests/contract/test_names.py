"""The name lists: services, operations, remote services, and values of configured tags."""

from storage.batch import SpanBatch
from storage.contract import SpanStore
from storage.requests import Operation
from storage.span import Endpoint, Resource, SpanKind
from tests.builders import BACKEND, FRONTEND, KAFKA, TODAY_NS, a_span, a_zipkin_span, a_zipkin_trace
from tests.contract.conftest import Writing


class TestServices:
    def test_an_empty_store_has_none(self, store: SpanStore) -> None:
        assert store.services() == []

    def test_only_the_local_name_is_a_service(self, store: SpanStore, write: Writing) -> None:
        """zipkin.md 3.8 ITServiceAndSpanNames: exactly the LOCAL name of a client span."""
        write(a_zipkin_span(kind=SpanKind.CLIENT, remote=BACKEND))
        assert store.services() == [FRONTEND]

    def test_a_span_without_a_service_adds_nothing(self, store: SpanStore, write: Writing) -> None:
        write(a_zipkin_span(service=None, remote=BACKEND))
        assert store.services() == []

    def test_a_span_without_a_start_adds_its_service(self, store: SpanStore, write: Writing) -> None:
        write(a_zipkin_span(start_ns=None, duration_ns=None))
        assert store.services() == [FRONTEND]

    def test_each_service_of_a_trace_comes_once_and_sorted(self, store: SpanStore, write: Writing) -> None:
        """jaeger.md 4.2 T1: a trace over three services gives exactly those three names."""
        write(*(a_span(span=n, service=f"service-{n % 3}") for n in range(1, 10)))
        assert store.services() == ["service-0", "service-1", "service-2"]

    def test_names_sort_by_code_point_and_keep_their_case(self, store: SpanStore, write: Writing) -> None:
        names = ["b", "B", "a\tb", "a", "é", "Я", "🧶", "a\x00b", "_", "1"]
        write(*(a_span(n, service=name) for n, name in enumerate(names, 1)))
        assert store.services() == sorted(names)

    def test_a_thousand_services_all_come(self, store: SpanStore, write: Writing) -> None:
        write(*(a_span(n, service=f"service-{n:04}") for n in range(1000)))
        assert store.services() == [f"service-{n:04}" for n in range(1000)]

    def test_a_service_of_any_age_comes(self, store: SpanStore, write: Writing) -> None:
        """zipkin.md 3.7: names have no lookback."""
        write(a_span(1, start_ns=1), a_span(2, service=BACKEND, start_ns=2**63 - 1))
        assert store.services() == [BACKEND, FRONTEND]


class TestOperations:
    def test_an_empty_store_has_none(self, store: SpanStore) -> None:
        assert store.operations(FRONTEND) == []

    def test_they_are_those_of_the_service_with_their_kinds(self, store: SpanStore, write: Writing) -> None:
        """jaeger.md 4.2 T2: example-operation-1 without kind, -3 server, -4 client; not those of other services."""
        write(
            a_span(span=1, service="example-service-1", name="example-operation-1"),
            a_span(span=2, service="example-service-2", name="example-operation-2"),
            a_span(span=3, service="example-service-1", name="example-operation-3", kind=SpanKind.SERVER),
            a_span(span=4, service="example-service-1", name="example-operation-4", kind=SpanKind.CLIENT),
        )
        assert store.operations("example-service-1") == [
            Operation("example-operation-1", SpanKind.UNSPECIFIED),
            Operation("example-operation-3", SpanKind.SERVER),
            Operation("example-operation-4", SpanKind.CLIENT),
        ]

    def test_one_name_of_several_kinds_comes_once_a_kind(self, store: SpanStore, write: Writing) -> None:
        write(*(a_span(span=n, kind=kind) for n, kind in enumerate([*SpanKind, *SpanKind], 1)))
        assert store.operations(FRONTEND) == [Operation("get", kind) for kind in SpanKind]

    def test_they_sort_by_name_then_kind(self, store: SpanStore, write: Writing) -> None:
        write(
            a_span(span=1, name="b", kind=SpanKind.SERVER),
            a_span(span=2, name="b", kind=SpanKind.INTERNAL),
            a_span(span=3, name="a", kind=SpanKind.CLIENT),
            a_span(span=4, name="B", kind=SpanKind.CLIENT),
        )
        assert store.operations(FRONTEND) == [
            Operation("B", SpanKind.CLIENT),
            Operation("a", SpanKind.CLIENT),
            Operation("b", SpanKind.INTERNAL),
            Operation("b", SpanKind.SERVER),
        ]

    def test_a_service_that_is_only_remote_has_none(self, store: SpanStore, write: Writing) -> None:
        """zipkin.md 3.8 ITServiceAndSpanNames: span names for a REMOTE service name -> empty."""
        write(a_zipkin_span(remote=BACKEND))
        assert store.operations(BACKEND) == []
        assert store.operations("unknown") == []

    def test_fifty_one_names_all_come(self, store: SpanStore, write: Writing) -> None:
        write(*(a_zipkin_span(span=n, name=f"yak{n:02}") for n in range(1, 52)))
        assert [operation.name for operation in store.operations(FRONTEND)] == [f"yak{n:02}" for n in range(1, 52)]

    def test_fifty_one_spans_of_one_name_give_it_once(self, store: SpanStore, write: Writing) -> None:
        write(*(a_zipkin_span(span=n) for n in range(1, 52)))
        assert store.operations(FRONTEND) == [Operation("get", SpanKind.UNSPECIFIED)]

    def test_an_absent_name_adds_nothing(self, store: SpanStore, write: Writing) -> None:
        write(a_zipkin_span(name=None))
        assert store.operations(FRONTEND) == []

    def test_an_empty_name_is_a_name(self, store: SpanStore, write: Writing) -> None:
        """OTLP sends an empty string for no name; Jaeger lists it."""
        write(a_span(name=""))
        assert store.operations(FRONTEND) == [Operation("", SpanKind.UNSPECIFIED)]

    def test_an_upper_case_service_matches_only_when_case_is_ignored(self, store: SpanStore, write: Writing) -> None:
        write(a_zipkin_span())
        assert store.operations("FRONTEND", ignore_case=True) == [Operation("get", SpanKind.UNSPECIFIED)]
        assert store.operations("FRONTEND") == []

    def test_services_that_differ_in_case_pool_their_names_when_case_is_ignored(
        self, store: SpanStore, write: Writing
    ) -> None:
        write(a_span(1, service="Front", name="A"), a_span(2, service="front", name="a"), a_span(3, service="front"))
        pooled = [Operation(name, SpanKind.UNSPECIFIED) for name in ("A", "a", "get")]
        assert store.operations("FRONT", ignore_case=True) == pooled
        assert store.operations("Front") == pooled[:1]


class TestRemoteServices:
    def test_an_empty_store_has_none(self, store: SpanStore) -> None:
        assert store.remote_services(FRONTEND) == []

    def test_they_are_those_of_spans_local_to_the_service(self, store: SpanStore, write: Writing) -> None:
        write(a_zipkin_span(1, remote=BACKEND), a_zipkin_span(2, service=BACKEND, remote=KAFKA))
        assert store.remote_services(FRONTEND) == [BACKEND]
        assert store.remote_services(BACKEND) == [KAFKA]
        assert store.remote_services(KAFKA) == []

    def test_a_span_without_one_adds_nothing(self, store: SpanStore, write: Writing) -> None:
        write(
            a_zipkin_span(1),
            a_zipkin_span(2, remote=BACKEND, service=None),
            a_span(3, remote=Endpoint(ipv4="10.0.0.1")),
        )
        assert store.remote_services(FRONTEND) == []

    def test_fifty_one_names_all_come_sorted(self, store: SpanStore, write: Writing) -> None:
        write(*(a_zipkin_span(span=n, remote=f"yak{n:02}") for n in range(51, 0, -1)))
        assert store.remote_services(FRONTEND) == [f"yak{n:02}" for n in range(1, 52)]

    def test_fifty_one_spans_of_one_name_give_it_once(self, store: SpanStore, write: Writing) -> None:
        write(*(a_zipkin_span(span=n, remote=BACKEND) for n in range(1, 52)))
        assert store.remote_services(FRONTEND) == [BACKEND]

    def test_an_upper_case_service_matches_only_when_case_is_ignored(self, store: SpanStore, write: Writing) -> None:
        write(a_zipkin_span(remote=BACKEND))
        assert store.remote_services("FRONTEND", ignore_case=True) == [BACKEND]
        assert store.remote_services("FRONTEND") == []

    def test_the_standard_trace_has_one_a_client_span(self, store: SpanStore, write: Writing) -> None:
        write(*a_zipkin_trace())
        assert store.remote_services(FRONTEND) == [BACKEND]
        assert store.remote_services(BACKEND) == ["db"]


class TestTagValues:
    """The suite's stores are configured with http.host and http.status_code as autocomplete keys."""

    def test_an_empty_store_has_none(self, store: SpanStore) -> None:
        assert store.tag_values("http.host") == []

    def test_a_value_of_two_spans_comes_once(self, store: SpanStore, write: Writing) -> None:
        """zipkin.md 3.8 ITAutocompleteTags: two spans with http.host=host1 -> value once."""
        write(a_zipkin_span(1, tags={"http.host": "host1"}), a_zipkin_span(2, tags={"http.host": "host1"}))
        assert store.tag_values("http.host") == ["host1"]

    def test_a_key_that_is_not_configured_has_none(self, store: SpanStore, write: Writing) -> None:
        write(a_zipkin_span(tags={"http.method": "GET", "http.host": "host1"}))
        assert store.tag_values("http.method") == []
        assert store.tag_values("") == []

    def test_values_come_sorted_in_their_text_form(self, store: SpanStore, write: Writing) -> None:
        values = [500, "500", 404, 72.5, True, "b", "a", "", b"\x00", [1]]
        write(*(a_span(n, attributes={"http.status_code": value}) for n, value in enumerate(values, 1)))
        assert store.tag_values("http.status_code") == sorted(
            {"500", "404", "72.5", "true", "b", "a", "", "AA==", "[1]"}
        )

    def test_only_span_attributes_count(self, store: SpanStore, write: Writing) -> None:
        write(a_span(attributes={"other": "x"}, resource=Resource({"http.host": "host1"})))
        assert store.tag_values("http.host") == []

    def test_a_value_of_any_age_comes(self, store: SpanStore, write: Writing) -> None:
        write(
            a_span(1, attributes={"http.host": "old"}, start_ns=1),
            a_span(2, attributes={"http.host": "none"}, start_ns=None),
            a_span(3, attributes={"http.host": "new"}, start_ns=TODAY_NS),
        )
        assert store.tag_values("http.host") == ["new", "none", "old"]


def test_names_that_arrive_after_upkeep_are_listed_at_once(store: SpanStore, write: Writing) -> None:
    write(*a_zipkin_trace())
    late = a_zipkin_span(9, name="late", service="late", remote="later", tags={"http.host": "latest"})
    store.write(SpanBatch.of([late]))
    assert "late" in store.services()
    assert store.operations("late") == [Operation("late", SpanKind.UNSPECIFIED)]
    assert store.remote_services("late") == ["later"]
    assert store.tag_values("http.host") == ["latest"]
