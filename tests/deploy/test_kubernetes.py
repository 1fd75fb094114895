"""deploy/kubernetes: the three sizes, valid by Kubernetes' own schemas, and each consistent in itself and with clew."""

from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from clew.roles import Role, refuse_split
from clew.settings import Settings, doors, read_settings
from storage.factory import open_store
from storage.settings import CLOSED, host_and_port

FOLDER = Path(__file__).parents[2] / "deploy" / "kubernetes"
SIZES = {"single": {Role.ALL}, "postgresql": {Role.COLLECTOR, Role.QUERY}, "clickhouse": {Role.COLLECTOR, Role.QUERY}}
SECRETS = {
    "postgresql": "postgresql://clew:secret@db/clew",
    "clickhouse": "clickhouse://clew:secret@db:8123/clew",
}
"""What the Secret `clew-store` is made with, as each kustomization.yaml says."""
JAEGERS = {
    "jaeger-collector": {9411, 4317, 4318, 14268, 14250, 5778, 5779},
    "zipkin": {9411},
    "tracing": {80, 16685},
    "jaeger-query": {16686, 16685},
    "tempo": {3200},
}
"""The names and ports by which a mesh, exporters, Kiali and Grafana find a tracing backend."""
Document = dict[str, Any]


def documents(size: str) -> list[Document]:
    kustomization = yaml.safe_load((FOLDER / size / "kustomization.yaml").read_text())
    return [
        document
        for name in kustomization["resources"]
        for document in yaml.safe_load_all((FOLDER / size / name).read_text())
    ]


def of_kind(size: str, *kinds: str) -> list[Document]:
    return [document for document in documents(size) if document["kind"] in kinds]


def workloads(size: str) -> list[Document]:
    return of_kind(size, "Deployment", "StatefulSet")


def container(workload: Document) -> Document:
    [only] = workload["spec"]["template"]["spec"]["containers"]
    return dict(only)


def settings_of(size: str, workload: Document) -> Settings:
    given = {
        one["name"]: SECRETS[size] if "valueFrom" in one else str(one["value"]) for one in container(workload)["env"]
    }
    return read_settings(given)


def labels_of(workload: Document) -> dict[str, str]:
    return dict(workload["spec"]["template"]["metadata"]["labels"])


EVERY = [(size, document) for size in SIZES for document in documents(size)]
EVERY_WORKLOAD = [(size, workload) for size in SIZES for workload in workloads(size)]
EVERY_POD = [*EVERY_WORKLOAD, *((size, job) for size in SIZES for job in of_kind(size, "Job"))]


def each(workloads: list[tuple[str, Document]]) -> pytest.MarkDecorator:
    names = [f"{size} {one['metadata']['name']}" for size, one in workloads]
    return pytest.mark.parametrize(("size", "workload"), workloads, ids=names)


named, pods = each(EVERY_WORKLOAD), each(EVERY_POD)


@pytest.mark.parametrize("version", ["1.27", kubernetes_validate.latest_version()])
@pytest.mark.parametrize(
    "document",
    [one for _, one in EVERY],
    ids=[f"{size} {one['kind']} {one['metadata']['name']}" for size, one in EVERY],
)
def test_every_document_fits_the_schema_of_kubernetes(document: Document, version: str) -> None:
    kubernetes_validate.validate(document, version, strict=True)


@pytest.mark.parametrize("size", SIZES)
def test_the_kustomization_says_only_what_there_is_and_takes_every_file(size: str) -> None:
    kustomization = yaml.safe_load((FOLDER / size / "kustomization.yaml").read_text())

    assert set(kustomization) == {"apiVersion", "kind", "namespace", "resources", "images"}
    assert (kustomization["apiVersion"], kustomization["kind"]) == (
        "kustomize.config.k8s.io/v1beta1",
        "Kustomization",
    )
    assert {*kustomization["resources"], "kustomization.yaml"} == {path.name for path in (FOLDER / size).iterdir()}
    assert kustomization["images"] == [{"name": "clew", "newName": "clew", "newTag": "0.1.0"}]
    [namespace] = of_kind(size, "Namespace")
    assert namespace["metadata"]["name"] == kustomization["namespace"]


@pytest.mark.parametrize("size", SIZES)
def test_no_two_documents_are_one_object(size: str) -> None:
    names = [(document["kind"], document["metadata"]["name"]) for document in documents(size)]

    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("size", SIZES)
def test_each_size_has_its_roles(size: str) -> None:
    assert {settings_of(size, workload).process.role for workload in workloads(size)} == SIZES[size]


@named
def test_clews_settings_are_taken_without_a_word_by_a_store_that_allows_the_role(size: str, workload: Document) -> None:
    settings = settings_of(size, workload)

    assert settings.notes == ()
    refuse_split(settings.process.role, open_store(settings.storage), "CLEW_STORAGE_URL")
    assert settings.storage.migrate_at_start == (size == "single")


@named
def test_the_container_names_ports_that_clew_listens_on(size: str, workload: Document) -> None:
    settings = settings_of(size, workload)
    groups = (settings.process, settings.collector, settings.query)
    values = {field.alias: getattr(group, name) for group in groups for name, field in type(group).model_fields.items()}
    listening = {host_and_port(values[door])[1] for door in doors() if values[door] != CLOSED}
    declared = [port["containerPort"] for port in container(workload)["ports"]]

    assert len(declared) == len(set(declared))
    assert set(declared) <= listening
    names = [port["name"] for port in container(workload)["ports"]]
    assert len(names) == len(set(names))


@named
def test_probes_tell_readiness_from_life(size: str, workload: Document) -> None:
    only = container(workload)
    ports = {port["name"]: port["containerPort"] for port in only["ports"]}
    probed = {
        probe: (ports[only[f"{probe}Probe"]["httpGet"]["port"]], only[f"{probe}Probe"]["httpGet"]["path"])
        for probe in ("startup", "liveness", "readiness")
    }

    assert probed == {"startup": (13133, "/status"), "liveness": (13133, "/live"), "readiness": (13133, "/status")}


@pods
def test_the_pod_has_no_rights_that_it_does_not_need_and_a_folder_to_write_to(size: str, workload: Document) -> None:
    pod = workload["spec"]["template"]["spec"]

    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == 10001
    assert pod["automountServiceAccountToken"] is False
    assert container(workload)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert "memory" in container(workload)["resources"]["limits"]
    [temporary] = [mount["name"] for mount in container(workload)["volumeMounts"] if mount["mountPath"] == "/tmp"]
    assert {"name": temporary, "emptyDir": {}} in pod["volumes"]


@named
def test_a_pod_outlives_its_drain(size: str, workload: Document) -> None:
    drain_s = settings_of(size, workload).collector.drain_timeout_ns / 1e9

    assert workload["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] > 2 * drain_s


@named
def test_each_workload_selects_its_own_pods_and_has_a_disruption_budget(size: str, workload: Document) -> None:
    assert workload["spec"]["selector"]["matchLabels"].items() <= labels_of(workload).items()
    budgets = [one for one in of_kind(size, "PodDisruptionBudget") if selects(one, workload)]
    assert len(budgets) == 1
    others = [one for one in workloads(size) if one is not workload and one["metadata"] != workload["metadata"]]
    assert not any(selects(workload, other) for other in others)


def selects(chooser: Document, workload: Document) -> bool:
    return bool(chooser["spec"]["selector"]["matchLabels"].items() <= labels_of(workload).items())


@pytest.mark.parametrize("size", SIZES)
def test_services_have_the_names_and_ports_by_which_clew_is_found(size: str) -> None:
    found = {
        one["metadata"]["name"]: {port["port"] for port in one["spec"]["ports"]} for one in of_kind(size, "Service")
    }

    assert JAEGERS.items() <= found.items()
    assert set(found) - set(JAEGERS) == (set() if size == "single" else {"zipkin-query"})


@pytest.mark.parametrize("size", SIZES)
def test_every_service_leads_to_ports_of_exactly_one_workload(size: str) -> None:
    for service in of_kind(size, "Service"):
        [workload] = [one for one in workloads(size) if service["spec"]["selector"].items() <= labels_of(one).items()]
        names = {port["name"] for port in container(workload)["ports"]}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= names
        reads = service["metadata"]["name"] in ("tracing", "jaeger-query", "zipkin-query", "tempo")
        role = settings_of(size, workload).process.role
        assert role.reads if reads else role.collects


@pytest.mark.parametrize("size", ["postgresql", "clickhouse"])
def test_one_job_migrates_the_store_that_the_others_use(size: str) -> None:
    [job] = of_kind(size, "Job")
    [migration] = job["spec"]["template"]["spec"]["containers"]
    served = {one["name"]: one for one in container(workloads(size)[0])["env"]}

    assert migration["args"] == ["migrate", "up", "--wait=60s"]
    assert all(served[one["name"]] == one for one in migration["env"])
    assert "CLEW_STORAGE_URL" in {one["name"] for one in migration["env"]}


@pytest.mark.parametrize("size", ["postgresql", "clickhouse"])
def test_collectors_scale_by_what_they_use(size: str) -> None:
    [scaler] = of_kind(size, "HorizontalPodAutoscaler")
    [collectors] = [one for one in workloads(size) if one["metadata"]["name"] == "clew-collector"]

    assert scaler["spec"]["scaleTargetRef"]["name"] == collectors["metadata"]["name"]
    assert scaler["spec"]["minReplicas"] == collectors["spec"]["replicas"] >= 2
    assert "cpu" in container(collectors)["resources"]["requests"]


def test_the_single_pods_store_is_on_its_volume() -> None:
    [workload] = workloads("single")
    [claim] = workload["spec"]["volumeClaimTemplates"]
    [mount] = [one for one in container(workload)["volumeMounts"] if one["name"] == "data"]
    settings = settings_of("single", workload)

    assert mount["name"] == claim["metadata"]["name"]
    assert settings.storage.url == f"duckdb:///{mount['mountPath']}/clew.duckdb"
    assert claim["spec"]["resources"]["requests"]["storage"] == "100Gi"
    assert settings.storage.retention_max_bytes == 80 * 2**30
