"""Reading `--config`: the YAML of an OpenTelemetry collector, with its substitutions, as Jaeger v2 takes it.

A place to read from is a path, `file:PATH`, `env:NAME` or `yaml:TEXT`; several are merged, later ones win. In texts,
`${env:NAME}`, `${NAME}`, `${env:NAME:-default}` and `${file:PATH}` are replaced and `$$` is a dollar sign; a variable
that is set but empty is empty. A key `a::b` is the key b in a map a. Source: the collector's confmap.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeAlias

import yaml

Node: TypeAlias = "dict[str, Node] | list[Node] | str | int | float | bool | None"

MAX_BYTES = 1 << 20
"""A larger file is no configuration."""
MAX_NODES = 50_000
"""More values, aliases counted each time, are no configuration either."""
_MAX_REPLACEMENTS = 100
"""In one text: they may be nested, and a file may name itself."""
_SUBSTITUTION = re.compile(r"\$\{([^${}]*)\}")
_DOLLAR = "\0"
"""Stands for `$$` while a text is replaced; YAML allows no such character."""


class ConfigError(Exception):
    """The configuration cannot be read: where, and why."""


def read_config(places: Iterable[str], environment: Mapping[str, str]) -> dict[str, Node]:
    """The merged configuration, every substitution made. ConfigError names the place that cannot be read."""
    merged: dict[str, Node] = {}
    for place in places:
        reader = _Reader(place, environment)
        document = reader.document()
        if document is None:
            continue
        if not isinstance(document, dict):
            raise ConfigError(f"--config {place}: expected a map at the top, got {type(document).__name__}")
        merged = _merged(merged, document)
    return merged


def yaml_of(assignment: str) -> str:
    """The place that the collector's `--set a.b=value` is: `yaml:a::b: value`."""
    path, _, value = assignment.partition("=")
    return f"yaml:{path.strip().replace('.', '::')}: {value}"


class _Reader:
    """Reads one place."""

    def __init__(self, place: str, environment: Mapping[str, str]) -> None:
        self._place = place
        self._environment = environment
        self._nodes = 0

    def document(self) -> Node:
        scheme, colon, rest = self._place.partition(":")
        if colon and scheme == "env":
            text = self._environment.get(rest, "")
        elif colon and scheme == "yaml":
            text = rest
        else:
            text = self._file(rest if colon and scheme == "file" else self._place)
        try:
            return self._resolved(self._parsed(text))
        except RecursionError as error:
            raise self._error("nested too deep") from error

    def _file(self, path: str) -> str:
        try:
            with Path(path).open("rb") as file:
                data = file.read(MAX_BYTES + 1)
            if len(data) > MAX_BYTES:
                raise self._error(f"{path} is larger than {MAX_BYTES} bytes")
            return data.decode()
        except (OSError, UnicodeDecodeError) as error:
            raise self._error(str(error)) from error

    def _parsed(self, text: str) -> object:
        try:
            return yaml.safe_load(text)
        except (yaml.YAMLError, ValueError) as error:
            raise self._error(f"no YAML: {' '.join(str(error).split())}") from error

    def _resolved(self, node: object) -> Node:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise self._error(f"more than {MAX_NODES} values")
        if isinstance(node, dict):
            result: dict[str, Node] = {}
            for key, value in node.items():
                result = _merged(result, _nested(str(key), self._resolved(value)))
            return result
        if isinstance(node, list):
            return [self._resolved(value) for value in node]
        if isinstance(node, str):
            return self._replaced(node)
        return node if isinstance(node, int | float | bool) or node is None else str(node)

    def _replaced(self, text: str) -> Node:
        """The text with its substitutions; one that is the whole text may be any YAML value, as in the collector."""
        text = text.replace("$$", _DOLLAR)
        for _ in range(_MAX_REPLACEMENTS):
            found = _SUBSTITUTION.search(text)
            if found is None:
                return text.replace(_DOLLAR, "$")
            value = self._value(found[1])
            if found[0] == text and "${" not in value:
                return self._whole(value)
            text = text[: found.start()] + value + text[found.end() :]
        raise self._error(f"more than {_MAX_REPLACEMENTS} substitutions in {text[:80]!r}")

    def _whole(self, value: str) -> Node:
        parsed = self._parsed(value)
        return self._resolved(parsed) if isinstance(parsed, dict | list) else _scalar(parsed, value)

    def _value(self, reference: str) -> str:
        if reference.startswith("file:"):
            return self._file(reference.removeprefix("file:")).rstrip("\n")
        name, _, default = reference.removeprefix("env:").partition(":-")
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            raise self._error(f"expected ${{env:NAME}}, ${{env:NAME:-default}} or ${{file:PATH}}, got ${{{reference}}}")
        return self._environment.get(name, default)

    def _error(self, problem: str) -> ConfigError:
        return ConfigError(f"--config {self._place[:200]}: {problem}")


def _scalar(parsed: object, text: str) -> Node:
    return parsed if isinstance(parsed, int | float | bool | str) or parsed is None else text


def _nested(key: str, value: Node) -> dict[str, Node]:
    first, _, rest = key.partition("::")
    return {first: _nested(rest, value)} if rest else {key: value}


def _merged(below: dict[str, Node], above: dict[str, Node]) -> dict[str, Node]:
    """Maps are merged key by key; anything else, lists too, is replaced."""
    result = dict(below)
    for key, value in above.items():
        old = result.get(key)
        result[key] = _merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return result
