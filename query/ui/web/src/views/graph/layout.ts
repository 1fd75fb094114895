/**
 * Where the nodes of a service graph stand: callers left of what they call, as few crossings as can be had.
 *
 * dagre finds the layers and the order within them. Its own positions leave a lane for every edge that passes a layer,
 * which makes a graph of 200 services four times as high as its nodes need; so each layer is set anew here, without
 * gaps where nothing pulls its nodes apart, each node as near to the middle of its neighbours as the others let it.
 */

import dagre from "@dagrejs/dagre";

export interface LayoutNode {
  id: string;
  width: number;
}

export interface LayoutEdge {
  from: string;
  to: string;
}

export interface Placed {
  /** The left end and the middle of the height. */
  x: number;
  y: number;
}

export interface Layout {
  places: Record<string, Placed>;
  width: number;
  height: number;
}

export const NODE_HEIGHT = 32;
const GAP = 12;
const LAYER_GAP = 90;
const ROUNDS = 6;
/** Nodes without edges stand below the rest, so many in a row. */
const LONERS_IN_ROW = 6;

export function layoutOf(nodes: readonly LayoutNode[], edges: readonly LayoutEdge[]): Layout {
  const known = new Set(nodes.map(({ id }) => id));
  const between = edges.filter(({ from, to }) => from !== to && known.has(from) && known.has(to));
  const linked = new Set(between.flatMap(({ from, to }) => [from, to]));
  const layers = layersOf(
    nodes.filter(({ id }) => linked.has(id)),
    between,
  );
  const layout = placed(layers, between, new Map(nodes.map(({ id, width }) => [id, width])));
  return withLoners(
    layout,
    nodes.filter(({ id }) => !linked.has(id)),
  );
}

/** The ids of each layer from left to right, in their order from top to bottom. */
function layersOf(nodes: readonly LayoutNode[], edges: readonly LayoutEdge[]): string[][] {
  const graph = new dagre.graphlib.Graph();
  graph.setGraph({ rankdir: "LR", nodesep: GAP, edgesep: 2, ranksep: LAYER_GAP, ranker: "network-simplex" });
  graph.setDefaultEdgeLabel(() => ({}));
  // All as wide as each other, so that a layer has one x.
  for (const { id } of nodes) graph.setNode(id, { width: 100, height: NODE_HEIGHT });
  for (const { from, to } of edges) graph.setEdge(from, to, {});
  dagre.layout(graph);
  const byX = new Map<number, { id: string; y: number }[]>();
  for (const { id } of nodes) {
    const { x = 0, y = 0 } = graph.node(id) as { x?: number; y?: number };
    const layer = byX.get(Math.round(x));
    if (layer) layer.push({ id, y });
    else byX.set(Math.round(x), [{ id, y }]);
  }
  return [...byX.entries()]
    .sort(([a], [b]) => a - b)
    .map(([, layer]) => layer.sort((a, b) => a.y - b.y).map(({ id }) => id));
}

function placed(layers: readonly string[][], edges: readonly LayoutEdge[], widths: Map<string, number>): Layout {
  const neighbours = new Map<string, string[]>();
  for (const { from, to } of edges) {
    push(neighbours, from, to);
    push(neighbours, to, from);
  }
  const ys = new Map<string, number>();
  const step = NODE_HEIGHT + GAP;
  const tallest = Math.max(0, ...layers.map((layer) => layer.length));
  for (const layer of layers) {
    const top = ((tallest - layer.length) * step) / 2;
    for (const [at, id] of layer.entries()) ys.set(id, top + at * step);
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (const layer of round % 2 === 0 ? layers : layers.toReversed()) {
      const wished = layer.map((id) => median((neighbours.get(id) ?? []).map((other) => ys.get(other) as number)));
      for (const [at, y] of apart(wished, step).entries()) ys.set(layer[at] as string, y);
    }
  }
  return inPlace(layers, ys, widths);
}

function inPlace(layers: readonly string[][], ys: Map<string, number>, widths: Map<string, number>): Layout {
  const top = Math.min(0, ...ys.values());
  const places: Record<string, Placed> = {};
  let x = 0;
  let height = 0;
  for (const layer of layers) {
    for (const id of layer) {
      const y = (ys.get(id) as number) - top + NODE_HEIGHT / 2;
      places[id] = { x, y };
      height = Math.max(height, y + NODE_HEIGHT / 2);
    }
    x += Math.max(...layer.map((id) => widths.get(id) as number)) + LAYER_GAP;
  }
  return { places, width: Math.max(0, x - LAYER_GAP), height };
}

/**
 * Positions in the order of the wishes, at least `step` apart, that are least far from them (the sum of squares).
 *
 * Isotonic regression by pooling adjacent violators: less the steps between them, the positions must not decrease.
 */
export function apart(wished: readonly number[], step: number): number[] {
  const blocks: { sum: number; size: number }[] = [];
  for (const [at, wish] of wished.entries()) {
    blocks.push({ sum: wish - at * step, size: 1 });
    while (blocks.length > 1) {
      const last = blocks[blocks.length - 1] as { sum: number; size: number };
      const before = blocks[blocks.length - 2] as { sum: number; size: number };
      if (before.sum / before.size <= last.sum / last.size) break;
      blocks.pop();
      before.sum += last.sum;
      before.size += last.size;
    }
  }
  const ys: number[] = [];
  for (const { sum, size } of blocks) {
    for (let within = 0; within < size; within++) ys.push(sum / size + ys.length * step);
  }
  return ys;
}

function withLoners(layout: Layout, loners: readonly LayoutNode[]): Layout {
  const places = { ...layout.places };
  let { width, height } = layout;
  for (let at = 0; at < loners.length; at += LONERS_IN_ROW) {
    let x = 0;
    const y = height + (height > 0 ? GAP * 2 : 0) + NODE_HEIGHT / 2;
    for (const { id, width: own } of loners.slice(at, at + LONERS_IN_ROW)) {
      places[id] = { x, y };
      x += own + GAP * 2;
    }
    width = Math.max(width, x - GAP * 2);
    height = y + NODE_HEIGHT / 2;
  }
  return { places, width, height };
}

function median(values: number[]): number {
  if (values.length === 0) return 0;
  const sorted = values.sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? (sorted[middle] as number) : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

function push(map: Map<string, string[]>, key: string, value: string): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}
