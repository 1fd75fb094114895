// Sends the workload by jaeger-client, over HTTP to the collector and over UDP to the agent's ports.
"use strict";
const { ConstSampler, RemoteReporter, Tracer } = require("jaeger-client");
const { FORMAT_TEXT_MAP, Reference, REFERENCE_FOLLOWS_FROM } = require("opentracing");
const HTTPSender = require("jaeger-client/dist/src/reporters/http_sender.js").default;
const UDPSender = require("jaeger-client/dist/src/reporters/udp_sender.js").default;
const { answer, microseconds } = require("./job.cjs");

const senders = {
  http: (endpoint) => new HTTPSender({ endpoint, logger }),
  udp: ([host, port]) => new UDPSender({ host, port, logger }),
};

const failures = [];
const logger = { info() {}, error: (words) => failures.push(words) };

async function send(job, name, { service, target }) {
  const reporter = new RemoteReporter(senders[name](target), { logger, bufferFlushInterval: 3_600_000 });
  const options = { logger, traceId128bit: true, tags: job.spans[0].resource };
  const tracer = new Tracer(service, reporter, new ConstSampler(true), options);
  const spans = {};
  for (const plan of job.spans) {
    const references = plan.links.map((link) => {
      const context = tracer.extract(FORMAT_TEXT_MAP, { "uber-trace-id": `${link.trace_id}:${link.span_id}:0:1` });
      return new Reference(REFERENCE_FOLLOWS_FROM, context);
    });
    const span = (spans[plan.name] = tracer.startSpan(plan.name, {
      childOf: plan.parent ? spans[plan.parent] : undefined,
      references,
      startTime: milliseconds(plan.start, 0.3),
      tags: { ...plan.attributes, "span.kind": plan.kind, ...(plan.error === null ? {} : { error: true }) },
    }));
    for (const event of plan.events) span.log({ event: event.name, ...event.attributes }, milliseconds(event.time, 0.5));
  }
  for (const plan of job.spans.toReversed()) spans[plan.name].finish(milliseconds(plan.end, 0.9));
  await new Promise((resolve) => tracer.close(resolve));
  if (failures.length) throw new Error(`${name}: ${failures.join("; ")}`);
  const ids = Object.entries(spans).map(([spanName, span]) => [spanName, span.context().spanIdStr]);
  return { trace_id: spans[job.spans[0].name].context().traceIdStr, span_ids: Object.fromEntries(ids) };
}

// A time cut to microseconds, and a fraction of one more: numbers are a quarter off, and the client cuts again.
function milliseconds(time, fraction) {
  return (microseconds(time) + fraction) / 1000;
}

answer(send);
