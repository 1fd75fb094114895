"""Jaeger over gRPC: jaeger.api_v2.CollectorService/PostSpans, as agents and OpenTelemetry collectors call it.

The response is empty, so a span that was rejected is told in the log only.
"""

from collections.abc import Sequence

import grpc

from collector.decode.decoded import Decoded
from collector.intake import Decode, Intake
from collector.ledger import Door
from collector.loss_log import LossLog
from collector.receivers.grpc_ingest import GrpcIngest
from collector.receivers.http_body import BodyLimits
from wire import jaeger_collector_pb2

SERVICE = jaeger_collector_pb2.DESCRIPTOR.services_by_name["CollectorService"].full_name


class JaegerGrpcReceiver:
    """The service, for a server that leaves compressed requests as they are (`inflate=False`)."""

    def __init__(self, intake: Intake, limits: BodyLimits, decode_proto: Decode, losses: LossLog) -> None:
        self._losses = losses
        self._post_spans = GrpcIngest(intake, limits, Door.JAEGER_GRPC, decode_proto, self._empty)

    def handlers(self) -> Sequence[grpc.GenericRpcHandler]:
        """What the port serves."""
        return (grpc.method_handlers_generic_handler(SERVICE, {"PostSpans": self._post_spans.handler()}),)

    def _empty(self, decoded: Decoded) -> bytes:
        self._losses.report_rejected(decoded)
        return b""
