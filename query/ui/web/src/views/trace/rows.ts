/** Which spans are shown as rows, in their order. */

import type { Trace } from "../../model/trace.ts";

/** Those not below a collapsed span; with `only`, those in it and all above them, whatever is collapsed. */
export function shownRows(
  trace: Trace,
  collapsed: ReadonlySet<number>,
  only: ReadonlySet<number> | undefined,
): Int32Array {
  const rows = new Int32Array(trace.size);
  let count = 0;
  if (only) {
    const wanted = withAncestors(trace, only);
    for (let at = 0; at < trace.size; at++) if (wanted[at]) rows[count++] = at;
    return rows.subarray(0, count);
  }
  for (let at = 0; at < trace.size; ) {
    rows[count++] = at;
    at = collapsed.has(at) ? (trace.end[at] as number) : at + 1;
  }
  return rows.subarray(0, count);
}

function withAncestors(trace: Trace, spans: ReadonlySet<number>): Uint8Array {
  const wanted = new Uint8Array(trace.size);
  for (const span of spans) {
    for (let at = span; at >= 0 && !wanted[at]; at = trace.parent[at] as number) wanted[at] = 1;
  }
  return wanted;
}

/** Where a span stands among rows in ascending order, or where the nearest row above it does; -1 above all. */
export function rowOf(rows: Int32Array, span: number): number {
  let low = 0;
  let high = rows.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    if ((rows[middle] as number) <= span) low = middle + 1;
    else high = middle - 1;
  }
  return high;
}

/** The set without the spans above `span`, so that it is shown. The same set when none of them is in it. */
export function revealed(trace: Trace, collapsed: ReadonlySet<number>, span: number): ReadonlySet<number> {
  let opened: Set<number> | undefined;
  for (let at = trace.parent[span] as number; at >= 0; at = trace.parent[at] as number) {
    if (!collapsed.has(at)) continue;
    opened ??= new Set(collapsed);
    opened.delete(at);
  }
  return opened ?? collapsed;
}

/** Every span with children below the first level: what is collapsed to see the first level only. */
export function belowFirstLevel(trace: Trace): Set<number> {
  const collapsed = new Set<number>();
  for (let at = 0; at < trace.size; at++) {
    if ((trace.depth[at] as number) >= 1 && (trace.end[at] as number) > at + 1) collapsed.add(at);
  }
  return collapsed;
}
