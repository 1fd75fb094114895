import { Database, Globe, Inbox, Maximize, Minus, Plus } from "lucide-react";
import { type KeyboardEvent, memo, type PointerEvent, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { formatCompact, formatCount, formatDuration, formatPercent } from "../../i18n/format.ts";
import { useLanguage, useT } from "../../i18n/index.ts";
import { useServiceColour } from "../../theme/theme.ts";
import {
  edgeWidth,
  errorRate,
  type GraphEdge,
  type GraphNode,
  healthOf,
  type NodeKind,
  type NodeTotals,
  type ServiceGraph,
  widest,
} from "./model.ts";
import { type Layout, NODE_HEIGHT } from "./places.ts";
import { edgePath, nodeWidth } from "./use-layout.ts";

const ICONS: Partial<Record<NodeKind, typeof Database>> = { database: Database, queue: Inbox, external: Globe };
const MARGIN = 28;
const MOST_SCALE = 2.5;
const TIP_WIDTH = 240;
/** A graph of few nodes is not blown up to fill the window. */
const MOST_FIT = 1.15;

interface View {
  x: number;
  y: number;
  scale: number;
}

interface CanvasProps {
  graph: ServiceGraph;
  layout: Layout;
  totals: Map<string, NodeTotals>;
  chosen: string | undefined;
  onChoose: (id: string | undefined) => void;
}

/** The graph as a picture that is moved by dragging, zoomed by the wheel, and walked through by arrow keys. */
export function GraphCanvas({ graph, layout, totals, chosen, onChoose }: CanvasProps) {
  const t = useT();
  const frame = useRef<HTMLDivElement>(null);
  const { view, zoom, fit, drag } = usePanZoom(frame, layout);
  const [hovered, setHovered] = useState<string>();
  const [pointer, setPointer] = useState({ x: 0, y: 0 });
  const lit = useMemo(() => litBy(graph, hovered ?? chosen), [graph, hovered, chosen]);
  const widths = useMemo(() => new Map(graph.nodes.map(({ id, name }) => [id, nodeWidth(name)])), [graph]);
  const mostCalls = useMemo(() => Math.max(1, ...graph.edges.map(({ calls }) => calls)), [graph]);
  const hoveredEdge = graph.edges.find(({ id }) => id === hovered);

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "+" || event.key === "=") zoom(1.25);
    else if (event.key === "-") zoom(0.8);
    else if (event.key === "0") fit();
    else if (event.key === "Escape") onChoose(undefined);
    else if (event.key.startsWith("Arrow")) {
      const next = nearest(layout, graph.nodes, focusedNode(), event.key);
      if (next) document.getElementById(domId(next))?.focus();
    } else return;
    event.preventDefault();
  };

  return (
    <div className="graph-frame" ref={frame}>
      <svg
        className="graph-canvas"
        data-lit={lit ? "" : undefined}
        onKeyDown={onKeyDown}
        onPointerDown={drag}
        onPointerMove={(event) => setPointer(within(frame.current, event))}
        onClick={(event) => {
          if (event.target === event.currentTarget) onChoose(undefined);
        }}
      >
        <title>{t("graph.picture", { nodes: graph.nodes.length, edges: graph.edges.length })}</title>
        <defs>
          {(["ok", "some", "bad"] as const).map((health) => (
            <marker
              key={health}
              id={`arrow-${health}`}
              viewBox="0 0 8 8"
              refX="5"
              refY="4"
              markerWidth="9"
              markerHeight="9"
              markerUnits="userSpaceOnUse"
              orient="auto"
            >
              <path d="M0,0.5 L7.5,4 L0,7.5 z" className={`graph-arrow health-${health}`} />
            </marker>
          ))}
        </defs>
        <g transform={`translate(${view.x},${view.y}) scale(${view.scale})`}>
          <g>
            {graph.edges.map((edge) => (
              <Edge
                key={edge.id}
                edge={edge}
                layout={layout}
                mostCalls={mostCalls}
                widestEdge={widest(graph.edges.length)}
                lit={lit?.has(edge.id) ?? false}
                chosen={chosen === edge.id}
                fromWidth={widths.get(edge.from) ?? 0}
                onHover={setHovered}
                onChoose={onChoose}
              />
            ))}
          </g>
          {graph.nodes.map((node) => (
            <Node
              key={node.id}
              node={node}
              layout={layout}
              totals={totals.get(node.id)}
              lit={lit?.has(node.id) ?? false}
              chosen={chosen === node.id}
              reachable={chosen ? chosen === node.id || !isNode(graph, chosen) : node === graph.nodes[0]}
              onHover={setHovered}
              onChoose={onChoose}
            />
          ))}
        </g>
      </svg>
      <div className="graph-zoom">
        <ZoomButton label={t("graph.zoom_in")} Icon={Plus} onClick={() => zoom(1.25)} />
        <ZoomButton label={t("graph.zoom_out")} Icon={Minus} onClick={() => zoom(0.8)} />
        <ZoomButton label={t("graph.fit")} Icon={Maximize} onClick={fit} />
      </div>
      <Legend />
      {hoveredEdge && (
        <EdgeTip
          edge={hoveredEdge}
          graph={graph}
          at={{ ...pointer, flip: pointer.x > (frame.current?.clientWidth ?? 0) - TIP_WIDTH }}
        />
      )}
    </div>
  );
}

interface EdgeProps {
  edge: GraphEdge;
  layout: Layout;
  mostCalls: number;
  widestEdge: number;
  lit: boolean;
  chosen: boolean;
  fromWidth: number;
  onHover: (id: string | undefined) => void;
  onChoose: (id: string) => void;
}

const Edge = memo(function Edge({
  edge,
  layout,
  mostCalls,
  widestEdge,
  lit,
  chosen,
  fromWidth,
  onHover,
  onChoose,
}: EdgeProps) {
  const path = edgePath(layout, edge, fromWidth);
  if (!path) return null;
  const health = healthOf(edge);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: for pointers; keys reach edges in a node's details and the table
    <g
      className={`graph-edge health-${health}`}
      data-edge={edge.id}
      data-lit={lit ? "" : undefined}
      data-chosen={chosen ? "" : undefined}
      onPointerEnter={() => onHover(edge.id)}
      onPointerLeave={() => onHover(undefined)}
      onClick={() => onChoose(edge.id)}
    >
      <path className="graph-edge-catch" d={path} />
      <path
        className="graph-edge-line"
        d={path}
        strokeWidth={edgeWidth(edge.calls, mostCalls, widestEdge)}
        markerEnd={`url(#arrow-${health})`}
      />
    </g>
  );
});

interface NodeProps {
  node: GraphNode;
  layout: Layout;
  totals: NodeTotals | undefined;
  lit: boolean;
  chosen: boolean;
  /** Whether Tab reaches it; arrow keys go on from there. */
  reachable: boolean;
  onHover: (id: string | undefined) => void;
  onChoose: (id: string) => void;
}

const Node = memo(function Node({ node, layout, totals, lit, chosen, reachable, onHover, onChoose }: NodeProps) {
  const t = useT();
  const language = useLanguage();
  const colourOf = useServiceColour();
  const place = layout.places[node.id];
  if (!place) return null;
  const width = nodeWidth(node.name);
  const Icon = ICONS[node.kind];
  const calls = totals?.callsIn ?? 0;
  const errors = totals?.errorsIn ?? 0;
  const health = healthOf({ calls, errors });
  const choose = () => onChoose(node.id);
  const label = t("graph.node_label", {
    kind: t(`kind.${node.kind}`),
    name: node.name,
    calls: formatCount(calls, language),
    errors: formatCount(errors, language),
  });
  return (
    <g
      className={`graph-node kind-${node.kind}`}
      transform={`translate(${place.x},${place.y - NODE_HEIGHT / 2})`}
      data-lit={lit ? "" : undefined}
    >
      <g
        id={domId(node.id)}
        className="graph-node-button"
        role="button"
        tabIndex={reachable ? 0 : -1}
        aria-label={label}
        aria-pressed={chosen}
        onPointerEnter={() => onHover(node.id)}
        onPointerLeave={() => onHover(undefined)}
        onFocus={() => onHover(node.id)}
        onBlur={() => onHover(undefined)}
        onClick={choose}
        onKeyDown={(event) => {
          if (event.key !== "Enter" && event.key !== " ") return;
          event.preventDefault();
          event.stopPropagation();
          choose();
        }}
      >
        <rect className="graph-box" width={width} height={NODE_HEIGHT} rx={node.kind === "service" ? 6 : 16} />
        {node.kind === "service" ? (
          <rect x={8} y={8} width={5} height={NODE_HEIGHT - 16} rx={2.5} style={{ fill: colourOf(node.name) }} />
        ) : (
          Icon && <Icon x={9} y={9} width={14} height={14} className="graph-icon" />
        )}
        <text x={node.kind === "service" ? 20 : 29} y={NODE_HEIGHT / 2} className="graph-name">
          {shortened(node.name, width)}
        </text>
      </g>
      {health !== "ok" && (
        <text className={`graph-badge health-${health}`} x={width - 4} y={-3} textAnchor="end">
          {formatPercent(errorRate({ calls, errors }), language)}
        </text>
      )}
    </g>
  );
});

function EdgeTip({
  edge,
  graph,
  at,
}: {
  edge: GraphEdge;
  graph: ServiceGraph;
  at: { x: number; y: number; flip: boolean };
}) {
  const t = useT();
  const language = useLanguage();
  const nameOf = (id: string) => graph.nodes.find((node) => node.id === id)?.name ?? "";
  return (
    <div
      className="graph-tip"
      style={{ left: at.x + 14, top: at.y + 14, translate: at.flip ? "calc(-100% - 28px)" : "" }}
    >
      <strong>
        {nameOf(edge.from)} → {nameOf(edge.to)}
      </strong>
      <dl>
        <dt>{t("graph.calls")}</dt>
        <dd>{formatCompact(edge.calls, language)}</dd>
        <dt>{t("graph.errors")}</dt>
        <dd className={`health-${healthOf(edge)}`}>{formatPercent(errorRate(edge), language)}</dd>
        {(["p50", "p95", "p99"] as const).map((quantile) => {
          const ns = edge[quantile];
          return ns === undefined ? null : (
            <div key={quantile} className="graph-tip-row">
              <dt>{t(`graph.${quantile}`)}</dt>
              <dd>{formatDuration(ns, language)}</dd>
            </div>
          );
        })}
      </dl>
    </div>
  );
}

function Legend() {
  const t = useT();
  return (
    <div className="graph-legend" aria-hidden="true">
      <span>{t("graph.legend_width")}</span>
      {(["ok", "some", "bad"] as const).map((health) => (
        <span key={health} className={`graph-legend-line health-${health}`}>
          {t(`graph.legend_${health}`)}
        </span>
      ))}
    </div>
  );
}

function ZoomButton({ label, Icon, onClick }: { label: string; Icon: typeof Plus; onClick: () => void }) {
  return (
    <button type="button" className="button button-icon" aria-label={label} title={label} onClick={onClick}>
      <Icon size={15} aria-hidden="true" />
    </button>
  );
}

/** The chosen thing, what it touches, and the edges between; undefined when nothing is. */
function litBy(graph: ServiceGraph, id: string | undefined): Set<string> | undefined {
  if (id === undefined) return undefined;
  const lit = new Set<string>([id]);
  for (const edge of graph.edges) {
    if (edge.id !== id && edge.from !== id && edge.to !== id) continue;
    lit.add(edge.id).add(edge.from).add(edge.to);
  }
  return lit;
}

function usePanZoom(frame: React.RefObject<HTMLDivElement | null>, layout: Layout) {
  const [view, setView] = useState<View>({ x: 0, y: 0, scale: 1 });

  const fit = useCallback(() => {
    const box = frame.current?.getBoundingClientRect();
    if (!box) return;
    const across = (box.width - 2 * MARGIN) / Math.max(1, layout.width);
    const down = (box.height - 2 * MARGIN) / Math.max(1, layout.height);
    const scale = Math.min(MOST_FIT, across, down);
    setView({ x: (box.width - layout.width * scale) / 2, y: (box.height - layout.height * scale) / 2, scale });
  }, [frame, layout]);

  useEffect(() => {
    fit();
    const box = frame.current;
    if (!box) return;
    const watch = new ResizeObserver(fit);
    watch.observe(box);
    return () => watch.disconnect();
  }, [fit, frame]);

  const zoomAt = useCallback((factor: number, x: number, y: number) => {
    setView((from) => {
      const scale = Math.min(MOST_SCALE, Math.max(0.08, from.scale * factor));
      const by = scale / from.scale;
      return { x: x - (x - from.x) * by, y: y - (y - from.y) * by, scale };
    });
  }, []);

  const zoom = (factor: number) => {
    const box = frame.current?.getBoundingClientRect();
    if (box) zoomAt(factor, box.width / 2, box.height / 2);
  };

  useEffect(() => {
    const box = frame.current;
    if (!box) return;
    // React's own wheel events are passive: the page would scroll, too.
    const onWheel = (event: WheelEvent) => {
      event.preventDefault();
      const at = within(box, event);
      zoomAt(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0015)), at.x, at.y);
    };
    box.addEventListener("wheel", onWheel, { passive: false });
    return () => box.removeEventListener("wheel", onWheel);
  }, [frame, zoomAt]);

  const drag = (event: PointerEvent<SVGSVGElement>) => {
    if (event.button !== 0 || event.target !== event.currentTarget) return;
    const svg = event.currentTarget;
    svg.setPointerCapture(event.pointerId);
    const from = { x: event.clientX - view.x, y: event.clientY - view.y };
    const move = (next: globalThis.PointerEvent) =>
      setView((at) => ({ ...at, x: next.clientX - from.x, y: next.clientY - from.y }));
    const end = () => {
      svg.removeEventListener("pointermove", move);
      svg.removeEventListener("pointerup", end);
      svg.removeEventListener("pointercancel", end);
    };
    svg.addEventListener("pointermove", move);
    svg.addEventListener("pointerup", end);
    svg.addEventListener("pointercancel", end);
  };

  return { view, zoom, fit, drag };
}

function within(element: Element | null, event: { clientX: number; clientY: number }): { x: number; y: number } {
  const box = element?.getBoundingClientRect();
  return { x: event.clientX - (box?.left ?? 0), y: event.clientY - (box?.top ?? 0) };
}

function isNode(graph: ServiceGraph, id: string): boolean {
  return graph.nodes.some((node) => node.id === id);
}

function domId(id: string): string {
  return `node-${id}`;
}

function focusedNode(): string | undefined {
  const id = document.activeElement?.id ?? "";
  return id.startsWith("node-") ? id.slice(5) : undefined;
}

/** The nearest node that lies in the direction of the key: along it counts once, across it twice. */
function nearest(
  layout: Layout,
  nodes: readonly GraphNode[],
  from: string | undefined,
  key: string,
): string | undefined {
  const start = from ? layout.places[from] : undefined;
  if (!start) return nodes[0]?.id;
  const across = key === "ArrowLeft" || key === "ArrowRight";
  const sign = key === "ArrowRight" || key === "ArrowDown" ? 1 : -1;
  let best: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const { id } of nodes) {
    const place = layout.places[id];
    if (!place || id === from) continue;
    const along = sign * (across ? place.x - start.x : place.y - start.y);
    const aside = Math.abs(across ? place.y - start.y : place.x - start.x);
    if (along < 1) continue;
    const distance = along + 2 * aside;
    if (distance < least) {
      least = distance;
      best = id;
    }
  }
  return best;
}

function shortened(name: string, width: number): string {
  const room = Math.floor((width - 38) / 6.6);
  return name.length > room + 1 && width >= 210 ? `${name.slice(0, room - 1)}…` : name;
}
