"""The SDKs of the benchmark: OTLP gRPC requests of 512 spans, several in flight over a few channels."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable

import grpc
import numpy as np
import uvloop
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from tests.benchmarks.load_plan import LoadPlan, LoadReport, Tally
from tests.benchmarks.otlp_payloads import SPANS_PER_REQUEST, templates
from tests.benchmarks.pacing import Pacer
from tests.benchmarks.stamping import stamped

_Export = Callable[..., Awaitable[ExportTraceServiceResponse]]
_EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
_TEMPLATES = 96
_MADE_AT_ONCE = 4
_CHANNELS = 4
_BACK_OFF_S = 0.1
_TIMEOUT_S = 30


def run(plan: LoadPlan) -> LoadReport:
    """Carry out the plan in this process."""
    return uvloop.run(_run(plan))


class _Requests:
    """Requests made a few at a time, from one template after another, no two with the same ids."""

    def __init__(self, seed: int) -> None:
        self._templates = deque(templates(_TEMPLATES, seed))
        self._source = np.random.default_rng(seed)
        self._ready: deque[bytes] = deque()

    def next(self) -> bytes:
        if not self._ready:
            self._ready.extend(stamped(self._templates[0], _MADE_AT_ONCE, time.time_ns(), self._source))
            self._templates.rotate(-1)
        return self._ready.popleft()


async def _run(plan: LoadPlan) -> LoadReport:
    ready, tally = _Requests(plan.seed), Tally()
    options = [("grpc.use_local_subchannel_pool", 1)]
    channels = [grpc.aio.insecure_channel(plan.address, options=options) for _ in range(_CHANNELS)]
    exports: list[_Export] = [
        channel.unary_unary(_EXPORT, None, ExportTraceServiceResponse.FromString) for channel in channels
    ]

    async def send(lane: int, due_s: float) -> None:
        try:
            answer = await exports[lane % _CHANNELS](ready.next(), timeout=_TIMEOUT_S)
        except grpc.aio.AioRpcError as error:
            tally.refuse(error.code().name)
            await asyncio.sleep(_BACK_OFF_S)
            return
        rejected = int(answer.partial_success.rejected_spans)
        tally.acknowledge(SPANS_PER_REQUEST - rejected, due_s, time.monotonic())
        if rejected:
            tally.refuse("partial_success")

    rate = None if plan.spans_per_s is None else plan.spans_per_s / SPANS_PER_REQUEST
    began_cpu_s = time.process_time()
    unsent = await Pacer(plan.seconds, rate).run(plan.lanes, send)
    used_cpu_s = time.process_time() - began_cpu_s
    for channel in channels:
        await channel.close()
    return tally.report(used_cpu_s, unsent)
