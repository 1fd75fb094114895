/**
 * Where the nodes of a service graph stand: callers left of what they call, as few crossings as can be had.
 *
 * dagre finds the layers and the order within them, of nodes and of the lanes in which edges pass a layer. Its own
 * positions make a graph of 200 services twice as high as it needs to be; so each layer is set anew here, without gaps
 * where nothing pulls apart, each node as near to the middle of its neighbours as the others let it.
 */

import dagre from "@dagrejs/dagre";
import { type Layout, type LayoutEdge, type LayoutNode, NODE_HEIGHT, type Place } from "./places.ts";

const GAP = 12;
const LANE = 9;
const LAYER_GAP = 90;
const MOST_LAYER_GAP = 340;
/** Width to height of what is drawn, as far as the gaps between layers can make it: about that of a window. */
const PROPORTION = 1.6;
const ROUNDS = 6;
const RANK_WIDTH = 100;
/** Nodes without edges stand below the rest, so many in a row. */
const LONERS_IN_ROW = 6;

/** What stands in a layer: a node, or an edge on its way. */
interface Item {
  key: string;
  size: number;
  /** The items next to it in the layers before and after. */
  neighbours: Item[];
  y: number;
}

interface Layers {
  layers: Item[][];
  /** By edge, the items it passes. */
  lanes: Map<string, { item: Item; layer: number }[]>;
}

export function layoutOf(nodes: readonly LayoutNode[], edges: readonly LayoutEdge[]): Layout {
  const known = new Set(nodes.map(({ id }) => id));
  const between = edges.filter(({ from, to }) => from !== to && known.has(from) && known.has(to));
  const linked = new Set(between.flatMap(({ from, to }) => [from, to]));
  const found = layersOf(
    nodes.filter(({ id }) => linked.has(id)),
    between,
  );
  settle(found.layers);
  const layout = inPlace(found, new Map(nodes.map(({ id, width }) => [id, width])));
  return withLoners(
    layout,
    nodes.filter(({ id }) => !linked.has(id)),
  );
}

function layersOf(nodes: readonly LayoutNode[], edges: readonly LayoutEdge[]): Layers {
  const graph = new dagre.graphlib.Graph();
  graph.setGraph({ rankdir: "LR", nodesep: GAP, edgesep: LANE, ranksep: LAYER_GAP, ranker: "network-simplex" });
  graph.setDefaultEdgeLabel(() => ({}));
  // All as wide as each other, so that a layer has one x.
  for (const { id } of nodes) graph.setNode(id, { width: RANK_WIDTH, height: NODE_HEIGHT });
  for (const { from, to } of edges) graph.setEdge(from, to, {});
  dagre.layout(graph);

  const items = new Map<string, Item>();
  const xs = new Set<number>();
  const standing: { item: Item; x: number }[] = [];
  for (const { id } of nodes) {
    const { x = 0, y = 0 } = graph.node(id) as Partial<Place>;
    const item = { key: id, size: NODE_HEIGHT + GAP, neighbours: [], y };
    items.set(id, item);
    xs.add(x);
    standing.push({ item, x });
  }
  const columns = [...xs].sort((a, b) => a - b);
  const layers: Item[][] = columns.map(() => []);
  for (const { item, x } of standing) layers[columns.indexOf(x)]?.push(item);

  const lanes: Layers["lanes"] = new Map();
  for (const { id, from, to } of edges) {
    const { points = [] } = graph.edge(from, to) as { points?: Place[] };
    const [fromX, toX] = [(graph.node(from) as Place).x, (graph.node(to) as Place).x];
    const passed = columns.flatMap((x, layer) => {
      // A steep edge leaves its node through the top or bottom, which is in the node's own layer.
      if (x <= Math.min(fromX, toX) || x >= Math.max(fromX, toX)) return [];
      const point = points.find((one) => Math.abs(one.x - x) < 1);
      if (!point) return [];
      const item: Item = { key: `${id} in ${layer}`, size: LANE, neighbours: [], y: point.y };
      layers[layer]?.push(item);
      return [{ item, layer }];
    });
    const ends = [items.get(from) as Item, items.get(to) as Item] as const;
    const way = passed.map(({ item }) => item);
    join([ends[0], ...(fromX > toX ? way.reverse() : way), ends[1]]);
    lanes.set(id, passed);
  }
  for (const layer of layers) layer.sort((a, b) => a.y - b.y);
  return { layers, lanes };
}

function join(way: readonly Item[]): void {
  for (const [at, item] of way.slice(1).entries()) {
    const before = way[at] as Item;
    before.neighbours.push(item);
    item.neighbours.push(before);
  }
}

/** Gives every item its height: in rounds from left to right and back. */
function settle(layers: readonly Item[][]): void {
  const tallest = Math.max(0, ...layers.map(heightOf));
  for (const layer of layers) {
    let y = (tallest - heightOf(layer)) / 2;
    for (const item of layer) {
      item.y = y + item.size / 2;
      y += item.size;
    }
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (const layer of round % 2 === 0 ? layers : layers.toReversed()) {
      const wished = layer.map(({ neighbours }) => median(neighbours.map(({ y }) => y)));
      const sizes = layer.map(({ size }) => size);
      for (const [at, y] of apart(wished, sizes).entries()) (layer[at] as Item).y = y;
    }
  }
}

function heightOf(layer: readonly Item[]): number {
  return layer.reduce((sum, { size }) => sum + size, 0);
}

/**
 * Middles in the order of the wishes, each item as far from the next as their sizes ask, that are least far from the
 * wishes (the sum of squares).
 *
 * Isotonic regression by pooling adjacent violators: less the room that those before take, they must not decrease.
 */
export function apart(wished: readonly number[], sizes: readonly number[]): number[] {
  const offsets: number[] = [];
  let taken = 0;
  for (const [at, size] of sizes.entries()) {
    taken += at === 0 ? 0 : ((sizes[at - 1] as number) + size) / 2;
    offsets.push(taken);
  }
  const blocks: { sum: number; count: number }[] = [];
  for (const [at, wish] of wished.entries()) {
    blocks.push({ sum: wish - (offsets[at] as number), count: 1 });
    while (blocks.length > 1) {
      const last = blocks[blocks.length - 1] as { sum: number; count: number };
      const before = blocks[blocks.length - 2] as { sum: number; count: number };
      if (before.sum / before.count <= last.sum / last.count) break;
      blocks.pop();
      before.sum += last.sum;
      before.count += last.count;
    }
  }
  const ys: number[] = [];
  for (const { sum, count } of blocks) {
    for (let within = 0; within < count; within++) ys.push(sum / count + (offsets[ys.length] as number));
  }
  return ys;
}

function inPlace({ layers, lanes }: Layers, widths: Map<string, number>): Layout {
  const top = Math.min(...layers.flatMap((layer) => layer.map(({ y, size }) => y - (size - GAP) / 2)));
  const places: Record<string, Place> = {};
  const spans: { left: number; right: number }[] = [];
  const own = layers.map((layer) => layer.filter(({ key }) => widths.has(key)));
  const across = own.map((layer) => Math.max(...layer.map(({ key }) => widths.get(key) as number)));
  const bottoms = layers.flatMap((layer) => layer.map(({ y, size }) => y - top + (size - GAP) / 2));
  const height = Math.max(0, ...bottoms);
  const gap = gapBetween(across, height);
  let x = 0;
  for (const [at, width] of across.entries()) {
    for (const { key, y } of own[at] as Item[]) places[key] = { x, y: y - top };
    spans.push({ left: x, right: x + width });
    x += width + gap;
  }
  const passed = [...lanes].map(([id, way]): [string, Place[]] => [
    id,
    way.flatMap(({ item, layer }) => {
      const { left, right } = spans[layer] as { left: number; right: number };
      return [
        { x: left, y: item.y - top },
        { x: right, y: item.y - top },
      ];
    }),
  ]);
  return { places, lanes: Object.fromEntries(passed), width: Math.max(0, x - gap), height };
}

/** Steep lines are hard to follow: the higher the graph, the further apart its layers. */
function gapBetween(widths: readonly number[], height: number): number {
  const free = height * PROPORTION - widths.reduce((sum, width) => sum + width, 0);
  return Math.min(MOST_LAYER_GAP, Math.max(LAYER_GAP, free / Math.max(1, widths.length - 1)));
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
  return { ...layout, places, width, height };
}

function median(values: number[]): number {
  if (values.length === 0) return 0;
  const sorted = values.sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length % 2) return sorted[middle] as number;
  return ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}
