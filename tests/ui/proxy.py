"""A reverse proxy that shows a server below a prefix of which that server knows nothing, as an ingress does."""

import contextlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

_PER_CONNECTION = ("connection", "keep-alive", "transfer-encoding", "content-length")


@contextlib.contextmanager
def stripping_proxy(prefix: str, target: str) -> Iterator[str]:
    """Requests below `prefix` go to `target` without it, all others are 404. Gives the address of the prefix."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(prefix, target))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}{prefix}"
    finally:
        server.shutdown()
        server.server_close()


def _handler(prefix: str, target: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if not self.path.startswith(f"{prefix}/"):
                self.send_error(404)
                return
            accepted = {"accept-encoding": self.headers.get("accept-encoding", "")}
            with httpx.stream("GET", target + self.path.removeprefix(prefix), headers=accepted) as answer:
                body = b"".join(answer.iter_raw())
            self.send_response(answer.status_code)
            for name, value in answer.headers.items():
                if name not in _PER_CONNECTION:
                    self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
            """Keep the test output quiet."""

    return Handler
