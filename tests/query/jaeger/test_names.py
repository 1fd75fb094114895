"""GET /api/services, /api/services/{s}/operations, /api/operations: reference section 2."""

import pytest

from storage.span import SpanKind
from tests.builders import BACKEND, FRONTEND, a_span, a_zipkin_span
from tests.query.jaeger.conftest import Door


async def test_services_are_listed_with_their_number(door: Door) -> None:
    door.write(a_span(service=FRONTEND), a_zipkin_span(service=BACKEND))

    assert await door.json("/api/services") == {
        "data": [BACKEND, FRONTEND],
        "total": 2,
        "limit": 0,
        "offset": 0,
        "errors": None,
    }


async def test_services_of_an_empty_store_are_an_empty_list(door: Door) -> None:
    assert (await door.json("/api/services"))["data"] == []


async def test_operations_of_a_service_are_its_span_names_each_once(door: Door) -> None:
    door.write(a_span(name="get", kind=SpanKind.SERVER), a_span(name="get"), a_span(name="put"), a_span(service="x"))

    answer = await door.json(f"/api/services/{FRONTEND}/operations")

    assert (answer["data"], answer["total"]) == (["get", "put"], 2)


async def test_operations_of_an_unknown_service_are_null(door: Door) -> None:
    answer = await door.json("/api/services/nobody/operations")

    assert (answer["data"], answer["total"]) == (None, 0)


@pytest.mark.parametrize(
    ("service", "path"),
    [
        ("a/b", "a%2Fb"),
        ("a/b", "a/b"),
        ("a b", "a%20b"),
        ("a b", "a+b"),
        ("a+b", "a%2Bb"),
        ("é", "%C3%A9"),
        ("x/operations", "x%2Foperations"),
        ("100%", "100%25"),
    ],
)
async def test_the_service_in_the_path_is_unescaped(door: Door, service: str, path: str) -> None:
    door.write(a_span(service=service))

    assert await door.data(f"/api/services/{path}/operations") == ["get"]


async def test_operations_are_listed_with_their_kinds(door: Door) -> None:
    door.write(a_span(name="get", kind=SpanKind.SERVER), a_span(name="get"), a_span(name="put", kind=SpanKind.CLIENT))

    answer = await door.json("/api/operations", service=FRONTEND)

    assert answer["total"] == 3
    assert answer["data"] == [
        {"name": "get", "spanKind": ""},
        {"name": "get", "spanKind": "server"},
        {"name": "put", "spanKind": "client"},
    ]


async def test_operations_of_one_kind_can_be_asked_for(door: Door) -> None:
    door.write(a_span(name="get", kind=SpanKind.SERVER), a_span(name="put", kind=SpanKind.CLIENT))

    answer = await door.json("/api/operations", service=FRONTEND, spanKind="server")

    assert (answer["data"], answer["total"]) == ([{"name": "get", "spanKind": "server"}], 1)


async def test_operations_of_an_unknown_service_with_kinds_are_an_empty_list(door: Door) -> None:
    assert (await door.json("/api/operations", service="nobody"))["data"] == []


@pytest.mark.parametrize("path", ["/api/operations", "/api/operations?service=", "/api/operations?spanKind=server"])
async def test_operations_need_a_service(door: Door, path: str) -> None:
    assert await door.refusal(path) == "parameter 'service' is required"
