/** A search as the address of the page holds it, in Jaeger's words, and as a form does. */

import type { SearchParameters } from "../../api/clew.ts";
import { momentsOf, putRange, rangeOf, type TimeRange } from "../../routing/time-range.ts";
import { tagsOfText, textOfTags } from "./logfmt.ts";

export const DEFAULT_LIMIT = 50;
export const MOST_TRACES = 1500;
const USUAL_RANGE: TimeRange = { lookback: "1h" };

export interface Question {
  service: string;
  operation: string;
  /** key=value pairs as they are typed. */
  tags: string;
  minDuration: string;
  maxDuration: string;
  limit: number;
  range: TimeRange;
  /** When there are any, all else is ignored. */
  traceIds: string[];
}

/** The question in an address, and what is usual where it says nothing. */
export function questionOf(given: URLSearchParams): Question {
  const limit = Number(given.get("limit") ?? "");
  return {
    service: given.get("service") ?? "",
    operation: given.get("operation") ?? "",
    tags: textOfTags({ ...tagsInJson(given.get("tags")), ...singleTags(given.getAll("tag")) }),
    minDuration: given.get("minDuration") ?? "",
    maxDuration: given.get("maxDuration") ?? "",
    limit: Number.isInteger(limit) && limit > 0 ? Math.min(limit, MOST_TRACES) : DEFAULT_LIMIT,
    range: rangeOf(given) ?? USUAL_RANGE,
    traceIds: given.getAll("traceID").flatMap(idsIn),
  };
}

export function idsIn(text: string): string[] {
  return text.split(/[\s,]+/).filter(Boolean);
}

function tagsInJson(text: string | null): Record<string, string> {
  if (!text) return {};
  try {
    const found: unknown = JSON.parse(text);
    if (typeof found !== "object" || found === null || Array.isArray(found)) return {};
    return Object.fromEntries(Object.entries(found).map(([key, value]) => [key, String(value)]));
  } catch {
    // Older pages of Jaeger wrote tags as they are typed.
    return tagsOfText(text).tags;
  }
}

/** Jaeger's tag=key:value. */
function singleTags(texts: string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => [text.slice(0, Math.max(0, text.indexOf(":"))), text.slice(text.indexOf(":") + 1)]),
  );
}

/** The address's parameters; what is usual is left out. */
export function parametersOf(question: Question): URLSearchParams {
  const parameters = new URLSearchParams();
  if (question.traceIds.length > 0) {
    for (const id of question.traceIds) parameters.append("traceID", id);
    return parameters;
  }
  const put = (name: string, value: string) => value && parameters.set(name, value);
  put("service", question.service);
  put("operation", question.operation);
  const { tags } = tagsOfText(question.tags);
  if (Object.keys(tags).length > 0) parameters.set("tags", JSON.stringify(tags));
  put("minDuration", question.minDuration.trim());
  put("maxDuration", question.maxDuration.trim());
  parameters.set("limit", String(question.limit));
  putRange(parameters, question.range);
  return parameters;
}

/** What the server is asked by somebody who looks at `nowMs`. */
export function askedOf(question: Question, nowMs: number): SearchParameters {
  const { startMs, endMs } = momentsOf(question.range, nowMs);
  const { tags } = tagsOfText(question.tags);
  return {
    service: question.service,
    operation: question.operation,
    tags: Object.keys(tags).length > 0 ? JSON.stringify(tags) : undefined,
    start: Math.floor(startMs * 1e3),
    end: Math.ceil(endMs * 1e3),
    minDuration: question.minDuration.trim(),
    maxDuration: question.maxDuration.trim(),
    limit: question.limit,
  };
}

const DURATION = /^(?:\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)$/;
const UNITS: Record<string, number> = { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };

/** Nanoseconds of a duration as it is typed; undefined when it is none. */
export function durationNs(text: string): number | undefined {
  const unit = DURATION.exec(text.trim())?.[1];
  return unit === undefined ? undefined : Number.parseFloat(text) * (UNITS[unit] as number);
}
