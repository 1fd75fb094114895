"""The doors through which questions come in, but for 9411, where both rivers meet."""

import asyncio

from clew.doors import Doors
from clew.grpc_ports import MAX_QUESTION_BYTES, GrpcServer
from clew.settings import Settings
from clew.uploads import otlp_uploads
from collector.app import Collector
from query.api.clew_doors import Activity
from query.api.clew_uploads import FileUploads
from query.api.jaeger import jaeger_app
from query.api.jaeger_ui import jaeger_ui_of
from query.api.jaeger_v2_grpc import JaegerV2Grpc
from query.api.jaeger_v3_grpc import JaegerV3Grpc
from query.api.remote_storage import HEALTHY, RemoteStorage
from query.api.tempo import tempo_app
from query.service import QueryService


async def open_read_doors(
    doors: Doors,
    settings: Settings,
    service: QueryService,
    collector: Collector | None,
    files: FileUploads,
    activity: Activity | None,
) -> None:
    """Open Jaeger's, Tempo's, and Remote Storage, which takes spans too where there is a collector.

    files: reads what the page is given to show; activity: what came in by the doors of that collector.
    """
    await _open_jaeger(doors, settings, service, files, activity)
    await _open_remote_storage(doors, settings, service, collector)
    doors.open_http("tempo", settings.query.tempo_host_port, tempo_app(service))


async def _open_jaeger(
    doors: Doors, settings: Settings, service: QueryService, files: FileUploads, activity: Activity | None
) -> None:
    ui = await asyncio.to_thread(jaeger_ui_of, service)
    uploads = otlp_uploads(settings.collector)
    app = jaeger_app(service, uploads=uploads, files=files, ui=ui, doors=lambda: doors.shown, activity=activity)
    doors.open_http("jaeger", settings.query.jaeger_host_port, app)
    questions = [*JaegerV2Grpc(service).handlers(), *JaegerV3Grpc(service).handlers()]
    server = GrpcServer(questions, MAX_QUESTION_BYTES)
    await doors.open_grpc("jaeger_grpc", settings.query.jaeger_grpc_host_port, server)


async def _open_remote_storage(
    doors: Doors, settings: Settings, service: QueryService, collector: Collector | None
) -> None:
    writes = collector.otlp_grpc.handlers() if collector else []
    handlers = [*RemoteStorage(service).handlers(), *writes]
    server = GrpcServer(handlers, settings.collector.max_body_bytes, healthy=HEALTHY, inflate=False)
    await doors.open_grpc("remote_storage", settings.query.remote_storage_host_port, server)
