import { ChevronDown, ChevronRight, CircleX, TriangleAlert, Unlink } from "lucide-react";
import { memo } from "react";
import { formatDuration } from "../../i18n/format.ts";
import type { Language, Translate } from "../../i18n/index.ts";
import { Flag, hasFlag, isParent, nameOf, serviceOf, type Trace } from "../../model/trace.ts";
import type { Range } from "./range.ts";

const OPEN = <ChevronDown size={13} />;
const CLOSED = <ChevronRight size={13} />;

interface SpanRowProps {
  trace: Trace;
  span: number;
  row: number;
  top: number;
  range: Range;
  indent: number;
  colour: string;
  collapsed: boolean;
  selected: boolean;
  matched: boolean;
  dimmed: boolean;
  critical: number[] | undefined;
  onSelect: (span: number) => void;
  onToggle: (span: number) => void;
  t: Translate;
  language: Language;
}

/** One span: its place in the tree, who did what, and its bar in time. */
export const SpanRow = memo(function SpanRow(props: SpanRowProps) {
  const { trace, span, row, top, indent, colour, collapsed, selected, matched, dimmed, onSelect, t } = props;
  const parent = isParent(trace, span);
  const depth = trace.depth[span] as number;
  const states = `${selected ? " selected" : ""}${matched ? " matched" : ""}${dimmed ? " dimmed" : ""}`;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the treegrid has the keys
    <div
      id={`span-${span}`}
      className={`span-row${states}`}
      role="row"
      aria-rowindex={row + 1}
      aria-level={depth + 1}
      aria-selected={selected}
      aria-expanded={parent ? !collapsed : undefined}
      tabIndex={-1}
      style={{ transform: `translateY(${top}px)` }}
      onClick={() => onSelect(span)}
    >
      <div className="span-name" role="gridcell">
        <span className="span-guides" style={guides(depth, indent)} />
        {parent ? (
          <button
            type="button"
            className="span-toggle"
            tabIndex={-1}
            aria-label={t("trace.toggle")}
            onClick={(event) => {
              event.stopPropagation();
              props.onToggle(span);
            }}
          >
            {collapsed ? CLOSED : OPEN}
          </button>
        ) : (
          <span className="span-leaf" />
        )}
        <span className="span-stripe" style={{ background: colour }} />
        <span className="span-service">{serviceOf(trace, span)}</span>
        {hasFlag(trace, span, Flag.sidecar) && (
          <span className="badge" title={t("trace.sidecar_long")}>
            {t("trace.sidecar")}
          </span>
        )}
        <span className="span-operation">{nameOf(trace, span)}</span>
        <Marks {...props} />
      </div>
      <div className="span-line" role="gridcell">
        <Bar {...props} />
      </div>
    </div>
  );
});

function guides(depth: number, indent: number): React.CSSProperties {
  return { width: depth * indent, backgroundSize: `${indent}px 100%` };
}

function Marks({ trace, span, collapsed, t }: SpanRowProps) {
  const root = trace.roots.get(span);
  return (
    <span className="span-marks">
      {collapsed && (
        <span className="badge" title={t("trace.collapsed", { n: (trace.end[span] as number) - span - 1 })}>
          +{(trace.end[span] as number) - span - 1}
        </span>
      )}
      {(root === "orphan" || root === "circle") && (
        <Unlink className="mark-warning" size={13} role="img" aria-label={t(`trace.${root}`)} />
      )}
      {trace.warnings.has(span) && (
        <TriangleAlert className="mark-warning" size={13} role="img" aria-label={t("trace.warning")} />
      )}
      {hasFlag(trace, span, Flag.error) && (
        <CircleX className="mark-error" size={13} role="img" aria-label={t("trace.error")} />
      )}
    </span>
  );
}

function Bar({ trace, span, range, colour, critical, language, t }: SpanRowProps) {
  const width = range.to - range.from;
  const start = trace.start[span] as number;
  const duration = trace.duration[span] as number;
  const place = (at: number) => ((at - range.from) / width) * 100;
  const from = Math.max(-1, place(Number.isNaN(start) ? 0 : start));
  const to = Math.min(101, place((Number.isNaN(start) ? 0 : start) + Math.max(0, duration || 0)));
  const label = Number.isNaN(duration) ? "?" : formatDuration(duration, language);
  const inSight = to >= 0 && from <= 100;
  // Beside the bar where there is room, else on its other side, else upon it.
  const side = to < 88 ? "after" : from > 12 ? "before" : "upon";
  const kind = hasFlag(trace, span, Flag.sidecar) ? " sidecar" : "";
  return (
    <>
      {inSight && (
        <>
          <span
            className={`span-bar${kind}`}
            style={{ left: `${from}%`, width: `${Math.max(0, to - from)}%`, "--colour": colour } as React.CSSProperties}
          />
          {critical && <Critical sections={critical} place={place} title={t("trace.on_critical_path")} />}
          <span
            className={`span-bar-label number ${side}`}
            style={
              side === "before"
                ? { right: `${100 - from}%` }
                : { left: `${side === "after" ? to : Math.max(0, from)}%` }
            }
          >
            {label}
          </span>
        </>
      )}
      {!inSight && <span className={`span-bar-away number ${to < 0 ? "left" : "right"}`}>{to < 0 ? "‹" : "›"}</span>}
    </>
  );
}

function Critical({ sections, place, title }: { sections: number[]; place: (at: number) => number; title: string }) {
  const parts: React.ReactNode[] = [];
  for (let at = 0; at < sections.length; at += 2) {
    const from = Math.max(-1, place(sections[at] as number));
    const to = Math.min(101, place(sections[at + 1] as number));
    if (to < 0 || from > 100) continue;
    parts.push(
      <span
        key={at}
        className="critical"
        title={title}
        style={{ left: `${from}%`, width: `${Math.max(0, to - from)}%` }}
      />,
    );
  }
  return parts;
}
