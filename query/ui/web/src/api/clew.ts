/** clew's own API. */

import type { Outline, OutlineTiming } from "../model/trace.ts";
import { apiUrl, getJson, jsonInParts } from "./http.ts";

export type ClockRule = "jaeger" | "zipkin" | "none";

export interface TraceSummary {
  traceId: string;
  rootService: string;
  rootOperation: string;
  startTimeUnixNano?: string;
  durationNano?: string;
  spanCount: number;
  errorCount: number;
  orphanCount: number;
  services: { name: string; spanCount: number; errorCount: number }[];
}

export interface Tag {
  key: string;
  spans: number;
  values: { text: string; spans: number }[];
}

/** A search in Jaeger's words: times in microseconds, durations with a unit. */
export interface SearchParameters {
  service?: string | undefined;
  operation?: string | undefined;
  /** A JSON object of texts. */
  tags?: string | undefined;
  start?: number | undefined;
  end?: number | undefined;
  minDuration?: string | undefined;
  maxDuration?: string | undefined;
  limit?: number | undefined;
}

export async function findTraces(asked: SearchParameters, signal?: AbortSignal): Promise<TraceSummary[]> {
  const url = apiUrl("api/clew/v1/trace-summaries", { ...asked });
  return (await getJson<{ summaries: TraceSummary[] }>(url, signal)).summaries;
}

export async function findTracesById(traceIds: readonly string[], signal?: AbortSignal): Promise<TraceSummary[]> {
  const url = apiUrl("api/clew/v1/trace-summaries", { traceID: traceIds });
  return (await getJson<{ summaries: TraceSummary[] }>(url, signal)).summaries;
}

export async function findTags(asked: SearchParameters, signal?: AbortSignal): Promise<Tag[]> {
  return (await getJson<{ tags: Tag[] }>(apiUrl("api/clew/v1/tags", { ...asked }), signal)).tags;
}

function traceUrl(traceId: string, part: string, clocks: ClockRule): string {
  const path = `api/clew/v1/traces/${encodeURIComponent(traceId)}${part}`;
  return apiUrl(path, { clockSkew: clocks === "jaeger" ? "" : clocks });
}

/** The tree of a trace, as soon as that has come. How its time was spent is read when it is first asked for. */
export async function outlineOfTrace(
  traceId: string,
  clocks: ClockRule,
  signal?: AbortSignal,
): Promise<{ outline: Outline; timing: () => Promise<OutlineTiming> }> {
  const parts = jsonInParts(traceUrl(traceId, "/outline", clocks), signal);
  const outline = (await parts.next()).value as Outline;
  let rest: Promise<OutlineTiming> | undefined;
  const timing = async () => outline.timing ?? ((await parts.next()).value as Required<Outline>).timing;
  return {
    outline,
    timing: () => {
      rest ??= timing();
      return rest;
    },
  };
}

/** The address of the whole document of a trace. */
export function documentUrl(traceId: string, clocks: ClockRule): string {
  return traceUrl(traceId, "", clocks);
}
