"""What Jaeger repairs in every span: reference section 3.1, sanitizers."""

import pytest

from query.reconstruct.sanitize import sanitized
from query.reconstruct.trace import TraceSpan
from tests.builders import MS, TODAY_NS, a_span, a_zipkin_span


def test_a_whole_span_is_left_as_it_is() -> None:
    assert sanitized(a_span()) == TraceSpan(a_span())


def test_a_zipkin_span_without_a_service_gets_jaegers_name_for_none() -> None:
    assert sanitized(a_zipkin_span(service=None)).span.service == "missing-service-name"


@pytest.mark.parametrize("name", [None, ""])
def test_a_span_without_a_name_gets_jaegers_name_for_none(name: str | None) -> None:
    assert sanitized(a_span(name=name)).span.name == "empty-span-name"


def test_a_span_that_is_its_own_parent_has_none() -> None:
    assert sanitized(a_span(span=1, parent=1)).span.parent_span_id is None


@pytest.mark.parametrize(
    ("duration_ns", "original_end"),
    [
        (None, "2024-05-05 00:00:00"),
        (0, "2024-05-05 00:00:00"),
        (-MS, "2024-05-04 23:59:59.999"),
    ],
)
def test_a_duration_that_is_not_positive_becomes_a_nanosecond_with_a_warning(
    duration_ns: int | None, original_end: str
) -> None:
    shown = sanitized(a_span(start_ns=TODAY_NS, duration_ns=duration_ns))

    assert shown.span.duration_ns == 1
    assert shown.warnings == (
        "Negative duration detected, sanitizing end timestamp. "
        f"Original end timestamp: {original_end} +0000 UTC, adjusted to: 2024-05-05 00:00:00.000000001 +0000 UTC",
    )


def test_a_duration_of_one_nanosecond_is_left_as_it_is() -> None:
    assert sanitized(a_span(duration_ns=1)).warnings == ()


def test_an_absent_start_stays_absent() -> None:
    shown = sanitized(a_span(start_ns=None, duration_ns=None))

    assert shown.span.start_ns is None
    assert "Original end timestamp: 1970-01-01 00:00:00 +0000 UTC" in shown.warnings[0]


def test_the_senders_warnings_come_out_of_the_attributes_before_all_others() -> None:
    shown = sanitized(a_span(duration_ns=0, attributes={"a": 1, "@jaeger@warnings": ["one", "two"]}))

    assert shown.span.attributes == {"a": 1}
    assert shown.warnings[:2] == ("one", "two")
    assert len(shown.warnings) == 3


def test_a_senders_warning_that_is_no_list_is_one_warning() -> None:
    assert sanitized(a_span(attributes={"@jaeger@warnings": "odd"})).warnings == ("odd",)
