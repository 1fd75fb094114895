"""OTLP's message descriptions as protoc reads them: `python -m wire.otlp_descriptors FILE` (for `make wire`).

opentelemetry-proto installs its generated classes without the .proto files. Messages that refer to OTLP's must refer to
those very classes (a process may hold one definition of a message), so protoc is given what the classes describe.
"""

import sys
from pathlib import Path

from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from opentelemetry.proto.trace.v1.trace_pb2 import DESCRIPTOR


def descriptor_set() -> FileDescriptorSet:
    """OTLP's trace messages and all that they import, imports first."""
    found: dict[str, FileDescriptor] = {}
    _collect(DESCRIPTOR, found)
    answer = FileDescriptorSet()
    for described in found.values():
        described.CopyToProto(answer.file.add())
    return answer


def _collect(described: FileDescriptor, found: dict[str, FileDescriptor]) -> None:
    for imported in described.dependencies:
        _collect(imported, found)
    found[described.name] = described


if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(descriptor_set().SerializeToString(deterministic=True))
