/** Which search finds the traces behind a node or an edge of the graph. */

import type { SearchQuestion } from "../../routing/search-link.ts";
import type { GraphEdge, GraphNode, ServiceGraph } from "./model.ts";

/** Of a service its own spans; of what reports nothing itself the spans of whoever calls it most. */
export function tracesOfNode(
  node: GraphNode,
  callers: readonly GraphEdge[],
  graph: ServiceGraph,
  startMs: number,
  endMs: number,
): SearchQuestion | undefined {
  if (node.kind === "service") return { service: node.name, startMs, endMs };
  const most = callers.reduce<GraphEdge | undefined>((a, b) => (a && a.calls >= b.calls ? a : b), undefined);
  const caller = graph.nodes.find(({ id }) => id === most?.from);
  return caller && tracesOfEdge(caller, node, startMs, endMs);
}

/**
 * The called service's spans where it reports some: those of its calls have it in common, and its latency is the edge's.
 * Else the caller's spans.
 */
export function tracesOfEdge(from: GraphNode, to: GraphNode, startMs: number, endMs: number): SearchQuestion {
  const service = to.kind === "service" ? to.name : from.name;
  return { service, startMs, endMs };
}
