"""The sampling strategies that Jaeger's SDKs ask for, and Jaeger's file of them.

Source: Jaeger's file-based sampling provider. A file has a `default_strategy` and `service_strategies`; each is
`probabilistic` or `ratelimiting` with a `param`, and may have `operation_strategies`, which are probabilistic only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import msgspec

PROBABILISTIC = "probabilistic"
RATE_LIMITING = "ratelimiting"
MAX_FILE_BYTES = 4 * 2**20


class StrategiesBroken(ValueError):
    """The file is none of Jaeger's: what was expected, what came, where."""


@dataclass(frozen=True, slots=True)
class OperationStrategies:
    """probabilities: of each operation named, in the file's order; default_probability: of every other one."""

    default_probability: float
    probabilities: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Strategy:
    """For one service. Exactly one of the first two is set; `operations` goes before it when there is one."""

    probability: float | None = None
    max_traces_per_second: int | None = None
    operations: OperationStrategies | None = None


@dataclass(frozen=True, slots=True)
class Strategies:
    """For every service: its own, or the default. warnings: what of the file has no effect, and why."""

    default: Strategy
    by_service: Mapping[str, Strategy] = field(default_factory=dict)
    warnings: Sequence[str] = ()

    def of(self, service: str) -> Strategy:
        """The strategy of this service, which may be unknown."""
        return self.by_service.get(service, self.default)


class _FileOperation(msgspec.Struct):
    operation: str = ""
    type: str = ""
    param: float = 0.0


class _FileStrategy(msgspec.Struct):
    type: str = ""
    param: float = 0.0
    service: str = ""
    operation_strategies: list[_FileOperation] | None = None


class _File(msgspec.Struct):
    default_strategy: _FileStrategy | None = None
    service_strategies: list[_FileStrategy] | None = None


def parse_strategies(text: bytes, default_probability: float) -> Strategies:
    """The strategies of a file's text. default_probability: where it says nothing. Raises StrategiesBroken.

    The default's operations hold for every service, below the service's own.
    """
    try:
        file = msgspec.json.decode(text, type=_File | None)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise StrategiesBroken(f"expected Jaeger's sampling strategies in JSON: {error}") from error
    if file is None:
        return Strategies(Strategy(default_probability))
    reading = _Reading(default_probability)
    default = Strategy(default_probability)
    if file.default_strategy is not None:
        default = reading.strategy(file.default_strategy, "default_strategy")
    by_service = {
        one.service: _with_defaults(reading.strategy(one, f"service_strategies[{index}]"), default)
        for index, one in enumerate(file.service_strategies or ())
    }
    return Strategies(default, by_service, tuple(reading.warnings))


class _Reading:
    """One reading of a file; gathers its warnings."""

    def __init__(self, default_probability: float) -> None:
        self._default_probability = default_probability
        self.warnings: list[str] = []

    def strategy(self, one: _FileStrategy, where: str) -> Strategy:
        """With its own operations only."""
        strategy = self._plain(one, where)
        if not one.operation_strategies:
            return strategy
        probabilities: dict[str, float] = {}
        for index, operation in enumerate(one.operation_strategies):
            place = f"{where}.operation_strategies[{index}]"
            if operation.type == RATE_LIMITING:
                self.warnings.append(f"{place}: an operation cannot be {RATE_LIMITING}; left out")
            elif self._is_known(operation.type, place):
                probabilities[operation.operation] = _probability(operation.param, place)
            else:
                probabilities[operation.operation] = self._default_probability
        default = self._default_probability if strategy.probability is None else strategy.probability
        return replace(strategy, operations=OperationStrategies(default, probabilities))

    def _plain(self, one: _FileStrategy, where: str) -> Strategy:
        if not self._is_known(one.type, where):
            return Strategy(self._default_probability)
        if one.type == PROBABILISTIC:
            return Strategy(_probability(one.param, where))
        return Strategy(max_traces_per_second=_whole(one.param, where))

    def _is_known(self, kind: str, where: str) -> bool:
        known = kind in (PROBABILISTIC, RATE_LIMITING)
        if not known:
            self.warnings.append(
                f"{where}.type: expected {PROBABILISTIC} or {RATE_LIMITING}, got {kind!r}; "
                f"the default probability {self._default_probability:g} is used"
            )
        return known


def _with_defaults(strategy: Strategy, default: Strategy) -> Strategy:
    """The service's strategy with the default's operations below its own."""
    inherited = default.operations
    if inherited is None:
        return strategy
    own = strategy.operations
    if own is not None:
        return replace(strategy, operations=replace(own, probabilities=_below(own, inherited)))
    probability = inherited.default_probability if strategy.probability is None else strategy.probability
    return replace(strategy, operations=replace(inherited, default_probability=probability))


def _below(own: OperationStrategies, inherited: OperationStrategies) -> Mapping[str, float]:
    more = {name: rate for name, rate in inherited.probabilities.items() if name not in own.probabilities}
    return {**own.probabilities, **more}


def _probability(param: float, where: str) -> float:
    if not 0 <= param <= 1:
        raise StrategiesBroken(f"expected a probability from 0 to 1, got {param:g}, at {where}.param")
    return param


def _whole(param: float, where: str) -> int:
    """As Jaeger: what is behind the point is cut off, so 0.9 is 0."""
    if not 0 <= param < 2**31:
        raise StrategiesBroken(f"expected a number of traces per second from 0, got {param:g}, at {where}.param")
    return int(param)
