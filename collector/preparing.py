"""Getting the compiled loops ready: at an installation (`python -m collector.preparing`), or at a start."""

import logging
import time

from collector.decode import otlp_proto, zipkin_json_v2
from collector.decode.compiled.compiling import FOLDER
from wire import otlp_lean_pb2 as lean

log = logging.getLogger("clew.collector")

_SOON_S = 2.0
"""Longer than loading takes."""


def prepare() -> None:
    """Load the loops, or compile them where that was never done, so that the first request needs not wait."""
    if not any(FOLDER.iterdir()):
        log.info("compiling the decoder's loops, once for this version: some 15 seconds")
    begun_s = time.monotonic()
    otlp_proto.decode(_request())
    zipkin_json_v2.decode_together([b"[]"])
    took_s = time.monotonic() - begun_s
    if took_s > _SOON_S:
        log.info("the decoder's loops took %.1f s; they are kept in %s", took_s, FOLDER)


def _request() -> bytes:
    span = lean.Span(trace_id=b"t" * 16, span_id=b"s" * 8)
    scope_spans = lean.ScopeSpans(spans=[span])
    return lean.ExportRequest(resource_spans=[lean.ResourceSpans(scope_spans=[scope_spans])]).SerializeToString()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    prepare()
