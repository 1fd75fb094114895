"""The gRPC server on every gRPC port: what it serves comes from the two rivers, as generic handlers.

Beside them each port answers grpc.health.v1 for every service and server reflection, as Jaeger's ports do.
"""

from collections.abc import Sequence

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2, reflection_pb2_grpc

from clew.ports import shown_address
from storage.settings import host_and_port

MAX_QUESTION_BYTES = 64 * 1024
"""The largest request to a gRPC read window; Kiali's take some hundred bytes. It holds inflated, too."""
MAX_CALLS = 4096
"""Calls at once on one connection."""
REFLECTION_V1 = "grpc.reflection.v1.ServerReflection"
"""The newer name of the same messages; grpcio-reflection knows only v1alpha."""
_OWN_SERVICES = (health.SERVICE_NAME, reflection.SERVICE_NAME, REFLECTION_V1)


class GrpcServer:
    """Some services on a port of their own, from `start` until `stop`.

    handlers: a `grpc.ServiceRpcHandler` (what `grpc.method_handlers_generic_handler` makes) is a service that health
    and reflection name; its messages' module must be imported for reflection to describe it. Any other handler is
    only called, in its turn. healthy: further names that health answers for, without a service behind them.
    max_message_bytes: the largest request. inflate: gRPC itself inflates compressed requests; when false the
    handlers get them as they came, which they need to bound what inflating takes.
    """

    def __init__(
        self,
        handlers: Sequence[grpc.GenericRpcHandler],
        max_message_bytes: int,
        *,
        healthy: Sequence[str] = (),
        inflate: bool = True,
    ) -> None:
        self._handlers = tuple(handlers)
        self._services = [
            str(handler.service_name()) for handler in handlers if isinstance(handler, grpc.ServiceRpcHandler)
        ]
        self._healthy = (*self._services, *healthy)
        self._options = _options(max_message_bytes, inflate=inflate)
        self._health = health.aio.HealthServicer()
        self._server: grpc.aio.Server | None = None
        self.address = ""

    async def start(self, address: str) -> int:
        """Listen on `address` (as storage.settings.HostPort; port 0: a free one) and return the port.

        From then on `self.address` is as the ready line shows it. OSError when the address cannot be had.
        """
        host, port = host_and_port(address)
        server = grpc.aio.server(options=self._options)
        server.add_generic_rpc_handlers((*self._own_handlers(server), *self._handlers))
        for service in self._healthy:
            await self._health.set(service, health_pb2.HealthCheckResponse.SERVING)
        try:
            port = server.add_insecure_port(shown_address(host, port) if host else f"[::]:{port}")
        except RuntimeError as error:
            raise OSError(f"cannot listen on {address} for gRPC: {error}") from error
        await server.start()
        self._server = server
        self.address = shown_address(host, port)
        return port

    async def serving(self, *, is_serving: bool) -> None:
        """Answer health checks so from now on."""
        status = health_pb2.HealthCheckResponse.SERVING if is_serving else health_pb2.HealthCheckResponse.NOT_SERVING
        for service in (health.OVERALL_HEALTH, *self._healthy):
            await self._health.set(service, status)

    async def stopping(self) -> None:
        """Answer NOT_SERVING to health checks from now on, and go on serving."""
        await self._health.enter_graceful_shutdown()

    async def stop(self, grace_s: float) -> None:
        """Take no new call; return when the running ones have ended, or are cancelled after `grace_s`."""
        await self.stopping()
        if self._server is not None:
            await self._server.stop(grace_s)

    def _own_handlers(self, server: grpc.aio.Server) -> Sequence[grpc.GenericRpcHandler]:
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        servicer = reflection.aio.ReflectionServicer((*self._services, *_OWN_SERVICES))
        reflection_pb2_grpc.add_ServerReflectionServicer_to_server(servicer, server)
        same_messages = grpc.stream_stream_rpc_method_handler(
            servicer.ServerReflectionInfo,
            reflection_pb2.ServerReflectionRequest.FromString,
            reflection_pb2.ServerReflectionResponse.SerializeToString,
        )
        return (grpc.method_handlers_generic_handler(REFLECTION_V1, {"ServerReflectionInfo": same_messages}),)


def _options(max_message_bytes: int, *, inflate: bool) -> Sequence[tuple[str, int]]:
    return (
        ("grpc.max_receive_message_length", max_message_bytes),
        ("grpc.per_message_decompression", int(inflate)),
        ("grpc.so_reuseport", 0),
        ("grpc.max_concurrent_streams", MAX_CALLS),
        # SDKs keep idle connections alive by pings; gRPC's default would close such a connection.
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_ping_strikes", 0),
    )
