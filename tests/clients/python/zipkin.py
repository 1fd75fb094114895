"""Sends the workload by py_zipkin, once for each encoding asked for; says too what it posted.

py_zipkin lets a root end when it ends, so its duration is read from what was posted.
"""

import json
from typing import Any
from urllib.request import Request, urlopen

import py_zipkin
from py_zipkin.transport import BaseTransportHandler
from py_zipkin.zipkin import zipkin_span

from tests.clients.python.job import answer, read_job

# The package's own __init__ exports neither by name, which mypy minds.
ENCODINGS: Any = vars(py_zipkin)["Encoding"]
KINDS: Any = vars(py_zipkin)["Kind"]


class Transport(BaseTransportHandler):
    """Posts as the examples of py_zipkin do, and keeps what was posted."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.posted: list[dict[str, Any]] = []

    def get_max_payload_bytes(self) -> None:
        return None

    def send(self, payload: bytes | str) -> None:
        self.posted += json.loads(payload)
        request = Request(self.url, str(payload).encode(), {"Content-Type": "application/json"})
        with urlopen(request, timeout=10) as response:
            assert response.status == 202


def send(job: Any, variant: str, service: str, endpoint: str) -> dict[str, object]:
    transport = Transport(endpoint)
    root, child = job["spans"]
    options: Any = {"service_name": service, "host": "10.1.2.3", "port": 8080, "encoding": ENCODINGS[variant]}
    root_span: Any = zipkin_span(
        span_name=root["name"],
        kind=KINDS.SERVER,
        transport_handler=transport,
        sample_rate=100.0,
        use_128bit_trace_id=True,
        binary_annotations=root["attributes"],
        **options,
    )
    with root_span:
        root_span.logging_context.start_timestamp = seconds(job, root["offset_ns"])
        child_span: Any = zipkin_span(
            span_name=child["name"],
            kind=KINDS.CLIENT,
            timestamp=seconds(job, child["offset_ns"]),
            duration=child["duration_ns"] / 1e9,
            binary_annotations={key: tag(value) for key, value in child["attributes"].items()}
            | {"error": child["error"]},
            annotations={event["name"]: seconds(job, event["offset_ns"]) for event in child["events"]},
            **options,
        )
        with child_span:
            child_span.add_sa_binary_annotation(5432, "orders-db", "10.9.8.7")
    assert transport.posted, "py_zipkin logs what goes wrong and raises nothing"
    spans = {root["name"]: root_span.zipkin_attrs, child["name"]: child_span.zipkin_attrs}
    return {
        "trace_id": spans[root["name"]].trace_id,
        "span_ids": {name: span.span_id for name, span in spans.items()},
        "posted": transport.posted,
    }


def tag(value: Any) -> Any:
    """v2 makes text of every value, v1 puts it into JSON as it is, where bytes cannot be."""
    return value if isinstance(value, str | bool | int | float) else str(value)


def seconds(job: Any, offset_ns: int) -> float:
    """A time cut to microseconds, and half of one more: floats are a quarter off, and the client cuts again."""
    return float(((job["base_ns"] + offset_ns) // 1000 + 0.5) / 1e6)


if __name__ == "__main__":
    job = read_job()
    answer({name: send(job, name, variant["service"], variant["target"]) for name, variant in job["variants"].items()})
