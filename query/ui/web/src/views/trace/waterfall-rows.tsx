import { useVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, type RefObject, useEffect } from "react";
import { useLanguage, useT } from "../../i18n/index.ts";
import { useServiceColour } from "../../theme/theme.ts";
import type { Range } from "./range.ts";
import { rowOf } from "./rows.ts";
import { SpanRow } from "./span-row.tsx";
import type { WaterfallProps } from "./waterfall.tsx";

const ROW_PX = 26;
const ROWS_BEYOND = 10;
const WIDEST_INDENT_PX = 14;

interface WaterfallRowsProps extends WaterfallProps {
  /** The spans that are rows, in their order. */
  rows: Int32Array;
  range: Range;
  ticks: number[];
  scroller: RefObject<HTMLDivElement | null>;
  onKeyDown: (event: KeyboardEvent) => void;
  onToggle: (span: number) => void;
}

/** The rows that scroll. They alone are drawn anew while they do, so nothing else of the waterfall stands here. */
export function WaterfallRows(props: WaterfallRowsProps) {
  const { trace, rows, range, ticks, collapsed, selected, onSelect, matches, critical, reveal, scroller } = props;
  const t = useT();
  const language = useLanguage();
  const colour = useServiceColour();
  const only = props.onlyMatches && matches !== undefined;
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    overscan: ROWS_BEYOND,
  });

  // biome-ignore lint/correctness/useExhaustiveDependencies: reveal counts the wishes to see the selected span
  useEffect(() => {
    if (selected === undefined) return;
    virtual.scrollToIndex(Math.max(0, rowOf(rows, selected)), { align: "auto" });
  }, [selected, reveal]);

  // A row that scrolls out of sight becomes one that scrolls into it, in its place in the page: to change a row takes a
  // fraction of making or moving one. aria-owns tells readers the order of what they see.
  const places = Math.ceil((virtual.scrollRect?.height ?? 0) / ROW_PX) + 2 * ROWS_BEYOND + 2;
  const shown = virtual.getVirtualItems();
  const placed = shown.toSorted((one, other) => (one.index % places) - (other.index % places));
  const owned = shown.map(({ index }) => `span-${rows[index]}`).join(" ");
  const indent = Math.min(WIDEST_INDENT_PX, Math.max(2, 220 / Math.max(1, trace.summary.depth)));
  return (
    <div
      className="waterfall-body"
      ref={scroller}
      role="treegrid"
      aria-label={t("trace.rows")}
      aria-rowcount={rows.length}
      aria-colcount={2}
      aria-activedescendant={selected === undefined ? undefined : `span-${selected}`}
      tabIndex={0}
      onKeyDown={props.onKeyDown}
    >
      <div className="waterfall-rows" role="rowgroup" aria-owns={owned} style={{ height: virtual.getTotalSize() }}>
        <div className="waterfall-ticks" aria-hidden="true">
          {ticks.map((at) => (
            <span key={at} style={{ left: `${((at - range.from) / (range.to - range.from)) * 100}%` }} />
          ))}
        </div>
        {placed.map(({ index, start }) => {
          const span = rows[index] as number;
          return (
            <SpanRow
              key={index % places}
              trace={trace}
              span={span}
              row={index}
              top={start}
              range={range}
              indent={indent}
              colour={colour(trace.services[trace.service[span] as number] as string)}
              collapsed={collapsed.has(span) && !only}
              selected={span === selected}
              matched={matches?.has(span) ?? false}
              dimmed={dimmed(props, span)}
              critical={critical ? trace.timing.critical.get(span) : undefined}
              onSelect={onSelect}
              onToggle={props.onToggle}
              t={t}
              language={language}
            />
          );
        })}
      </div>
    </div>
  );
}

function dimmed({ trace, matches, services }: WaterfallProps, span: number): boolean {
  if (matches && !matches.has(span)) return true;
  return services.size > 0 && !services.has(trace.services[trace.service[span] as number] as string);
}
