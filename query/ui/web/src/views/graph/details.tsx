import { Crosshair, Database, Globe, Inbox, X } from "lucide-react";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { formatCount, formatDuration, formatPercent, formatRate } from "../../i18n/format.ts";
import { useLanguage, useT } from "../../i18n/index.ts";
import { searchLink } from "../../routing/search-link.ts";
import { useServiceColour } from "../../theme/theme.ts";
import {
  errorRate,
  type GraphEdge,
  type GraphNode,
  healthOf,
  type NodeKind,
  type NodeTotals,
  type ServiceGraph,
} from "./model.ts";
import { tracesOfEdge, tracesOfNode } from "./questions.ts";

const ICONS: Record<Exclude<NodeKind, "service">, typeof Database> = {
  database: Database,
  queue: Inbox,
  external: Globe,
};

export interface Shown {
  graph: ServiceGraph;
  startMs: number;
  endMs: number;
  onChoose: (id: string | undefined) => void;
}

/** A node's mark and name; with `onChoose`, a button that chooses it. */
export function NodeName({ node, onChoose }: { node: GraphNode; onChoose?: (id: string) => void }) {
  const t = useT();
  const colourOf = useServiceColour();
  const Icon = node.kind === "service" ? undefined : ICONS[node.kind];
  const mark = Icon ? (
    <Icon size={13} role="img" aria-label={t(`kind.${node.kind}`)} className="graph-kind" />
  ) : (
    <span className="swatch" style={{ background: colourOf(node.name) }} aria-hidden="true" />
  );
  return onChoose ? (
    <button type="button" className="link-button node-name" onClick={() => onChoose(node.id)}>
      {mark}
      {node.name}
    </button>
  ) : (
    <span className="node-name">
      {mark}
      {node.name}
    </span>
  );
}

export function NodeDetails({
  node,
  totals,
  onFocus,
  focused,
  ...shown
}: Shown & { node: GraphNode; totals: NodeTotals | undefined; focused: boolean; onFocus: (id: string) => void }) {
  const t = useT();
  const language = useLanguage();
  const seconds = (shown.endMs - shown.startMs) / 1e3;
  const into = { calls: totals?.callsIn ?? 0, errors: totals?.errorsIn ?? 0 };
  const out = { calls: totals?.callsOut ?? 0, errors: totals?.errorsOut ?? 0 };
  const callers = shown.graph.edges.filter(({ to }) => to === node.id);
  const callees = shown.graph.edges.filter(({ from }) => from === node.id);
  const question = tracesOfNode(node, callers, shown.graph, shown.startMs, shown.endMs);
  return (
    <Panel title={<NodeName node={node} />} onClose={() => shown.onChoose(undefined)}>
      <p className="hint">{t(`kind.${node.kind}`)}</p>
      <dl className="facts">
        {(
          [
            ["graph.calls_in", into],
            ["graph.calls_out", out],
          ] as const
        ).map(([title, sum]) => (
          <div key={title}>
            <dt>{t(title)}</dt>
            <dd className="number">
              {formatCount(sum.calls, language)}{" "}
              <span className="hint">({formatRate(sum.calls / seconds, language)}/s)</span>{" "}
              <span className={`health-${healthOf(sum)}`}>{formatPercent(errorRate(sum), language)}</span>
            </dd>
          </div>
        ))}
      </dl>
      <div className="graph-actions">
        {!focused && (
          <button type="button" className="button" onClick={() => onFocus(node.id)}>
            <Crosshair size={14} aria-hidden="true" />
            {t("graph.focus_here")}
          </button>
        )}
        {question && (
          <>
            <Link className="button" href={searchLink(question)}>
              {t("graph.to_traces")}
            </Link>
            <Link className="button" href={searchLink({ ...question, tags: { ...question.tags, error: "true" } })}>
              {t("graph.to_failed")}
            </Link>
          </>
        )}
        {node.kind === "service" && (
          <Link className="button" href={`/monitor?service=${encodeURIComponent(node.name)}`}>
            {t("graph.to_monitor")}
          </Link>
        )}
      </div>
      <EdgeList title={t("graph.callers")} edges={callers} end="from" {...shown} />
      <EdgeList title={t("graph.callees")} edges={callees} end="to" {...shown} />
    </Panel>
  );
}

export function EdgeDetails({ edge, ...shown }: Shown & { edge: GraphEdge }) {
  const t = useT();
  const language = useLanguage();
  const seconds = (shown.endMs - shown.startMs) / 1e3;
  const nodeOf = (id: string) => shown.graph.nodes.find((node) => node.id === id) as GraphNode;
  const [from, to] = [nodeOf(edge.from), nodeOf(edge.to)];
  const question = tracesOfEdge(from, to, shown.startMs, shown.endMs);
  const slow = edge.p95;
  return (
    <Panel
      title={
        <>
          <NodeName node={from} onChoose={shown.onChoose} /> → <NodeName node={to} onChoose={shown.onChoose} />
        </>
      }
      onClose={() => shown.onChoose(undefined)}
    >
      <dl className="facts">
        <div>
          <dt>{t("graph.calls")}</dt>
          <dd className="number">
            {formatCount(edge.calls, language)}{" "}
            <span className="hint">({formatRate(edge.calls / seconds, language)}/s)</span>
          </dd>
        </div>
        <div>
          <dt>{t("graph.errors")}</dt>
          <dd className="number">
            {formatCount(edge.errors, language)}{" "}
            <span className={`health-${healthOf(edge)}`}>{formatPercent(errorRate(edge), language)}</span>
          </dd>
        </div>
        {(["p50", "p95", "p99"] as const).map((quantile) => {
          const ns = edge[quantile];
          return ns === undefined ? null : (
            <div key={quantile}>
              <dt>{t(`graph.${quantile}`)}</dt>
              <dd className="number">{formatDuration(ns, language)}</dd>
            </div>
          );
        })}
      </dl>
      {slow === undefined && <p className="hint">{t("graph.no_latency")}</p>}
      <div className="graph-actions">
        <Link className="button" href={searchLink(question)}>
          {t("graph.to_traces")}
        </Link>
        <Link className="button" href={searchLink({ ...question, tags: { ...question.tags, error: "true" } })}>
          {t("graph.to_failed")}
        </Link>
        {slow !== undefined && (
          <Link className="button" href={searchLink({ ...question, minDuration: slow })}>
            {t("graph.to_slow")}
          </Link>
        )}
      </div>
    </Panel>
  );
}

function EdgeList({
  title,
  edges,
  end,
  graph,
  onChoose,
}: Shown & { title: string; edges: GraphEdge[]; end: "from" | "to" }) {
  const t = useT();
  const language = useLanguage();
  const nodeOf = (id: string) => graph.nodes.find((node) => node.id === id) as GraphNode;
  const sorted = [...edges].sort((a, b) => b.calls - a.calls);
  return (
    <section className="graph-ends">
      <h3>
        {title} <span className="hint">{formatCount(edges.length, language)}</span>
      </h3>
      {sorted.length === 0 && <p className="hint">{t("graph.none")}</p>}
      <ul>
        {sorted.map((edge) => (
          <li key={edge.id}>
            <NodeName node={nodeOf(edge[end])} onChoose={onChoose} />
            <button
              type="button"
              className="link-button number"
              aria-label={t("graph.edge_label", {
                from: nodeOf(edge.from).name,
                to: nodeOf(edge.to).name,
                calls: formatCount(edge.calls, language),
                errors: formatCount(edge.errors, language),
              })}
              onClick={() => onChoose(edge.id)}
            >
              {formatCount(edge.calls, language)}
            </button>
            <span className={`number health-${healthOf(edge)}`}>{formatPercent(errorRate(edge), language)}</span>
            <span className="number hint">{edge.p95 === undefined ? "" : formatDuration(edge.p95, language)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Panel({ title, onClose, children }: { title: ReactNode; onClose: () => void; children: ReactNode }) {
  const t = useT();
  return (
    <aside className="graph-panel" aria-label={t("graph.details")}>
      <header>
        <h2>{title}</h2>
        <button
          type="button"
          className="button button-quiet button-icon"
          aria-label={t("graph.close")}
          onClick={onClose}
        >
          <X size={15} aria-hidden="true" />
        </button>
      </header>
      {children}
    </aside>
  );
}
