import { ArrowDown, ArrowUp } from "lucide-react";
import { type ReactNode, useMemo, useState } from "react";
import { useT } from "../i18n/index.ts";
import "./sortable-table.css";

export interface Column<Row> {
  id: string;
  title: string;
  /** What rows are sorted by; a column without it is not sortable. undefined goes last. */
  value?: (row: Row) => string | number | undefined;
  cell: (row: Row) => ReactNode;
  /** Right-aligned digits. */
  number?: boolean;
  /** Said of the column when it is pointed at. */
  hint?: string;
}

interface SortableTableProps<Row> {
  caption: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  rowKey: (row: Row) => string;
  /** The column that sorts at first; numbers begin with the largest. */
  first: string;
  /** The row that is marked. */
  current?: string | undefined;
}

/** A table whose headers sort it. */
export function SortableTable<Row>({ caption, columns, rows, rowKey, first, current }: SortableTableProps<Row>) {
  const t = useT();
  const [order, setOrder] = useState<{ id: string; down: boolean }>(() => ({ id: first, down: isNumber(first) }));
  const sorting = columns.find(({ id }) => id === order.id);
  const sorted = useMemo(() => {
    const value = sorting?.value;
    return value ? [...rows].sort((a, b) => compared(value(a), value(b), order.down)) : rows;
  }, [rows, sorting, order.down]);

  function isNumber(id: string): boolean {
    return columns.find((column) => column.id === id)?.number ?? false;
  }

  return (
    <table className="table">
      <caption className="visually-hidden">{caption}</caption>
      <thead>
        <tr>
          {columns.map(({ id, title, value, number, hint }) => (
            <th
              key={id}
              scope="col"
              className={number ? "table-number" : undefined}
              title={hint}
              aria-sort={order.id === id ? (order.down ? "descending" : "ascending") : undefined}
            >
              {value ? (
                <button
                  type="button"
                  className="table-sort"
                  title={t("table.sort", { column: title })}
                  onClick={() => setOrder({ id, down: order.id === id ? !order.down : isNumber(id) })}
                >
                  {title}
                  {order.id === id &&
                    (order.down ? (
                      <ArrowDown size={12} aria-hidden="true" />
                    ) : (
                      <ArrowUp size={12} aria-hidden="true" />
                    ))}
                </button>
              ) : (
                title
              )}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {sorted.map((row) => (
          <tr key={rowKey(row)} aria-current={current === rowKey(row) ? "true" : undefined}>
            {columns.map(({ id, cell, number }) => (
              <td key={id} className={number ? "table-number number" : undefined}>
                {cell(row)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function compared(a: string | number | undefined, b: string | number | undefined, down: boolean): number {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? 1 : -1;
  const order = typeof a === "string" && typeof b === "string" ? a.localeCompare(b) : Number(a) - Number(b);
  return down ? -order : order;
}
