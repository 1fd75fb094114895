"""Jaeger v1's environment (jaeger.md 1.2)."""

import pytest

from clew.peers import jaeger_v1, zipkin
from clew.settings import SettingsError, names_of, read_settings, settings_fields
from tests.peers.istio import V1_ENVIRONMENT

HOUR_NS = 3600 * 10**9


def test_istios_v1_manifest_means_the_embedded_store_where_badger_was_with_its_retention() -> None:
    settings = read_settings(V1_ENVIRONMENT)

    assert settings.storage.url == "duckdb:////badger/data/clew.duckdb"
    assert settings.storage.retention_ns == 72 * HOUR_NS
    assert settings.query.base_path == "/jaeger"
    assert settings.collector.zipkin_host_port == ":9411"


def test_istios_v1_manifest_is_told_of_in_one_line() -> None:
    assert read_settings(V1_ENVIRONMENT).notes == (
        "Jaeger v1 configuration: SPAN_STORAGE_TYPE=badger means "
        "CLEW_STORAGE_URL=duckdb:////badger/data/clew.duckdb, CLEW_RETENTION=72h "
        "(spans that Badger holds stay there unread); without effect: "
        "BADGER_DIRECTORY_KEY (one file holds keys and values); MEMORY_MAX_TRACES (it bounds the memory store only)",
    )


def test_badgers_ttl_is_the_retention() -> None:
    given = {"SPAN_STORAGE_TYPE": "badger", "BADGER_SPAN_STORE_TTL": "168h0m0s"}

    assert read_settings(given).storage.retention_ns == 168 * HOUR_NS


@pytest.mark.parametrize("ephemeral", [{}, {"BADGER_EPHEMERAL": "true"}, {"BADGER_EPHEMERAL": "1"}])
def test_an_ephemeral_badger_means_a_store_that_is_removed_at_exit(ephemeral: dict[str, str]) -> None:
    given = {"SPAN_STORAGE_TYPE": "badger", "BADGER_DIRECTORY_VALUE": "/badger/data"} | ephemeral

    assert read_settings(given).storage.url == "duckdb:temporary"


def test_a_lasting_badger_without_a_directory_means_clews_own_place() -> None:
    given = {"SPAN_STORAGE_TYPE": "badger", "BADGER_EPHEMERAL": "false"}

    assert read_settings(given).storage.url == read_settings({}).storage.url


def test_memory_means_the_memory_store_bounded_in_traces() -> None:
    settings = read_settings({"SPAN_STORAGE_TYPE": "memory", "MEMORY_MAX_TRACES": "50000"})

    assert (settings.storage.url, settings.storage.memory_max_traces) == ("memory:", 50_000)


@pytest.mark.parametrize("given", [{"CLEW_STORAGE_URL": "memory:"}, {"STORAGE_TYPE": "mem"}])
def test_a_bound_of_traces_is_not_called_ignored_when_the_store_is_memory_by_another_word(
    given: dict[str, str],
) -> None:
    settings = read_settings(given | {"MEMORY_MAX_TRACES": "5", "MEM_MAX_SPANS": "50"})

    assert (settings.storage.memory_max_traces, settings.storage.memory_max_spans) == (5, 50)
    assert "it bounds the memory store only" not in " ".join(settings.notes)


def test_bounds_of_the_memory_store_are_told_of_when_the_store_is_another() -> None:
    assert read_settings({"MEMORY_MAX_TRACES": "5", "MEM_MAX_SPANS": "50"}).notes == (
        "Jaeger v1 configuration: without effect: MEMORY_MAX_TRACES (it bounds the memory store only)",
        "Zipkin configuration: without effect: MEM_MAX_SPANS (it bounds the memory store only)",
    )


def test_clews_own_words_win_over_jaegers() -> None:
    settings = read_settings(V1_ENVIRONMENT | {"CLEW_STORAGE_URL": "duckdb:////mine.duckdb", "CLEW_RETENTION": "1h"})

    assert (settings.storage.url, settings.storage.retention_ns) == ("duckdb:////mine.duckdb", HOUR_NS)
    assert "SPAN_STORAGE_TYPE, BADGER_EPHEMERAL" in settings.notes[0]
    assert "(CLEW_STORAGE_URL is given)" in settings.notes[0]


@pytest.mark.parametrize(
    "backend", ["cassandra", "elasticsearch", "opensearch", "grpc", "kafka", "blackhole", "badger,kafka", "typo"]
)
def test_a_storage_that_is_not_clews_is_refused_with_what_to_do(backend: str) -> None:
    with pytest.raises(SettingsError, match=f"SPAN_STORAGE_TYPE: '{backend}' .*; expected badger .* or memory, or set"):
        read_settings({"SPAN_STORAGE_TYPE": backend})


def test_a_storage_that_is_not_clews_changes_nothing_when_clew_is_told_its_own() -> None:
    given = {"SPAN_STORAGE_TYPE": "elasticsearch", "CLEW_STORAGE_URL": "memory:"}

    assert read_settings(given).storage.url == "memory:"


def test_otlp_disabled_closes_its_doors_whatever_their_addresses() -> None:
    collector = read_settings({"COLLECTOR_OTLP_ENABLED": "false", "COLLECTOR_OTLP_GRPC_HOST_PORT": ":4317"}).collector

    assert (collector.otlp_grpc_host_port, collector.otlp_http_host_port) == ("off", "off")


def test_otlp_enabled_is_what_clew_does_anyway() -> None:
    settings = read_settings({"COLLECTOR_OTLP_ENABLED": "true"})

    assert settings == read_settings({})


@pytest.mark.parametrize("text", [":9411", "9411", "0.0.0.0:9411"])
@pytest.mark.parametrize("name", ["COLLECTOR_ZIPKIN_HOST_PORT", "COLLECTOR_ZIPKIN_HTTP_PORT"])
def test_the_zipkin_port_is_taken_in_every_form_and_by_its_old_name(name: str, text: str) -> None:
    assert read_settings({name: text}).collector.zipkin_host_port == text


@pytest.mark.parametrize(("jaegers", "own"), [("info", "info"), ("warn", "warning"), ("FATAL", "error")])
def test_jaegers_log_levels_are_known(jaegers: str, own: str) -> None:
    assert read_settings({"LOG_LEVEL": jaegers}).process.log_level == own


@pytest.mark.parametrize(
    "switch", ["COLLECTOR_OTLP_GRPC_TLS_ENABLED", "QUERY_HTTP_TLS_ENABLED", "MULTI_TENANCY_ENABLED"]
)
def test_a_switch_that_protects_is_refused_when_on_and_no_matter_when_off(switch: str) -> None:
    with pytest.raises(SettingsError, match=f"{switch}: clew "):
        read_settings({switch: "true"})

    assert read_settings({switch: "false"}) == read_settings({})


def test_a_downsampling_ratio_is_the_sample_rate() -> None:
    assert read_settings({"DOWNSAMPLING_RATIO": "0.25"}).collector.sample_rate == 0.25


def test_everything_else_is_told_of_by_name_and_reason_without_its_value() -> None:
    settings = read_settings(
        {"COLLECTOR_NUM_WORKERS": "50", "COLLECTOR_QUEUE_SIZE": "7", "COLLECTOR_TAGS": "pw=secret"}
    )

    assert settings.notes == (
        "Jaeger v1 configuration: without effect: COLLECTOR_NUM_WORKERS (one writer commits for all); "
        "COLLECTOR_QUEUE_SIZE (the queue is bounded in bytes: CLEW_QUEUE_BYTES); "
        "COLLECTOR_TAGS (clew adds no tags to what was sent; add them in the SDK's resource)",
    )


def test_a_variable_that_jaeger_does_not_know_is_passed_over() -> None:
    assert read_settings({"SPAN_STORAGE": "badger", "PATH": "/bin"}) == read_settings({})


def test_jaegers_own_configuration_file_of_v1_is_refused() -> None:
    with pytest.raises(SettingsError, match="CONFIG_FILE: "):
        read_settings({"CONFIG_FILE": "/etc/jaeger.yaml"})


@pytest.mark.parametrize("variable", ["QUERY_PORT", "COLLECTOR_PORT", "COLLECTOR_HTTP_PORT"])
def test_an_address_that_kubernetes_gives_for_a_service_is_no_setting(variable: str) -> None:
    assert read_settings({variable: "tcp://10.0.0.1:80"}) == read_settings({})


def test_no_setting_of_clew_is_called_ignored() -> None:
    own = {name for variable, field in settings_fields().items() for name in names_of(variable, field)}

    assert own.isdisjoint([*jaeger_v1.VARIABLES, *zipkin.IGNORED])
