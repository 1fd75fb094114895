"""A sampling strategy as Jaeger's SDKs read it: JSON, JSON with numbers for names, and protobuf."""

import json

from collector.sampling_strategies import Strategy
from wire.jaeger_sampling_pb2 import (
    PROBABILISTIC,
    RATE_LIMITING,
    OperationSamplingStrategy,
    PerOperationSamplingStrategies,
    ProbabilisticSamplingStrategy,
    RateLimitingSamplingStrategy,
    SamplingStrategyResponse,
    SamplingStrategyType,
)

JsonObject = dict[str, object]


def strategy_json(strategy: Strategy, *, numeric: bool = False) -> bytes:
    """The JSON of a strategy. numeric: `strategyType` is 0 or 1, as the first SDKs expect it, and not a name."""
    kind = RATE_LIMITING if strategy.probability is None else PROBABILISTIC
    body: JsonObject = {"strategyType": kind if numeric else SamplingStrategyType.Name(kind)}
    if strategy.probability is None:
        body["rateLimitingSampling"] = {"maxTracesPerSecond": strategy.max_traces_per_second}
    else:
        body["probabilisticSampling"] = _probabilistic(strategy.probability)
    operations = strategy.operations
    if operations is not None:
        body["operationSampling"] = {
            "defaultSamplingProbability": _number(operations.default_probability),
            "defaultLowerBoundTracesPerSecond": 0,
            "perOperationStrategies": [
                {"operation": name, "probabilisticSampling": _probabilistic(probability)}
                for name, probability in operations.probabilities.items()
            ],
            "defaultUpperBoundTracesPerSecond": 0,
        }
    return json.dumps(body, separators=(",", ":")).encode()


def strategy_message(strategy: Strategy) -> SamplingStrategyResponse:
    """The protobuf of a strategy."""
    if strategy.probability is None:
        limit = RateLimitingSamplingStrategy(maxTracesPerSecond=strategy.max_traces_per_second)
        response = SamplingStrategyResponse(strategyType=RATE_LIMITING, rateLimitingSampling=limit)
    else:
        share = ProbabilisticSamplingStrategy(samplingRate=strategy.probability)
        response = SamplingStrategyResponse(strategyType=PROBABILISTIC, probabilisticSampling=share)
    operations = strategy.operations
    if operations is not None:
        each = [
            OperationSamplingStrategy(
                operation=name, probabilisticSampling=ProbabilisticSamplingStrategy(samplingRate=probability)
            )
            for name, probability in operations.probabilities.items()
        ]
        response.operationSampling.CopyFrom(
            PerOperationSamplingStrategies(
                defaultSamplingProbability=operations.default_probability, perOperationStrategies=each
            )
        )
    return response


def _probabilistic(probability: float) -> JsonObject:
    return {"samplingRate": _number(probability)}


def _number(value: float) -> float:
    """1 and not 1.0, as Go writes it."""
    return int(value) if value.is_integer() else value
