/**
 * A time range as addresses hold it, in Jaeger's words: lookback=1h, or lookback=custom with start and end in
 * microseconds. Zipkin's startTime and endTime (milliseconds) and endTs with lookback are understood, too.
 */

export type TimeRange = { lookback: string } | { startMs: number; endMs: number };

export interface Moments {
  startMs: number;
  endMs: number;
}

/** What can be chosen, the shortest first. */
export const LOOKBACKS = ["5m", "15m", "30m", "1h", "3h", "6h", "12h", "1d", "2d", "7d"] as const;

const UNITS: Record<string, number> = { s: 1e3, m: 60e3, h: 3600e3, d: 86_400e3, w: 7 * 86_400e3 };

/** Milliseconds of "90m"; undefined when it is no such text. */
export function lookbackMs(text: string): number | undefined {
  const found = /^([0-9]{1,6})([smhdw])$/.exec(text);
  if (!found) return undefined;
  const ms = Number(found[1]) * (UNITS[found[2] as string] as number);
  return ms > 0 ? ms : undefined;
}

/** The range that an address asks for; undefined when it asks for none, or for none that there is. */
export function rangeOf(given: URLSearchParams): TimeRange | undefined {
  const lookback = given.get("lookback") ?? "";
  const start = given.get("start");
  const end = given.get("end");
  if (start && end) return between(Number(start) / 1e3, Number(end) / 1e3);
  const startTime = given.get("startTime");
  const endTime = given.get("endTime");
  if (startTime && endTime) return between(Number(startTime), Number(endTime));
  const endTs = Number(given.get("endTs") ?? "");
  if (endTs > 0 && /^[0-9]+$/.test(lookback)) return between(endTs - Number(lookback), endTs);
  return lookbackMs(lookback) ? { lookback } : undefined;
}

function between(startMs: number, endMs: number): TimeRange | undefined {
  return Number.isFinite(startMs) && Number.isFinite(endMs) && startMs >= 0 && startMs < endMs
    ? { startMs, endMs }
    : undefined;
}

/** Writes the range into an address's parameters, in the place of the one they had. */
export function putRange(parameters: URLSearchParams, range: TimeRange): void {
  for (const name of ["lookback", "start", "end", "startTime", "endTime", "endTs"]) parameters.delete(name);
  if ("lookback" in range) {
    parameters.set("lookback", range.lookback);
  } else {
    parameters.set("lookback", "custom");
    parameters.set("start", String(Math.round(range.startMs * 1e3)));
    parameters.set("end", String(Math.round(range.endMs * 1e3)));
  }
}

/** The moments it means for somebody who looks at `nowMs`. */
export function momentsOf(range: TimeRange, nowMs: number): Moments {
  if (!("lookback" in range)) return range;
  return { startMs: nowMs - (lookbackMs(range.lookback) ?? 3600e3), endMs: nowMs };
}
