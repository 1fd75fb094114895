/** Sums over the spans of a trace by service, operation, or both. */

import { Flag, hasFlag, nameOf, serviceOf, type Trace } from "./trace.ts";

export type Grouping = "service" | "operation" | "both";

export interface Group {
  service: string;
  /** "" when spans are grouped by service alone. */
  operation: string;
  spans: number;
  errors: number;
  /** Nanoseconds; spans without a duration count as 0. */
  total: number;
  least: number;
  most: number;
  self: number;
  /** How long the critical path stays in these spans. */
  critical: number;
}

export function groupsOf(trace: Trace, by: Grouping): Group[] {
  const groups = new Map<string, Group>();
  for (let at = 0; at < trace.size; at++) {
    const service = by === "operation" ? "" : serviceOf(trace, at);
    const operation = by === "service" ? "" : nameOf(trace, at);
    const key = `${service}\n${operation}`;
    let group = groups.get(key);
    if (!group) {
      group = { service, operation, spans: 0, errors: 0, total: 0, least: Infinity, most: 0, self: 0, critical: 0 };
      groups.set(key, group);
    }
    const duration = Math.max(0, trace.duration[at] || 0);
    group.spans += 1;
    group.errors += hasFlag(trace, at, Flag.error) ? 1 : 0;
    group.total += duration;
    group.least = Math.min(group.least, duration);
    group.most = Math.max(group.most, duration);
    group.self += trace.timing.selfTime[at] || 0;
    group.critical += trace.timing.criticalTime[at] || 0;
  }
  return [...groups.values()];
}
