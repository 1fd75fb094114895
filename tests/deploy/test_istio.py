"""deploy/istio/clew.yaml, and clew in the place of what Istio's samples start."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from clew.settings import read_settings
from tests.peers.istio import V1_ENVIRONMENT, V2_CONFIG, ZIPKIN_ENVIRONMENT

MANIFEST = Path(__file__).parents[2] / "deploy" / "istio" / "clew.yaml"
DOCUMENTS: list[dict[str, Any]] = list(yaml.safe_load_all(MANIFEST.read_text()))
SERVICES = {
    "tracing": {("http-query", 80, 16686), ("grpc-query", 16685, 16685)},
    "zipkin": {("http-query", 9411, 9411)},
    "jaeger-collector": {
        ("jaeger-collector-http", 14268, 14268),
        ("jaeger-collector-grpc", 14250, 14250),
        ("http-zipkin", 9411, 9411),
        ("grpc-otel", 4317, 4317),
        ("http-otel", 4318, 4318),
    },
}
"""Name, port and target of every port, as Istio's samples have them."""
SAMPLING = (5778, 5779)
"""Open in Jaeger v2's pod, though no Service of the sample names them."""
TARGETS = sorted({target for ports in SERVICES.values() for _, _, target in ports})


def document(kind: str, name: str) -> dict[str, Any]:
    return next(one for one in DOCUMENTS if one["kind"] == kind and one["metadata"]["name"] == name)


def container() -> dict[str, Any]:
    containers: list[dict[str, Any]] = document("Deployment", "jaeger")["spec"]["template"]["spec"]["containers"]
    assert len(containers) == 1
    return containers[0]


@pytest.mark.parametrize("one", DOCUMENTS, ids=lambda one: f"{one['kind']} {one['metadata']['name']}")
@pytest.mark.parametrize("version", ["1.26", kubernetes_validate.latest_version()])
def test_every_document_fits_the_schema_of_kubernetes(one: dict[str, Any], version: str) -> None:
    kubernetes_validate.validate(one, version, strict=True)


@pytest.mark.parametrize("name", SERVICES)
def test_the_services_are_those_of_istios_samples(name: str) -> None:
    service = document("Service", name)

    assert {(one["name"], one["port"], one["targetPort"]) for one in service["spec"]["ports"]} == SERVICES[name]


def test_everything_is_in_istios_namespace_and_selects_the_pod() -> None:
    labels = document("Deployment", "jaeger")["spec"]["template"]["metadata"]["labels"]

    assert {one["metadata"]["namespace"] for one in DOCUMENTS} == {"istio-system"}
    assert document("Deployment", "jaeger")["spec"]["selector"]["matchLabels"].items() <= labels.items()
    for name in SERVICES:
        assert document("Service", name)["spec"]["selector"].items() <= labels.items()


def test_the_container_names_every_port_that_is_served_probed_or_scraped() -> None:
    declared = {one["containerPort"] for one in container()["ports"]}
    template = document("Deployment", "jaeger")["spec"]["template"]
    probed = {container()[f"{probe}Probe"]["httpGet"]["port"] for probe in ("startup", "liveness", "readiness")}

    assert declared == {*TARGETS, *probed, int(template["metadata"]["annotations"]["prometheus.io/port"])}


def test_the_environment_is_one_that_clew_takes_without_a_word() -> None:
    settings = read_settings({one["name"]: one["value"] for one in container()["env"]})

    assert settings.notes == ()
    assert settings.query.base_path == "/jaeger"
    assert settings.storage.url == f"duckdb:///{container()['volumeMounts'][0]['mountPath']}/clew.duckdb"


def run_in_own_network(arguments: list[str], environment: dict[str, str], directory: Path) -> dict[str, Any]:
    """The report of tests.deploy.namespace, for clew with only this environment."""
    unshare = shutil.which("unshare")
    assert unshare is not None, "expected unshare (util-linux)"
    root = str(MANIFEST.parents[2])
    command = [unshare, "--map-root-user", "--net", sys.executable, "-m", "tests.deploy.namespace", *arguments, "--"]
    done = subprocess.run(
        [*command, *map(str, (*TARGETS, *SAMPLING))],
        cwd=directory,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": root, "CLEW_MIN_FREE_DISK": "1MiB"} | environment,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    assert report["ready"] is not None, done.stderr
    return report | {"log": done.stderr}


def assert_every_service_answers(report: dict[str, Any]) -> None:
    assert [port for port, is_open in report["open"].items() if not is_open] == []
    assert report["probes"] == {
        "14269/": 200,
        "13133/status": 200,
        "9411/health": 200,
        "8888/metrics": 200,
        "16686/jaeger/api/services": 200,
    }
    assert report["exit"] == 0


def test_with_istios_v1_environment_every_port_of_the_services_is_open(tmp_path: Path) -> None:
    badger = {name: value.replace("/badger", f"{tmp_path}/badger") for name, value in V1_ENVIRONMENT.items()}

    report = run_in_own_network(["serve"], badger, tmp_path)

    assert_every_service_answers(report)
    assert (tmp_path / "badger" / "data" / "clew.duckdb").exists()
    assert report["log"].count("Jaeger v1 configuration: SPAN_STORAGE_TYPE=badger") == 1


def test_with_istios_v2_arguments_every_port_of_the_services_is_open(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(V2_CONFIG.read_text().replace("/badger", f"{tmp_path}/badger"))

    report = run_in_own_network(["--config", str(config)], {}, tmp_path)

    assert_every_service_answers(report)
    assert (tmp_path / "badger" / "data" / "clew.duckdb").exists()
    assert report["log"].count("Jaeger v2 configuration: ") == 1
    assert report["ready"]["doors"]["jaeger_udp_compact"] == "0.0.0.0:6831"
    assert report["ready"]["doors"]["jaeger_udp_binary"] == "0.0.0.0:6832"
    assert "remote_storage" not in report["ready"]["doors"]


def test_with_istios_zipkin_environment_its_port_and_probe_answer(tmp_path: Path) -> None:
    report = run_in_own_network(["serve"], ZIPKIN_ENVIRONMENT, tmp_path)

    assert report["open"]["9411"] is True
    assert report["probes"]["9411/health"] == 200


def test_what_the_manifest_starts_opens_every_port_of_its_services(tmp_path: Path) -> None:
    environment = {one["name"]: one["value"] for one in container()["env"]}
    environment["CLEW_STORAGE_URL"] = f"duckdb:///{tmp_path}/clew.duckdb"

    report = run_in_own_network(container()["args"], environment, tmp_path)

    assert_every_service_answers(report)
