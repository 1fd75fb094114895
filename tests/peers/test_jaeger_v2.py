"""Jaeger v2's configuration (jaeger.md 1.1, 1.2)."""

from pathlib import Path

import pytest

from clew.peers.config_file import yaml_of
from clew.peers.jaeger_v2_keys import DOORS, SETTINGS, Door
from clew.settings import Settings, SettingsError, names_of, read_settings, settings_fields
from tests.peers.istio import V2_CONFIG

HOUR_NS = 3600 * 10**9

LISTENING = """
service:
  extensions: [jaeger_storage, jaeger_query, remote_sampling, healthcheckv2]
  pipelines:
    traces: {receivers: [otlp, jaeger, zipkin], processors: [batch], exporters: [jaeger_storage_exporter]}
extensions:
  jaeger_query: {storage: {traces: some_storage}}
  jaeger_storage: {backends: {some_storage: {memory: {max_traces: 100000}}}}
  remote_sampling: {file: {path: null}, http: null, grpc: null}
  healthcheckv2: {use_v2: true, http: {endpoint: "${env:JAEGER_LISTEN_HOST:-localhost}:13133"}}
receivers:
  otlp: {protocols: {grpc: {endpoint: "${env:JAEGER_LISTEN_HOST:-localhost}:4317"}, http: null}}
  jaeger: {protocols: {grpc: null, thrift_http: null, thrift_binary: null, thrift_compact: null}}
  zipkin: {endpoint: "${env:JAEGER_LISTEN_HOST:-localhost}:9411"}
processors: {batch: null}
exporters: {jaeger_storage_exporter: {trace_storage: some_storage}}
"""
"""The form of Jaeger's own all-in-one configuration."""


def read(text: str, *sets: str, **given: str) -> Settings:
    return read_settings(given, [f"yaml:{text}", *(yaml_of(assignment) for assignment in sets)])


def address(settings: Settings, variable: str) -> object:
    groups = (settings.process, settings.collector, settings.query)
    return next(
        getattr(group, name)
        for group in groups
        for name, field in type(group).model_fields.items()
        if field.alias == variable
    )


def test_istios_configuration_is_read_whole() -> None:
    settings = read_settings({}, [str(V2_CONFIG)])

    assert settings.storage.url == "duckdb:////badger/data/clew.duckdb"
    assert settings.storage.retention_ns == 72 * HOUR_NS
    assert settings.query.base_path == "/jaeger"
    assert settings.query.jaeger_host_port == ":16686"
    assert settings.collector.zipkin_host_port == "0.0.0.0:9411"
    assert settings.collector.otlp_grpc_host_port == "0.0.0.0:4317"
    assert settings.collector.otlp_http_host_port == "0.0.0.0:4318"
    assert settings.process.status_host_port == "0.0.0.0:13133"
    assert settings.process.metrics_host_port == "0.0.0.0:8888"


def test_istios_configuration_is_told_of_in_one_line() -> None:
    assert read_settings({}, [str(V2_CONFIG)]).notes == (
        "Jaeger v2 configuration: jaeger_storage.backends.badger_storage means "
        "CLEW_STORAGE_URL=duckdb:////badger/data/clew.duckdb, CLEW_RETENTION=72h "
        "(spans that Badger holds stay there unread); without effect: "
        "healthcheckv2.grpc (every gRPC port answers health checks itself); "
        "expvar, zpages (clew is no Go program)",
    )


def test_jaegers_own_configuration_listens_where_its_variable_says() -> None:
    assert read(LISTENING).collector.otlp_grpc_host_port == "localhost:4317"
    assert read(LISTENING, JAEGER_LISTEN_HOST="0.0.0.0").collector.otlp_grpc_host_port == "0.0.0.0:4317"


def test_an_endpoint_that_is_not_given_is_the_collectors_own() -> None:
    settings = read(LISTENING)

    assert settings.collector.otlp_http_host_port == "localhost:4318"
    assert settings.query.jaeger_host_port == ":16686"
    assert address(settings, "HTTP_SERVER_HOST_PORT") == ":5778"
    assert settings.process.metrics_host_port == "localhost:8888"


def test_a_memory_backend_is_bounded_in_traces_a_million_when_nothing_is_said() -> None:
    storage = read(LISTENING).storage
    unsaid = read(LISTENING, "extensions.jaeger_storage.backends.some_storage.memory.max_traces=null").storage

    assert (storage.url, storage.memory_max_traces) == ("memory:", 100_000)
    assert unsaid.memory_max_traces == 1_000_000


@pytest.mark.parametrize("door", [door for door in DOORS if door.owner is None], ids=lambda door: door.path)
def test_a_door_whose_part_the_service_does_not_name_stays_closed(door: Door) -> None:
    settings = read(LISTENING, "service.extensions=[jaeger_storage]", "service.pipelines.traces.receivers=[]")

    if door.variable in settings_fields():
        assert address(settings, door.variable) == "off"


def test_a_query_without_its_extension_stays_closed() -> None:
    assert read(LISTENING, "service.extensions=[jaeger_storage]").query.jaeger_host_port == "off"


def test_a_protocol_that_is_not_listed_stays_closed() -> None:
    one = LISTENING.replace(", http: null}}\n  jaeger:", "}}\n  jaeger:")

    assert read(one).collector.otlp_http_host_port == "off"
    assert read(one).collector.otlp_grpc_host_port == "localhost:4317"


@pytest.mark.parametrize(
    ("telemetry", "expected"),
    [
        ("{metrics: {address: '0.0.0.0:8889'}}", "0.0.0.0:8889"),
        ("{metrics: {readers: [{pull: {exporter: {prometheus: {host: '::', port: 8887}}}}]}}", "[::]:8887"),
        ("{metrics: {readers: [{pull: {exporter: {prometheus: {port: 8887}}}}]}}", "localhost:8887"),
        ("{metrics: {readers: [{periodic: {exporter: {otlp: {}}}}]}}", "off"),
        ("{metrics: {level: none}}", "off"),
        ("{logs: {level: warn}}", "localhost:8888"),
    ],
)
def test_metrics_are_where_the_telemetry_says(telemetry: str, expected: str) -> None:
    assert read(LISTENING, f"service.telemetry={telemetry}").process.metrics_host_port == expected


def test_a_base_path_may_end_in_a_slash_as_in_jaeger_v2() -> None:
    assert read(LISTENING, "extensions.jaeger_query.base_path=/jaeger/").query.base_path == "/jaeger"


def test_badgers_directories_and_ttl_are_taken_in_the_old_spelling_and_the_new() -> None:
    new = "{badger: {ephemeral: false, directories: {keys: /k, values: /v}, ttl: {spans: 48h}}}"
    old = "{badger: {ephemeral: false, directory_key: /k, directory_value: /v, span_store_ttl: 48h}}"
    for backend in (new, old):
        storage = read(LISTENING.replace("{memory: {max_traces: 100000}}", backend)).storage

        assert (storage.url, storage.retention_ns) == ("duckdb:////v/clew.duckdb", 48 * HOUR_NS)


def test_an_archive_of_its_own_is_the_archive() -> None:
    archives = "some_archive: {badger: {ephemeral: false, directories: {values: /archive}, ttl: {spans: 1h}, read: 1}}"
    settings = read(
        LISTENING.replace(
            "{storage: {traces: some_storage}}", "{storage: {traces: some_storage, traces_archive: some_archive}}"
        ).replace("some_storage: {memory", f"{archives}, some_storage: {{memory")
    )

    assert settings.storage.url == "memory:"
    assert settings.storage.archive_url == "duckdb:////archive/clew.duckdb"
    assert settings.storage.retention_ns == read_settings({}).storage.retention_ns
    assert settings.notes == (
        "Jaeger v2 configuration: jaeger_storage.backends.some_storage means CLEW_STORAGE_URL=memory:, "
        "MEMORY_MAX_TRACES=100000; jaeger_storage.backends.some_archive means "
        "CLEW_ARCHIVE_URL=duckdb:////archive/clew.duckdb; without effect: archive.badger.read (not known)",
    )


def test_an_archive_that_is_not_clews_is_refused_unless_clew_is_told_its_own() -> None:
    text = LISTENING.replace(
        "{storage: {traces: some_storage}}", "{storage: {traces: some_storage, traces_archive: es}}"
    )
    text = text.replace("some_storage: {memory", "es: {elasticsearch: {}}, some_storage: {memory")

    with pytest.raises(SettingsError, match=r"backends\.es: 'elasticsearch' is .* or set CLEW_ARCHIVE_URL"):
        read(text)

    assert read(text, CLEW_ARCHIVE_URL="memory:").storage.archive_url == "memory:"


def test_variables_win_over_the_file_and_clews_own_over_both() -> None:
    settings = read(
        LISTENING,
        "extensions.jaeger_query.base_path=/file",
        QUERY_BASE_PATH="/variable",
        QUERY_PORT="9999",
        SPAN_STORAGE_TYPE="badger",
    )

    assert settings.query.base_path == "/variable"
    assert settings.collector.zipkin_host_port == "9999"
    assert settings.storage.url == "duckdb:temporary"
    assert read(LISTENING, CLEW_STORAGE_URL="duckdb:////x.duckdb").storage.url == "duckdb:////x.duckdb"


@pytest.mark.parametrize("backend", ["elasticsearch", "opensearch", "cassandra", "grpc", "clickhouse", "typo"])
def test_a_backend_that_is_not_clews_is_refused_with_what_to_do(backend: str) -> None:
    text = LISTENING.replace("{memory: {max_traces: 100000}}", f"{{{backend}: {{}}}}")

    with pytest.raises(SettingsError, match=f"--config: jaeger_storage.backends.some_storage: '{backend}' is .*badger"):
        read(text)

    assert read(text, CLEW_STORAGE_URL="memory:").storage.url == "memory:"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("extensions.jaeger_query.storage.traces=other", "expected 'some_storage', to which .* got 'other'"),
        (
            "exporters.jaeger_storage_exporter.trace_storage=none",
            "to which jaeger_storage_exporter writes, got 'some_storage'",
        ),
        ("service.pipelines.traces.exporters=[kafka]", "expected a traces pipeline that ends in jaeger_storage_export"),
        ("service.pipelines.traces.receivers=[otlp, jaeger, zipkin, kafka]", "receivers.kafka: the service names it"),
        ("receivers.otlp.protocols.grpc.tls={cert_file: x}", "receivers.otlp.protocols.grpc.tls: clew serves plain"),
        ("extensions.jaeger_query.http.auth={authenticator: x}", "jaeger_query.http.auth: clew authenticates nobody"),
        ("extensions.jaeger_query.multi_tenancy.enabled=true", "jaeger_query.multi_tenancy.enabled: clew would show"),
        (
            "service.pipelines.traces.receivers=[kafka]",
            "expected a receiver of otlp, jaeger, zipkin, got kafka; no span",
        ),
        ("service=null", "service: expected a map"),
    ],
)
def test_what_contradicts_is_refused(change: str, problem: str) -> None:
    with pytest.raises(SettingsError, match=problem):
        read(LISTENING, change)


def test_what_is_not_honoured_and_what_is_not_known_is_told_of() -> None:
    notes = read(
        LISTENING,
        "extensions.jaeger_query.storage.metrics=some_metrics",
        "extensions.jaeger_query.base_paht=/x",
        "service.pipelines.metrics.receivers=[otlp]",
        "processors.attributes.actions=[]",
        "service.pipelines.traces.processors=[batch, attributes]",
        "extentions.jaeger_query=x",
    ).notes

    assert len(notes) == 1
    assert "jaeger_query.storage.metrics (/api/metrics is answered from the spans)" in notes[0]
    assert "extentions, jaeger_query.base_paht (not known)" in notes[0]
    assert "service.pipelines.metrics (clew takes traces only)" in notes[0]
    assert "processors.attributes.actions (clew keeps spans as they were sent)" in notes[0]


def test_span_metrics_by_a_connector_are_no_matter_for_clew_makes_its_own() -> None:
    settings = read(
        LISTENING,
        "connectors.spanmetrics.metrics_flush_interval=60s",
        "service.pipelines.traces.exporters=[jaeger_storage_exporter, spanmetrics]",
        "service.pipelines.metrics/spanmetrics={receivers: [spanmetrics], exporters: [prometheus]}",
    )

    assert "connectors.spanmetrics (/api/metrics is answered from the spans)" in settings.notes[0]
    assert "service.pipelines.metrics/spanmetrics (clew takes traces only)" in settings.notes[0]


def test_a_remote_storage_is_a_store_for_another_jaeger_and_its_first_is_it() -> None:
    settings = read(
        LISTENING,
        "service.extensions=[jaeger_storage, remote_storage, remote_storage/archive]",
        "service.pipelines=null",
        "extensions.remote_storage={endpoint: 0.0.0.0:17271, storage: some_storage}",
        "extensions.remote_storage/archive={endpoint: 0.0.0.0:17272, storage: other}",
    )

    assert address(settings, "CLEW_REMOTE_STORAGE_HOST_PORT") == "0.0.0.0:17271"
    assert settings.storage.url == "memory:"
    assert "extensions.remote_storage/archive (clew has one remote_storage)" in settings.notes[0]


def test_a_part_that_is_configured_and_not_named_by_the_service_is_no_matter() -> None:
    extra = LISTENING.replace("zipkin: {endpoint", "kafka: {brokers: [x]}\n  zipkin: {endpoint")

    assert read(extra) == read(LISTENING)


def test_several_files_are_merged(tmp_path: Path) -> None:
    path = tmp_path / "more.yaml"
    path.write_text("extensions: {jaeger_query: {base_path: /more}}")

    assert read_settings({}, [str(V2_CONFIG), str(path)]).query.base_path == "/more"


def test_the_variable_of_jaegers_own_configuration_has_no_effect_without_a_configuration() -> None:
    assert read_settings({"JAEGER_LISTEN_HOST": "0.0.0.0"}).notes == ()
    assert "JAEGER_LISTEN_HOST (without --config" in read_settings({"JAEGER_LISTEN_HOST": "127.0.0.1"}).notes[0]


def test_a_file_that_is_not_there_is_a_wrong_setting() -> None:
    with pytest.raises(SettingsError, match=r"--config /nowhere\.yaml: .*No such file"):
        read_settings({}, ["/nowhere.yaml"])


def test_every_variable_of_the_tables_is_a_setting_of_clew() -> None:
    own = {name for variable, field in settings_fields().items() for name in names_of(variable, field)}

    assert {door.variable for door in DOORS} | set(SETTINGS.values()) <= own
