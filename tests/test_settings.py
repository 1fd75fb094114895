"""Settings: where they come from, and how wrong ones are reported."""

from typing import Protocol

import pytest
from click.testing import CliRunner

from clew.command import main
from clew.settings import Settings, SettingsError, read_settings


def test_settings_have_jaegers_ports_when_nothing_is_given() -> None:
    settings = read_settings({})

    assert settings.collector.zipkin_host_port == ":9411"
    assert settings.collector.otlp_grpc_host_port == ":4317"
    assert settings.collector.otlp_http_host_port == ":4318"
    assert settings.query.jaeger_host_port == ":16686"
    assert settings.process.admin_host_port == ":14269"
    assert settings.storage.url == "duckdb:///./data/clew.duckdb"


@pytest.mark.parametrize(
    ("variable", "text", "read"),
    [
        ("CLEW_RETENTION", "7d", lambda s: s.storage.retention_ns == 7 * 86400 * 10**9),
        ("CLEW_RETENTION", "1h30m", lambda s: s.storage.retention_ns == 5400 * 10**9),
        ("CLEW_RETENTION", "0", lambda s: s.storage.retention_ns == 0),
        ("QUERY_TIMEOUT", "100ms", lambda s: s.query.timeout_ns == 10**8),
        ("QUERY_LOOKBACK", "3600000", lambda s: s.query.lookback_ms == 3_600_000),
        ("STRICT_TRACE_ID", "false", lambda s: s.query.strict_trace_id is False),
        ("COLLECTOR_SAMPLE_RATE", "0.1", lambda s: s.collector.sample_rate == 0.1),
        ("CLEW_QUEUE_BYTES", "8MiB", lambda s: s.collector.queue_bytes == 8 * 2**20),
        ("COLLECTOR_ZIPKIN_HOST_PORT", "[::1]:0", lambda s: s.collector.zipkin_host_port == "[::1]:0"),
        ("COLLECTOR_ZIPKIN_HOST_PORT", "off", lambda s: s.collector.zipkin_host_port == "off"),
        ("QUERY_PORT", "9999", lambda s: s.collector.zipkin_host_port == "9999"),
        ("HTTP_COLLECTOR_ENABLED", "false", lambda s: s.collector.http_enabled is False),
        ("QUERY_BASE_PATH", "/jaeger", lambda s: s.query.base_path == "/jaeger"),
        ("QUERY_BASE_PATH", "/", lambda s: s.query.base_path == ""),
        ("CLEW_RETENTION", "", lambda s: s.storage.retention_ns == 7 * 86400 * 10**9),
    ],
)
def test_a_setting_is_read_from_its_variable(variable: str, text: str, read: "Reading") -> None:
    assert read(read_settings({variable: text}))


def test_autocomplete_keys_reach_the_store_and_the_query_side() -> None:
    settings = read_settings({"AUTOCOMPLETE_KEYS": "http.host, environment"})

    assert settings.storage.autocomplete_keys == settings.query.autocomplete_keys == ("http.host", "environment")


def test_jaegers_name_wins_when_zipkins_is_given_too() -> None:
    settings = read_settings({"QUERY_PORT": "9999", "COLLECTOR_ZIPKIN_HOST_PORT": ":9411"})

    assert settings.collector.zipkin_host_port == ":9411"


def test_wrong_settings_are_reported_all_at_once_by_name() -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings(
            {"CLEW_RETENTION": "soon", "QUERY_BASE_PATH": "jaeger/", "COLLECTOR_SAMPLE_RATE": "2", "CLEW_X": "1"}
        )

    assert str(caught.value).splitlines() == [
        "CLEW_X: unknown setting",
        "COLLECTOR_SAMPLE_RATE: Input should be less than or equal to 1, got '2'",
        'CLEW_RETENTION: expected a duration with a unit such as "1.5s" or "100ms", got \'soon\'',
        "QUERY_BASE_PATH: expected a path that starts and does not end with '/', got 'jaeger/'",
    ]


@pytest.mark.parametrize(
    "variable", ["CLEW_SERVICE_HOST", "CLEW_PORT", "CLEW_PORT_9411_TCP", "CLEW_COLLECTOR_SERVICE_PORT_HTTP_ZIPKIN"]
)
def test_variables_that_kubernetes_adds_for_a_service_named_clew_are_no_settings(variable: str) -> None:
    assert read_settings({variable: "tcp://10.0.0.1:9411"}) == read_settings({})


def test_serve_exits_with_2_and_names_the_setting_when_a_flag_is_wrong() -> None:
    result = CliRunner().invoke(main, ["serve", "--query.base-path=jaeger"])

    assert result.exit_code == 2
    assert "QUERY_BASE_PATH" in result.stderr


def test_version_is_printed() -> None:
    assert CliRunner().invoke(main, ["--version"]).output.startswith("clew, version ")


class Reading(Protocol):
    """A check on settings."""

    def __call__(self, settings: Settings) -> bool: ...
