"""What the linker reads of a span."""

from typing import Any

import pytest

from storage.linking.link_span import LocalEndpoint, link_span_of
from storage.span import Endpoint, Protocol, Span, SpanKind, StatusCode
from tests.builders import a_span, a_span_id


def zipkin(**changes: Any) -> Span:
    return a_span(protocol=Protocol.ZIPKIN, **changes)


def otlp(**changes: Any) -> Span:
    return a_span(protocol=Protocol.OTLP, **changes)


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        (zipkin(attributes={"error": ""}, status_code=StatusCode.ERROR), True),
        (zipkin(attributes={"error": "false"}), True),
        (zipkin(attributes={"errors": "x"}, status_code=StatusCode.ERROR), False),
        (otlp(status_code=StatusCode.ERROR), True),
        (otlp(attributes={"error": False}), True),
        (otlp(status_code=StatusCode.OK), False),
        (a_span(protocol=Protocol.JAEGER, status_code=StatusCode.ERROR), True),
    ],
)
def test_link_span_is_an_error_by_zipkins_tag_or_by_otlps_status(span: Span, expected: bool) -> None:
    """Reference 4.1 rule 4, 8; clients.md 1: a 404 has the status ERROR by OTLP and no error tag by Zipkin."""
    assert link_span_of(span).error is expected


def test_link_span_leaves_the_attribute_peer_service_to_the_decoders() -> None:
    """storage.span: they have put it into the remote service of those who call."""
    span = otlp(kind=SpanKind.CLIENT, remote=Endpoint("Db"), attributes={"peer.service": "cache"})
    assert link_span_of(span).remote_service == "db"
    assert link_span_of(zipkin(kind=SpanKind.CLIENT, attributes={"peer.service": "db"})).remote_service is None


def test_link_span_names_are_lower_case_and_never_empty() -> None:
    span = link_span_of(otlp(service="Checkout", remote=Endpoint("DB")))
    assert (span.service, span.remote_service) == ("checkout", "db")
    assert link_span_of(otlp(service="", remote=Endpoint(""))).local == LocalEndpoint()


def test_link_span_keeps_the_sanitized_name_of_a_service_without_one() -> None:
    assert link_span_of(otlp(service="missing-service-name")).service == "missing-service-name"


def test_link_span_has_no_kind_when_the_span_is_internal() -> None:
    assert link_span_of(otlp(kind=SpanKind.INTERNAL)).kind is SpanKind.UNSPECIFIED


def test_link_span_has_no_parent_when_the_span_names_itself() -> None:
    """Reference 2.1."""
    assert link_span_of(a_span(span=1, parent=1)).parent_span_id is None
    assert link_span_of(a_span(span=1, parent=2)).parent_span_id == a_span_id(2)


def test_link_span_of_a_client_is_never_shared() -> None:
    """Reference 2.2."""
    assert not link_span_of(zipkin(kind=SpanKind.CLIENT, shared=True)).shared
    assert link_span_of(zipkin(kind=SpanKind.SERVER, shared=True)).shared
