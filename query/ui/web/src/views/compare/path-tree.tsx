import { useVirtualizer } from "@tanstack/react-virtual";
import { ChevronDown, ChevronRight, TriangleAlert } from "lucide-react";
import { type KeyboardEvent, useMemo, useRef, useState } from "react";
import { formatCount, formatDuration, formatPercent, withSign } from "../../i18n/format.ts";
import { useLanguage, useT } from "../../i18n/index.ts";
import { useServiceColour } from "../../theme/theme.ts";
import { type Change, type Comparison, type PathNode, rowsOf } from "./merge.ts";

const CHANGES: readonly Change[] = ["added", "removed", "slower", "faster", "same"];
const ROW = 28;
const INDENT = 16;

/** The call paths of both traces in one tree, with what differs on each. */
export function PathTree({ comparison }: { comparison: Comparison }) {
  const t = useT();
  const language = useLanguage();
  const [onlyChanges, setOnlyChanges] = useState(false);
  const [closed, setClosed] = useState<ReadonlySet<number>>(() => new Set());
  const [current, setCurrent] = useState(0);
  const rows = useMemo(() => rowsOf(comparison.roots, closed, onlyChanges), [comparison, closed, onlyChanges]);
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    overscan: 12,
  });
  const toggle = (node: PathNode, open?: boolean) => {
    if (node.children.length === 0) return;
    const next = new Set(closed);
    if (open ?? closed.has(node.id)) next.delete(node.id);
    else next.add(node.id);
    setClosed(next);
  };
  const goTo = (row: number) => {
    const bounded = Math.max(0, Math.min(rows.length - 1, row));
    setCurrent(bounded);
    virtual.scrollToIndex(bounded);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const node = rows[current];
    if (!node) return;
    if (event.key === "ArrowDown") goTo(current + 1);
    else if (event.key === "ArrowUp") goTo(current - 1);
    else if (event.key === "Home") goTo(0);
    else if (event.key === "End") goTo(rows.length - 1);
    else if (event.key === "ArrowRight" && closed.has(node.id)) toggle(node, true);
    else if (event.key === "ArrowRight") goTo(current + 1);
    else if (event.key === "ArrowLeft" && node.children.length > 0 && !closed.has(node.id)) toggle(node, false);
    else if (event.key === "ArrowLeft") goTo(rows.findLastIndex((one, at) => at < current && one.depth < node.depth));
    else if (event.key === "Enter" || event.key === " ") toggle(node);
    else return;
    event.preventDefault();
  };
  const alike = comparison.roots.every(({ changed }) => !changed);
  return (
    <section className="panel compare-tree">
      <header>
        <h2>{t("compare.tree")}</h2>
        <ul className="compare-counts">
          {CHANGES.map((change) => (
            <li key={change} className={`change change-${change}`}>
              {t("compare.counts", {
                n: formatCount(comparison.counts[change], language),
                change: t(`compare.change_${change}`),
              })}
            </li>
          ))}
        </ul>
        <label className="check">
          <input type="checkbox" checked={onlyChanges} onChange={() => setOnlyChanges(!onlyChanges)} />
          {t("compare.only_changes")}
        </label>
      </header>
      {alike && <p className="compare-alike">{t("compare.alike")}</p>}
      <div
        className="paths"
        role="treegrid"
        aria-label={t("compare.tree")}
        aria-rowcount={rows.length + 1}
        aria-activedescendant={rows.length > 0 ? `path-${current}` : undefined}
        tabIndex={0}
        onKeyDown={onKeyDown}
        ref={scroller}
      >
        <div className="path path-head" role="row" aria-rowindex={1}>
          {(["path", "calls", "time_a", "time_b", "delta"] as const).map((column) => (
            <span key={column} role="columnheader" className={column === "path" ? undefined : "path-number"}>
              {t(`compare.${column}`)}
            </span>
          ))}
        </div>
        <div className="path-rows" role="rowgroup" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map(({ index, start }) => {
            const node = rows[index] as PathNode;
            return (
              <Row
                key={node.id}
                node={node}
                row={index}
                top={start}
                open={!closed.has(node.id)}
                current={index === current}
                mostDelta={comparison.mostDelta}
                onToggle={() => toggle(node)}
                onCurrent={() => setCurrent(index)}
              />
            );
          })}
        </div>
      </div>
    </section>
  );
}

interface RowProps {
  node: PathNode;
  row: number;
  top: number;
  open: boolean;
  current: boolean;
  mostDelta: number;
  onToggle: () => void;
  onCurrent: () => void;
}

function Row({ node, row, top, open, current, mostDelta, onToggle, onCurrent }: RowProps) {
  const t = useT();
  const language = useLanguage();
  const colourOf = useServiceColour();
  const { a, b, change, delta } = node;
  const time = (side: PathNode["a"]) => (side.count > 0 ? formatDuration(side.duration, language) : "–");
  const name = node.otherName === undefined ? node.name : `${node.name} → ${node.otherName}`;
  const Chevron = open ? ChevronDown : ChevronRight;
  const errors = b.errors - a.errors;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the tree hears the keys
    <div
      id={`path-${row}`}
      className={`path change-${change}`}
      role="row"
      aria-level={node.depth + 1}
      aria-rowindex={row + 2}
      aria-expanded={node.children.length > 0 ? open : undefined}
      aria-selected={current}
      style={{ top }}
      onClick={onCurrent}
    >
      <span role="gridcell" className="path-name" style={{ paddingLeft: node.depth * INDENT }}>
        {node.children.length > 0 ? (
          <button
            type="button"
            className="path-toggle"
            tabIndex={-1}
            aria-label={t("compare.toggle", { name: node.name })}
            onClick={onToggle}
          >
            <Chevron size={14} aria-hidden="true" />
          </button>
        ) : (
          <span className="path-toggle" />
        )}
        <span className="swatch" style={{ background: colourOf(node.service) }} aria-hidden="true" />
        <b>{node.service}</b>
        <span className="path-operation" title={name}>
          {name}
        </span>
        {change !== "same" && <span className={`change change-${change}`}>{t(`compare.change_${change}`)}</span>}
        {errors !== 0 && (
          <span className={errors > 0 ? "worse" : "better"}>
            <TriangleAlert size={12} aria-hidden="true" />
            {t(errors > 0 ? "compare.more_errors" : "compare.fewer_errors", { n: Math.abs(errors) })}
          </span>
        )}
      </span>
      <span role="gridcell" className={`path-number number${a.count === b.count ? " hint" : ""}`}>
        {a.count === b.count ? formatCount(a.count, language) : `${a.count} → ${b.count}`}
      </span>
      <span role="gridcell" className="path-number number">
        {time(a)}
      </span>
      <span role="gridcell" className="path-number number">
        {time(b)}
      </span>
      <span role="gridcell" className="path-number path-delta number">
        <Bar delta={delta} most={mostDelta} />
        {delta === 0 ? (
          <span className="hint">±0</span>
        ) : (
          <span className={change === "same" ? "hint" : delta > 0 ? "worse" : "better"}>
            {withSign(delta, formatDuration(Math.abs(delta), language))}
            {a.duration > 0 &&
              b.count > 0 &&
              ` (${withSign(delta, formatPercent(Math.abs(delta) / a.duration, language))})`}
          </span>
        )}
      </span>
    </div>
  );
}

/** A difference as a bar from the middle: to the right what takes longer. */
export function Bar({ delta, most }: { delta: number; most: number }) {
  const share = most > 0 ? Math.min(1, Math.abs(delta) / most) : 0;
  return (
    <span className="delta-bar" aria-hidden="true">
      <span
        className={delta > 0 ? "delta-more" : "delta-less"}
        style={{ width: `${share * 50}%`, left: delta > 0 ? "50%" : `${50 - share * 50}%` }}
      />
    </span>
  );
}
