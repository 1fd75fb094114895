import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useId, useMemo, useState } from "react";
import { fetchGraph } from "../../api/graph.ts";
import { Picker } from "../../components/picker.tsx";
import { Segments } from "../../components/segments.tsx";
import { Failed, Loading } from "../../components/states.tsx";
import { TimeRangeField } from "../../components/time-range.tsx";
import { formatCompact, formatCount } from "../../i18n/format.ts";
import { useLanguage, useT } from "../../i18n/index.ts";
import { useParameters } from "../../routing/use-parameters.ts";
import { useTimeRange } from "../../routing/use-time-range.ts";
import { useTitle } from "../../shell/use-title.ts";
import { HowToSend } from "../doors/how-to-send.tsx";
import { GraphCanvas } from "./canvas.tsx";
import { EdgeDetails, NodeDetails, type Shown } from "./details.tsx";
import { EdgeTable } from "./edge-table.tsx";
import {
  type Direction,
  EMPTY_GRAPH,
  filtered,
  type GraphNode,
  type NodeKind,
  neighbourhood,
  type ServiceGraph,
  totalsOf,
} from "./model.ts";
import { useLayout } from "./use-layout.ts";
import "../../components/toolbar.css";
import "./graph.css";

const KINDS: readonly NodeKind[] = ["service", "database", "queue", "external"];
const DIRECTIONS: readonly Direction[] = ["both", "callers", "callees"];

export default function GraphView() {
  const t = useT();
  useTitle(t("graph.title"));
  const time = useTimeRange("1h");
  const [given, change] = useParameters();
  const [chosen, setChosen] = useState<string>();
  const { data, error, isPending, refetch } = useQuery({
    queryKey: ["graph", Math.round(time.startMs), Math.round(time.endMs)],
    queryFn: ({ signal }) => fetchGraph(time.startMs, time.endMs, signal),
    placeholderData: keepPreviousData,
  });
  const whole = data ?? EMPTY_GRAPH;
  const asked = useMemo(() => questionOf(given, whole), [given, whole]);
  const graph = useMemo(() => partOf(whole, asked), [whole, asked]);
  const asTable = given.get("view") === "table";
  const choose = (id: string | undefined) => setChosen(id);

  return (
    <div className="graph-view">
      <h1 className="visually-hidden">{t("graph.title")}</h1>
      <Toolbar whole={whole} asked={asked} change={change} asTable={asTable}>
        <TimeRangeField {...time} />
      </Toolbar>
      {error && !data && <Failed error={error} onRetry={refetch} />}
      {isPending && <Loading />}
      {data && (
        <Body
          {...{ graph, whole, asked, asTable, chosen, change }}
          shown={{ graph: whole, startMs: whole.startMs, endMs: whole.endMs, onChoose: choose }}
        />
      )}
    </div>
  );
}

interface Asked {
  focus: GraphNode | undefined;
  hops: number;
  direction: Direction;
  kinds: ReadonlySet<NodeKind>;
  leastCalls: number;
}

function questionOf(given: URLSearchParams, whole: ServiceGraph): Asked {
  const focus = given.get("focus");
  const kinds = given.get("kinds")?.split(",");
  const direction = given.get("direction") as Direction;
  return {
    focus: focus ? whole.nodes.find(({ id, name }) => id === focus || name === focus) : undefined,
    hops: Math.min(9, Math.max(1, Number(given.get("hops")) || 2)),
    direction: DIRECTIONS.includes(direction) ? direction : "both",
    kinds: new Set(kinds ? KINDS.filter((kind) => kinds.includes(kind)) : KINDS),
    leastCalls: Math.max(0, Number(given.get("calls")) || 0),
  };
}

function partOf(whole: ServiceGraph, { focus, hops, direction, kinds, leastCalls }: Asked): ServiceGraph {
  const near = focus ? neighbourhood(whole, focus.id, hops, direction) : whole;
  return filtered(near, kinds, leastCalls);
}

interface BodyProps {
  graph: ServiceGraph;
  whole: ServiceGraph;
  asked: Asked;
  asTable: boolean;
  chosen: string | undefined;
  change: ReturnType<typeof useParameters>[1];
  shown: Shown;
}

function Body({ graph, whole, asked, asTable, chosen, change, shown }: BodyProps) {
  const t = useT();
  const totals = useMemo(() => totalsOf(whole), [whole]);
  const node = whole.nodes.find(({ id }) => id === chosen);
  const edge = whole.edges.find(({ id }) => id === chosen);
  if (whole.nodes.length === 0) {
    return (
      <div className="empty">
        <div className="state">
          <div>
            <h2>{t("graph.empty_title")}</h2>
            <p>{t("graph.empty_text")}</p>
          </div>
        </div>
        <HowToSend />
      </div>
    );
  }
  return (
    <div className="graph-body">
      {graph.nodes.length === 0 ? (
        <div className="state">
          <p>{t("graph.nothing_left")}</p>
          <button
            type="button"
            className="button"
            onClick={() => change({ focus: undefined, kinds: undefined, calls: undefined })}
          >
            {t("graph.reset")}
          </button>
        </div>
      ) : asTable ? (
        <EdgeTable
          graph={graph}
          seconds={(shown.endMs - shown.startMs) / 1e3}
          chosen={chosen}
          onChoose={shown.onChoose}
        />
      ) : (
        <Picture graph={graph} totals={totals} chosen={chosen} onChoose={shown.onChoose} />
      )}
      {node && (
        <NodeDetails
          key={node.id}
          node={node}
          totals={totals.get(node.id)}
          focused={asked.focus?.id === node.id}
          onFocus={(id) => change({ focus: id })}
          {...shown}
        />
      )}
      {edge && <EdgeDetails key={edge.id} edge={edge} {...shown} />}
    </div>
  );
}

function Picture(props: {
  graph: ServiceGraph;
  totals: ReturnType<typeof totalsOf>;
  chosen: string | undefined;
  onChoose: (id: string | undefined) => void;
}) {
  const t = useT();
  const { layout, graph, busy } = useLayout(props.graph);
  return (
    <>
      {layout && <GraphCanvas {...props} graph={graph} layout={layout} />}
      {busy && (
        <div className="graph-busy" role="status">
          <span className="spinner" aria-hidden="true" />
          {t("graph.laying_out")}…
        </div>
      )}
    </>
  );
}

interface ToolbarProps {
  whole: ServiceGraph;
  asked: Asked;
  asTable: boolean;
  change: ReturnType<typeof useParameters>[1];
  children: React.ReactNode;
}

function Toolbar({ whole, asked, asTable, change, children }: ToolbarProps) {
  const t = useT();
  const language = useLanguage();
  const id = useId();
  const names = useMemo(() => whole.nodes.map(({ name }) => name).sort((a, b) => a.localeCompare(b)), [whole]);
  const shown = useMemo(() => partOf(whole, asked), [whole, asked]);
  const calls = shown.edges.reduce((sum, edge) => sum + edge.calls, 0);
  const present = KINDS.filter((kind) => whole.nodes.some((node) => node.kind === kind));
  const toggle = (kind: NodeKind) => {
    const kinds = KINDS.filter((one) => (one === kind ? !asked.kinds.has(one) : asked.kinds.has(one)));
    change({ kinds: kinds.length === KINDS.length ? undefined : kinds.join(",") || "none" });
  };
  return (
    <search className="toolbar">
      {children}
      <Picker
        label={t("graph.focus")}
        value={asked.focus?.name ?? ""}
        options={[...new Set(names)]}
        none={t("graph.focus_none")}
        onChange={(focus) => change({ focus })}
      />
      {asked.focus && (
        <>
          <div className="field">
            <label htmlFor={`${id}hops`}>{t("graph.hops")}</label>
            <select
              id={`${id}hops`}
              className="input"
              value={asked.hops}
              onChange={(event) => change({ hops: event.target.value })}
            >
              {[1, 2, 3, 4, 9].map((hops) => (
                <option key={hops} value={hops}>
                  {hops === 9 ? "∞" : hops}
                </option>
              ))}
            </select>
          </div>
          <div className="field">
            <label htmlFor={`${id}direction`}>{t("graph.direction")}</label>
            <select
              id={`${id}direction`}
              className="input"
              value={asked.direction}
              onChange={(event) => change({ direction: event.target.value })}
            >
              {DIRECTIONS.map((direction) => (
                <option key={direction} value={direction}>
                  {t(`graph.direction_${direction}`)}
                </option>
              ))}
            </select>
          </div>
        </>
      )}
      {present.length > 1 && (
        <fieldset className="field plain">
          <legend className="label">{t("graph.shows")}</legend>
          <div className="kinds">
            {present.map((kind) => (
              <label key={kind}>
                <input type="checkbox" checked={asked.kinds.has(kind)} onChange={() => toggle(kind)} />
                {t(`kind.${kind}`)}
              </label>
            ))}
          </div>
        </fieldset>
      )}
      <div className="field">
        <label htmlFor={`${id}calls`}>{t("graph.least_calls")}</label>
        <input
          id={`${id}calls`}
          className="input number least-calls"
          type="number"
          min={0}
          step={1}
          value={asked.leastCalls || ""}
          placeholder="0"
          onChange={(event) => change({ calls: event.target.value })}
        />
      </div>
      <p className="summary-line number" role="status">
        {t("graph.summary", {
          nodes: formatCount(shown.nodes.length, language),
          edges: formatCount(shown.edges.length, language),
          calls: formatCompact(calls, language),
        })}
        {whole.leftOut > 0 && <> {t("graph.left_out", { n: formatCount(whole.leftOut, language) })}</>}
      </p>
      <div className="toolbar-end">
        <Segments
          label={t("view.choose")}
          value={asTable ? "table" : "graph"}
          options={[
            { value: "graph", text: t("graph.as_graph") },
            { value: "table", text: t("graph.as_table") },
          ]}
          onChange={(view) => change({ view: view === "table" ? view : undefined })}
        />
      </div>
    </search>
  );
}
