"""OpenTelemetry's SDKs of Python and Node by OTLP: every door, every encoding, every compression."""

from collections.abc import Mapping

import pytest

from tests.clients.expectations import as_sent_by_otlp, assert_every_window_shows
from tests.clients.sending import Sent, send_by_node, send_by_python
from tests.process.clew_process import Clew

BEYOND_JAVASCRIPT = ("int.largest", "bytes")


@pytest.fixture(scope="module")
def python(clew: Clew) -> dict[str, Sent]:
    """What the Python exporters sent; JSON's lives among packages of its own."""
    grpc, http = clew.url("otlp_grpc"), f"{clew.url('otlp_http')}/v1/traces"
    targets = {"grpc": grpc, "grpc-gzip": grpc} | dict.fromkeys(("http", "http-gzip", "http-deflate"), http)
    sent = send_by_python("otel", targets)
    return sent | send_by_python("otel", {"json": http}, packages="otlp_json")


@pytest.fixture(scope="module", params=["current", "legacy"])
def node(clew: Clew, request: pytest.FixtureRequest) -> Mapping[str, Sent]:
    """What the Node exporters sent, of OpenTelemetry 3 and 2."""
    http = f"{clew.url('otlp_http')}/v1/traces"
    targets = dict.fromkeys(("json", "json-gzip", "proto"), http) | {"grpc": clew.url("otlp_grpc")}
    return send_by_node("otel", str(request.param), targets)


@pytest.mark.parametrize("variant", ["grpc", "grpc-gzip", "http", "http-gzip", "http-deflate", "json"])
def test_python_spans_read_back_complete_through_every_window(
    clew: Clew, python: Mapping[str, Sent], variant: str
) -> None:
    assert_every_window_shows(clew, as_sent_by_otlp(python[variant]))


@pytest.mark.parametrize("variant", ["json", "json-gzip", "proto", "grpc"])
def test_node_spans_read_back_complete_through_every_window(clew: Clew, node: Mapping[str, Sent], variant: str) -> None:
    assert_every_window_shows(clew, as_sent_by_otlp(node[variant], without=BEYOND_JAVASCRIPT))
