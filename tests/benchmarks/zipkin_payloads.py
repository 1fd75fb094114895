"""What Envoys post: captured bodies of 5 spans with about 21 tags, chunked, each from a service of its own."""

import re
from pathlib import Path

import numpy as np

from tests.benchmarks.stamping import Template, stamped

_DATA = Path(__file__).parents[1] / "data"
_CAPTURES = ("envoy-zipkin-json-0001.json", "envoy-zipkin-json-0002.json", "envoy-zipkin-json-0003.json")
_SERVICES = 24
_HEX_RUN = re.compile(rb'"(?:traceId|id|parentId)":"([0-9a-f]{16})([0-9a-f]{16})?"')
_TIME = re.compile(rb'"timestamp":([0-9]{16})')
_REQUEST_ID = re.compile(rb'"guid:x-request-id":"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-)')
_REQUEST_HEAD = (
    b"POST /api/v2/spans HTTP/1.1\r\nhost: zipkin.istio-system.svc.cluster.local\r\ncontent-type: application/json\r\n"
    b"x-envoy-internal: true\r\nx-forwarded-for: 192.0.2.2\r\nx-envoy-expected-rq-timeout-ms: 5000\r\n"
    b"transfer-encoding: chunked\r\n\r\n"
)
SPANS_PER_POST = 5


def templates() -> list[Template]:
    """Each captured body once a service (the name is put in at equal length)."""
    return [
        _template(body.replace(b"productpage", f"service-{number:03d}".encode()))
        for body in ((_DATA / name).read_bytes() for name in _CAPTURES)
        for number in range(_SERVICES)
    ]


def _template(body: bytes) -> Template:
    places: dict[bytes, list[int]] = {}
    for found in _HEX_RUN.finditer(body):
        for group in (1, 2):
            if found.group(group):
                places.setdefault(found.group(group), []).append(found.start(group))
    moments = [(found.start(1), int(found.group(1))) for found in _TIME.finditer(body)]
    newest_us = max(moment for _, moment in moments)
    request_ids: dict[bytes, list[int]] = {}
    for found in _REQUEST_ID.finditer(body):
        request_ids.setdefault(found.group(1), []).append(found.start(1))
    return Template(
        payload=body,
        spans=SPANS_PER_POST,
        # 16 hex digits over the first dashes of a request id make it unique, and it stays as long as it was.
        ids=[*places.values(), *request_ids.values()],
        times=[(offset, (newest_us - moment) * 1000) for offset, moment in moments],
        form="text",
    )


def posts(template: Template, count: int, now_ns: int, source: np.random.Generator) -> list[bytes]:
    """`count` whole HTTP requests, framed in one chunk as Envoy does it."""
    head = _REQUEST_HEAD + f"{len(template.payload):x}\r\n".encode()
    return [b"%b%b\r\n0\r\n\r\n" % (head, body) for body in stamped(template, count, now_ns, source)]
