"""Typed values in Jaeger's JSON: reference sections 2 (KeyValue) and 3.1 (types)."""

import pytest

from query.render.jaeger_values import key_value, key_values
from storage.attributes import AttributeValue

LARGEST_SAFE = 2**53 - 1


@pytest.mark.parametrize(
    ("value", "type_name", "shown"),
    [
        ("text", "string", "text"),
        ("", "string", ""),
        (True, "bool", True),
        (False, "bool", False),
        (200, "int64", 200),
        (-7, "int64", -7),
        (LARGEST_SAFE, "int64", LARGEST_SAFE),
        (-LARGEST_SAFE, "int64", -LARGEST_SAFE),
        (LARGEST_SAFE + 1, "int64", "9007199254740992"),
        (-LARGEST_SAFE - 1, "int64", "-9007199254740992"),
        (-(2**63), "int64", "-9223372036854775808"),
        (1.5, "float64", 1.5),
        (float("nan"), "float64", "NaN"),
        (float("inf"), "float64", "+Inf"),
        (float("-inf"), "float64", "-Inf"),
        (b"\x00\xff", "binary", "AP8="),
        (["a", 1, True, 1.5], "string", '["a",1,true,1.5]'),
        ({"k": [1]}, "string", '{"k":[1]}'),
        (None, "string", ""),
    ],
)
def test_a_value_is_written_with_its_type(value: AttributeValue, type_name: str, shown: object) -> None:
    written = key_value("k", value)

    assert written == {"key": "k", "type": type_name, "value": shown}
    assert type(written["value"]) is type(shown)


def test_tags_are_written_in_their_order() -> None:
    assert [one["key"] for one in key_values([("b", 1), ("a", 2)])] == ["b", "a"]
