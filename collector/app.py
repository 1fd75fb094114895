"""The collector put together: what `clew.py` starts, serves and stops."""

import asyncio

from collector.admission import Admission
from collector.budget import ByteBudget
from collector.call_metrics import CallMetrics
from collector.committer import Committer
from collector.decode import otlp_json, otlp_proto, zipkin_formats, zipkin_json_v2, zipkin_proto3
from collector.decode.zipkin_formats import ZipkinFormat
from collector.gathering import Gathering
from collector.intake import Intake
from collector.jaeger_doors import JaegerDoors
from collector.ledger import Door, Ledger
from collector.maintenance import Maintenance
from collector.metrics import CollectorMetrics
from collector.mistaken_formats import MistakenFormats
from collector.pipeline import Pipeline
from collector.receivers.http_body import BodyLimits
from collector.receivers.otlp_grpc import OtlpGrpcReceiver
from collector.receivers.otlp_http import OtlpHttpReceiver
from collector.receivers.zipkin_grpc import ZipkinGrpcReceiver
from collector.receivers.zipkin_http import ZipkinHttpReceiver
from collector.settings import CollectorSettings
from storage.contract import SpanStore
from storage.reported_calls import ReportsCalls
from storage.requests import RetentionPolicy


class Collector:
    """Every door before one open store, whose `write` and `maintain` it owns from `start` to `stop`.

    zipkin_spans, zipkin_grpc: ASGI, for POSTs of 9411's span paths and of its gRPC method only. otlp_http: ASGI, the
    whole of 4318. otlp_grpc: the service of 4317. jaeger: Jaeger's doors. Make it, start it and stop it on one event
    loop.
    """

    def __init__(self, settings: CollectorSettings, retention: RetentionPolicy, store: SpanStore, version: str) -> None:
        limits = BodyLimits(settings.max_body_bytes, settings.max_inflated_bytes)
        budget = ByteBudget(settings.queue_bytes)
        self._drain_timeout_ns = settings.drain_timeout_ns
        self.ledger = Ledger()
        self.metrics = CollectorMetrics(self.ledger, budget, version)
        self._maintenance = Maintenance(store, retention, on_round=self.metrics.on_maintenance)
        if settings.call_metrics_max_series and isinstance(store, ReportsCalls):
            store.report_calls_to(CallMetrics(self.metrics.registry, settings.call_metrics_max_series))
        committer = Committer(store, on_full=self._maintenance.hint)
        interval_ns = max(settings.commit_interval_ns, store.capabilities.commit_interval_ns)
        self._pipeline = Pipeline(committer, self.ledger, interval_ns, on_commit=self.metrics.on_commit)
        self._intake = Intake(budget, self.ledger, Admission(self._pipeline, self.ledger, settings.sample_rate))
        self.zipkin_spans = ZipkinHttpReceiver(
            self._intake,
            limits,
            zipkin_formats.DECODERS,
            gathered={
                ZipkinFormat.JSON_V2: Gathering(
                    self._intake, Door.ZIPKIN_HTTP, zipkin_json_v2.decode, zipkin_json_v2.decode_together
                )
            },
            enabled=settings.http_enabled,
            observe=self.metrics.http_requests.observe,
            mistaken=MistakenFormats(self.metrics.registry).note,
        )
        self.zipkin_grpc = ZipkinGrpcReceiver(self._intake, limits, zipkin_proto3.decode, enabled=settings.grpc_enabled)
        self.otlp_http = OtlpHttpReceiver(self._intake, limits, otlp_proto.decode, otlp_json.decode)
        self.otlp_grpc = OtlpGrpcReceiver(self._intake, limits, otlp_proto.decode)
        self.jaeger = JaegerDoors(self._intake, limits, settings, self.metrics.registry)

    def start(self) -> None:
        """Begin to take spans, and to look after the store. Before any door opens."""
        self._pipeline.start()
        self._maintenance.start()

    async def stop(self) -> bool:
        """Store what was taken and end every thread. After the doors closed; True when nothing was left behind.

        False: the store did not take all within CLEW_DRAIN_TIMEOUT and may still be writing; do not close it.
        """
        drained = await self._pipeline.stop(self._drain_timeout_ns)
        await asyncio.to_thread(self._maintenance.stop)
        self._intake.close()
        return drained
