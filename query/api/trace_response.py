"""The header with which Jaeger names the trace of its own answer (W3C Trace Context Level 2, `traceresponse`)."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_UNTRACED = (b"traceresponse", b"")


class TraceResponse:
    """The same application, each answer with an empty `traceresponse`, as Jaeger's when it does not trace itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), _UNTRACED]
            await send(message)

        await self._app(scope, receive, sending)
