"""One clew for all client tests: each client sends a trace of its own, as a service of its own."""

import time
from collections.abc import Iterator

import pytest

from tests.clients.istio_traffic import Traffic, send_traffic
from tests.process.clew_process import Clew


@pytest.fixture(scope="session")
def clew(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clew]:
    with Clew(tmp_path_factory.mktemp("clients"), QUERY_BASE_PATH="/jaeger") as running:
        yield running


@pytest.fixture(scope="session")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clew]:
    """A clew for `traffic` alone, below Istio's base path."""
    with Clew(tmp_path_factory.mktemp("mesh"), QUERY_BASE_PATH="/jaeger") as running:
        yield running


@pytest.fixture(scope="session")
def traffic(mesh: Clew) -> Traffic:
    return send_traffic(mesh, time.time_ns())
