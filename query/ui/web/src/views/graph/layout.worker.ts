/** Lays graphs out beside the page, which stays usable meanwhile: 200 services take about a second. */
import { layoutOf } from "./layout.ts";
import type { LayoutEdge, LayoutNode } from "./places.ts";

export interface Question {
  number: number;
  nodes: LayoutNode[];
  edges: LayoutEdge[];
}

self.onmessage = ({ data }: MessageEvent<Question>) => {
  self.postMessage({ number: data.number, layout: layoutOf(data.nodes, data.edges) });
};
