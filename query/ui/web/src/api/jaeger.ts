/** Jaeger's JSON API. */

import { apiUrl, getJson, postJson } from "./http.ts";

interface Envelope<T> {
  data: T | null;
  errors?: { msg: string; traceID?: string }[] | null;
}

export async function servicesOf(signal?: AbortSignal): Promise<string[]> {
  return (await getJson<Envelope<string[]>>(apiUrl("api/services"), signal)).data ?? [];
}

export interface Operation {
  name: string;
  spanKind: string;
}

export async function operationsOf(service: string, signal?: AbortSignal): Promise<Operation[]> {
  return (await getJson<Envelope<Operation[]>>(apiUrl("api/operations", { service }), signal)).data ?? [];
}

/** Resolves when the trace is kept for good. */
export async function archiveTrace(traceId: string): Promise<void> {
  await postJson<unknown>(apiUrl(`api/archive/${encodeURIComponent(traceId)}`), "");
}

/** The three forms in which a trace can be taken away, and where each is. */
export const FORMATS = {
  jaeger: { name: "Jaeger JSON", path: (id: string) => `api/traces/${id}` },
  zipkin: { name: "Zipkin JSON", path: (id: string) => `api/v2/trace/${id}` },
  otlp: { name: "OTLP JSON", path: (id: string) => `api/v3/traces/${id}` },
} as const;

export type Format = keyof typeof FORMATS;

/** The text of a trace in one form, indented. */
export async function traceText(traceId: string, format: Format): Promise<string> {
  const found = await getJson<unknown>(apiUrl(FORMATS[format].path(traceId)));
  // Jaeger's v3 wraps OTLP's document into a result.
  const wrapped = found as { result?: unknown };
  return JSON.stringify(format === "otlp" && wrapped.result ? wrapped.result : found, null, 2);
}
