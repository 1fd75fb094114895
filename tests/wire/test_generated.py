"""The generated messages are those of the .proto files beside them, and OTLP's are the installed ones."""

import subprocess
import sys
from pathlib import Path

from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from wire import jaeger_query_v2_pb2, jaeger_query_v3_pb2, jaeger_storage_v2_pb2
from wire.otlp_descriptors import descriptor_set

ROOT = Path(__file__).parents[2]


def test_generated_code_is_what_make_wire_writes(tmp_path: Path) -> None:
    descriptors = tmp_path / "otlp.binpb"
    descriptors.write_bytes(descriptor_set().SerializeToString(deterministic=True))
    sources = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "wire").glob("*.proto"))
    out = [f"--python_out={tmp_path}", f"--pyi_out={tmp_path}"]
    command = [sys.executable, "-m", "grpc_tools.protoc", "-I.", f"--descriptor_set_in={descriptors}", *out, *sources]
    subprocess.run(command, cwd=ROOT, check=True)
    written = {path.name: path.read_text() for path in (tmp_path / "wire").iterdir()}
    kept = {path.name: path.read_text() for path in (ROOT / "wire").glob("*_pb2.py*")}
    assert written == kept


def test_services_bear_the_names_that_jaegers_clients_call() -> None:
    described = [jaeger_query_v2_pb2.DESCRIPTOR, jaeger_query_v3_pb2.DESCRIPTOR, jaeger_storage_v2_pb2.DESCRIPTOR]
    names = {service.full_name for file in described for service in file.services_by_name.values()}
    assert names == {
        "jaeger.api_v2.QueryService",
        "jaeger.api_v3.QueryService",
        "jaeger.storage.v2.TraceReader",
        "jaeger.storage.v2.DependencyReader",
        "jaeger.storage.v2.Capabilities",
    }


def test_traces_of_api_v3_are_the_installed_otlp_messages() -> None:
    service = jaeger_query_v3_pb2.DESCRIPTOR.services_by_name["QueryService"]
    assert service.methods_by_name["GetTrace"].output_type is TracesData.DESCRIPTOR
