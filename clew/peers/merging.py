"""All peers' configurations made one with clew's own: flags over variables over `--config` over defaults.

Within one layer clew's own word wins over what a peer's word comes to.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from clew.peers import jaeger_v1, jaeger_v2, zipkin
from clew.peers.config_file import ConfigError, read_config
from clew.peers.stores import MEMORY_URL, STORE_URL
from clew.peers.translation import Translation
from storage.settings import CLOSED

MEMORY_BOUNDS: Mapping[str, str] = {"MEMORY_MAX_TRACES": jaeger_v1.PEER, "MEM_MAX_SPANS": zipkin.PEER}
"""Settings that say something for one store only, and whose words they are."""
_KUBERNETES = re.compile(r"(tcp|udp|sctp)://")
"""Kubernetes gives a pod the address of every Service: one named `query` makes QUERY_PORT=tcp://10.0.0.1:80."""


@dataclass(frozen=True, slots=True)
class Merged:
    """values: clew's variables. notes: what the log is to say, a line for each peer. problems: why not to start."""

    values: Mapping[str, str]
    notes: tuple[str, ...]
    problems: tuple[str, ...]


def with_peers(given: Mapping[str, str], places: Iterable[str], names: Mapping[str, Iterable[str]]) -> Merged:
    """What these variables and configuration files come to together.

    given: the environment with the flags in it; empty values are absent. places: `--config`, see config_file.
    names: each setting's variable -> every variable that sets it.
    """
    values = {name: value for name, value in given.items() if value and not _KUBERNETES.match(value)}
    bounds = [bound for bound in MEMORY_BOUNDS if bound in values]
    v1, other = jaeger_v1.translate(values), zipkin.translate(values)
    problems = [*v1.refused, *other.refused, *_two_stores(v1, other)]
    for found in (v1, other):
        _fill(values, found, names)
    try:
        v2 = _translated(tuple(places), given, values)
    except ConfigError as error:
        problems.append(str(error))
        v2 = jaeger_v2.without_file({})
    problems += [f"--config: {problem}" for problem in v2.refused]
    _fill(values, v2, names)
    if values.get(STORE_URL) != MEMORY_URL:
        for bound in bounds:
            (v1 if MEMORY_BOUNDS[bound] == v1.peer else other).ignore(bound, "it bounds the memory store only")
    lines = (found.log_line() for found in (v1, other, v2))
    return Merged(values, tuple(line for line in lines if line is not None), tuple(problems))


def _translated(places: tuple[str, ...], given: Mapping[str, str], values: Mapping[str, str]) -> Translation:
    if not places:
        return jaeger_v2.without_file(values)
    return jaeger_v2.translate(read_config(places, given), values.keys())


def _fill(values: dict[str, str], found: Translation, names: Mapping[str, Iterable[str]]) -> None:
    for variable, value in found.settings.items():
        if variable not in names:
            if value != CLOSED:
                found.ignore(variable, "clew has no such setting")
        elif not any(name in values for name in names[variable]):
            values[variable] = value
    values.update(dict.fromkeys((door for door in found.closed if door in names), CLOSED))


def _two_stores(one: Translation, other: Translation) -> list[str]:
    first, second = one.settings.get(STORE_URL), other.settings.get(STORE_URL)
    if first is None or second is None or first == second:
        return []
    return [f"SPAN_STORAGE_TYPE and STORAGE_TYPE: {first} and {second} are two stores; unset one, or give {STORE_URL}"]
