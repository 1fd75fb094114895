"""Jaeger's file of sampling strategies: reference section 6."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.sampling_strategies import (
    OperationStrategies,
    Strategies,
    StrategiesBroken,
    Strategy,
    parse_strategies,
)

DEFAULT = 0.25


def parsed(**file: Any) -> Strategies:
    return parse_strategies(json.dumps(file).encode(), DEFAULT)


def probabilistic(param: float, **more: Any) -> dict[str, Any]:
    return {"type": "probabilistic", "param": param, **more}


def ratelimiting(param: float, **more: Any) -> dict[str, Any]:
    return {"type": "ratelimiting", "param": param, **more}


GET_ALWAYS = [{"operation": "get", "type": "probabilistic", "param": 1}]


@pytest.mark.parametrize("text", [b"{}", b"null", b'{"default_strategy":null,"service_strategies":null}'])
def test_a_file_that_says_nothing_gives_every_service_the_default_probability(text: bytes) -> None:
    assert parse_strategies(text, DEFAULT).of("any") == Strategy(DEFAULT)


def test_a_service_has_its_own_strategy_and_every_other_the_default() -> None:
    found = parsed(default_strategy=probabilistic(0.5), service_strategies=[ratelimiting(5, service="shop")])
    assert (found.of("shop"), found.of("other")) == (Strategy(max_traces_per_second=5), Strategy(0.5))


def test_what_is_behind_the_point_of_a_rate_limit_is_cut_off() -> None:
    assert parsed(default_strategy=ratelimiting(0.9)).default == Strategy(max_traces_per_second=0)


def test_operations_have_probabilities_and_the_others_the_services() -> None:
    found = parsed(service_strategies=[probabilistic(0.1, service="shop", operation_strategies=GET_ALWAYS)])
    assert found.of("shop") == Strategy(0.1, operations=OperationStrategies(0.1, {"get": 1.0}))


def test_other_operations_of_a_rate_limited_service_have_the_default_probability() -> None:
    found = parsed(service_strategies=[ratelimiting(2, service="shop", operation_strategies=GET_ALWAYS)])
    assert found.of("shop").operations == OperationStrategies(DEFAULT, {"get": 1.0})


def test_an_operation_that_is_rate_limited_is_left_out_with_a_warning() -> None:
    operations = [*GET_ALWAYS, {"operation": "put", "type": "ratelimiting", "param": 1}]
    found = parsed(default_strategy=probabilistic(0.5, operation_strategies=operations))
    assert found.default.operations == OperationStrategies(0.5, {"get": 1.0})
    assert found.warnings == (
        "default_strategy.operation_strategies[1]: an operation cannot be ratelimiting; left out",
    )


def test_the_defaults_operations_hold_for_a_service_below_its_own() -> None:
    common = [{"operation": name, "type": "probabilistic", "param": 0} for name in ("health", "get")]
    found = parsed(
        default_strategy=probabilistic(0.5, operation_strategies=common),
        service_strategies=[
            probabilistic(0.1, service="own", operation_strategies=GET_ALWAYS),
            probabilistic(0.2, service="none"),
            ratelimiting(3, service="limited"),
        ],
    )
    assert found.of("own").operations == OperationStrategies(0.1, {"get": 1.0, "health": 0.0})
    assert found.of("none").operations == OperationStrategies(0.2, {"health": 0.0, "get": 0.0})
    assert found.of("limited") == Strategy(
        max_traces_per_second=3, operations=OperationStrategies(0.5, {"health": 0.0, "get": 0.0})
    )


def test_an_unknown_type_is_the_default_probability_with_a_warning() -> None:
    found = parsed(service_strategies=[{"service": "shop", "type": "adaptive"}])
    assert found.of("shop") == Strategy(DEFAULT)
    assert "service_strategies[0].type: expected probabilistic or ratelimiting, got 'adaptive'" in found.warnings[0]


def test_fields_that_are_not_known_are_ignored() -> None:
    assert parsed(default_strategy=probabilistic(0.5, comment="x"), version=2).default == Strategy(0.5)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "expected Jaeger's sampling strategies in JSON"),
        (b"{", "expected Jaeger's sampling strategies in JSON"),
        (b"[]", "Expected `object | null`, got `array`"),
        (b'{"default_strategy":{"param":"all"}}', "Expected `float`, got `str` - at `$.default_strategy.param`"),
        (b'{"service_strategies":{}}', "at `$.service_strategies`"),
        (b'{"default_strategy":{"type":"probabilistic","param":5}}', "from 0 to 1, got 5, at default_strategy.param"),
        (b'{"default_strategy":{"type":"ratelimiting","param":-1}}', "got -1, at default_strategy.param"),
        (b'{"default_strategy":{"type":"ratelimiting","param":1e300}}', "got 1e+300, at default_strategy.param"),
        (b'{"a":' + b"[" * 100_000, "expected Jaeger's sampling strategies in JSON"),
    ],
)
def test_a_file_that_is_none_is_broken_and_told_where(text: bytes, said: str) -> None:
    with pytest.raises(StrategiesBroken) as caught:
        parse_strategies(text, DEFAULT)
    assert said in str(caught.value)


@given(st.binary(max_size=100))
def test_garbage_is_broken_and_nothing_else(text: bytes) -> None:
    try:
        parse_strategies(text, DEFAULT)
    except StrategiesBroken:
        return
