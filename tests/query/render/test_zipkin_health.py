"""The bodies of /health and /info, to the byte (reference 1.9, 1.10)."""

from query.render.zipkin_health import health_json, health_timeout_json, info_json


def test_health_is_200_and_up_when_every_component_is() -> None:
    assert health_json({"MemoryStore{}": None}) == (
        200,
        "{\n"
        '  "status" : "UP",\n'
        '  "zipkin" : {\n'
        '    "status" : "UP",\n'
        '    "details" : {\n'
        '      "MemoryStore{}" : {\n'
        '        "status" : "UP"\n'
        "      }\n"
        "    }\n"
        "  }\n"
        "}",
    )


def test_health_is_503_and_names_the_error_when_one_component_is_down() -> None:
    assert health_json({"foo": None, "bar": "IOError: socket"}) == (
        503,
        "{\n"
        '  "status" : "DOWN",\n'
        '  "zipkin" : {\n'
        '    "status" : "DOWN",\n'
        '    "details" : {\n'
        '      "foo" : {\n'
        '        "status" : "UP"\n'
        "      },\n"
        '      "bar" : {\n'
        '        "status" : "DOWN",\n'
        '        "details" : {\n'
        '          "error" : "IOError: socket"\n'
        "        }\n"
        "      }\n"
        "    }\n"
        "  }\n"
        "}",
    )


def test_health_says_so_when_it_timed_out() -> None:
    assert health_timeout_json() == (
        503,
        "{\n"
        '  "status" : "DOWN",\n'
        '  "zipkin" : {\n'
        '    "status" : "DOWN",\n'
        '    "details" : {\n'
        '      "error" : "Timed out computing health status. This often means your storage backend is unreachable."\n'
        "    }\n"
        "  }\n"
        "}",
    )


def test_info_gives_version_and_commit_on_one_line() -> None:
    assert info_json("0.1.0", "abc1234") == '{"zipkin":{"version":"0.1.0","commit":"abc1234"}}\n'
