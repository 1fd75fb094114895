// Sends the workload by the OpenTelemetry SDK, once for each exporter asked for.
"use strict";
const { ROOT_CONTEXT, SpanKind, SpanStatusCode, diag, trace } = require("@opentelemetry/api");
const { resourceFromAttributes } = require("@opentelemetry/resources");
const { BatchSpanProcessor, TracerProvider } = require("@opentelemetry/sdk-trace");
const { answer } = require("./job.cjs");

const exporters = {
  json: (url) => new (require("@opentelemetry/exporter-trace-otlp-http").OTLPTraceExporter)({ url }),
  "json-gzip": (url) =>
    new (require("@opentelemetry/exporter-trace-otlp-http").OTLPTraceExporter)({ url, compression: "gzip" }),
  proto: (url) => new (require("@opentelemetry/exporter-trace-otlp-proto").OTLPTraceExporter)({ url }),
  grpc: (url) => new (require("@opentelemetry/exporter-trace-otlp-grpc").OTLPTraceExporter)({ url }),
  zipkin: (url) => new (require("@opentelemetry/exporter-zipkin").ZipkinExporter)({ url }),
  "jaeger-http": (endpoint) => new (require("@opentelemetry/exporter-jaeger").JaegerExporter)({ endpoint }),
  "jaeger-udp": ([host, port]) =>
    new (require("@opentelemetry/exporter-jaeger").JaegerExporter)({ host, port, maxPacketSize: 65000 }),
};

// An exporter's failure is no exception; without a logger it would pass unseen.
const failures = [];
const fail = (...words) => failures.push(words.join(" "));
const ignore = () => {};
diag.setLogger({ error: fail, warn: fail, info: ignore, debug: ignore, verbose: ignore });

// The Zipkin exporter writes nanoseconds as fractions of a microsecond, which Zipkin refuses with 400 as clew does;
// the Jaeger exporter cuts the digits off in the middle of an event's time.
const wholeMicroseconds = ([seconds, nanoseconds]) => [seconds, nanoseconds - (nanoseconds % 1000)];

async function send(job, name, { service, target }) {
  const time = name.startsWith("zipkin") ? wholeMicroseconds : (exact) => exact;
  const exporter = exporters[name](target);
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ "service.name": service, ...job.spans[0].resource }),
    spanProcessors: [new BatchSpanProcessor({ exporter })],
  });
  const tracer = provider.getTracer(...job.spans[0].scope);
  const spans = {};
  for (const plan of job.spans) {
    const parent = plan.parent ? trace.setSpan(ROOT_CONTEXT, spans[plan.parent]) : ROOT_CONTEXT;
    const options = {
      kind: SpanKind[plan.kind.toUpperCase()],
      attributes: plan.attributes,
      startTime: time(plan.start),
      links: plan.links.map((link) => ({
        context: { traceId: link.trace_id, spanId: link.span_id, traceFlags: 1 },
        attributes: link.attributes,
      })),
    };
    const span = (spans[plan.name] = tracer.startSpan(plan.name, options, parent));
    for (const event of plan.events) span.addEvent(event.name, event.attributes, time(event.time));
    if (plan.error !== null) span.setStatus({ code: SpanStatusCode.ERROR, message: plan.error });
  }
  for (const plan of job.spans.toReversed()) spans[plan.name].end(time(plan.end));
  await provider.forceFlush().catch((errors) => fail(...[errors].flat()));
  await provider.shutdown();
  if (failures.length) throw new Error(`${name}: ${failures.join("; ")}`);
  const contexts = Object.entries(spans).map(([spanName, span]) => [spanName, span.spanContext().spanId]);
  return { trace_id: spans[job.spans[0].name].spanContext().traceId, span_ids: Object.fromEntries(contexts) };
}

answer(send);
