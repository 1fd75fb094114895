"""Reading the strategies again, and what a broken file does not do."""

import http.server
import logging
import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.sampling_strategies import MAX_FILE_BYTES, Strategy
from collector.strategies_source import StrategiesSource, loader_of
from tests.collector.rig import until

DEFAULT = 0.25
GOOD = b'{"default_strategy":{"type":"probabilistic","param":0.5}}'
OTHER = b'{"default_strategy":{"type":"ratelimiting","param":7}}'


def a_source(path: Path, reload_s: float = 0) -> StrategiesSource:
    return StrategiesSource(str(path), reload_s, DEFAULT)


async def test_without_a_location_every_service_has_the_default_probability() -> None:
    source = StrategiesSource("", 10, DEFAULT)
    await source.start()
    assert (source.strategies.of("any"), source.is_stale) == (Strategy(DEFAULT), False)
    await source.stop()


async def test_a_file_is_in_force_once_the_source_has_started(tmp_path: Path) -> None:
    (tmp_path / "s.json").write_bytes(GOOD)
    source = a_source(tmp_path / "s.json")
    await source.start()
    assert source.strategies.default == Strategy(0.5)
    await source.stop()


async def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "s.json"
    path.write_bytes(GOOD)
    source = a_source(path, reload_s=0.001)
    await source.start()
    path.write_bytes(OTHER)
    await until(lambda: source.strategies.default == Strategy(max_traces_per_second=7))
    await source.stop()


async def test_a_broken_file_keeps_the_last_good_one_and_says_so_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "s.json"
    path.write_bytes(GOOD)
    source = a_source(path)
    await source.read()
    path.write_bytes(b"{")
    with caplog.at_level(logging.ERROR):
        await source.read()
        await source.read()
    assert (source.strategies.default, source.is_stale) == (Strategy(0.5), True)
    (record,) = caplog.records
    assert f"cannot use the sampling strategies from {path}, the last good ones stay in force" in record.getMessage()


async def test_a_mended_file_is_in_force_again(tmp_path: Path) -> None:
    path = tmp_path / "s.json"
    source = a_source(path)
    for text in (GOOD, b"{", GOOD):
        path.write_bytes(text)
        await source.read()
    assert (source.strategies.default, source.is_stale) == (Strategy(0.5), False)


async def test_a_file_that_is_missing_at_the_start_leaves_the_default_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = a_source(tmp_path / "missing.json")
    with caplog.at_level(logging.ERROR):
        await source.start()
    assert (source.strategies.of("any"), source.is_stale) == (Strategy(DEFAULT), True)
    assert "the default probability 0.25 stay in force" in caplog.text
    await source.stop()


async def test_a_warning_about_a_file_is_logged_when_it_comes_into_force(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "s.json").write_bytes(b'{"default_strategy":{"type":"odd"}}')
    source = a_source(tmp_path / "s.json")
    with caplog.at_level(logging.WARNING):
        await source.read()
        await source.read()
    assert len(caplog.records) == 1


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s.json"
    path.write_bytes(bytes(MAX_FILE_BYTES + 1))
    with pytest.raises(ValueError, match="expected at most"):
        loader_of(str(path))()


@pytest.fixture
def url() -> Iterator[str]:
    """Of a server that serves GOOD on /good and 404 on any other path."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/good" else 404)
            self.end_headers()
            self.wfile.write(GOOD)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the base class
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


async def test_a_url_may_stand_for_a_file(url: str) -> None:
    source = StrategiesSource(f"{url}/good", 0, DEFAULT)
    await source.read()
    assert source.strategies.default == Strategy(0.5)


async def test_a_url_that_answers_with_an_error_changes_nothing(url: str) -> None:
    source = StrategiesSource(f"{url}/gone", 0, DEFAULT)
    await source.read()
    assert (source.strategies.default, source.is_stale) == (Strategy(DEFAULT), True)


@pytest.fixture
def no_http_url() -> Iterator[str]:
    """Of a server that speaks something else than HTTP."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.rfile.readline()
            self.wfile.write(b"220 mail.example ESMTP\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


async def test_a_url_that_is_no_web_server_changes_nothing(no_http_url: str) -> None:
    source = StrategiesSource(no_http_url, 0, DEFAULT)
    await source.start()
    assert (source.strategies.default, source.is_stale) == (Strategy(DEFAULT), True)
