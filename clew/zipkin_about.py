"""What a Zipkin server answers about itself on 9411: health, build, and metrics (zipkin.md 1.9 to 1.12)."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping

from starlette.responses import Response

from clew import VERSION
from clew.store_watch import StoreWatch
from collector.metrics import CONTENT_TYPE, CollectorMetrics
from query.render.zipkin_health import health_json, health_timeout_json, info_json

JSON = "application/json; charset=utf-8"
ACTUATOR_JSON = "application/vnd.spring-boot.actuator.v2+json; charset=utf-8"


class ZipkinAbout:
    """The endpoints, each by its path: Zipkin's own and, of the same bodies, Spring's actuator's."""

    def __init__(self, watch: StoreWatch, metrics: CollectorMetrics) -> None:
        self._watch = watch
        self._metrics = metrics
        self.endpoints: Mapping[str, Callable[[], Awaitable[Response]]] = {
            "/health": lambda: self._health(JSON),
            "/info": lambda: self._info(JSON),
            "/metrics": self._zipkin_metrics,
            "/prometheus": self._prometheus,
            "/actuator/health": lambda: self._health(ACTUATOR_JSON),
            "/actuator/info": lambda: self._info(ACTUATOR_JSON),
            "/actuator/prometheus": self._prometheus,
        }

    async def _health(self, media_type: str) -> Response:
        try:
            problem = await self._watch.problem()
        except TimeoutError:
            status, body = health_timeout_json()
        else:
            status, body = health_json({f"{self._watch.name}{{}}": problem})
        return Response(body, status, media_type=media_type)

    async def _info(self, media_type: str) -> Response:
        return Response(info_json(VERSION, ""), media_type=media_type)

    async def _zipkin_metrics(self) -> Response:
        return Response(json.dumps(self._metrics.zipkin_metrics()), media_type=JSON)

    async def _prometheus(self) -> Response:
        return Response(await asyncio.to_thread(self._metrics.exposition), media_type=CONTENT_TYPE)
