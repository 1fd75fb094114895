import { useVirtualizer } from "@tanstack/react-virtual";
import { CircleX, Unlink } from "lucide-react";
import { memo, useRef } from "react";
import { Link } from "wouter";
import type { TraceSummary } from "../../api/clew.ts";
import { formatCount, formatDuration, formatMoment } from "../../i18n/format.ts";
import { useLanguage, useT } from "../../i18n/index.ts";
import { useServiceColour } from "../../theme/theme.ts";
import { counted } from "./counted.ts";

const ITEM_PX = 66;
const MOST_SERVICES = 12;

interface TraceListProps {
  traces: readonly TraceSummary[];
  chosen: readonly string[];
  onChoose: (traceId: string) => void;
  onHighlight: (traceId: string | undefined) => void;
  fresh: ReadonlySet<string>;
  nowMs: number;
}

/** The traces found; only those in sight are in the page. */
export function TraceList({ traces, chosen, onChoose, onHighlight, fresh, nowMs }: TraceListProps) {
  const t = useT();
  const scroller = useRef<HTMLDivElement>(null);
  const longest = traces.reduce((most, trace) => Math.max(most, Number(trace.durationNano ?? 0)), 1);
  const virtual = useVirtualizer({
    count: traces.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ITEM_PX,
    getItemKey: (index) => traces[index]?.traceId ?? index,
    overscan: 6,
  });
  return (
    <div className="trace-list" ref={scroller}>
      <ul aria-label={t("search.results")} style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map(({ index, key, start }) => {
          const trace = traces[index] as TraceSummary;
          return (
            <li
              key={key}
              className={fresh.has(trace.traceId) ? "trace-item fresh" : "trace-item"}
              style={{ transform: `translateY(${start}px)` }}
              aria-setsize={traces.length}
              aria-posinset={index + 1}
              onPointerEnter={() => onHighlight(trace.traceId)}
              onPointerLeave={() => onHighlight(undefined)}
            >
              <TraceItem
                trace={trace}
                share={Number(trace.durationNano ?? 0) / longest}
                chosen={chosen.includes(trace.traceId)}
                onChoose={onChoose}
                nowMs={nowMs}
              />
            </li>
          );
        })}
      </ul>
    </div>
  );
}

interface TraceItemProps {
  trace: TraceSummary;
  /** Its part of the longest trace's duration. */
  share: number;
  chosen: boolean;
  onChoose: (traceId: string) => void;
  nowMs: number;
}

const TraceItem = memo(function TraceItem({ trace, share, chosen, onChoose, nowMs }: TraceItemProps) {
  const t = useT();
  const language = useLanguage();
  const colour = useServiceColour();
  const id = trace.traceId.replace(/^0{16}/, "");
  const startMs = Number(trace.startTimeUnixNano ?? "0") / 1e6;
  const root = trace.rootService || t("search.no_root");
  const shown = trace.services.slice(0, MOST_SERVICES);
  return (
    <>
      <input
        type="checkbox"
        checked={chosen}
        aria-label={t("search.select", { trace: id })}
        onChange={() => onChoose(trace.traceId)}
      />
      <div className="trace-main">
        <div className="trace-line">
          <Link href={`/trace/${id}`} className="trace-name">
            <strong>{root}</strong> {trace.rootOperation}
          </Link>
          {trace.errorCount > 0 && (
            <span className="trace-badge trace-failed number">
              <CircleX size={12} aria-hidden="true" />
              {counted(trace.errorCount, "error", t, language)}
            </span>
          )}
          {trace.orphanCount > 0 && (
            <span className="trace-badge trace-broken number">
              <Unlink size={12} aria-hidden="true" />
              {counted(trace.orphanCount, "orphan", t, language)}
            </span>
          )}
          <code className="trace-short-id">{id.slice(0, 7)}</code>
        </div>
        <div className="trace-line">
          <ul className="trace-chips" aria-label={t("search.service")}>
            {shown.map(({ name, spanCount, errorCount }) => (
              <li key={name}>
                <span className="swatch" style={{ background: colour(name) }} />
                {name} <span className="number">{formatCount(spanCount, language)}</span>
                {errorCount > 0 && (
                  <span className="trace-chip-errors number">{formatCount(errorCount, language)}</span>
                )}
              </li>
            ))}
            {trace.services.length > MOST_SERVICES && <li>+{trace.services.length - MOST_SERVICES}</li>}
          </ul>
        </div>
      </div>
      <div className="trace-figures number">
        <span className="trace-duration">
          <span className="trace-share" style={{ width: `${Math.max(1, share * 100)}%` }} />
          <strong>
            {trace.durationNano === undefined ? "?" : formatDuration(Number(trace.durationNano), language)}
          </strong>
        </span>
        <span className="hint">
          {counted(trace.spanCount, "span", t, language)}
          {" · "}
          {trace.startTimeUnixNano !== undefined && (
            <time dateTime={new Date(startMs).toISOString()} title={formatMoment(startMs, language)}>
              {ago(startMs, nowMs, t, language)}
            </time>
          )}
        </span>
      </div>
    </>
  );
});

function ago(ms: number, nowMs: number, t: ReturnType<typeof useT>, language: "en" | "ko"): string {
  const passed = nowMs - ms;
  if (passed < 0 || passed > 86_400e3) return formatMoment(ms, language);
  const seconds = Math.max(1, Math.round(passed / 1e3));
  return t("search.ago", {
    duration: formatDuration((seconds < 60 ? seconds : Math.round(seconds / 60) * 60) * 1e9, language),
  });
}
