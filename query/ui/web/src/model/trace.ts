/**
 * A trace in columns, as clew's outline has it: one number a span in each typed array, by position. Positions are those of
 * the tree, depth-first: a subtree is a range. Times are nanoseconds from the start of the trace; NaN where there is none.
 */

export const Flag = { error: 1, sidecar: 2, joined: 4, events: 8, links: 16 } as const;

export const KINDS = ["", "internal", "server", "client", "producer", "consumer"] as const;
export const PROTOCOLS = ["", "zipkin", "otlp", "jaeger"] as const;

export type RootReason = "parentless" | "orphan" | "circle";

export interface ServiceCount {
  name: string;
  spans: number;
  errors: number;
}

export interface Summary {
  rootService: string;
  rootOperation: string;
  startTimeUnixNano?: string;
  endTimeUnixNano?: string;
  durationNano?: string;
  spans: number;
  errors: number;
  depth: number;
  roots: number;
  orphans: number;
  circles: number;
  reports: number;
  services: ServiceCount[];
}

/** GET /api/clew/v1/traces/{id}/outline */
export interface Outline {
  traceId: string;
  summary: Summary;
  services: string[];
  names: string[];
  spans: {
    /** 16 hex digits a span, one after another. */
    spanId: string;
    parent: number[];
    service: number[];
    name: number[];
    kind: number[];
    start: (number | null)[];
    duration: (number | null)[];
    protocol: number[];
    flags: number[];
  };
  roots: { span: number; reason: RootReason }[];
  warnings: { span: number; texts: string[] }[];
  /** Of a large trace it comes later than the rest. */
  timing?: OutlineTiming;
}

export interface OutlineTiming {
  selfTime: (number | null)[];
  criticalPathTime: (number | null)[];
  criticalPath: { span: number[]; start: number[]; end: number[] };
}

export interface Trace {
  traceId: string;
  summary: Summary;
  /** How many spans. */
  size: number;
  /** Epoch nanoseconds, beyond what a number holds exactly. */
  startNs: bigint;
  /** From the earliest start to the latest end. */
  durationNs: number;
  services: string[];
  names: string[];
  /** 16 hex digits a span, one after another: `idOf` has that of one. */
  spanIds: string;
  parent: Int32Array;
  /** Where the subtree of a span ends: the position after its last descendant. */
  end: Int32Array;
  depth: Uint16Array;
  service: Uint32Array;
  name: Uint32Array;
  kind: Uint8Array;
  protocol: Uint8Array;
  flags: Uint8Array;
  start: Float64Array;
  duration: Float64Array;
  roots: Map<number, RootReason>;
  warnings: Map<number, string[]>;
  timing: Timing;
}

/** How a trace's time was spent, by position. Nothing is known while that is still on its way: NaN, and no sections. */
export interface Timing {
  selfTime: Float64Array;
  /** NaN off the critical path. */
  criticalTime: Float64Array;
  /** Sections of the critical path of each span it stays in: start, end, start, end, ... */
  critical: Map<number, number[]>;
}

export function traceOf(outline: Outline): Trace {
  const { spans, summary } = outline;
  const size = spans.parent.length;
  const parent = Int32Array.from(spans.parent);
  return {
    traceId: outline.traceId,
    summary,
    size,
    startNs: BigInt(summary.startTimeUnixNano ?? "0"),
    durationNs: Math.max(1, Number(summary.durationNano ?? "0")),
    services: outline.services,
    names: outline.names,
    spanIds: spans.spanId,
    parent,
    end: subtreeEnds(parent),
    depth: depths(parent),
    service: Uint32Array.from(spans.service),
    name: Uint32Array.from(spans.name),
    kind: Uint8Array.from(spans.kind),
    protocol: Uint8Array.from(spans.protocol),
    flags: Uint8Array.from(spans.flags),
    start: times(spans.start),
    duration: times(spans.duration),
    roots: new Map(outline.roots.map(({ span, reason }) => [span, reason])),
    warnings: new Map(outline.warnings.map(({ span, texts }) => [span, texts])),
    timing: outline.timing ? timingOf(outline.timing) : unknownTiming(size),
  };
}

export function timingOf(timing: OutlineTiming): Timing {
  return {
    selfTime: times(timing.selfTime),
    criticalTime: times(timing.criticalPathTime),
    critical: sectionsBySpan(timing.criticalPath),
  };
}

function unknownTiming(size: number): Timing {
  const unknown = new Float64Array(size).fill(Number.NaN);
  return { selfTime: unknown, criticalTime: unknown, critical: new Map() };
}

function times(values: (number | null)[]): Float64Array {
  const column = new Float64Array(values.length);
  for (let at = 0; at < values.length; at++) column[at] = values[at] ?? Number.NaN;
  return column;
}

function subtreeEnds(parent: Int32Array): Int32Array {
  const end = new Int32Array(parent.length);
  for (let at = parent.length - 1; at >= 0; at--) {
    const own = Math.max(end[at] as number, at + 1);
    end[at] = own;
    const above = parent[at] as number;
    if (above >= 0 && (end[above] as number) < own) end[above] = own;
  }
  return end;
}

function depths(parent: Int32Array): Uint16Array {
  const depth = new Uint16Array(parent.length);
  for (let at = 0; at < parent.length; at++) {
    const above = parent[at] as number;
    depth[at] = above < 0 ? 0 : (depth[above] as number) + 1;
  }
  return depth;
}

function sectionsBySpan(path: OutlineTiming["criticalPath"]): Map<number, number[]> {
  const found = new Map<number, number[]>();
  for (let at = 0; at < path.span.length; at++) {
    const span = path.span[at] as number;
    const sections = found.get(span) ?? [];
    sections.push(path.start[at] as number, path.end[at] as number);
    found.set(span, sections);
  }
  return found;
}

export function hasFlag(trace: Trace, span: number, flag: number): boolean {
  return ((trace.flags[span] as number) & flag) !== 0;
}

const ID_DIGITS = 16;

export function idOf(trace: Trace, span: number): string {
  return trace.spanIds.slice(span * ID_DIGITS, (span + 1) * ID_DIGITS);
}

/** The spans with this id of 16 digits; there may be several. */
export function spansWithId(trace: Trace, id: string): number[] {
  if (id.length !== ID_DIGITS) return [];
  const found: number[] = [];
  for (let at = trace.spanIds.indexOf(id); at >= 0; at = trace.spanIds.indexOf(id, at + 1)) {
    // What straddles two ids is none.
    if (at % ID_DIGITS === 0) found.push(at / ID_DIGITS);
  }
  return found;
}

export function serviceOf(trace: Trace, span: number): string {
  return trace.services[trace.service[span] as number] as string;
}

export function nameOf(trace: Trace, span: number): string {
  return trace.names[trace.name[span] as number] as string;
}

/** The end of a span, its start where it has no duration, 0 where it has neither. */
export function endOf(trace: Trace, span: number): number {
  return (trace.start[span] || 0) + Math.max(0, trace.duration[span] || 0);
}

export function isParent(trace: Trace, span: number): boolean {
  return (trace.end[span] as number) > span + 1;
}
