"""Every store, in every state of its upkeep, under one suite.

`store` is open and empty. `write` puts spans into it and leaves it in one of three states, because side tables must
never change an answer: nothing maintained yet, all of it maintained, and maintained in the middle of the spans.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from enum import Enum
from pathlib import Path
from typing import Any, cast

import pytest

from storage.batch import SpanBatch
from storage.contract import SpanStore
from storage.factory import open_store
from storage.requests import RetentionPolicy
from storage.settings import StorageSettings
from storage.span import Span
from tests.builders import HOUR, SECOND, TODAY_NS
from tests.servers.clickhouse_databases import CLICKHOUSE_DATABASES
from tests.servers.duckdb_files import empty_duckdb
from tests.servers.stores import POSTGRESQL_DATABASES

BACKENDS = ("memory", "duckdb", "postgresql", "clickhouse")
DURABLE_BACKENDS = ("duckdb", "postgresql", "clickhouse")

KEEP_EVERYTHING = RetentionPolicy(max_age_ns=None, max_bytes=None)
RECEIVED_NS = TODAY_NS + 60 * SECOND
MAINTAINED_NS = RECEIVED_NS + HOUR
"""Late enough for a store that sums up only what nothing comes to any more."""

_ASKED_OF_SUMS = ("test_dependencies", "test_dependencies_agreement", "test_service_graph")


class Upkeep(Enum):
    FRESH = "fresh"
    AFTER = "after_upkeep"
    BETWEEN = "upkeep_in_the_middle"


def _is_state_of_its_own(backend: str, upkeep: Upkeep, module: str) -> bool:
    """ClickHouse's side tables but sums are filled as spans are written: a maintained store is as a fresh one."""
    return backend != "clickhouse" or upkeep is not Upkeep.AFTER or module in _ASKED_OF_SUMS


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out the tests of states that are none of their own."""
    items[:] = [item for item in items if _is_state_of_its_own(*_case_of(item))]


def _case_of(item: pytest.Item) -> tuple[str, Upkeep, str]:
    parameters: dict[str, Any] = getattr(getattr(item, "callspec", None), "params", {})
    settled = parameters.get("backend", ""), parameters.get("settled", Upkeep.FRESH)
    return *parameters.get("loaded", settled), item.path.stem


class Writing:
    """Writes spans to a store, in one batch each side of the upkeep that the case asks for."""

    def __init__(self, store: SpanStore, upkeep: Upkeep) -> None:
        self._store = store
        self._upkeep = upkeep

    def __call__(self, *spans: Span) -> None:
        if self._upkeep is Upkeep.BETWEEN:
            half = len(spans) // 2
            self._write(spans[:half])
            self._maintain()
            self._write(spans[half:])
        else:
            self._write(spans)
        if self._upkeep is Upkeep.AFTER:
            self._maintain()

    def _write(self, spans: tuple[Span, ...]) -> None:
        if spans:
            self._store.write(SpanBatch.of(spans, RECEIVED_NS))

    def _maintain(self) -> None:
        assert self._store.maintain(KEEP_EVERYTHING, MAINTAINED_NS) == 0


def settings_of(backend: str, folder: Path) -> StorageSettings:
    """The settings of an own, empty store of that kind."""
    match backend:
        case "duckdb":
            url = f"duckdb:///{empty_duckdb(folder / 'clew.duckdb')}"
        case "postgresql":
            url = POSTGRESQL_DATABASES.url(folder)
        case "clickhouse":
            url = CLICKHOUSE_DATABASES.url(folder)
        case _:
            url = f"{backend}:"
    return StorageSettings.model_validate({"url": url, "autocomplete_keys": ("http.host", "http.status_code")})


@pytest.fixture(autouse=True)
def databases_are_given_back(tmp_path: Path) -> Iterator[None]:
    yield
    POSTGRESQL_DATABASES.give_back(tmp_path)
    CLICKHOUSE_DATABASES.give_back(tmp_path)


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    return cast("str", request.param)


@pytest.fixture
def store(backend: str, tmp_path: Path) -> Iterator[SpanStore]:
    with open_store(settings_of(backend, tmp_path)) as opened:
        yield opened


@pytest.fixture(params=Upkeep, ids=lambda upkeep: upkeep.value)
def settled(request: pytest.FixtureRequest) -> Upkeep:
    return cast("Upkeep", request.param)


@pytest.fixture
def write(store: SpanStore, settled: Upkeep) -> Writing:
    return Writing(store, settled)


@pytest.fixture(params=DURABLE_BACKENDS)
def durable_settings(request: pytest.FixtureRequest, tmp_path: Path) -> StorageSettings:
    return settings_of(cast("str", request.param), tmp_path)


Corpus = Callable[[], list[Span]]
Loaded = Callable[[Corpus], SpanStore]
SETTLED_STORES = [(backend, upkeep) for backend in BACKENDS for upkeep in Upkeep]


@pytest.fixture(scope="module", params=SETTLED_STORES, ids=lambda case: f"{case[0]}-{case[1].value}")
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    """`loaded(corpus)`: a store that holds `corpus()`, made once a module, for tables of questions that only read."""
    name, upkeep = request.param
    with ExitStack() as opened:
        stores: dict[Corpus, SpanStore] = {}

        def store_of(corpus: Corpus) -> SpanStore:
            if corpus not in stores:
                store = open_store(settings_of(name, tmp_path_factory.mktemp("store")))
                stores[corpus] = opened.enter_context(store)
                Writing(stores[corpus], upkeep)(*corpus())
            return stores[corpus]

        yield store_of
