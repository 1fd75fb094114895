"""The envelope of Jaeger's JSON API, and its bytes: reference section 2."""

import json

from query.render.jaeger_envelope import (
    dependencies_json,
    envelope,
    failure,
    operations_json,
    to_bytes,
    trace_not_found,
)
from storage.requests import DependencyLink, Operation


def test_an_answer_has_all_five_fields_in_jaegers_order() -> None:
    assert to_bytes(envelope(["a"], total=1)) == b'{"data":["a"],"total":1,"limit":0,"offset":0,"errors":null}'


def test_a_failure_has_the_status_in_its_body() -> None:
    assert to_bytes(failure(400, "why")) == (
        b'{"data":null,"total":0,"limit":0,"offset":0,"errors":[{"code":400,"msg":"why"}]}'
    )


def test_a_trace_that_is_missing_from_several_has_no_code() -> None:
    assert trace_not_found("ab") == {"msg": "trace not found", "traceID": "ab"}


def test_operations_have_the_kind_in_lower_case_or_none() -> None:
    assert operations_json([Operation("get", 2), Operation("get", 0)]) == [
        {"name": "get", "spanKind": "server"},
        {"name": "get", "spanKind": ""},
    ]


def test_dependencies_have_no_errors_in_jaegers_form() -> None:
    assert dependencies_json([DependencyLink("a", "b", 3, 1)]) == [{"parent": "a", "child": "b", "callCount": 3}]


def test_pretty_bytes_are_indented_by_four_spaces() -> None:
    assert to_bytes({"data": [1], "errors": []}, pretty=True) == (
        b'{\n    "data": [\n        1\n    ],\n    "errors": []\n}'
    )


def test_half_a_surrogate_pair_is_escaped_where_utf_8_cannot_hold_it() -> None:
    text = to_bytes({"value": "\ud800é"})

    assert text.isascii()
    assert json.loads(text) == {"value": "\ud800é"}
