"""One clew for all client tests: each client sends a trace of its own, as a service of its own."""

from collections.abc import Iterator

import pytest

from tests.process.clew_process import Clew

pytest.register_assert_rewrite("tests.clients.expectations")  # so that a difference is shown


@pytest.fixture(scope="session")
def clew(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clew]:
    with Clew(tmp_path_factory.mktemp("clients"), QUERY_BASE_PATH="/jaeger") as running:
        yield running
