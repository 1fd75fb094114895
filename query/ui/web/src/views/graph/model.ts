/** The service graph as this view draws it, whichever API told it, and the parts of it that are asked for. */

export type NodeKind = "service" | "database" | "queue" | "external";

export interface GraphNode {
  /** Unique: the kind and the name. */
  id: string;
  name: string;
  kind: NodeKind;
}

/** Durations are nanoseconds; undefined when no call told its own. */
export interface GraphEdge {
  id: string;
  from: string;
  to: string;
  calls: number;
  errors: number;
  p50: number | undefined;
  p95: number | undefined;
  p99: number | undefined;
}

export interface ServiceGraph {
  nodes: readonly GraphNode[];
  edges: readonly GraphEdge[];
  /** How many edges of fewer calls there are besides. */
  leftOut: number;
  /** The time whose calls are counted, epoch ms. */
  startMs: number;
  endMs: number;
}

export const EMPTY_GRAPH: ServiceGraph = { nodes: [], edges: [], leftOut: 0, startMs: 0, endMs: 0 };

export function nodeId(kind: NodeKind, name: string): string {
  return `${kind}:${name}`;
}

export function edgeId(from: string, to: string): string {
  return `${from} → ${to}`;
}

/** What all calls into a node and out of it sum up to. */
export interface NodeTotals {
  callsIn: number;
  errorsIn: number;
  callsOut: number;
  errorsOut: number;
  callers: number;
  callees: number;
}

export function totalsOf(graph: ServiceGraph): Map<string, NodeTotals> {
  const totals = new Map<string, NodeTotals>();
  for (const { id } of graph.nodes) {
    totals.set(id, { callsIn: 0, errorsIn: 0, callsOut: 0, errorsOut: 0, callers: 0, callees: 0 });
  }
  for (const edge of graph.edges) {
    const from = totals.get(edge.from);
    const to = totals.get(edge.to);
    if (!from || !to) continue;
    from.callsOut += edge.calls;
    from.errorsOut += edge.errors;
    to.callsIn += edge.calls;
    to.errorsIn += edge.errors;
    if (edge.from === edge.to) continue;
    from.callees += 1;
    to.callers += 1;
  }
  return totals;
}

export type Direction = "both" | "callers" | "callees";

/**
 * The part of the graph that is at most `hops` calls away from `focus`: upwards over its callers, downwards over its
 * callees, or both. Each way keeps its direction: a callee's other callers are not in it.
 */
export function neighbourhood(graph: ServiceGraph, focus: string, hops: number, direction: Direction): ServiceGraph {
  const kept = new Set<string>([focus]);
  const edges = new Set<GraphEdge>();
  const walk = (next: Map<string, GraphEdge[]>, other: (edge: GraphEdge) => string) => {
    let border = [focus];
    const seen = new Set(border);
    for (let hop = 0; hop < hops && border.length > 0; hop++) {
      const further: string[] = [];
      for (const id of border) {
        for (const edge of next.get(id) ?? []) {
          edges.add(edge);
          const far = other(edge);
          if (seen.has(far)) continue;
          seen.add(far);
          kept.add(far);
          further.push(far);
        }
      }
      border = further;
    }
  };
  if (direction !== "callees") walk(grouped(graph.edges, "to"), (edge) => edge.from);
  if (direction !== "callers") walk(grouped(graph.edges, "from"), (edge) => edge.to);
  return {
    ...graph,
    nodes: graph.nodes.filter(({ id }) => kept.has(id)),
    edges: graph.edges.filter((edge) => edges.has(edge)),
  };
}

function grouped(edges: readonly GraphEdge[], end: "from" | "to"): Map<string, GraphEdge[]> {
  const found = new Map<string, GraphEdge[]>();
  for (const edge of edges) {
    const list = found.get(edge[end]);
    if (list) list.push(edge);
    else found.set(edge[end], [edge]);
  }
  return found;
}

/** The graph without nodes of the other kinds, and without edges of fewer calls. Nodes left alone by that go, too. */
export function filtered(graph: ServiceGraph, kinds: ReadonlySet<NodeKind>, leastCalls: number): ServiceGraph {
  const shown = new Set(graph.nodes.filter(({ kind }) => kinds.has(kind)).map(({ id }) => id));
  const edges = graph.edges.filter(({ from, to, calls }) => shown.has(from) && shown.has(to) && calls >= leastCalls);
  if (edges.length === graph.edges.length) return graph;
  const touched = new Set(edges.flatMap(({ from, to }) => [from, to]));
  return { ...graph, nodes: graph.nodes.filter(({ id }) => touched.has(id)), edges };
}

/** The nodes whose name holds every word of the text, those that begin with it first. */
export function searched(nodes: readonly GraphNode[], text: string): GraphNode[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return [];
  const found = nodes.filter(({ name }) => words.every((word) => name.toLowerCase().includes(word)));
  const first = words[0] as string;
  const rank = ({ name }: GraphNode) => (name.toLowerCase().startsWith(first) ? 0 : 1);
  return found.sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name));
}

export function errorRate(edge: { calls: number; errors: number }): number {
  return edge.calls > 0 ? edge.errors / edge.calls : 0;
}

/** How wide the most called edge is drawn: among very many less, or they would hide each other. */
export function widest(edges: number): number {
  return edges > 150 ? 4 : 7;
}

/** How wide an edge is drawn, from 1: by the root of its calls, so that a tenth of them is still seen. */
export function edgeWidth(calls: number, mostCalls: number, most = 7): number {
  return 1 + (most - 1) * Math.sqrt(calls / Math.max(1, mostCalls));
}

export type Health = "ok" | "some" | "bad";

/** From 1 % of errors an edge is worth a look, from 10 % it is bad. */
export function healthOf(edge: { calls: number; errors: number }): Health {
  const rate = errorRate(edge);
  return rate >= 0.1 ? "bad" : rate >= 0.01 ? "some" : "ok";
}
