// What every script here reads and answers. Times are [seconds, nanoseconds]; attributes that JavaScript cannot hold
// (64-bit integers, bytes) are left out.
"use strict";
const { readFileSync } = require("node:fs");

function readJob() {
  const job = JSON.parse(readFileSync(0, "utf8"));
  for (const span of job.spans) {
    for (const holder of [span, ...span.events, ...span.links]) {
      const held = Object.entries(holder.attributes).filter(([, value]) => Array.isArray(value) || typeof value !== "object");
      holder.attributes = Object.fromEntries(held);
    }
    span.start = timeOf(job, span.offset_ns);
    span.end = timeOf(job, span.offset_ns + span.duration_ns);
    for (const event of span.events) event.time = timeOf(job, event.offset_ns);
  }
  return job;
}

function timeOf(job, offsetNs) {
  const time = BigInt(job.base_ns) + BigInt(offsetNs);
  return [Number(time / 1_000_000_000n), Number(time % 1_000_000_000n)];
}

function microseconds([seconds, nanoseconds]) {
  return seconds * 1_000_000 + Math.floor(nanoseconds / 1000);
}

// Runs send(job, variantName, {service, target}) for each variant, one after the other, and says what was sent.
async function answer(send) {
  const job = readJob();
  const sent = {};
  for (const [name, variant] of Object.entries(job.variants)) sent[name] = await send(job, name, variant);
  process.stdout.write(JSON.stringify(sent) + "\n");
  process.exit(0);
}

module.exports = { answer, microseconds };
