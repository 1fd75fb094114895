"""Joining what was reported of one span: reference zipkin.md 5.1, and spans that came by two protocols."""

from itertools import permutations

import pytest

from query.reconstruct.canonical import in_canonical_order
from query.reconstruct.reports import join_reports
from query.reconstruct.trace import TraceSpan
from storage.span import Endpoint, Event, Protocol, Span, SpanKind, StatusCode
from tests.builders import MS, TODAY_NS, US, a_span, a_zipkin_span, exactly
from tests.query.reconstruct.notation import KINDS, since_us, trace


def joined(spans: list[Span]) -> list[TraceSpan]:
    return join_reports(in_canonical_order(spans))


def written(text: str) -> str:
    """What the spans of this notation become, in that notation, by id and shared halves last."""
    found = sorted(
        joined(trace(text, name=None)), key=lambda one: (one.span.span_id, one.span.shared, _written(one.span))
    )
    return ", ".join(_written(one.span) for one in found)


def _written(span: Span) -> str:
    parent = f"<{chr(span.parent_span_id[-1])}" if span.parent_span_id else ""
    kind = next(letter for letter, kind in KINDS.items() if kind is span.kind)
    local = (span.service or "") + (f"@{span.local.ipv4.rpartition('.')[2]}" if span.local.ipv4 else "")
    duration = "" if span.duration_ns is None else f"+{span.duration_ns // US}"
    start = "" if span.start_ns is None else f"t{since_us(span.start_ns)}{duration}"
    words = (f"{chr(span.span_id[-1])}{parent}", kind, local, "sh" if span.shared else "", start)
    return " ".join(word for word in words if word)


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        pytest.param("b<a C web t1+9, b S app sh", "b<a C web t1+9, b<a S app sh", id="parent of a shared server"),
        pytest.param("b<a C web, b<a S app", "b<a C web, b<a S app sh", id="missing shared flag"),
        pytest.param("b<a C web, b S app", "b<a C web, b<a S app sh", id="both"),
        pytest.param("b S app sh, b<a C web", "b<a C web, b<a S app sh", id="server first"),
    ],
)
def test_a_server_half_is_completed_from_its_client_half(spans: str, expected: str) -> None:
    assert written(spans) == expected


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        pytest.param("a C web t1+5, a C web t1+5", "a C web t1+5", id="a report that was repeated"),
        pytest.param("a C, a - web, a C t1+5", "a C web t1+5", id="kind, endpoint and duration from three pieces"),
        pytest.param("a C web t1, a C @1", "a C web@1 t1", id="endpoint split in name and address"),
        pytest.param(
            "a C t1, a C web, a S app t3 sh, a S @1 sh", "a C web t1, a S app@1 sh t3", id="endpoints of both halves"
        ),
        pytest.param("a C t1+5, a C web, a S app sh", "a C web t1+5, a S app sh", id="pieces, the shared server stays"),
        pytest.param("a - web t1, a - web t2", "a - web t1", id="the earlier piece's values win"),
        pytest.param("b - , b<a - ", "b<a -", id="parent from the piece that knows it"),
    ],
)
def test_zipkins_pieces_of_one_span_become_one(spans: str, expected: str) -> None:
    assert written(spans) == expected


@pytest.mark.parametrize(
    "spans",
    [
        pytest.param("a C web t1, a S app@1 sh, a S app@2 sh", id="two shared servers on different addresses"),
        pytest.param("a C web, a S bar sh, a S foo sh", id="two shared servers of different services"),
        pytest.param("a - web@1 t1, a - web@2 t1", id="one id at two addresses"),
        pytest.param("b<a C web, c<b S app", id="missing parent"),
        pytest.param("a C web t1+9, a S app sh t2+1, a S app sh t5+1", id="two tries, each with its own time"),
    ],
)
def test_spans_that_are_not_one_stay_apart(spans: str) -> None:
    assert written(spans) == spans


def test_two_servers_of_one_id_stay_apart_while_their_split_client_is_joined() -> None:
    assert written("a C t1+5, a C web, a S app@1 sh, a S app@2 sh") == "a C web t1+5, a S app@1 sh, a S app@2 sh"


def test_pieces_without_a_time_of_their_own_belong_to_the_first_try() -> None:
    assert written("a S app sh t5+1, a S @1 sh, a S app sh t2+1") == "a S app sh t5+1, a S app@1 sh t2+1"


def test_a_piece_that_names_itself_as_its_parent_has_none() -> None:
    assert written("a<a C web t1, a C web t2") == "a C web t1"


def test_the_fields_of_pieces_are_joined_as_zipkin_joins_them() -> None:
    """Reference 2.2: scalars of the first, tags of the last, annotations of all, flags and errors of any."""
    first = a_zipkin_span(
        name="get",
        kind=SpanKind.CLIENT,
        tags={"a": "1", "b": "1"},
        annotations={"a": TODAY_NS + 2, "b": TODAY_NS},
        start_ns=TODAY_NS,
        duration_ns=None,
        remote="cache",
    )
    second = a_zipkin_span(
        name="post",
        kind=SpanKind.CLIENT,
        tags={"b": "2", "error": ""},
        annotations={"b": TODAY_NS, "c": TODAY_NS + 1},
        start_ns=TODAY_NS + MS,
        duration_ns=MS,
        remote="db",
        debug=True,
    )

    (one,) = joined([second, first])

    assert (one.span.name, one.span.start_ns, one.span.duration_ns) == ("get", TODAY_NS, MS)
    assert one.span.attributes == {"a": "1", "b": "2", "error": ""}
    assert [event.name for event in one.span.events] == ["b", "c", "a"]
    assert (one.span.remote.service, one.span.debug, one.span.status_code) == ("cache", True, StatusCode.ERROR)
    assert one.reports == 2


def test_the_name_unknown_is_none() -> None:
    """Its UI's span cleaner."""
    (one,) = joined(trace("a - web t1 =unknown, a - web t2 =get"))

    assert one.span.name == "get"


def test_reports_are_counted() -> None:
    found = joined(trace("a C t1, a C t1, a C web, a S app sh, b<a -"))

    assert [(one.span.name, one.reports) for one in found] == [("a", 3), ("a'", 1), ("b", 1)]


@pytest.mark.parametrize("others", ["otlp", "jaeger"])
def test_reports_that_came_whole_and_differ_are_spans_of_their_own(others: str) -> None:
    """Only Zipkin's tracers report pieces: these two chose one id, and neither may be lost."""
    found = joined(trace(f"a - web t1+5 {others}, a - web t2+5 {others} =other, a - web t1+5 {others}"))

    assert [(one.span.name, one.reports) for one in found] == [("a", 2), ("other", 1)]


def test_a_span_that_came_by_two_protocols_is_one_with_what_each_told() -> None:
    """As an SDK sends it whose exporters are both on: Zipkin cuts the times to microseconds and lower-cases names."""
    otlp = a_span(
        name="GET /",
        service="Shop",
        kind=SpanKind.SERVER,
        start_ns=TODAY_NS + 1_999,
        duration_ns=5_999,
        attributes={"http.status_code": 200},
        events=(Event(TODAY_NS + 2_500, "cache miss"),),
    )
    zipkin = a_zipkin_span(
        name="get /",
        service="shop",
        kind=SpanKind.SERVER,
        start_ns=TODAY_NS + 1_000,
        duration_ns=5_000,
        tags={"http.status_code": "200", "only.zipkin": "x"},
        local=Endpoint(ipv4="10.0.0.1"),
    )

    (one,) = joined([zipkin, otlp])

    assert (one.span.protocol, one.span.name, one.span.start_ns, one.reports) == (
        Protocol.OTLP,
        "GET /",
        TODAY_NS + 1_999,
        2,
    )
    assert one.span.attributes["http.status_code"] == 200
    assert one.span.attributes["only.zipkin"] == "x"
    assert (one.span.local.ipv4, [event.name for event in one.span.events]) == ("10.0.0.1", ["cache miss"])


@pytest.mark.parametrize(
    "spans",
    [
        pytest.param("a C web t1+9, a S web t1+9 otlp", id="client half and server half"),
        pytest.param("a S web t1+9, a S app t1+9 otlp", id="services"),
        pytest.param("a S web t1+9, a S web t3+9 otlp", id="starts"),
        pytest.param("a S web t1+9 =x, a S web t1+9 otlp =y", id="names"),
        pytest.param("b<a S web t1+9, b S web t1+9 otlp", id="parents"),
    ],
)
def test_spans_of_two_protocols_that_differ_stay_apart(spans: str) -> None:
    assert len(joined(trace(spans))) == 2


@pytest.mark.parametrize(
    "spans",
    [
        "a C web t1, a S web t2, a - @1, a - @2 +, a S app sh".replace(" +", ""),
        "b<a C, b<c C web t1, b S app t1, b<d N app !, b<a C web t1 otlp",
    ],
)
def test_the_order_of_arrival_does_not_matter(spans: str) -> None:
    found = {
        repr([(exactly(one.span), one.reports) for one in joined(list(order))]) for order in permutations(trace(spans))
    }

    assert len(found) == 1
