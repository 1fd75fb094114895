/** The address of a search, for links from other views. */

export interface SearchQuestion {
  service?: string | undefined;
  operation?: string | undefined;
  tags?: Record<string, string>;
  startMs?: number;
  endMs?: number;
  /** Nanoseconds. */
  minDuration?: number | undefined;
  maxDuration?: number | undefined;
  limit?: number;
}

export function searchLink(question: SearchQuestion): string {
  const parameters = new URLSearchParams();
  if (question.service) parameters.set("service", question.service);
  if (question.operation) parameters.set("operation", question.operation);
  if (question.tags && Object.keys(question.tags).length > 0) parameters.set("tags", JSON.stringify(question.tags));
  if (question.minDuration) parameters.set("minDuration", micros(question.minDuration));
  if (question.maxDuration) parameters.set("maxDuration", micros(question.maxDuration));
  if (question.startMs !== undefined && question.endMs !== undefined) {
    parameters.set("lookback", "custom");
    parameters.set("start", String(Math.floor(question.startMs * 1e3)));
    parameters.set("end", String(Math.ceil(question.endMs * 1e3)));
  }
  if (question.limit) parameters.set("limit", String(question.limit));
  return `/search?${parameters.toString()}`;
}

/** In the largest unit that says it without a fraction of a microsecond. */
function micros(ns: number): string {
  const us = Math.max(1, Math.round(ns / 1e3));
  return us % 1e6 === 0 ? `${us / 1e6}s` : us % 1e3 === 0 ? `${us / 1e3}ms` : `${us}us`;
}
