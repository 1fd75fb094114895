"""Jaeger's SDKs ask which traces to sample: GET ?service= on 5778 and 14268, SamplingManager on 14250 and 5779."""

from collections.abc import Callable, Sequence
from urllib.parse import parse_qs

import grpc
from google.protobuf.message import DecodeError
from starlette.types import Receive, Scope, Send

from collector.errors import CollectorError, MalformedPayload, PayloadTooLarge
from collector.inflate import Inflater
from collector.receivers.grpc_ingest import Context, coding_of_message
from collector.receivers.grpc_refusals import code_of
from collector.receivers.http_answer import answer
from collector.receivers.sampling_answers import strategy_json, strategy_message
from collector.sampling_strategies import Strategies
from wire import jaeger_sampling_pb2
from wire.jaeger_sampling_pb2 import SamplingStrategyParameters

MAX_QUESTION_BYTES = 64 * 1024
"""The largest question, inflated too; it holds the name of a service."""
SERVICE = jaeger_sampling_pb2.DESCRIPTOR.services_by_name["SamplingManager"].full_name
_LEGACY_PATH = "/"
_BAGGAGE_PATH = "/baggageRestrictions"
_TEXT = b"text/plain; charset=utf-8"
_NO_SNIFFING = ((b"x-content-type-options", b"nosniff"),)

InForce = Callable[[], Strategies]
"""The strategies of this moment."""


class SamplingHttp:
    """The whole ASGI application of 5778, and of GET /api/sampling on 14268: any path, as Jaeger v2 mounts it.

    On `/` strategyType is a number, as Jaeger's agent had it there.
    """

    def __init__(self, in_force: InForce) -> None:
        self._in_force = in_force

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        path = scope["path"]
        if scope["method"] not in ("GET", "HEAD"):
            await answer(send, 405, b"expected GET\n", _TEXT, [(b"allow", b"GET")])
        elif path == _BAGGAGE_PATH:
            # An empty list would make SDKs drop all baggage; with an error they leave it alone.
            await answer(send, 501, b"baggage restrictions are not implemented\n", _TEXT, _NO_SNIFFING)
        else:
            services = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True).get("service", [])
            if len(services) != 1:
                await answer(send, 400, b"'service' parameter must be provided once\n", _TEXT, _NO_SNIFFING)
                return
            body = strategy_json(self._in_force().of(services[0]), numeric=path == _LEGACY_PATH)
            await answer(send, 200, body, b"application/json")


class SamplingGrpc:
    """jaeger.api_v2.SamplingManager, for a server that leaves compressed requests as they are, or inflates them."""

    def __init__(self, in_force: InForce) -> None:
        self._in_force = in_force

    def handlers(self) -> Sequence[grpc.GenericRpcHandler]:
        """What a port serves."""
        method: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_unary_rpc_method_handler(self._get_sampling_strategy)
        return (grpc.method_handlers_generic_handler(SERVICE, {"GetSamplingStrategy": method}),)

    async def _get_sampling_strategy(self, message: bytes, context: Context) -> bytes:
        try:
            service = _question(message).serviceName
        except CollectorError as error:
            await context.abort(code_of(error), str(error))
        return strategy_message(self._in_force().of(service)).SerializeToString()


def _question(message: bytes) -> SamplingStrategyParameters:
    """Raises MalformedPayload, CannotInflate, PayloadTooLarge."""
    try:
        return SamplingStrategyParameters.FromString(_inflated(message))
    except DecodeError as error:
        raise MalformedPayload(f"expected {SamplingStrategyParameters.DESCRIPTOR.full_name}: {error}") from error


def _inflated(message: bytes) -> bytes:
    if len(message) > MAX_QUESTION_BYTES:
        raise PayloadTooLarge(f"expected a question of at most {MAX_QUESTION_BYTES} bytes, got {len(message)}")
    coding = coding_of_message(message)
    if coding is None:
        return message
    inflater = Inflater(coding, MAX_QUESTION_BYTES, reserve=lambda size_bytes: None)
    for _ in inflater.feed(message):
        pass
    return inflater.finish()
