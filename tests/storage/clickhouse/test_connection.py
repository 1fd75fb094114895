"""What can be wrong with a server, in clew's terms; and reads that are ended, and a server that comes back."""

import logging
import threading
from pathlib import Path

import pytest

from storage.batch import SpanBatch
from storage.clickhouse import connection as module
from storage.clickhouse.address import Address, address_of
from storage.clickhouse.connection import Connection
from storage.clickhouse.store import ClickHouseStore
from storage.errors import StorageError, StoreConfigurationError, StoreUnavailable
from tests.builders import TODAY_NS, a_span, a_trace_id, exactly
from tests.servers.clickhouse import PASSWORD, USER, ClickHouseServer
from tests.servers.clickhouse_databases import clickhouse_server
from tests.waiting import wait_until


class TestAddress:
    def test_parts_of_a_url_are_decoded(self) -> None:
        address = address_of("clickhouse://us%40er:p%2Fw@db.example:9000/te%20st", "X")
        assert address == Address("db.example", 9000, "te st", "us@er", "p/w", secure=False)

    def test_what_a_url_does_not_say_is_as_clickhouse_has_it(self) -> None:
        assert address_of("clickhouse://db", "X") == Address("db", 8123, "default", "default", "", secure=False)
        assert address_of("clickhouses://db", "X").port == 8443
        assert address_of("clickhouses://db", "X").secure

    @pytest.mark.parametrize(
        "url",
        [
            "clickhouse:///db",
            "clickhouse://",
            "clickhouse://host/a/b",
            "clickhouse://host/a?b=c",
            "clickhouse://host/a#b",
            "clickhouse://user:to/ken@host:1/db",
            "clickhouse://host:port/db",
            "clickhouse://host:99999/db",
        ],
    )
    def test_a_url_that_names_no_database_is_refused_without_being_shown(self, url: str) -> None:
        with pytest.raises(StoreConfigurationError, match="X: expected clickhouse://USER:PASSWORD@HOST") as raised:
            address_of(url, "X")
        assert url.removeprefix("clickhouse://") not in str(raised.value) or url == "clickhouse://"
        assert "to/ken" not in str(raised.value)

    def test_neither_its_text_nor_its_name_has_the_password(self) -> None:
        address = address_of("clickhouse://user:hidden@db/x", "X")
        assert "hidden" not in repr(address) + address.where
        assert address.where == "clickhouse://db:8123/x"


class TestOpening:
    def test_nobody_at_the_address_is_unavailable(self) -> None:
        with pytest.raises(StoreUnavailable, match=r"clickhouse://127\.0\.0\.1:1/default"):
            Connection(address_of("clickhouse://127.0.0.1:1", "X")).open()

    @pytest.mark.parametrize(
        ("user", "password"), [(USER, "hidden"), ("nobody", PASSWORD), (USER, "")], ids=["password", "user", "none"]
    )
    def test_a_wrong_user_or_password_is_a_matter_of_configuration(
        self, address: Address, user: str, password: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        wrong = Address(address.host, address.port, address.database, user, password, secure=False)
        with pytest.raises(StoreConfigurationError, match="the user or the password is wrong") as raised:
            Connection(wrong).open()
        assert "hidden" not in str(raised.value) + caplog.text

    def test_a_database_that_is_not_there_is_a_matter_of_configuration(self, address: Address) -> None:
        wrong = Address(address.host, address.port, "nowhere", address.user, address.password, secure=False)
        with pytest.raises(StoreConfigurationError, match="there is no such database"):
            ClickHouseStore(wrong, ()).__enter__()

    def test_a_server_that_is_too_old_is_named_with_what_is_wanted(
        self, address: Address, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "MIN_VERSION", (99, 1))
        with pytest.raises(StoreConfigurationError, match=r"expected ClickHouse 99\.1 or newer, got \d+\.\d+"):
            Connection(address).open()

    def test_a_connection_that_is_not_open_says_so(self, address: Address) -> None:
        with pytest.raises(StorageError, match="is not open"):
            Connection(address).rows("SELECT 1")


class TestReads:
    def test_a_read_that_is_interrupted_fails_soon(self, address: Address) -> None:
        connection = Connection(address)
        connection.open()
        failures: list[BaseException] = []

        def read() -> None:
            try:
                connection.rows(
                    "SELECT sleepEachRow(1) FROM numbers(100) SETTINGS max_block_size = 1, log_comment = 'm'"
                )
            except StoreUnavailable as error:
                failures.append(error)

        thread = threading.Thread(target=read)
        thread.start()
        running = "SELECT count() FROM system.processes WHERE Settings['log_comment'] = 'm'"
        wait_until(lambda: connection.rows(running)[0][0] == 1, "the read runs")
        assert thread.ident is not None
        connection.interrupt(thread.ident)
        thread.join(30)
        assert len(failures) == 1

    def test_a_thread_that_reads_nothing_is_left_alone(self, store: ClickHouseStore) -> None:
        store.interrupt(threading.get_ident())
        store.check()

    @pytest.mark.parametrize(
        "text", ["a\x00b", "quo'te\\", "\t\n\r", "🧶", "\x1f", "%s %(x)s", "{a:String}", "--;/*", ""]
    )
    def test_a_parameter_is_what_it_was(self, store: ClickHouseStore, address: Address, text: str) -> None:
        connection = Connection(address)
        connection.open()
        values = {"x": text, "xs": [text, text]}
        found = connection.rows("SELECT hex({x:String}), arrayMap(x -> hex(x), {xs:Array(String)})", values)
        assert [list(row) for row in found] == [[text.encode().hex().upper(), [text.encode().hex().upper()] * 2]]


def test_a_store_finds_its_server_again_after_that_was_killed(tmp_path: Path) -> None:
    with ClickHouseServer(tmp_path) as server, ClickHouseStore(address_of(server.url(), "X"), ()) as store:
        store.write(SpanBatch.of([a_span(1)], TODAY_NS))
        server.kill()
        with pytest.raises(StoreUnavailable):
            store.check()
        unsure = SpanBatch.of([a_span(2)], TODAY_NS)
        with pytest.raises(StoreUnavailable):
            store.write(unsure)
        server.start()
        store.check()
        store.write(unsure)
        assert exactly(store.get_traces([a_trace_id(1), a_trace_id(2)])) == exactly([[a_span(1)], [a_span(2)]])


def test_the_server_of_the_session_is_of_a_version_that_clew_supports() -> None:
    version = clickhouse_server().execute("SELECT version()")
    assert tuple(int(part) for part in version.split(".")[:2]) >= module.MIN_VERSION
