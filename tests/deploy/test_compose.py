"""docker-compose.yml and what it mounts: valid by the published schema, and what each profile starts fits together.

No engine is asked: that the images exist and start is not tested here. What they are configured with is run by
test_envoys.py and test_image.py where it can be without one.
"""

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from clew import VERSION
from clew.roles import Role
from clew.settings import read_settings
from collector.budget import ByteBudget
from collector.ledger import Ledger
from collector.metrics import CollectorMetrics
from query.metrics import QueryMetrics
from storage.factory import open_store

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
PROFILES = {
    "alone": {"clew"},
    "postgresql": {"clew-postgresql", "postgresql"},
    "clickhouse": {"migrate", "collector-1", "collector-2", "query", "edge", "clickhouse"},
    "bench": {"clew", "otel-collector", "prometheus", "grafana", "front", "shop", "stock", "visitor"},
}
OURS = [name for name, service in SERVICES.items() if service.get("build") == "."]


def interpolated(text: str) -> str:
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)


def environment(name: str) -> dict[str, str]:
    return {key: interpolated(str(value)) for key, value in SERVICES[name].get("environment", {}).items()}


def schema() -> Any:
    carried = files("check_jsonschema.builtin_schemas.vendor") / "compose-spec.json"
    return json.loads(carried.read_text())


def test_the_file_fits_the_schema_of_the_compose_specification() -> None:
    validator = jsonschema.validators.validator_for(schema())(schema())

    assert [f"{list(error.path)}: {error.message}" for error in validator.iter_errors(COMPOSE)] == []
    assert not validator.is_valid(COMPOSE | {"services": {"clew": {"port": []}}})


@pytest.mark.parametrize("profile", PROFILES)
def test_each_profile_starts_its_own_services(profile: str) -> None:
    assert {name for name, service in SERVICES.items() if profile in service["profiles"]} == PROFILES[profile]


def test_clew_alone_starts_when_no_profile_is_given() -> None:
    assert "COMPOSE_PROFILES=alone" in (ROOT / ".env").read_text().splitlines()


@pytest.mark.parametrize("profile", PROFILES)
def test_no_port_is_published_twice_in_a_profile(profile: str) -> None:
    published = [port for name in PROFILES[profile] for port in SERVICES[name].get("ports", [])]

    assert sorted(published) == sorted(set(published))


@pytest.mark.parametrize("profile", PROFILES)
def test_services_depend_on_what_their_profile_starts_and_can_tell_of(profile: str) -> None:
    for name in PROFILES[profile]:
        needs = SERVICES[name].get("depends_on", {})
        assert set(needs) <= PROFILES[profile]
        for other, how in needs.items() if isinstance(needs, dict) else ():
            if how["condition"] == "service_completed_successfully":
                assert SERVICES[other]["restart"] == "no"
            else:
                assert how["condition"] == "service_healthy"
                assert "healthcheck" in SERVICES[other] or other in OURS


@pytest.mark.parametrize("name", OURS)
def test_clews_settings_are_taken_without_a_word(name: str) -> None:
    settings = read_settings(environment(name))

    assert settings.notes == ()
    open_store(settings.storage)


def test_the_roles_of_the_cluster_are_two_collectors_and_a_query_server_over_one_store() -> None:
    roles = {name: read_settings(environment(name)).process.role for name in ("collector-1", "collector-2", "query")}
    urls = {environment(name)["CLEW_STORAGE_URL"] for name in (*roles, "migrate")}

    assert roles == {"collector-1": Role.COLLECTOR, "collector-2": Role.COLLECTOR, "query": Role.QUERY}
    assert len(urls) == 1
    assert all(environment(name)["CLEW_MIGRATE"] == "false" for name in roles)


def test_the_databases_are_those_that_clew_is_told_of() -> None:
    postgresql, clickhouse = environment("postgresql"), environment("clickhouse")

    assert environment("clew-postgresql")["CLEW_STORAGE_URL"] == (
        f"postgresql://{postgresql['POSTGRES_USER']}:{postgresql['POSTGRES_PASSWORD']}"
        f"@postgresql:5432/{postgresql['POSTGRES_DB']}"
    )
    assert environment("query")["CLEW_STORAGE_URL"] == (
        f"clickhouse://{clickhouse['CLICKHOUSE_USER']}:{clickhouse['CLICKHOUSE_PASSWORD']}"
        f"@clickhouse:8123/{clickhouse['CLICKHOUSE_DB']}"
    )


@pytest.mark.parametrize("name", SERVICES)
def test_what_is_built_and_mounted_is_there(name: str) -> None:
    service = SERVICES[name]
    if "build" in service:
        assert (ROOT / service["build"] / "Dockerfile").exists()
    for source, target, *_ in (mount.split(":") for mount in service.get("volumes", [])):
        assert source in COMPOSE["volumes"] or (ROOT / source).exists(), f"{source} for {target}"


def test_every_named_volume_is_used() -> None:
    mounted = {mount.split(":")[0] for service in SERVICES.values() for mount in service.get("volumes", [])}

    assert set(COMPOSE["volumes"]) <= mounted


def hosts_of(profile: str) -> set[str]:
    aliases = {
        alias
        for name in PROFILES[profile]
        for network in SERVICES[name].get("networks", {}).values()
        for alias in network["aliases"]
    }
    return PROFILES[profile] | aliases


@pytest.mark.parametrize(
    ("file", "profile"),
    [
        ("deploy/edge/envoy.yaml", "clickhouse"),
        ("deploy/demo/envoy.yaml", "bench"),
        ("deploy/otel-collector/config.yaml", "bench"),
        ("deploy/prometheus/prometheus.yml", "bench"),
        ("deploy/grafana/provisioning/datasources/clew.yaml", "bench"),
    ],
)
def test_configurations_name_only_hosts_that_their_profile_has(file: str, profile: str) -> None:
    text = (ROOT / file).read_text()
    named = {*re.findall(r"address: ([a-z-]+), port_value", text), *re.findall(r"http://([a-z-]+):\d+", text)}
    named |= set(re.findall(r'"([a-z-]+):\d+"', text)) | set(re.findall(r"endpoint: ([a-z-]+):\d+", text))

    assert named
    assert named <= hosts_of(profile)


def test_grafana_has_the_three_kinds_of_trace_data_sources_at_clews_doors_and_prometheus() -> None:
    provisioned = yaml.safe_load((ROOT / "deploy/grafana/provisioning/datasources/clew.yaml").read_text())
    sources = {source["type"]: source for source in provisioned["datasources"]}

    assert provisioned["apiVersion"] == 1
    assert {kind: source["url"] for kind, source in sources.items()} == {
        "zipkin": "http://clew:9411",
        "jaeger": "http://clew:16686",
        "tempo": "http://clew:3200",
        "prometheus": "http://prometheus:9090",
    }
    assert [source["name"] for source in sources.values() if source.get("isDefault")] == ["clew as Jaeger"]
    assert len({source["uid"] for source in sources.values()}) == 4
    assert read_settings(environment("clew")).query.tempo_host_port == ":3200"


def test_grafanas_dashboard_asks_for_figures_that_clew_has() -> None:
    dashboard = json.loads((ROOT / "deploy/grafana/dashboards/clew.json").read_text())
    provider = yaml.safe_load((ROOT / "deploy/grafana/provisioning/dashboards/clew.yaml").read_text())["providers"][0]
    targets = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    asked = {name for expression in targets for name in re.findall(r"\b(?:clew|jaeger)_\w+", expression)}

    assert asked <= set(exposed_names())
    mounts = SERVICES["grafana"]["volumes"]
    assert f"./deploy/grafana/dashboards:{provider['options']['path']}:ro" in mounts


def exposed_names() -> list[str]:
    metrics = CollectorMetrics(Ledger(), ByteBudget(1), VERSION)
    reads = QueryMetrics()
    reads.observe("find_traces", "ok", 0.1)
    metrics.registry.register(reads)
    lines = metrics.exposition().decode().splitlines()
    return [name for line in lines if not line.startswith("#") for name in re.findall(r"^\w+", line)] + [
        f"{kind[2]}_total" if kind[3] == "counter" and not kind[2].endswith("_total") else kind[2]
        for kind in (line.split() for line in lines if line.startswith("# TYPE"))
    ]


def test_prometheus_scrapes_the_doors_that_have_figures() -> None:
    config = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
    targets = {
        target for job in config["scrape_configs"] for part in job["static_configs"] for target in part["targets"]
    }
    collector = yaml.safe_load((ROOT / "deploy/otel-collector/config.yaml").read_text())
    [reader] = collector["service"]["telemetry"]["metrics"]["readers"]

    assert targets == {"clew:8888", f"otel-collector:{reader['pull']['exporter']['prometheus']['port']}"}


def test_the_collectors_pipeline_names_only_what_is_configured() -> None:
    config = yaml.safe_load((ROOT / "deploy/otel-collector/config.yaml").read_text())

    for pipeline in config["service"]["pipelines"].values():
        for kind in ("receivers", "processors", "exporters"):
            assert set(pipeline[kind]) == set(config[kind])
    assert config["exporters"]["otlp"]["endpoint"] == "clew:4317"
