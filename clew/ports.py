"""What listens: sockets, and the HTTP server on them."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

from clew.http1_connection import Http1Connection
from storage.settings import host_and_port


class _Server(uvicorn.Server):
    """A uvicorn server that leaves signals to the process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class HttpServer:
    """An ASGI application on a port of its own, from the moment it is made until `stop`.

    address: as storage.settings.HostPort. grace_s: how long `stop` waits for running requests. OSError names an
    address that cannot be had. Needs a running event loop.
    """

    def __init__(self, app: ASGIApp, address: str, grace_s: int) -> None:
        listener = _listening_socket(address)
        self.address = shown_address(*listener.getsockname()[:2])
        config = uvicorn.Config(
            app,
            http=Http1Connection,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=max(1, grace_s),
        )
        self._server = _Server(config)
        self._serving = asyncio.create_task(self._server.serve([listener]))

    async def stop(self) -> None:
        """Accept no more, let running requests end, and return."""
        self._server.should_exit = True
        await self._serving


def shown_address(host: str, port: int) -> str:
    """`host:port` as the ready line has it; every address is 0.0.0.0."""
    if host in ("", "::"):
        return f"0.0.0.0:{port}"
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _listening_socket(address: str) -> socket.socket:
    host, port = host_and_port(address)
    dual = not host and socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if dual or ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048, dualstack_ipv6=dual)
    except OSError as error:
        raise OSError(f"cannot listen on {address}: {error.strerror or error}") from error
