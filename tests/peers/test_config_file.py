"""How `--config` is read: places, merging, substitutions (the collector's confmap)."""

from pathlib import Path

import pytest

from clew.peers.config_file import MAX_BYTES, ConfigError, Node, read_config, yaml_of


def value(text: str, **environment: str) -> Node:
    return read_config([f"yaml:key: {text}"], environment)["key"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${env:HOST}", "shop"),
        ("${HOST}", "shop"),
        ("${env:HOST:-other}", "shop"),
        ("${env:NONE:-other}", "other"),
        ("${env:NONE:-}", None),
        ("'${env:NONE:-localhost}:4317'", "localhost:4317"),
        ("'${env:HOST}:${env:PORT}'", "shop:80"),
        ("${env:PORT}", 80),
        ("${env:TRUTH}", True),
        ("'${env:EMPTY:-other}:1'", ":1"),
        ("'${env:NONE:-${env:HOST}}:1'", "shop:1"),
        ("'$${env:HOST}'", "${env:HOST}"),
        ("a$b", "a$b"),
        ("${env:LIST}", ["otlp", "zipkin"]),
    ],
)
def test_substitutions_are_made_as_the_collector_makes_them(text: str, expected: Node) -> None:
    environment = {"HOST": "shop", "PORT": "80", "TRUTH": "true", "EMPTY": "", "LIST": "[otlp, zipkin]"}

    assert value(text, **environment) == expected


def test_a_file_is_put_in_where_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "path").write_text("/jaeger\n")

    assert value(f"${{file:{tmp_path}/path}}") == "/jaeger"


def test_a_place_is_a_path_a_file_url_a_variable_or_a_text(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("a: 1")

    assert read_config([str(path)], {}) == {"a": 1}
    assert read_config([f"file:{path}"], {}) == {"a": 1}
    assert read_config(["env:CONFIG"], {"CONFIG": "a: 1"}) == {"a": 1}
    assert read_config(["yaml:a::b: 1"], {}) == {"a": {"b": 1}}


def test_later_places_win_key_by_key_and_lists_are_replaced() -> None:
    places = ["yaml:{a: {b: 1, c: 2}, d: [1, 2]}", "yaml:{a: {b: 3}, d: [4]}", yaml_of("a.e=5s")]

    assert read_config(places, {}) == {"a": {"b": 3, "c": 2, "e": "5s"}, "d": [4]}


@pytest.mark.parametrize(
    ("place", "problem"),
    [
        ("/no/such/file.yaml", "--config /no/such/file.yaml: .*No such file"),
        ("yaml:a: [", "no YAML: .*line 1"),
        ("yaml:[1, 2]", "expected a map at the top, got list"),
        ("yaml:!!python/object/apply:os.system [ls]", "no YAML"),
        ("yaml:a: ${env:}", "expected \\$\\{env:NAME\\}"),
        ("yaml:a: ${http://x}", "expected \\$\\{env:NAME\\}"),
        ("yaml:" + "[" * 2000, "nested too deep|no YAML"),
        ("yaml:a: &a [*a]", "nested too deep|values"),
        ("env:CYCLE", "more than 100 substitutions"),
    ],
)
def test_what_cannot_be_read_is_an_error_that_names_the_place(place: str, problem: str) -> None:
    environment = {"CYCLE": "a: 'x${env:AGAIN}'", "AGAIN": "${env:AGAIN}"}
    with pytest.raises(ConfigError, match=problem):
        read_config([place], environment)


def test_aliases_cannot_grow_a_small_file_into_a_large_configuration() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]

    with pytest.raises(ConfigError, match="more than 50000 values"):
        read_config(["yaml:" + "\n".join(lines)], {})


def test_a_file_larger_than_any_configuration_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large.yaml"
    path.write_bytes(b"#" * (MAX_BYTES + 1))

    with pytest.raises(ConfigError, match="is larger than"):
        read_config([str(path)], {})
