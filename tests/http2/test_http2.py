"""HTTP/2 beside HTTP/1.1 on one port: what clients that begin with HTTP/2 at once rely on."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from h2.errors import ErrorCodes
from h2.events import PingAckReceived, PingReceived
from starlette.types import Receive, Scope, Send

from clew.http2_bounds import CONNECTION_WINDOW_BYTES, MAX_STREAMS, PREFACE, STREAM_WINDOW_BYTES
from clew.http2_connection import Http2Connection
from clew.ports import HttpServer
from tests.http2.raw_client import RawClient


class App:
    """Answers by path: /echo with what it was asked, /early before it reads, /held when it is let go, /fault badly."""

    def __init__(self) -> None:
        self.held = asyncio.Event()
        self.waiting = 0
        self.left = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        match scope["path"]:
            case "/early":
                await answer(send, 413, b"too large")
            case "/held":
                self.waiting += 1
                await self.held.wait()
                await answer(send, 200, str(len(await body_of(receive))).encode())
            case "/leave":
                while (await receive())["type"] != "http.disconnect":
                    pass
                self.left.set()
            case "/fault":
                raise RuntimeError("a fault of the application")
            case "/half":
                await send({"type": "http.response.start", "status": 200, "headers": []})
                await send({"type": "http.response.body", "body": b"half", "more_body": True})
                raise RuntimeError("a fault of the application")
            case "/trailers":
                await send({"type": "http.response.start", "status": 200, "headers": [], "trailers": True})
                await send({"type": "http.response.body", "body": b"body"})
                await send({"type": "http.response.trailers", "headers": [(b"Sum", b"4")]})
            case "/size":
                await answer(send, 200, b"x" * int(scope["query_string"]))
            case _:
                body = await body_of(receive)
                said = f"{scope['http_version']} {scope['method']} {scope['path']} {len(body)}"
                await answer(
                    send, 200, said.encode(), (b"Connection", b"close"), (b"X-Host", dict(scope["headers"])[b"host"])
                )


async def body_of(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        assert message["type"] == "http.request"
        body += bytes(message["body"])
        if not message["more_body"]:
            return body


async def answer(send: Send, status: int, body: bytes, *headers: tuple[bytes, bytes]) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture
def app() -> App:
    return App()


@pytest.fixture
async def server(app: App) -> AsyncIterator[HttpServer]:
    running = HttpServer(app, "127.0.0.1:0", 30)
    yield running
    app.held.set()
    await running.stop()


@pytest.fixture
async def address(server: HttpServer) -> str:
    return server.address


@pytest.mark.parametrize(("http2", "version"), [(True, "2"), (False, "1.1")])
async def test_both_versions_are_answered_by_the_same_application(address: str, http2: bool, version: str) -> None:
    async with httpx.AsyncClient(http1=not http2, http2=http2, base_url=f"http://{address}") as client:
        response = await client.post("/a%20path?query", content=b"body")
        assert response.text == f"{version} POST /a path 4"
        assert response.headers["x-host"] == address
        assert "date" in response.headers


async def test_a_preface_in_single_bytes_is_recognised(address: str) -> None:
    async with RawClient(address) as client:
        stream = await client.request("/echo")
        assert (await client.answer(stream))[1] == b"2 GET /echo 0"
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    for byte in PREFACE:
        writer.write(bytes([byte]))
        await writer.drain()
    assert (await reader.readexactly(9))[3] == 4  # a SETTINGS frame
    writer.close()


async def test_a_request_that_only_begins_like_the_preface_is_http_1(address: str) -> None:
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    for part in (b"P", b"OST /echo HTTP/1.1\r\nhost: h\r\n", b"content-length: 2\r\n\r\nab"):
        writer.write(part)
        await writer.drain()
    assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
    writer.close()


OFFER = {"connection": "Upgrade, HTTP2-Settings", "upgrade": "h2c", "http2-settings": "AAMAAABkAARAAAAAAAIAAAAA"}


@pytest.mark.parametrize("content", [b"body", b"body with Upgrade: h2c\r\nupgrade: h2c\r\n in it"])
async def test_an_offer_to_upgrade_is_left_and_the_body_is_read_in_http_1(address: str, content: bytes) -> None:
    # Java's HttpClient makes it with its first request; the connection goes on.
    async with httpx.AsyncClient(base_url=f"http://{address}") as client:
        for _ in range(2):
            assert (await client.post("/echo", content=content, headers=OFFER)).text == f"1.1 POST /echo {len(content)}"
        chunks = client.build_request("POST", "/echo", content=_chunks(), headers=OFFER)
        assert (await client.send(chunks)).text == "1.1 POST /echo 4"


async def _chunks() -> AsyncIterator[bytes]:
    yield b"bo"
    yield b"dy"


async def test_a_body_behind_an_offer_in_pieces_is_read_or_refused_and_never_lost(address: str) -> None:
    host, _, port = address.rpartition(":")
    head = b"POST /echo HTTP/1.1\r\nhost: h\r\ncontent-length: 2\r\nconnection: upgrade, close\r\nupgrade: h2c\r\n\r\n"
    for cut in range(80, len(head)):
        reader, writer = await asyncio.open_connection(host, int(port))
        for part in (head[:cut], head[cut:] + b"ab"):
            writer.write(part)
            await writer.drain()
        answered = await reader.read()
        assert answered.startswith(b"HTTP/1.1 400") or b"1.1 POST /echo 2\r\n" in answered
        writer.close()


async def test_a_large_body_passes_in_many_windows_in_both_directions(address: str) -> None:
    async with httpx.AsyncClient(http1=False, http2=True, base_url=f"http://{address}") as client:
        assert (await client.post("/echo", content=bytes(8 << 20))).text == f"2 POST /echo {8 << 20}"
        assert len((await client.get(f"/size?{8 << 20}")).content) == 8 << 20


async def test_many_requests_at_once_are_answered(address: str) -> None:
    async with httpx.AsyncClient(http1=False, http2=True, base_url=f"http://{address}", timeout=60) as client:
        responses = await asyncio.gather(*(client.post("/echo", content=bytes(50_000)) for _ in range(500)))
        assert {response.text for response in responses} == {"2 POST /echo 50000"}


async def test_a_head_request_is_answered_without_a_body(address: str) -> None:
    async with RawClient(address) as client:
        headers, body = await client.answer(await client.request("/size?10", method="HEAD"))
        assert (headers[":status"], body) == ("200", b"")


async def test_trailers_end_a_response(address: str) -> None:
    async with RawClient(address) as client:
        headers, body = await client.answer(await client.request("/trailers"))
        assert (headers["sum"], body) == ("4", b"body")


async def test_an_answer_before_the_body_is_whole_leaves_the_rest_of_it_aside(address: str) -> None:
    async with RawClient(address) as client:
        early = await client.request("/early", method="POST", end=False)
        other = await client.request("/echo", method="POST", end=False)
        await client.send(early, bytes(10_000), end=False)
        headers, body = await client.answer(early)
        assert (headers[":status"], body) == ("413", b"too large")
        await client.send(early, bytes(3 * CONNECTION_WINDOW_BYTES))
        await client.send(other, bytes(CONNECTION_WINDOW_BYTES))
        assert (await client.answer(other))[1] == f"2 POST /echo {CONNECTION_WINDOW_BYTES}".encode()


async def test_a_body_that_goes_on_without_end_after_its_answer_is_reset(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clew.http2_connection.MAX_UNWANTED_BYTES", 10_000)
    async with RawClient(address) as client:
        early = await client.request("/early", method="POST", end=False)
        await client.answer(early)
        await client.send(early, bytes(10_001), end=False)
        assert await client.reset(early) == ErrorCodes.NO_ERROR
        assert (await client.answer(await client.request("/echo")))[1] == b"2 GET /echo 0"


async def test_httpx_reads_the_answer_that_came_before_its_body_was_whole(address: str) -> None:
    async with httpx.AsyncClient(http1=False, http2=True, base_url=f"http://{address}") as client:
        assert (await client.post("/early", content=bytes(4 << 20))).text == "too large"


async def test_no_more_is_taken_of_a_body_than_its_window_until_the_application_reads(address: str, app: App) -> None:
    async with RawClient(address) as client:
        await client.settled()
        stream = await client.request("/held", method="POST", end=False)
        await client.send(stream, bytes(STREAM_WINDOW_BYTES), end=False)
        client.h2.ping(b"12345678")
        await client.flush()
        await client.until(lambda: any(isinstance(event, PingAckReceived) for event in client.events))
        assert client.h2.local_flow_control_window(stream) == 0
        app.held.set()
        await client.send(stream, bytes(STREAM_WINDOW_BYTES))
        assert (await client.answer(stream))[1] == str(2 * STREAM_WINDOW_BYTES).encode()


async def test_a_client_that_resets_its_request_is_gone_for_the_application(address: str, app: App) -> None:
    async with RawClient(address) as client:
        stream = await client.request("/leave", method="POST", end=False)
        client.h2.reset_stream(stream)
        await client.flush()
        await asyncio.wait_for(app.left.wait(), 20)
        assert (await client.answer(await client.request("/echo")))[1] == b"2 GET /echo 0"


async def test_a_client_that_closes_its_connection_is_gone_for_the_application(address: str, app: App) -> None:
    async with RawClient(address) as client:
        await client.request("/leave", method="POST", end=False)
    await asyncio.wait_for(app.left.wait(), 20)


async def test_a_fault_of_the_application_is_a_500_or_a_reset_when_it_had_begun(address: str) -> None:
    async with RawClient(address) as client:
        assert (await client.answer(await client.request("/fault")))[0][":status"] == "500"
        assert await client.reset(await client.request("/half")) == ErrorCodes.INTERNAL_ERROR
        assert (await client.answer(await client.request("/echo")))[1] == b"2 GET /echo 0"


async def test_a_request_beyond_the_limit_of_a_connection_is_refused_unseen(address: str, app: App) -> None:
    async with RawClient(address) as client:
        await client.settled()
        assert client.h2.remote_settings.max_concurrent_streams == MAX_STREAMS
        # Left requests still run: a client that opens and resets without end does not get more.
        for _ in range(MAX_STREAMS):
            client.h2.reset_stream(await client.request("/held", method="POST", end=False))
        await client.flush()
        assert await client.reset(await client.request("/echo")) == ErrorCodes.REFUSED_STREAM
        app.held.set()


@pytest.mark.parametrize(
    ("garbage", "reason"),
    [
        pytest.param(b"\xff" * 9, ErrorCodes.FRAME_SIZE_ERROR, id="a frame of 16 MB"),
        pytest.param(b"\0\0\x04\x01\x05\0\0\0\x01\xff\xff\xff\xff", ErrorCodes.PROTOCOL_ERROR, id="no header block"),
        pytest.param(b"\0\0\x01\0\0\0\0\0\x03x", ErrorCodes.PROTOCOL_ERROR, id="data without a request"),
    ],
)
async def test_garbage_ends_the_connection_with_a_reason(address: str, garbage: bytes, reason: ErrorCodes) -> None:
    async with RawClient(address) as client:
        for byte in garbage:
            client.writer.write(bytes([byte]))
        assert (await client.goodbye()).error_code == reason


async def test_a_giant_head_ends_the_connection(address: str) -> None:
    async with RawClient(address) as client:
        await client.settled()
        await client.request("/echo", headers={f"x-{number}": "y" * 4000 for number in range(30)})
        assert (await client.goodbye()).error_code != ErrorCodes.NO_ERROR


async def test_stop_answers_running_requests_and_says_which_were_taken(server: HttpServer, app: App) -> None:
    async with RawClient(server.address) as client:
        running = await client.request("/held")
        await client.settled()
        while not app.waiting:  # noqa: ASYNC110 - the application is on this loop
            await asyncio.sleep(0)
        stopping = asyncio.create_task(server.stop())
        await client.until(lambda: bool(client.goodbyes))
        app.held.set()
        assert (await client.answer(running))[1] == b"0"
        farewell = await client.goodbye()
        assert (farewell.error_code, farewell.last_stream_id) == (ErrorCodes.NO_ERROR, running)
        await stopping


async def test_stop_closes_idle_connections_at_once(server: HttpServer) -> None:
    async with RawClient(server.address) as client:
        await client.answer(await client.request("/echo"))
        stopping = asyncio.create_task(server.stop())
        assert (await client.goodbye()).error_code == ErrorCodes.NO_ERROR
        await stopping


@pytest.fixture
async def impatient(app: App) -> AsyncIterator[str]:
    """The address of connections that are looked after ten times a second.

    More often would be before a client has said its preface, when the machine is busy.
    """
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(lambda: Http2Connection(app, set(), set(), look_after_s=0.1), "127.0.0.1", 0)
    host, port = listening.sockets[0].getsockname()
    yield f"{host}:{port}"
    app.held.set()
    listening.close()


async def test_a_silent_connection_without_requests_is_closed(impatient: str) -> None:
    async with RawClient(impatient) as client:
        assert (await client.goodbye()).error_code == ErrorCodes.NO_ERROR


async def test_a_silent_connection_with_requests_is_asked_for_a_sign_of_life_and_kept(impatient: str, app: App) -> None:
    async with RawClient(impatient) as client:
        stream = await client.request("/held")
        await client.until(lambda: sum(isinstance(event, PingReceived) for event in client.events) == 3)
        app.held.set()
        assert (await client.answer(stream))[1] == b"0"


async def test_a_dead_connection_with_requests_is_dropped(impatient: str, app: App) -> None:
    async with RawClient(impatient) as client:
        await client.request("/leave", method="POST", end=False)
        await asyncio.wait_for(app.left.wait(), 20)
