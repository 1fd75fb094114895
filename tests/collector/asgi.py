"""A tiny ASGI server side: it hands a request over as a real server does, in parts, and keeps the answer."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Message, Scope


@dataclass
class Answer:
    """status 0: nothing was answered. Header names are lower-case."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class Request:
    """One request whose body comes in the parts that `send` gives; `end` or `disconnect` ends it."""

    def __init__(
        self, path: str, *, method: str = "POST", headers: Mapping[str, str] | None = None, query: str = ""
    ) -> None:
        self.answer = Answer()
        self._parts: asyncio.Queue[Message] = asyncio.Queue()
        lines = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
        self._scope: Scope = {
            "type": "http",
            "method": method,
            "path": path,
            "headers": lines,
            "query_string": query.encode(),
        }

    def send(self, chunk: bytes) -> None:
        self._parts.put_nowait({"type": "http.request", "body": chunk, "more_body": True})

    def end(self, chunk: bytes = b"") -> None:
        self._parts.put_nowait({"type": "http.request", "body": chunk, "more_body": False})

    def disconnect(self) -> None:
        self._parts.put_nowait({"type": "http.disconnect"})

    @property
    def parts_unread(self) -> int:
        return self._parts.qsize()

    async def to(self, app: ASGIApp) -> Answer:
        """The answer of this application, which is asked now."""
        await app(self._scope, self._parts.get, self._keep)
        return self.answer

    async def _keep(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.answer.status = message["status"]
            self.answer.headers = {name.decode().lower(): value.decode() for name, value in message["headers"]}
        else:
            self.answer.body += message["body"]


async def post(
    app: ASGIApp,
    path: str,
    body: bytes | Iterable[bytes] = b"",
    *,
    method: str = "POST",
    with_length: bool = True,
    **headers: str,
) -> Answer:
    """Send a body, whole or in chunks without Content-Length; `content_type="x"` is a header."""
    lines = {name.replace("_", "-"): value for name, value in headers.items()}
    if isinstance(body, bytes) and with_length:
        lines["content-length"] = str(len(body))
    request = Request(path, method=method, headers=lines)
    if isinstance(body, bytes):
        request.end(body)
    else:
        for chunk in body:
            request.send(chunk)
        request.end()
    return await request.to(app)
