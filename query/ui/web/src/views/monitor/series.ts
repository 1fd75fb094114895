/** Series of calls: how often, how badly and how slowly a service or an operation was called, moment by moment. */

import type { Metric, MetricFamily } from "../../api/call-metrics.ts";

/** Values by moment; null where nothing was called. Latencies are nanoseconds. */
export interface CallSeries {
  service: string;
  /** undefined when the service's operations are summed up. */
  operation: string | undefined;
  /** Calls a second. */
  rate: (number | null)[];
  /** A fraction of the calls. */
  errors: (number | null)[];
  p50: (number | null)[];
  p95: (number | null)[];
  p99: (number | null)[];
}

export type Measure = "rate" | "errors" | "p50" | "p95" | "p99";

export interface Families {
  rate: MetricFamily;
  errors: MetricFamily;
  p50?: MetricFamily;
  p95: MetricFamily;
  p99?: MetricFamily;
}

const NS_PER_MS = 1e6;

/** The moments in epoch ms, and one series for each service or operation that was called. */
export function seriesOf(families: Families): { moments: number[]; series: CallSeries[] } {
  const all = new Map<string, CallSeries>();
  const moments = [...(families.rate.metrics[0]?.metricPoints ?? [])].map(({ timestamp }) => Date.parse(timestamp));
  const empty = () => moments.map((): number | null => null);
  const put = (measure: Measure, family: MetricFamily | undefined, factor: number) => {
    for (const metric of family?.metrics ?? []) {
      const { service, operation } = namesOf(metric);
      const key = JSON.stringify([service, operation]);
      let found = all.get(key);
      if (!found) {
        const none = { rate: empty(), errors: empty(), p50: empty(), p95: empty(), p99: empty() };
        found = { service, operation, ...none };
        all.set(key, found);
      }
      found[measure] = metric.metricPoints.map(({ gaugeValue }) => {
        const value = gaugeValue?.doubleValue;
        return typeof value === "number" && Number.isFinite(value) ? value * factor : null;
      });
    }
  };
  put("rate", families.rate, 1);
  put("errors", families.errors, 1);
  put("p50", families.p50, NS_PER_MS);
  put("p95", families.p95, NS_PER_MS);
  put("p99", families.p99, NS_PER_MS);
  return { moments, series: [...all.values()] };
}

function namesOf({ labels }: Metric): { service: string; operation: string | undefined } {
  const value = (name: string) => labels.find((label) => label.name === name)?.value;
  return { service: value("service_name") ?? "", operation: value("operation") };
}

/** One row of the table: what a series comes to over the whole range. */
export interface CallRow {
  series: CallSeries;
  /** Mean of the calls a second. */
  rate: number;
  /** Of all calls, the fraction that were errors. */
  errors: number;
  /** Mean of the moments' 95th percentiles, by their calls; undefined when nothing was called. */
  p95: number | undefined;
  /** Share of the time spent in all of them, 0 to 1: calls times latency, as Jaeger's Monitor counts it. */
  impact: number;
}

export function rowsOf(series: readonly CallSeries[]): CallRow[] {
  const rows = series.map((one) => {
    const rate = mean(one.rate);
    const weighted = (values: readonly (number | null)[]) => {
      let sum = 0;
      let weight = 0;
      for (const [at, value] of values.entries()) {
        const calls = one.rate[at] ?? 0;
        if (value === null || calls <= 0) continue;
        sum += value * calls;
        weight += calls;
      }
      return weight > 0 ? sum / weight : undefined;
    };
    return { series: one, rate, errors: weighted(one.errors) ?? 0, p95: weighted(one.p95), impact: 0 };
  });
  const most = Math.max(0, ...rows.map(({ rate, p95 = 0 }) => rate * p95));
  for (const row of rows) row.impact = most > 0 ? (row.rate * (row.p95 ?? 0)) / most : 0;
  return rows;
}

function mean(values: readonly (number | null)[]): number {
  const known = values.filter((value) => value !== null);
  return known.length > 0 ? known.reduce((sum, value) => sum + value, 0) / known.length : 0;
}

export interface Steps {
  stepMs: number;
  ratePerMs: number;
}

/** From moment to moment, so that there are about `points` of them: whole seconds that people count in. */
const STEPS_S = [5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400];

export function stepsOf(lookbackMs: number, points = 90): Steps {
  const wished = lookbackMs / points / 1e3;
  const step = STEPS_S.find((one) => one >= wished) ?? (STEPS_S[STEPS_S.length - 1] as number);
  const stepMs = step * 1e3;
  // A minute at least: of less there are mostly no calls, and the lines would fall apart.
  return { stepMs, ratePerMs: Math.max(stepMs, 60e3) };
}

/** The search for the traces that a point stands for. */
export interface PointQuestion {
  startMs: number;
  endMs: number;
  minDuration: number | undefined;
  errorsOnly: boolean;
}

/** What was counted at a moment: the calls of the time before it, of a latency the slow ones, of errors those. */
export function behind(moment: number, { ratePerMs }: Steps, measure: Measure, value: number | null): PointQuestion {
  const isLatency = measure === "p50" || measure === "p95" || measure === "p99";
  return {
    startMs: moment - ratePerMs,
    endMs: moment,
    minDuration: isLatency && value !== null ? value : undefined,
    errorsOnly: measure === "errors",
  };
}

/** The points of a line through these values in a box of this size, gaps left out; "" when there are none. */
export function sparkline(values: readonly (number | null)[], width: number, height: number, top?: number): string {
  const most = top ?? Math.max(0, ...values.map((value) => value ?? 0));
  const step = values.length > 1 ? width / (values.length - 1) : 0;
  let path = "";
  let open = false;
  for (const [at, value] of values.entries()) {
    if (value === null) {
      open = false;
      continue;
    }
    const y = most > 0 ? height - (value / most) * height : height;
    path += `${open ? "L" : "M"}${(at * step).toFixed(1)},${y.toFixed(1)}`;
    if (!open && (values[at + 1] ?? null) === null) path += "h0.1";
    open = true;
  }
  return path;
}
