import assert from "node:assert/strict";
import { test } from "node:test";
import type { MetricFamily } from "../../api/call-metrics.ts";
import { behind, rowsOf, seriesOf, sparkline, stepsOf } from "./series.ts";

function family(values: Record<string, (number | "NaN")[]>): MetricFamily {
  return {
    name: "",
    metrics: Object.entries(values).map(([name, points]) => ({
      labels: [
        { name: "service_name", value: "shop" },
        { name: "operation", value: name },
      ],
      metricPoints: points.map((doubleValue, at) => ({
        gaugeValue: { doubleValue },
        timestamp: new Date(60_000 * at).toISOString(),
      })),
    })),
  };
}

const FAMILIES = {
  rate: family({ get: [1, 3], put: [0, 0] }),
  errors: family({ get: [0.5, 0.1], put: ["NaN", "NaN"] }),
  p95: family({ get: [10, 30], put: ["NaN", "NaN"] }),
};

test("families become one series an operation, latencies in nanoseconds and gaps where nothing was called", () => {
  const { moments, series } = seriesOf(FAMILIES);
  assert.deepEqual(moments, [0, 60_000]);
  assert.deepEqual(
    series.map(({ operation, p95, errors }) => [operation, p95, errors]),
    [
      ["get", [10e6, 30e6], [0.5, 0.1]],
      ["put", [null, null], [null, null]],
    ],
  );
  assert.deepEqual(series[0]?.p50, [null, null]);
});

test("a row weighs errors and latencies by calls, and its impact is the share of the largest", () => {
  const [get, put] = rowsOf(seriesOf(FAMILIES).series);
  assert.equal(get?.rate, 2);
  assert.equal(get?.errors, (0.5 * 1 + 0.1 * 3) / 4);
  assert.equal(get?.p95, 25e6);
  assert.equal(get?.impact, 1);
  assert.deepEqual([put?.rate, put?.errors, put?.p95, put?.impact], [0, 0, undefined, 0]);
});

test("nothing called is no row and no division by zero", () => {
  const nothing = { name: "", metrics: [] };
  assert.deepEqual(rowsOf(seriesOf({ rate: nothing, errors: nothing, p95: nothing }).series), []);
});

test("steps are such as people count in, and a rate is over a minute at least", () => {
  assert.deepEqual(stepsOf(5 * 60e3), { stepMs: 5e3, ratePerMs: 60e3 });
  assert.deepEqual(stepsOf(3600e3), { stepMs: 60e3, ratePerMs: 60e3 });
  assert.deepEqual(stepsOf(7 * 86_400e3), { stepMs: 7_200e3, ratePerMs: 7_200e3 });
  assert.deepEqual(stepsOf(365 * 86_400e3), { stepMs: 86_400e3, ratePerMs: 86_400e3 });
});

test("behind a latency are the slow traces, behind an error rate the failed ones, behind a rate all", () => {
  const steps = { stepMs: 30e3, ratePerMs: 60e3 };
  assert.deepEqual(behind(100e3, steps, "p95", 5e6), {
    startMs: 40e3,
    endMs: 100e3,
    minDuration: 5e6,
    errorsOnly: false,
  });
  assert.equal(behind(100e3, steps, "errors", 0.5).errorsOnly, true);
  assert.equal(behind(100e3, steps, "rate", 5).minDuration, undefined);
});

test("a sparkline has gaps, and a lone point is seen", () => {
  assert.equal(sparkline([0, 10], 10, 10), "M0.0,10.0L10.0,0.0");
  assert.equal(sparkline([1, null, 1, 1], 30, 10), "M0.0,0.0h0.1M20.0,0.0L30.0,0.0");
  assert.equal(sparkline([null, null], 10, 10), "");
  assert.equal(sparkline([0, 0], 10, 10), "M0.0,10.0L10.0,10.0");
});
