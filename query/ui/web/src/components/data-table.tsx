import { useVirtualizer } from "@tanstack/react-virtual";
import { ArrowDown, ArrowUp } from "lucide-react";
import { type KeyboardEvent, type ReactNode, useMemo, useRef, useState } from "react";
import { useT } from "../i18n/index.ts";
import "./data-table.css";

export interface Column<Row> {
  key: string;
  title: string;
  /** What rows are sorted by. */
  value: (row: Row) => string | number;
  cell: (row: Row) => ReactNode;
  /** A CSS grid track. */
  width: string;
  numeric?: boolean;
}

interface DataTableProps<Row> {
  label: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  rowKey: (row: Row) => string | number;
  /** The column sorted by at first; numeric columns begin with the largest. */
  sortedBy: string;
  onRow?: (row: Row) => void;
}

const ROW_PX = 28;

/** A table that sorts by any column and holds only the rows in sight. */
export function DataTable<Row>({ label, columns, rows, rowKey, sortedBy, onRow }: DataTableProps<Row>) {
  const t = useT();
  const [order, setOrder] = useState({
    key: sortedBy,
    down: columns.find((one) => one.key === sortedBy)?.numeric ?? false,
  });
  const [current, setCurrent] = useState(0);
  const sorted = useMemo(() => sortedRows(rows, columns, order), [rows, columns, order]);
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: sorted.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    overscan: 10,
    scrollMargin: ROW_PX,
  });
  const template = { gridTemplateColumns: columns.map((column) => column.width).join(" ") };
  const onKeyDown = (event: KeyboardEvent) => {
    const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: 15, PageUp: -15 };
    const row = sorted[current];
    if (event.target !== event.currentTarget) return;
    if (event.key === "Enter" && row !== undefined) onRow?.(row);
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const next = Math.min(sorted.length - 1, Math.max(0, current + step));
    setCurrent(next);
    virtual.scrollToIndex(next);
  };
  return (
    <div
      className="data-table"
      role="grid"
      aria-label={label}
      aria-rowcount={sorted.length + 1}
      aria-colcount={columns.length}
      aria-activedescendant={onRow && sorted.length > 0 ? `row-${current}` : undefined}
      ref={scroller}
      tabIndex={0}
      onKeyDown={onKeyDown}
    >
      <div role="rowgroup" className="data-head">
        <div role="row" aria-rowindex={1} className="data-row" style={template}>
          {columns.map((column) => (
            <div
              key={column.key}
              role="columnheader"
              aria-sort={order.key !== column.key ? "none" : order.down ? "descending" : "ascending"}
              className={column.numeric ? "numeric" : undefined}
            >
              <button
                type="button"
                title={t("table.sort", { column: column.title })}
                onClick={() =>
                  setOrder(({ key, down }) => ({
                    key: column.key,
                    down: key === column.key ? !down : (column.numeric ?? false),
                  }))
                }
              >
                {column.title}
                {order.key === column.key &&
                  (order.down ? <ArrowDown size={12} aria-hidden="true" /> : <ArrowUp size={12} aria-hidden="true" />)}
              </button>
            </div>
          ))}
        </div>
      </div>
      <div role="rowgroup" className="data-rows" style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map(({ index, start }) => {
          const row = sorted[index] as Row;
          return (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the grid has the keys
            <div
              key={rowKey(row)}
              id={`row-${index}`}
              role="row"
              aria-rowindex={index + 2}
              tabIndex={-1}
              className={`data-row${onRow ? " chosen-by-click" : ""}${onRow && index === current ? " current" : ""}`}
              style={{ ...template, transform: `translateY(${start - ROW_PX}px)` }}
              onClick={() => {
                setCurrent(index);
                onRow?.(row);
              }}
            >
              {columns.map((column) => (
                <div key={column.key} role="gridcell" className={column.numeric ? "numeric number" : undefined}>
                  {column.cell(row)}
                </div>
              ))}
            </div>
          );
        })}
      </div>
    </div>
  );
}

function sortedRows<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  order: { key: string; down: boolean },
): Row[] {
  const column = columns.find((one) => one.key === order.key);
  if (!column) return [...rows];
  const sign = order.down ? -1 : 1;
  const keyed = rows.map((row) => ({ row, value: column.value(row) }));
  keyed.sort((a, b) => {
    if (typeof a.value === "string") return sign * a.value.localeCompare(b.value as string);
    return sign * (a.value - (b.value as number));
  });
  return keyed.map(({ row }) => row);
}
