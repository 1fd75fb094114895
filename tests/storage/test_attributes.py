"""Typed attributes as JSON text, and the text form that searches compare."""

import json
from zlib import crc32

import pytest
from hypothesis import given

from storage import attributes as attrs
from storage.attributes import AttributeValue
from tests.builders import exactly
from tests.span_strategies import attribute_values, attributes, texts


@given(attributes)
def test_attributes_of_any_value_survive_their_text_with_types(values: dict[str, AttributeValue]) -> None:
    assert exactly(attrs.decode(attrs.encode(values))) == exactly(values)


@given(attributes)
def test_the_order_of_keys_survives(values: dict[str, AttributeValue]) -> None:
    assert list(attrs.decode(attrs.encode(values))) == list(values)


@given(attribute_values())
def test_the_text_of_a_value_is_the_same_after_its_round_trip(value: AttributeValue) -> None:
    assert attrs.text_of(attrs.untagged(json.loads(attrs.encode_value(value)))) == attrs.text_of(value)


@given(attributes)
def test_the_typed_form_is_json_without_white_space_around_its_parts(values: dict[str, AttributeValue]) -> None:
    text = attrs.encode(values)
    assert json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":")) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", '"a"'),
        (1, "1"),
        (1.0, "1.0"),
        (True, "true"),
        (None, "null"),
        (b"\x00\x01", '{"$b":"AAE="}'),
        (float("nan"), '{"$d":"NaN"}'),
        (float("inf"), '{"$d":"Infinity"}'),
        (float("-inf"), '{"$d":"-Infinity"}'),
        ([1, [b""]], '[1,[{"$b":""}]]'),
        ({"$b": "AAE="}, '{"$m":{"$b":"AAE="}}'),
        ("a\x00é🧶", '"a\\u0000é🧶"'),
    ],
)
def test_each_type_has_its_typed_form(value: AttributeValue, text: str) -> None:
    assert attrs.encode_value(value) == text


def test_no_attributes_are_an_empty_object() -> None:
    assert attrs.encode({}) == "{}"


@pytest.mark.parametrize("text", [None, "", "{}"])
def test_absent_text_decodes_to_no_attributes(text: str | None) -> None:
    assert attrs.decode(text) == {}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (72.5, "72.5"),
        (200.0, "200"),
        (0.0, "0"),
        (-0.0, "-0"),
        (0.1, "0.1"),
        (-1.5, "-1.5"),
        (1e6, "1000000"),
        (123456789.125, "123456789.125"),
        (2.0**53, "9007199254740992"),
        (1e16, "10000000000000000"),
        (1.2345678901234568e20, "123456789012345680000"),
        (1e20, "100000000000000000000"),
        (9.999999999999999e20, "999999999999999900000"),
        (1e21, "1e+21"),
        (-1e22, "-1e+22"),
        (1.5e300, "1.5e+300"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
        (1e-6, "0.000001"),
        (1.5e-6, "0.0000015"),
        (1e-7, "1e-7"),
        (1.25e-10, "1.25e-10"),
        (5e-324, "5e-324"),
        (float("nan"), "NaN"),
        (float("inf"), "+Inf"),
        (float("-inf"), "-Inf"),
    ],
)
def test_a_double_is_written_as_gos_json_writes_it(value: float, text: str) -> None:
    """encoding/json: shortest digits that read back; exponents below 1e-6 and from 1e21 on, without a leading zero."""
    assert attrs.double_text(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        ("as it is", "as it is"),
        (True, "true"),
        (False, "false"),
        (-(2**63), "-9223372036854775808"),
        (b"\x00\xff", "AP8="),
        ([], "[]"),
        (["a", b"\x00", None, 1], '["a","AA==",null,1]'),
        ({"k": {"$b": "x"}}, '{"k":{"$b":"x"}}'),
    ],
)
def test_text_of_a_value_is_what_opentelemetry_shows(value: AttributeValue, text: str) -> None:
    assert attrs.text_of(value) == text


@given(texts, texts)
def test_token_is_the_crc_of_key_and_text(key: str, text: str) -> None:
    assert attrs.token(key, text) == crc32(f"{key}={text}".encode())


def test_key_set_encloses_every_key_in_its_order() -> None:
    assert attrs.key_set(["b", "", "a.b"]) == "\x1fb\x1f\x1fa.b\x1f"


def test_key_set_of_no_keys_is_empty() -> None:
    assert attrs.key_set([]) == ""
    assert attrs.key_set({}) == ""
