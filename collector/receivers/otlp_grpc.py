"""OTLP over gRPC: opentelemetry.proto.collector.trace.v1.TraceService/Export, and what the other signals are told."""

from collections.abc import AsyncIterator, Sequence

import grpc

from collector.intake import Decode, Intake
from collector.ledger import Door
from collector.receivers.grpc_ingest import Context, GrpcIngest
from collector.receivers.http_body import BodyLimits
from collector.receivers.otlp_http import partial_success

SERVICE = "opentelemetry.proto.collector.trace.v1.TraceService"
_OTHER_SIGNALS = tuple(f"/opentelemetry.proto.collector.{signal}." for signal in ("metrics", "logs", "profiles"))


class OtlpGrpcReceiver:
    """The OTLP door's service, for a server that leaves compressed requests as they are (`inflate=False`)."""

    def __init__(self, intake: Intake, limits: BodyLimits, decode_proto: Decode) -> None:
        self._export = GrpcIngest(intake, limits, Door.OTLP_GRPC, decode_proto, partial_success)

    def handlers(self) -> Sequence[grpc.GenericRpcHandler]:
        """What the port serves: the service, and a clear refusal for OTLP's other signals."""
        methods = {"Export": self._export.handler()}
        return (grpc.method_handlers_generic_handler(SERVICE, methods), _OtherSignals())


class _OtherSignals(grpc.GenericRpcHandler):
    """Metrics, logs and profiles: UNIMPLEMENTED, as every backend of traces only answers, and why."""

    def service(self, call: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[bytes, bytes] | None":
        if not call.method.startswith(_OTHER_SIGNALS):
            return None
        return grpc.stream_unary_rpc_method_handler(_refuse_signal)


async def _refuse_signal(_requests: AsyncIterator[bytes], context: Context) -> bytes:
    await context.abort(
        grpc.StatusCode.UNIMPLEMENTED, "clew stores traces, not metrics, logs or profiles; send those elsewhere"
    )
