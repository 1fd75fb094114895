"""Jaeger's doors put together: spans by HTTP, gRPC and UDP, and the sampling strategies that its SDKs ask for."""

import time
from collections.abc import Sequence

import grpc
from prometheus_client import CollectorRegistry, Gauge

from collector.decode import jaeger_proto, jaeger_thrift
from collector.intake import Intake
from collector.ledger import Door
from collector.loss_log import LossLog
from collector.receivers.http_body import BodyLimits
from collector.receivers.jaeger_grpc import JaegerGrpcReceiver
from collector.receivers.jaeger_http import JaegerHttpReceiver
from collector.receivers.jaeger_udp import JaegerUdpReceiver
from collector.receivers.sampling import SamplingGrpc, SamplingHttp
from collector.sampling_strategies import Strategies
from collector.settings import CollectorSettings
from collector.strategies_source import StrategiesSource


class JaegerDoors:
    """http, sampling_http: ASGI, the whole of 14268 and 5778. udp_compact, udp_binary: for packets of 6831 and 6832.

    `strategies` is started before the doors and stopped after them.
    """

    def __init__(
        self, intake: Intake, limits: BodyLimits, settings: CollectorSettings, registry: CollectorRegistry
    ) -> None:
        self.strategies = StrategiesSource(
            settings.sampling_strategies_file,
            settings.sampling_reload_interval_ns / 1e9,
            settings.sampling_default_probability,
        )
        stale = Gauge(
            "clew_sampling_strategies_stale",
            "1 while the sampling strategies cannot be read and older ones are in force.",
            registry=registry,
        )
        stale.set_function(lambda: float(self.strategies.is_stale))
        losses = LossLog(time.monotonic_ns)
        self.sampling_http = SamplingHttp(self._in_force)
        self._sampling_grpc = SamplingGrpc(self._in_force)
        self.http = JaegerHttpReceiver(intake, limits, jaeger_thrift.decode, self.sampling_http, losses)
        self._grpc = JaegerGrpcReceiver(intake, limits, jaeger_proto.decode, losses)
        self.udp_compact = JaegerUdpReceiver(
            intake, Door.JAEGER_UDP_COMPACT, jaeger_thrift.decode_compact_message, losses
        )
        self.udp_binary = JaegerUdpReceiver(intake, Door.JAEGER_UDP_BINARY, jaeger_thrift.decode_binary_message, losses)

    def grpc_handlers(self) -> Sequence[grpc.GenericRpcHandler]:
        """What 14250 serves, on a server with `inflate=False`."""
        return (*self._grpc.handlers(), *self._sampling_grpc.handlers())

    def sampling_grpc_handlers(self) -> Sequence[grpc.GenericRpcHandler]:
        """What 5779 serves."""
        return self._sampling_grpc.handlers()

    def _in_force(self) -> Strategies:
        return self.strategies.strategies
