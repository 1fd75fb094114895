"""How long one large trace takes to be reconstructed and rendered, and how much memory: pure functions, no store."""

import random
import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from query.reconstruct.assembly import assemble
from query.reconstruct.reconstruction import ClockRule, reconstruct
from query.render.clew_trace import trace_document
from storage.span import Endpoint, Resource, Span, SpanKind
from tests.builders import MS, TODAY_NS, US, a_span, a_zipkin_span

_SERVICES = 30


@dataclass(frozen=True, slots=True)
class ReconstructionResult:
    """One trace. peak_bytes: memory allocated at most during reconstruction, besides the spans given.

    *_cpu_s: of the process. document_bytes, piece_bytes: the JSON document, and its largest piece as it is streamed.
    """

    trace: str
    spans: int
    assemble_cpu_s: float
    reconstruct_cpu_s: float
    zipkin_clocks_cpu_s: float
    render_cpu_s: float
    peak_bytes: int
    document_bytes: int
    piece_bytes: int


def measure_reconstructions(spans: int) -> Iterator[ReconstructionResult]:
    """Each kind of trace of about this many spans, one after another."""
    for name, made in _TRACES.items():
        trace = made(spans)
        random.Random(1).shuffle(trace)
        yield _measured(name, trace)


def _measured(name: str, trace: list[Span]) -> ReconstructionResult:
    found = reconstruct(trace)
    sizes: list[int] = []
    return ReconstructionResult(
        trace=name,
        spans=len(trace),
        assemble_cpu_s=_cpu_s(lambda: assemble(trace)),
        reconstruct_cpu_s=_cpu_s(lambda: reconstruct(trace)),
        zipkin_clocks_cpu_s=_cpu_s(lambda: reconstruct(trace, clocks=ClockRule.ZIPKIN)),
        render_cpu_s=_cpu_s(lambda: sizes.extend(map(len, trace_document(found)))),
        peak_bytes=_peak_bytes(lambda: reconstruct(trace)),
        document_bytes=sum(sizes),
        piece_bytes=max(sizes),
    )


def _cpu_s(work: Callable[[], object]) -> float:
    begin_s = time.process_time()
    work()
    return time.process_time() - begin_s


def _peak_bytes(work: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def _mesh(count: int) -> list[Span]:
    """Calls whose halves share an id by Zipkin, each with an application's span by OTLP; a tenth is sent twice."""
    chance = random.Random(2)
    spans: list[Span] = []
    for call in range(1, count // 3 + 1):
        parent = None if call == 1 else 2 * chance.randint(max(1, call // 8), call - 1) + 1
        start_ns, duration_ns = TODAY_NS + call * US, (count - call) * 3 * US
        client, server = f"s{call % _SERVICES}.ns", f"s{(call + 1) % _SERVICES}.ns"
        shared: dict[str, Any] = {"kind": SpanKind.SERVER, "shared": True}
        where = Endpoint(ipv4=f"10.0.0.{(call + 1) % _SERVICES}")
        half: dict[str, Any] = {"span": 2 * call, "parent": parent, "duration_ns": duration_ns}
        spans += [
            a_zipkin_span(**half, kind=SpanKind.CLIENT, service=client, start_ns=start_ns),
            a_zipkin_span(**half, **shared, service=server, start_ns=start_ns + 1, local=where),
            _application(2 * call + 1, 2 * call, (call + 1) % _SERVICES, start_ns + 2, duration_ns),
        ]
    return spans + chance.sample(spans, count // 10)


def _wide(count: int) -> list[Span]:
    """One span with all others below it, overlapping."""
    root = _application(1, None, 0, TODAY_NS, count * US)
    return [root, *(_application(n, 1, n % _SERVICES, TODAY_NS + n * US, 5 * MS) for n in range(2, count + 1))]


def _deep(count: int) -> list[Span]:
    """Each span below the one before."""
    return [
        _application(n, n - 1 or None, n % _SERVICES, TODAY_NS + n * US, 2 * (count - n) * US + 1)
        for n in range(1, count + 1)
    ]


def _headless(count: int) -> list[Span]:
    """Nobody's parent is there, and no child waits."""
    return [_application(n, n + count, n % _SERVICES, TODAY_NS + n * US, MS) for n in range(1, count + 1)]


def _one_id(count: int) -> list[Span]:
    """A broken tracer: half of the spans have one id, the others are their children."""
    half = count // 2
    parents = [_application(1, None, n % _SERVICES, TODAY_NS + n * US, MS) for n in range(half)]
    return parents + [_application(n + 2, 1, n % _SERVICES, TODAY_NS + n * US, MS) for n in range(half)]


_TRACES = {"mesh": _mesh, "wide": _wide, "deep": _deep, "headless": _headless, "one id": _one_id}
_RESOURCES = [Resource({"service.name": f"s{n}", "host.name": f"h{n}"}) for n in range(_SERVICES)]


def _application(span: int, parent: int | None, number: int, start_ns: int, duration_ns: int) -> Span:
    return a_span(
        span=span,
        parent=parent,
        service=f"s{number}",
        kind=SpanKind.SERVER if span % 2 else SpanKind.INTERNAL,
        start_ns=start_ns,
        duration_ns=duration_ns,
        resource=_RESOURCES[number],
        attributes={"http.request.method": "GET", "http.route": "/a/{id}", "http.response.status_code": 200},
    )
