import { useEffect, useMemo, useRef, useState } from "react";
import { useSearch } from "wouter";
import type { SpanDetails as Details } from "../../model/details.ts";
import { findInOutline, spanWithId } from "../../model/find.ts";
import { idOf, type Trace } from "../../model/trace.ts";
import { FlameGraph } from "./flame-graph.tsx";
import { belowFirstLevel, revealed } from "./rows.ts";
import { SpanDetails } from "./span-details.tsx";
import { SpanTable } from "./span-table.tsx";
import { Statistics } from "./statistics.tsx";
import { Toolbar } from "./toolbar.tsx";
import { TraceHead } from "./trace-head.tsx";
import { Troubles } from "./troubles.tsx";
import { Waterfall } from "./waterfall.tsx";
import "./trace-page.css";

export const VIEWS = ["waterfall", "flame", "table", "statistics"] as const;
export type View = (typeof VIEWS)[number];

interface TracePageProps {
  trace: Trace;
  details: Details;
  /** Whether the server has the trace; of a file it does not. */
  stored: boolean;
  /** Stands in the toolbar. */
  children?: React.ReactNode;
}

/** One trace in all its views. The address holds the view (?view=), what is searched (?uiFind=) and a span (#id). */
export function TracePage({ trace, details, stored, children }: TracePageProps) {
  const given = new URLSearchParams(useSearch());
  const [view, setView] = useState<View>(() => VIEWS.find((one) => one === given.get("view")) ?? "waterfall");
  const [text, setText] = useState(given.get("uiFind") ?? "");
  const [onlyMatches, setOnlyMatches] = useState(false);
  const [collapsed, setCollapsed] = useState<ReadonlySet<number>>(() => new Set());
  const [services, setServices] = useState<ReadonlySet<string>>(() => new Set());
  const [critical, setCritical] = useState(true);
  const { selected, detailsOpen, setDetailsOpen, select, reveal } = useSelected(trace, text, setCollapsed);
  const matches = useMatches(trace, details, text);
  const find = useRef<HTMLInputElement>(null);
  useAddress(view, text, selected === undefined ? undefined : idOf(trace, selected));

  const order = useMemo(() => (matches ? [...matches].sort((a, b) => a - b) : []), [matches]);
  const goToMatch = (step: 1 | -1) => {
    if (order.length === 0) return;
    const from = selected ?? (step > 0 ? -1 : trace.size);
    const next = step > 0 ? order.find((span) => span > from) : order.findLast((span) => span < from);
    select(next ?? (step > 0 ? order[0] : order.at(-1)) ?? 0);
  };
  const findText = (next: string) => {
    setText(next);
    setView("waterfall");
  };

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      if (event.ctrlKey || event.metaKey || event.altKey || target.matches("input, select, textarea, dialog *")) return;
      if (event.key === "f" || event.key === "/") find.current?.focus();
      else if (event.key === "n") goToMatch(1);
      else if (event.key === "N" || event.key === "p") goToMatch(-1);
      else return;
      event.preventDefault();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  });

  const showSpan = (span: number) => {
    setView("waterfall");
    select(span);
  };
  return (
    <div className="trace-page">
      <TraceHead trace={trace} stored={stored} services={services} onServices={setServices} />
      <Troubles trace={trace} selected={selected} onSelect={showSpan} />
      <Toolbar
        view={view}
        onView={setView}
        findRef={find}
        text={text}
        onText={setText}
        matches={text.trim() ? order : undefined}
        selected={selected}
        onMatch={goToMatch}
        onlyMatches={onlyMatches}
        onOnlyMatches={setOnlyMatches}
        critical={critical}
        onCritical={setCritical}
        onExpandAll={() => setCollapsed(new Set())}
        onCollapseAll={() => setCollapsed(belowFirstLevel(trace))}
      >
        {children}
      </Toolbar>
      <div className="trace-content">
        {view === "waterfall" && (
          <Waterfall
            trace={trace}
            collapsed={collapsed}
            onCollapsed={setCollapsed}
            selected={selected}
            onSelect={select}
            detailsOpen={detailsOpen}
            onDetails={setDetailsOpen}
            matches={matches}
            onlyMatches={onlyMatches}
            services={services}
            critical={critical}
            reveal={reveal}
          />
        )}
        {view === "flame" && <FlameGraph trace={trace} onFind={findText} />}
        {view === "table" && <SpanTable trace={trace} matches={matches} services={services} onSelect={select} />}
        {view === "statistics" && <Statistics trace={trace} onFind={findText} />}
        {detailsOpen && selected !== undefined && (view === "waterfall" || view === "table") && (
          <SpanDetails
            trace={trace}
            span={selected}
            details={details}
            onSelect={select}
            onClose={() => setDetailsOpen(false)}
          />
        )}
      </div>
    </div>
  );
}

/** The selected span: at first the one in the address, #id or a ?uiFind= that is a span's id, as Kiali links. */
function useSelected(
  trace: Trace,
  text: string,
  setCollapsed: (change: (collapsed: ReadonlySet<number>) => ReadonlySet<number>) => void,
) {
  const [first] = useState(() => spanWithId(trace, location.hash.slice(1)) ?? spanWithId(trace, text));
  const [selected, setSelected] = useState(first);
  const [detailsOpen, setDetailsOpen] = useState(first !== undefined);
  const [reveal, setReveal] = useState(0);
  const [select] = useState(() => (span: number) => {
    setSelected(span);
    setDetailsOpen(true);
    setCollapsed((collapsed) => revealed(trace, collapsed, span));
    setReveal((count) => count + 1);
  });
  return { selected, detailsOpen, setDetailsOpen, select, reveal };
}

/** Spans that match; undefined while nothing is searched. At first by the outline, then by what spans carry, too. */
function useMatches(trace: Trace, details: Details, text: string): ReadonlySet<number> | undefined {
  const here = useMemo(() => (text.trim() ? findInOutline(trace, text) : undefined), [trace, text]);
  const [carried, setCarried] = useState<{ text: string; spans: number[] }>();
  useEffect(() => {
    if (!text.trim()) return;
    let current = true;
    const later = setTimeout(() => {
      details.find(text).then(
        (spans) => current && setCarried({ text, spans }),
        () => undefined, // the outline's matches stay
      );
    }, 150);
    return () => {
      current = false;
      clearTimeout(later);
    };
  }, [details, text]);
  return useMemo(() => {
    if (!here || carried?.text !== text) return here;
    const all = new Set(here);
    for (const span of carried.spans) all.add(span);
    return all;
  }, [here, carried, text]);
}

/** Keeps the address such that opening it again shows the same. */
function useAddress(view: View, text: string, spanId: string | undefined): void {
  useEffect(() => {
    const url = new URL(location.href);
    if (view === "waterfall") url.searchParams.delete("view");
    else url.searchParams.set("view", view);
    if (text.trim()) url.searchParams.set("uiFind", text);
    else url.searchParams.delete("uiFind");
    url.hash = spanId ?? "";
    if (url.href !== location.href) history.replaceState(history.state, "", url);
  }, [view, text, spanId]);
}
