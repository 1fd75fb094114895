import { useMemo } from "react";
import { type Column, SortableTable } from "../../components/sortable-table.tsx";
import { formatCount, formatDuration, formatPercent, formatRate } from "../../i18n/format.ts";
import { useLanguage, useT } from "../../i18n/index.ts";
import { NodeName } from "./details.tsx";
import { errorRate, type GraphEdge, type GraphNode, healthOf, type ServiceGraph } from "./model.ts";

interface EdgeTableProps {
  graph: ServiceGraph;
  seconds: number;
  chosen: string | undefined;
  onChoose: (id: string) => void;
}

/** The graph as a list of its edges. */
export function EdgeTable({ graph, seconds, chosen, onChoose }: EdgeTableProps) {
  const t = useT();
  const language = useLanguage();
  const nodes = useMemo(() => new Map(graph.nodes.map((node) => [node.id, node])), [graph]);
  const end = (id: string) => nodes.get(id) as GraphNode;
  const quantile = (which: "p50" | "p95" | "p99"): Column<GraphEdge> => ({
    id: which,
    title: t(`graph.${which}`),
    number: true,
    value: (edge) => edge[which],
    cell: (edge) => (edge[which] === undefined ? "–" : formatDuration(edge[which], language)),
  });
  const columns: Column<GraphEdge>[] = [
    {
      id: "caller",
      title: t("graph.caller"),
      value: ({ from }) => end(from).name,
      cell: ({ from }) => <NodeName node={end(from)} onChoose={onChoose} />,
    },
    {
      id: "callee",
      title: t("graph.callee"),
      value: ({ to }) => end(to).name,
      cell: ({ to }) => <NodeName node={end(to)} onChoose={onChoose} />,
    },
    {
      id: "calls",
      title: t("graph.calls"),
      number: true,
      value: ({ calls }) => calls,
      cell: ({ id, calls }) => (
        <button type="button" className="link-button number" onClick={() => onChoose(id)}>
          {formatCount(calls, language)}
        </button>
      ),
    },
    {
      id: "rate",
      title: t("graph.rate"),
      number: true,
      value: ({ calls }) => calls,
      cell: ({ calls }) => formatRate(calls / seconds, language),
    },
    {
      id: "errors",
      title: t("graph.error_rate"),
      number: true,
      value: errorRate,
      cell: (edge) => <span className={`health-${healthOf(edge)}`}>{formatPercent(errorRate(edge), language)}</span>,
    },
    quantile("p50"),
    quantile("p95"),
    quantile("p99"),
  ];
  return (
    <div className="graph-table">
      <SortableTable
        caption={t("graph.title")}
        columns={columns}
        rows={graph.edges}
        rowKey={({ id }) => id}
        first="calls"
        current={chosen}
      />
    </div>
  );
}
