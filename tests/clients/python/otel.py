"""Sends the workload by the OpenTelemetry SDK, once for each exporter asked for."""

from importlib import import_module
from typing import Any

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import (
    Link,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    format_span_id,
    format_trace_id,
    set_span_in_context,
)

from tests.clients.python.job import answer, read_job

EXPORTERS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "grpc": ("opentelemetry.exporter.otlp.proto.grpc.trace_exporter", "OTLPSpanExporter", {"insecure": True}),
    "grpc-gzip": ("opentelemetry.exporter.otlp.proto.grpc.trace_exporter", "OTLPSpanExporter", {"insecure": True}),
    "http": ("opentelemetry.exporter.otlp.proto.http.trace_exporter", "OTLPSpanExporter", {}),
    "http-gzip": ("opentelemetry.exporter.otlp.proto.http.trace_exporter", "OTLPSpanExporter", {}),
    "http-deflate": ("opentelemetry.exporter.otlp.proto.http.trace_exporter", "OTLPSpanExporter", {}),
    "json": ("opentelemetry.exporter.otlp.json.http.trace_exporter", "OTLPSpanExporter", {}),
    # 0 is no limit; the default cuts every tag at 128 characters.
    "zipkin": ("opentelemetry.exporter.zipkin.json", "ZipkinExporter", {"max_tag_value_length": 0}),
}


def exporter_for(variant: str, endpoint: str) -> SpanExporter:
    module_name, class_name, options = EXPORTERS[variant]
    module = import_module(module_name)
    compression = compression_for(*variant.partition("-")[::2])
    exporter: SpanExporter = getattr(module, class_name)(endpoint=endpoint, **options, **compression)
    return exporter


def compression_for(protocol: str, name: str) -> dict[str, Any]:
    if not name:
        return {}
    module = import_module("grpc" if protocol == "grpc" else "opentelemetry.exporter.otlp.proto.http")
    return {"compression": getattr(module.Compression, name.capitalize())}


def send(job: Any, variant: str, service: str, endpoint: str) -> dict[str, object]:
    spans = job["spans"]
    provider = TracerProvider(resource=Resource.create({"service.name": service, **spans[0]["resource"]}))
    exporter = exporter_for(variant, endpoint)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer(*spans[0]["scope"])
    started: dict[str, Any] = {}
    for plan in spans:
        started[plan["name"]] = span = tracer.start_span(
            plan["name"],
            context=set_span_in_context(started[plan["parent"]]) if plan["parent"] else None,
            kind=SpanKind[plan["kind"].upper()],
            attributes=plan["attributes"],
            links=[link_of(link) for link in plan["links"]],
            start_time=job["base_ns"] + plan["offset_ns"],
        )
        for event in plan["events"]:
            span.add_event(event["name"], event["attributes"], job["base_ns"] + event["offset_ns"])
        if plan["error"] is not None:
            span.set_status(Status(StatusCode.ERROR, plan["error"]))
    for plan in reversed(spans):
        started[plan["name"]].end(job["base_ns"] + plan["offset_ns"] + plan["duration_ns"])
    assert provider.force_flush()
    provider.shutdown()
    contexts = {name: span.get_span_context() for name, span in started.items()}
    return {
        "trace_id": format_trace_id(contexts[spans[0]["name"]].trace_id),
        "span_ids": {name: format_span_id(context.span_id) for name, context in contexts.items()},
    }


def link_of(link: Any) -> Link:
    sampled = TraceFlags(TraceFlags.SAMPLED)
    context = SpanContext(int(link["trace_id"], 16), int(link["span_id"], 16), is_remote=True, trace_flags=sampled)
    return Link(context, link["attributes"])


if __name__ == "__main__":
    job = read_job()
    answer({name: send(job, name, variant["service"], variant["target"]) for name, variant in job["variants"].items()})
