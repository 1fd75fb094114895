/** The service graph of a time range. */

import { edgeId, type GraphEdge, type NodeKind, nodeId, type ServiceGraph } from "../views/graph/model.ts";
import { apiUrl, getJson } from "./http.ts";

/** GET /api/clew/v1/dependencies: of whole minutes; the positions of edges' ends are those in `nodes`. */
interface GraphAnswer {
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  nodes: { name: string; kind: NodeKind; instrumented: boolean }[];
  edges: {
    parent: number;
    child: number;
    calls: number;
    errors: number;
    p50Nano?: string;
    p95Nano?: string;
    p99Nano?: string;
  }[];
  edgesLeftOut: number;
}

export async function fetchGraph(startMs: number, endMs: number, signal: AbortSignal): Promise<ServiceGraph> {
  const times = { start: Math.floor(startMs * 1e3), end: Math.ceil(endMs * 1e3) };
  const answer = await getJson<GraphAnswer>(apiUrl("api/clew/v1/dependencies", times), signal);
  const nodes = answer.nodes.map(({ name, kind }) => ({ id: nodeId(kind, name), name, kind }));
  const edges = answer.edges.flatMap((edge): GraphEdge[] => {
    const [from, to] = [nodes[edge.parent]?.id, nodes[edge.child]?.id];
    if (from === undefined || to === undefined) return [];
    const { calls, errors } = edge;
    const latencies = { p50: number(edge.p50Nano), p95: number(edge.p95Nano), p99: number(edge.p99Nano) };
    return [{ id: edgeId(from, to), from, to, calls, errors, ...latencies }];
  });
  return {
    nodes,
    edges,
    leftOut: answer.edgesLeftOut,
    startMs: Number(answer.startTimeUnixNano) / 1e6,
    endMs: Number(answer.endTimeUnixNano) / 1e6,
  };
}

function number(nano: string | undefined): number | undefined {
  return nano === undefined ? undefined : Number(nano);
}
