import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { fetchCallMetric } from "../../api/call-metrics.ts";
import { type CallSeries, type Steps, seriesOf, stepsOf } from "./series.ts";

interface CallsQuestion {
  services: readonly string[];
  kind: string;
  byOperation: boolean;
  /** Whether p50 and p99 are asked for besides p95. */
  allQuantiles: boolean;
  startMs: number;
  endMs: number;
}

export interface Calls {
  moments: number[];
  series: CallSeries[];
  steps: Steps;
}

/** The calls of some services over a time range; while others are asked for, those that were there before stay. */
export function useCalls(question: CallsQuestion) {
  const { services, kind, byOperation, allQuantiles, startMs, endMs } = question;
  return useQuery({
    queryKey: ["calls", services, kind, byOperation, allQuantiles, Math.round(startMs), Math.round(endMs)],
    enabled: services.length > 0,
    placeholderData: keepPreviousData,
    queryFn: async ({ signal }): Promise<Calls> => {
      const lookbackMs = endMs - startMs;
      const steps = stepsOf(lookbackMs);
      const asked = { services, kind, byOperation, endMs, lookbackMs, ...steps };
      const quantile = (one: number) => fetchCallMetric({ quantile: one }, asked, signal);
      const [rate, errors, p95, p50, p99] = await Promise.all([
        fetchCallMetric("calls", asked, signal),
        fetchCallMetric("errors", asked, signal),
        quantile(0.95),
        ...(allQuantiles ? [quantile(0.5), quantile(0.99)] : []),
      ]);
      return { ...seriesOf({ rate, errors, p95, ...(p50 ? { p50 } : {}), ...(p99 ? { p99 } : {}) }), steps };
    },
  });
}
