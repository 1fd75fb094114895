/** Jaeger's /api/metrics/*: rates, errors and latencies of calls over time. */

import { apiUrl, getJson } from "./http.ts";

export interface MetricPoint {
  gaugeValue?: { doubleValue: number | "NaN" };
  timestamp: string;
}

export interface Metric {
  labels: { name: string; value: string }[];
  metricPoints: MetricPoint[];
}

export interface MetricFamily {
  name: string;
  metrics: Metric[];
}

export interface CallsAsked {
  services: readonly string[];
  kind: string;
  byOperation: boolean;
  endMs: number;
  lookbackMs: number;
  stepMs: number;
  ratePerMs: number;
}

export type CallMetric = "calls" | "errors" | { quantile: number };

export function fetchCallMetric(metric: CallMetric, asked: CallsAsked, signal?: AbortSignal): Promise<MetricFamily> {
  const [path, quantile] = typeof metric === "string" ? [metric, undefined] : ["latencies", metric.quantile];
  const url = apiUrl(`api/metrics/${path}`, {
    service: asked.services,
    spanKind: asked.kind,
    groupByOperation: asked.byOperation,
    endTs: Math.round(asked.endMs),
    lookback: Math.round(asked.lookbackMs),
    step: Math.round(asked.stepMs),
    ratePer: Math.round(asked.ratePerMs),
    quantile,
  });
  return getJson<MetricFamily>(url, signal);
}
