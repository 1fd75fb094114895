import { type KeyboardEvent, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useSize } from "../../components/use-size.ts";
import { formatDuration } from "../../i18n/format.ts";
import { useLanguage, useT } from "../../i18n/index.ts";
import { Flag, hasFlag, isParent, type Trace } from "../../model/trace.ts";
import { Minimap } from "./minimap.tsx";
import { NameWidth } from "./name-width.tsx";
import { moved, type Range, ticksOf, zoomed } from "./range.ts";
import { rowOf, shownRows } from "./rows.ts";
import { useDragRange } from "./use-drag-range.ts";
import { WaterfallRows } from "./waterfall-rows.tsx";
import "./waterfall.css";

const TICKS = 5;
const LAST_PERCENT = 93;
const PAGE_ROWS = 20;

export interface WaterfallProps {
  trace: Trace;
  collapsed: ReadonlySet<number>;
  onCollapsed: (collapsed: ReadonlySet<number>) => void;
  selected: number | undefined;
  onSelect: (span: number) => void;
  /** Of the selected span; Escape closes them. */
  detailsOpen: boolean;
  onDetails: (open: boolean) => void;
  matches: ReadonlySet<number> | undefined;
  onlyMatches: boolean;
  /** Services that are not dimmed; all when empty. */
  services: ReadonlySet<string>;
  critical: boolean;
  /** Scrolls to the selected span whenever it changes. */
  reveal: number;
}

/** The spans of a trace as rows below each other, each with its bar in time; only the rows in sight are in the page. */
export function Waterfall(props: WaterfallProps) {
  const { trace, collapsed, onCollapsed, matches, onlyMatches, critical } = props;
  const t = useT();
  const language = useLanguage();
  const [range, setRange] = useState<Range>({ from: 0, to: trace.durationNs });
  const [nameWidth, setNameWidth] = useState(34);
  const only = onlyMatches ? matches : undefined;
  const rows = useMemo(() => shownRows(trace, collapsed, only), [trace, collapsed, only]);
  const scroller = useRef<HTMLDivElement>(null);
  const lines = useRef<HTMLDivElement>(null);

  const wheel = useCallback(
    (event: WheelEvent) => {
      if (!event.ctrlKey && !event.shiftKey) return;
      event.preventDefault();
      const box = lines.current?.getBoundingClientRect();
      if (!box) return;
      const place = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
      setRange((now) => {
        if (event.shiftKey) return moved(now, (event.deltaY || event.deltaX) / 1000, trace.durationNs);
        return zoomed(now, 1.0015 ** event.deltaY, now.from + place * (now.to - now.from), trace.durationNs);
      });
    },
    [trace],
  );
  useEffect(() => {
    const element = scroller.current;
    // React's own listeners are passive: they could not keep the browser from zooming the page.
    element?.addEventListener("wheel", wheel, { passive: false });
    return () => element?.removeEventListener("wheel", wheel);
  }, [wheel]);

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const act = actions(props, rows, setRange)[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  };
  const toggle = useCallback(
    (span: number) => {
      const next = new Set(collapsed);
      if (!next.delete(span)) next.add(span);
      onCollapsed(next);
    },
    [collapsed, onCollapsed],
  );
  // The head has no scroll bar beside it: it leaves the room that the body's takes.
  const size = useSize(scroller);
  const scrollbar = size.width && scroller.current ? scroller.current.offsetWidth - size.width : 0;
  const widths = { "--names": `${nameWidth}%`, "--scrollbar": `${scrollbar}px` };
  const ticks = ticksOf(range, TICKS);
  const { dragged, onPointerDown } = useDragRange(lines, range, setRange);
  return (
    <div className="waterfall" style={widths as React.CSSProperties}>
      <div className="waterfall-head">
        <div className="waterfall-corner">
          {t("trace.service")} <span className="hint">{t("trace.operation")}</span>
        </div>
        <div className="waterfall-scale">
          <Minimap trace={trace} range={range} critical={critical} onRange={setRange} />
          <div className="ruler number" ref={lines} onPointerDown={onPointerDown}>
            {ticks.map((at) => {
              const place = ((at - range.from) / (range.to - range.from)) * 100;
              return (
                <span key={at} className={place > LAST_PERCENT ? "last" : undefined} style={{ left: `${place}%` }}>
                  {formatDuration(at, language)}
                </span>
              );
            })}
            {dragged && (
              <div
                className="ruler-drag"
                style={{
                  left: `${((dragged.from - range.from) / (range.to - range.from)) * 100}%`,
                  width: `${((dragged.to - dragged.from) / (range.to - range.from)) * 100}%`,
                }}
              />
            )}
          </div>
        </div>
        <NameWidth percent={nameWidth} onPercent={setNameWidth} />
      </div>
      <WaterfallRows
        {...props}
        rows={rows}
        range={range}
        ticks={ticks}
        scroller={scroller}
        onKeyDown={onKeyDown}
        onToggle={toggle}
      />
    </div>
  );
}

type Actions = Record<string, (() => void) | undefined>;

/** What each key does. */
function actions(
  props: WaterfallProps,
  rows: Int32Array,
  setRange: (change: (range: Range) => Range) => void,
): Actions {
  const { trace, selected, onSelect, collapsed, onCollapsed, detailsOpen, onDetails } = props;
  const at = selected === undefined ? -1 : rowOf(rows, selected);
  const go = (row: number) => () => {
    const span = rows[Math.min(rows.length - 1, Math.max(0, row))];
    if (span !== undefined) onSelect(span);
  };
  const zoom = (factor: number) => () =>
    setRange((range) => zoomed(range, factor, middle(trace, range, selected), trace.durationNs));
  const pan = (parts: number) => () => setRange((range) => moved(range, parts, trace.durationNs));
  const fold = () => {
    if (selected === undefined) return;
    if (isParent(trace, selected) && !collapsed.has(selected)) onCollapsed(new Set(collapsed).add(selected));
    else if ((trace.parent[selected] as number) >= 0) onSelect(trace.parent[selected] as number);
  };
  const unfold = () => {
    if (selected === undefined || !isParent(trace, selected)) return;
    if (!collapsed.has(selected)) return onSelect(selected + 1);
    const next = new Set(collapsed);
    next.delete(selected);
    onCollapsed(next);
  };
  const down = go(at + 1);
  const up = go(at < 0 ? 0 : at - 1);
  const whole = () => setRange(() => ({ from: 0, to: trace.durationNs }));
  return {
    ArrowDown: down,
    j: down,
    ArrowUp: up,
    k: up,
    PageDown: go(at + PAGE_ROWS),
    PageUp: go(at - PAGE_ROWS),
    Home: go(0),
    End: go(rows.length - 1),
    ArrowLeft: fold,
    h: fold,
    ArrowRight: unfold,
    l: unfold,
    Enter: selected === undefined ? undefined : () => onDetails(!detailsOpen),
    Escape: detailsOpen ? () => onDetails(false) : undefined,
    e: nextError(trace, selected, 1, onSelect),
    E: nextError(trace, selected, -1, onSelect),
    "+": zoom(0.5),
    "=": zoom(0.5),
    "-": zoom(2),
    "0": whole,
    "[": pan(-0.2),
    "]": pan(0.2),
  };
}

/** Zooming by key keeps the selected span in sight. */
function middle(trace: Trace, range: Range, selected: number | undefined): number {
  const start = selected === undefined ? Number.NaN : (trace.start[selected] as number);
  return start >= range.from && start <= range.to ? start : (range.from + range.to) / 2;
}

function nextError(trace: Trace, selected: number | undefined, step: 1 | -1, onSelect: (span: number) => void) {
  return () => {
    const from = selected ?? (step > 0 ? -1 : trace.size);
    for (let at = from + step; at >= 0 && at < trace.size; at += step) {
      if (hasFlag(trace, at, Flag.error)) return onSelect(at);
    }
  };
}
