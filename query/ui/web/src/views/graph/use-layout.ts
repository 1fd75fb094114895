import { useEffect, useMemo, useRef, useState } from "react";
import LayoutWorker from "./layout.worker.ts?worker";
import type { ServiceGraph } from "./model.ts";
import { type Layout, type LayoutEdge, NODE_HEIGHT, type Place } from "./places.ts";

const MOST_WIDTH = 210;
const LEAST_WIDTH = 96;
const BESIDE_TEXT = 46;
const FONT = '500 12.5px "Inter Variable", "NanumGothic", sans-serif';

let measure: CanvasRenderingContext2D | null | undefined;

/** How wide a node with this name is drawn. */
export function nodeWidth(name: string): number {
  measure ??= document.createElement("canvas").getContext("2d");
  if (measure) measure.font = FONT;
  const text = measure ? measure.measureText(name).width : name.length * 7;
  return Math.min(MOST_WIDTH, Math.max(LEAST_WIDTH, Math.ceil(text) + BESIDE_TEXT));
}

export interface UsedLayout {
  /** Of the graph last arranged, which may be an earlier one while `busy`. */
  layout: Layout | undefined;
  graph: ServiceGraph;
  busy: boolean;
}

/** The graph's layout, computed in a worker. Of questions that overtake each other the last counts. */
export function useLayout(graph: ServiceGraph): UsedLayout {
  const worker = useRef<Worker>(undefined);
  const asked = useRef(0);
  const [answer, setAnswer] = useState<{ graph: ServiceGraph; layout: Layout }>();
  const shape = useMemo(() => shapeOf(graph), [graph]);
  const answered = useRef<{ shape: string; layout: Layout }>(undefined);

  useEffect(() => () => worker.current?.terminate(), []);
  useEffect(() => {
    // New numbers on the same nodes and edges stay where they are.
    if (answered.current?.shape === shape) {
      setAnswer({ graph, layout: answered.current.layout });
      return;
    }
    worker.current ??= new LayoutWorker();
    const number = ++asked.current;
    worker.current.onmessage = ({ data }: MessageEvent<{ number: number; layout: Layout }>) => {
      if (data.number !== asked.current) return;
      answered.current = { shape, layout: data.layout };
      setAnswer({ graph, layout: data.layout });
    };
    worker.current.postMessage({
      number,
      nodes: graph.nodes.map(({ id, name }) => ({ id, width: nodeWidth(name) })),
      edges: graph.edges.map(({ id, from, to }) => ({ id, from, to })),
    });
  }, [graph, shape]);

  return { layout: answer?.layout, graph: answer?.graph ?? graph, busy: answer?.graph !== graph };
}

function shapeOf(graph: ServiceGraph): string {
  return JSON.stringify([graph.nodes.map(({ id }) => id), graph.edges.map(({ id }) => id)]);
}

/** The line of an edge: out to the right of the caller, through its lanes, and in at the left of the called. */
export function edgePath(layout: Layout, edge: LayoutEdge, fromWidth: number): string | undefined {
  const from = layout.places[edge.from];
  const to = layout.places[edge.to];
  if (!from || !to) return undefined;
  const start = { x: from.x + fromWidth, y: from.y };
  if (edge.from === edge.to) {
    const top = from.y - NODE_HEIGHT / 2;
    return `M${start.x - 26},${top} C${start.x - 26},${top - 26} ${start.x + 14},${top - 20} ${start.x},${from.y - 5}`;
  }
  const end = { x: to.x - ARROW, y: to.y };
  if (end.x > start.x) return `M${start.x},${start.y}${through([start, ...(layout.lanes[edge.id] ?? []), end])}`;
  // Backwards: around above both ends.
  const over = Math.min(start.y, end.y) - NODE_HEIGHT;
  return `M${start.x},${start.y} C${start.x + 60},${over} ${end.x - 60},${over} ${end.x},${end.y}`;
}

const ARROW = 5;

/** Curves that are level at each point. */
function through(way: readonly Place[]): string {
  return way
    .slice(1)
    .map((point, at) => {
      const before = way[at] as Place;
      const bend = Math.max(24, (point.x - before.x) / 2);
      return ` C${before.x + bend},${before.y} ${point.x - bend},${point.y} ${point.x},${point.y}`;
    })
    .join("");
}
