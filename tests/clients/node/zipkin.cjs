// Sends the workload by the zipkin library, once for each encoding asked for.
"use strict";
const { Annotation, BatchRecorder, ExplicitContext, InetAddress, Tracer, jsonEncoder } = require("zipkin");
const { HttpLogger } = require("zipkin-transport-http");
const { answer, microseconds } = require("./job.cjs");

const boundaries = {
  server: [Annotation.ServerRecv, Annotation.ServerSend],
  client: [Annotation.ClientSend, Annotation.ClientRecv],
};

async function send(job, name, { service, target }) {
  const logger = new HttpLogger({ endpoint: target, jsonEncoder: jsonEncoder[name], httpInterval: 3_600_000 });
  const ctxImpl = new ExplicitContext();
  const recorder = new BatchRecorder({ logger });
  const tracer = new Tracer({ ctxImpl, recorder, localServiceName: service, traceId128Bit: true });
  const ids = {};
  for (const plan of job.spans) ids[plan.name] = plan.parent ? tracer.createChildId(ids[plan.parent]) : tracer.createRootId();
  for (const plan of job.spans) tracer.letId(ids[plan.name], () => record(tracer, plan, service));
  await new Promise((resolve, reject) => {
    logger.on("success", resolve);
    logger.on("error", reject);
    logger.processQueue(logger.fetchImplementation);
  });
  const spanIds = Object.entries(ids).map(([spanName, id]) => [spanName, id.spanId]);
  return { trace_id: ids[job.spans[0].name].traceId, span_ids: Object.fromEntries(spanIds) };
}

function record(tracer, plan, service) {
  const [Start, Stop] = boundaries[plan.kind];
  tracer.recordAnnotation(new Start(), microseconds(plan.start));
  tracer.recordServiceName(service);
  tracer.recordLocalAddr({ host: new InetAddress("10.1.2.3"), port: 8080 });
  tracer.recordRpc(plan.name);
  for (const [key, value] of Object.entries(plan.attributes)) tracer.recordBinary(key, value);
  for (const event of plan.events) {
    tracer.recordAnnotation(new Annotation.Message(event.name), microseconds(event.time));
  }
  if (plan.kind === "client") {
    tracer.recordServerAddr({ serviceName: "orders-db", host: new InetAddress("10.9.8.7"), port: 5432 });
  }
  if (plan.error !== null) tracer.recordBinary("error", plan.error);
  tracer.recordAnnotation(new Stop(), microseconds(plan.end));
}

answer(send);
