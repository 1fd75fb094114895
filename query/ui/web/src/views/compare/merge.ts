/**
 * Two traces as one tree of call paths, and how they differ on each.
 *
 * A path is the way of services, names and kinds from the root: calls that a trace makes several times at one place are
 * one path with a count, as a retry or a loop is not another structure. Of two traces with one root each the roots are
 * the same path whatever they are called, so that two versions of an endpoint can be compared.
 */

import { Flag, hasFlag, KINDS, nameOf, serviceOf, type Trace } from "../../model/trace.ts";

/** What a trace has on one path. Times are nanoseconds, summed over its spans. */
export interface Side {
  count: number;
  /** Of what has a duration. */
  duration: number;
  selfTime: number;
  errors: number;
  /** The first of them, by position in its trace; -1 when there is none. */
  first: number;
}

export type Change = "added" | "removed" | "slower" | "faster" | "same";

export interface PathNode {
  /** Unique in the comparison. */
  id: number;
  service: string;
  name: string;
  /** What the other trace calls it, where that differs (roots only). */
  otherName: string | undefined;
  kind: string;
  depth: number;
  a: Side;
  b: Side;
  change: Change;
  /** How much longer b took than a. */
  delta: number;
  /** Whether anything below it changed, itself included. */
  changed: boolean;
  children: PathNode[];
}

export interface ServiceDelta {
  service: string;
  spansA: number;
  spansB: number;
  selfA: number;
  selfB: number;
}

export interface Comparison {
  roots: PathNode[];
  /** How many paths are of each change. */
  counts: Record<Change, number>;
  size: number;
  services: ServiceDelta[];
  /** The largest |delta| of any path, for bars. */
  mostDelta: number;
}

/** A path's time must differ by more than a tenth and by more than a five-hundredth of the longer trace to count. */
const LEAST_SHARE = 0.1;
const LEAST_OF_TRACE = 1 / 500;

export function compared(a: Trace, b: Trace): Comparison {
  const leastNs = Math.max(a.durationNs, b.durationNs) * LEAST_OF_TRACE;
  const counts: Record<Change, number> = { added: 0, removed: 0, slower: 0, faster: 0, same: 0 };
  const nodes: PathNode[] = [];
  const above: (PathNode | undefined)[] = [];
  // A stack of its own: a chain of some thousand spans would exhaust the language's.
  const waiting = rootPaths(a, b).map((path) => ({ path, parent: undefined as PathNode | undefined }));
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const node = nodeOf(a, b, next.path, nodes.length, next.parent ? next.parent.depth + 1 : 0, leastNs);
    counts[node.change] += 1;
    nodes.push(node);
    above.push(next.parent);
    next.parent?.children.push(node);
    const below = pathsOf(a, childrenOf(a, next.path.a), b, childrenOf(b, next.path.b));
    for (const path of below.reverse()) waiting.push({ path, parent: node });
  }
  for (let at = nodes.length - 1; at >= 0; at--) {
    const parent = above[at];
    if (parent && nodes[at]?.changed) parent.changed = true;
  }
  return {
    roots: nodes.filter((_, at) => above[at] === undefined),
    counts,
    size: nodes.length,
    services: servicesOf(a, b),
    mostDelta: nodes.reduce((most, { delta }) => Math.max(most, Math.abs(delta)), 0),
  };
}

/** The spans of either trace on one path. */
interface Path {
  a: number[];
  b: number[];
}

function rootPaths(a: Trace, b: Trace): Path[] {
  const [rootsA, rootsB] = [rootsOf(a), rootsOf(b)];
  if (rootsA.length === 1 && rootsB.length === 1) return [{ a: rootsA, b: rootsB }];
  return pathsOf(a, rootsA, b, rootsB).reverse();
}

/** The paths at one place: those of a in its order, then what only b has. */
function pathsOf(a: Trace, spansA: readonly number[], b: Trace, spansB: readonly number[]): Path[] {
  const paths = new Map<string, Path>();
  const put = (trace: Trace, spans: readonly number[], side: "a" | "b") => {
    for (const span of spans) {
      const key = JSON.stringify([serviceOf(trace, span), nameOf(trace, span), trace.kind[span]]);
      let path = paths.get(key);
      if (!path) {
        path = { a: [], b: [] };
        paths.set(key, path);
      }
      path[side].push(span);
    }
  };
  put(a, spansA, "a");
  put(b, spansB, "b");
  return [...paths.values()];
}

function nodeOf(a: Trace, b: Trace, path: Path, id: number, depth: number, leastNs: number): PathNode {
  const [named, first] = path.a.length > 0 ? [a, path.a[0] as number] : [b, path.b[0] as number];
  const name = nameOf(named, first);
  const other = path.a.length > 0 && path.b.length > 0 ? nameOf(b, path.b[0] as number) : name;
  const sides = { a: sideOf(a, path.a), b: sideOf(b, path.b) };
  const { change, delta } = judged(sides.a, sides.b, leastNs);
  return {
    id,
    service: serviceOf(named, first),
    name,
    otherName: other === name ? undefined : other,
    kind: KINDS[named.kind[first] as number] ?? "",
    depth,
    ...sides,
    change,
    delta,
    changed: change !== "same" || sides.a.count !== sides.b.count,
    children: [],
  };
}

function judged(a: Side, b: Side, leastNs: number): { change: Change; delta: number } {
  const delta = b.duration - a.duration;
  if (a.count === 0) return { change: "added", delta };
  if (b.count === 0) return { change: "removed", delta };
  if (Math.abs(delta) <= leastNs || Math.abs(delta) <= LEAST_SHARE * a.duration) return { change: "same", delta };
  return { change: delta > 0 ? "slower" : "faster", delta };
}

function sideOf(trace: Trace, spans: readonly number[]): Side {
  const side: Side = { count: spans.length, duration: 0, selfTime: 0, errors: 0, first: spans[0] ?? -1 };
  for (const span of spans) {
    side.duration += Math.max(0, trace.duration[span] || 0);
    side.selfTime += trace.timing.selfTime[span] || 0;
    side.errors += hasFlag(trace, span, Flag.error) ? 1 : 0;
  }
  return side;
}

function rootsOf(trace: Trace): number[] {
  const roots: number[] = [];
  for (let at = 0; at < trace.size; at = trace.end[at] as number) roots.push(at);
  return roots;
}

function childrenOf(trace: Trace, spans: readonly number[]): number[] {
  const children: number[] = [];
  for (const span of spans) {
    const end = trace.end[span] as number;
    for (let at = span + 1; at < end; at = trace.end[at] as number) children.push(at);
  }
  return children;
}

function servicesOf(a: Trace, b: Trace): ServiceDelta[] {
  const found = new Map<string, ServiceDelta>();
  const add = (trace: Trace, spans: "spansA" | "spansB", self: "selfA" | "selfB") => {
    for (let at = 0; at < trace.size; at++) {
      const service = serviceOf(trace, at);
      const sum = found.get(service) ?? { service, spansA: 0, spansB: 0, selfA: 0, selfB: 0 };
      sum[spans] += 1;
      sum[self] += trace.timing.selfTime[at] || 0;
      found.set(service, sum);
    }
  };
  add(a, "spansA", "selfA");
  add(b, "spansB", "selfB");
  return [...found.values()].sort((x, y) => Math.abs(y.selfB - y.selfA) - Math.abs(x.selfB - x.selfA));
}

/** The rows that are shown, depth-first: without what is below closed paths, or without what did not change. */
export function rowsOf(roots: readonly PathNode[], closed: ReadonlySet<number>, onlyChanges: boolean): PathNode[] {
  const rows: PathNode[] = [];
  const waiting = [...roots].reverse();
  for (let node = waiting.pop(); node; node = waiting.pop()) {
    if (onlyChanges && !node.changed) continue;
    rows.push(node);
    if (closed.has(node.id)) continue;
    for (let at = node.children.length - 1; at >= 0; at--) waiting.push(node.children[at] as PathNode);
  }
  return rows;
}
