/** The service graph of a time range, from clew's own API. */

import {
  EMPTY_GRAPH,
  edgeId,
  type GraphEdge,
  type GraphNode,
  nodeId,
  type ServiceGraph,
} from "../views/graph/model.ts";
import { apiUrl, getJson } from "./http.ts";

interface JaegerLink {
  parent: string;
  child: string;
  callCount: number;
  errorCount?: number;
}

export async function fetchGraph(startMs: number, endMs: number, signal: AbortSignal): Promise<ServiceGraph> {
  const url = apiUrl("api/dependencies", {
    endTs: Math.ceil(endMs),
    lookback: Math.max(0, Math.ceil(endMs - startMs)),
  });
  const { data } = await getJson<{ data: JaegerLink[] | null }>(url, signal);
  return data ? fromLinks(data) : EMPTY_GRAPH;
}

function fromLinks(links: readonly JaegerLink[]): ServiceGraph {
  const nodes = new Map<string, GraphNode>();
  const node = (name: string) => {
    const id = nodeId("service", name);
    nodes.set(id, { id, name, kind: "service" });
    return id;
  };
  const edges = links.map(({ parent, child, callCount, errorCount = 0 }): GraphEdge => {
    const [from, to] = [node(parent), node(child)];
    const unknown = { p50: undefined, p95: undefined, p99: undefined };
    return { id: edgeId(from, to), from, to, calls: callCount, errors: errorCount, ...unknown };
  });
  return { nodes: [...nodes.values()], edges };
}
