import assert from "node:assert/strict";
import { test } from "node:test";
import { momentsOf, putRange, rangeOf } from "./time-range.ts";

const read = (text: string) => rangeOf(new URLSearchParams(text));

test("Jaeger's ranges are read", () => {
  assert.deepEqual(read("lookback=90m"), { lookback: "90m" });
  assert.deepEqual(read("lookback=custom&start=1000000&end=2000000"), { startMs: 1000, endMs: 2000 });
});

test("Zipkin's ranges are read", () => {
  assert.deepEqual(read("startTime=1000&endTime=2000"), { startMs: 1000, endMs: 2000 });
  assert.deepEqual(read("endTs=2000&lookback=500"), { startMs: 1500, endMs: 2000 });
});

test("what is no range is none", () => {
  for (const text of ["", "lookback=x", "lookback=0m", "start=2&end=1", "start=a&end=b", "lookback=custom"]) {
    assert.equal(read(text), undefined, text);
  }
});

test("a range that is written reads back, and the one before is gone", () => {
  const parameters = new URLSearchParams("service=a&startTime=1&endTime=2");
  putRange(parameters, { startMs: 1.5, endMs: 7 });
  assert.equal(parameters.toString(), "service=a&lookback=custom&start=1500&end=7000");
  assert.deepEqual(rangeOf(parameters), { startMs: 1.5, endMs: 7 });
  putRange(parameters, { lookback: "1h" });
  assert.equal(parameters.toString(), "service=a&lookback=1h");
});

test("a lookback ends now", () => {
  assert.deepEqual(momentsOf({ lookback: "1h" }, 4e6), { startMs: 400_000, endMs: 4e6 });
  assert.deepEqual(momentsOf({ startMs: 1, endMs: 2 }, 4e6), { startMs: 1, endMs: 2 });
});
