"""The doors through which spans come in, but for 9411, where both rivers meet."""

from clew.doors import Doors
from clew.grpc_ports import MAX_QUESTION_BYTES, GrpcServer
from clew.settings import Settings
from clew.udp_ports import KernelDrops
from collector.app import Collector


async def open_ingest_doors(doors: Doors, settings: Settings, collector: Collector) -> None:
    """Open OTLP's and Jaeger's, and those of remote sampling, before a collector that has started."""
    await _open_otlp(doors, settings, collector)
    await _open_jaeger(doors, settings, collector)


async def _open_otlp(doors: Doors, settings: Settings, collector: Collector) -> None:
    addresses = settings.collector
    doors.open_http("otlp_http", addresses.otlp_http_host_port, collector.otlp_http)
    server = GrpcServer(collector.otlp_grpc.handlers(), addresses.max_body_bytes, inflate=False)
    await doors.open_grpc("otlp_grpc", addresses.otlp_grpc_host_port, server)


async def _open_jaeger(doors: Doors, settings: Settings, collector: Collector) -> None:
    addresses, jaeger = settings.collector, collector.jaeger
    doors.open_http("jaeger_thrift_http", addresses.jaeger_http_host_port, jaeger.http)
    doors.open_http("sampling_http", addresses.sampling_http_host_port, jaeger.sampling_http)
    spans = GrpcServer(jaeger.grpc_handlers(), addresses.max_body_bytes, inflate=False)
    await doors.open_grpc("jaeger_collector_grpc", addresses.jaeger_grpc_host_port, spans)
    sampling = GrpcServer(jaeger.sampling_grpc_handlers(), MAX_QUESTION_BYTES)
    await doors.open_grpc("sampling_grpc", addresses.sampling_grpc_host_port, sampling)
    await doors.open_udp("jaeger_udp_compact", addresses.jaeger_udp_compact_host_port, jaeger.udp_compact)
    await doors.open_udp("jaeger_udp_binary", addresses.jaeger_udp_binary_host_port, jaeger.udp_binary)
    collector.metrics.registry.register(KernelDrops(doors.udp))
