import { type KeyboardEvent, useEffect, useId, useRef, useState } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { formatClock, formatMinute } from "../../i18n/format.ts";
import { useLanguage, useT } from "../../i18n/index.ts";
import { useTheme } from "../../theme/theme.ts";

export interface Line {
  label: string;
  /** The name of a CSS variable. */
  colour: string;
  values: (number | null)[];
  fill?: boolean;
}

interface ChartProps {
  title: string;
  moments: readonly number[];
  lines: readonly Line[];
  format: (value: number) => string;
  onPick: (moment: number, line: number, at: { x: number; y: number }) => void;
}

const HEIGHT = 168;
/** Charts of one page show the same moment. */
const SYNC = "monitor";

/** Lines over time. A click, or Enter on the moment that arrow keys chose, picks what is nearest. */
export function Chart({ title, moments, lines, format, onPick }: ChartProps) {
  const t = useT();
  const language = useLanguage();
  const theme = useTheme();
  const id = useId();
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const pick = useRef(onPick);
  pick.current = onPick;
  const [at, setAt] = useState<number | null>(null);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the colours that are read from the page are the theme's
  useEffect(() => {
    const target = box.current;
    if (!target) return;
    const colours = getComputedStyle(document.documentElement);
    const colour = (name: string) => colours.getPropertyValue(name).trim();
    const grid = { stroke: colour("--line"), width: 1 };
    const axis = {
      stroke: colour("--text-3"),
      font: "11px Inter Variable, NanumGothic, sans-serif",
      grid,
      ticks: grid,
    };
    const chart = new uPlot(
      {
        width: target.clientWidth,
        height: HEIGHT,
        legend: { show: false },
        padding: [10, 8, 0, 0],
        cursor: { sync: { key: SYNC }, drag: { x: false, y: false }, points: { size: 7 }, y: false },
        scales: { y: { range: (_chart, _least, most) => [0, most > 0 ? most * 1.08 : 1] } },
        axes: [
          { ...axis, values: (_chart, splits) => splits.map((s) => formatClock(s * 1e3, language).slice(0, 5)) },
          { ...axis, size: 58, values: (_chart, splits) => splits.map((value) => (value === 0 ? "0" : format(value))) },
        ],
        series: [
          {},
          ...lines.map(
            (line): uPlot.Series => ({
              label: line.label,
              stroke: colour(line.colour),
              width: 1.6,
              ...(line.fill ? { fill: `${colour(line.colour)}22` } : {}),
              points: { size: 4 },
            }),
          ),
        ],
        hooks: { setCursor: [({ cursor }) => setAt(cursor.idx ?? null)] },
      },
      [moments.map((ms) => ms / 1e3), ...lines.map(({ values }) => values)] as uPlot.AlignedData,
      target,
    );
    plot.current = chart;
    const click = (event: MouseEvent) => {
      const idx = nearestCalled(lines, chart.posToIdx(event.offsetX));
      const moment = moments[idx];
      if (moment === undefined) return;
      const ratio = uPlot.pxRatio;
      const at = { x: event.offsetX + chart.bbox.left / ratio, y: event.offsetY + chart.bbox.top / ratio };
      pick.current(moment, nearestLine(chart, lines, idx, event.offsetY), at);
    };
    chart.over.addEventListener("click", click);
    const watch = new ResizeObserver(() => chart.setSize({ width: target.clientWidth, height: HEIGHT }));
    watch.observe(target);
    return () => {
      watch.disconnect();
      chart.destroy();
    };
  }, [moments, lines, theme, language, format]);

  const onKeyDown = (event: KeyboardEvent) => {
    const chart = plot.current;
    if (!chart || moments.length === 0) return;
    const idx = at ?? moments.length;
    const next = { ArrowLeft: idx - 1, ArrowRight: idx + 1, Home: 0, End: moments.length - 1 }[event.key];
    if (next !== undefined) {
      const bounded = Math.min(moments.length - 1, Math.max(0, next));
      const left = chart.valToPos((moments[bounded] as number) / 1e3, "x");
      chart.setCursor({ left, top: chart.over.clientHeight / 2 });
      setAt(bounded);
    } else if (event.key === "Enter" && at !== null) {
      const left = chart.valToPos((moments[at] as number) / 1e3, "x");
      pick.current(moments[at] as number, lines.length > 1 ? 1 : 0, { x: left, y: HEIGHT / 2 });
    } else return;
    event.preventDefault();
  };

  const textAt = (idx: number) => {
    const values = lines.flatMap(({ label, values }) => {
      const value = values[idx];
      return value === null || value === undefined ? [] : [`${label} ${format(value)}`];
    });
    const time = formatMinute(moments[idx] ?? 0, language);
    return t("monitor.at", { time, values: values.join(", ") || t("monitor.nothing_called") });
  };
  const shown = at === null ? undefined : moments[at];
  return (
    <figure className="chart">
      <figcaption id={id}>
        <strong>{title}</strong>
        <span className="chart-now number">
          {shown !== undefined && <span className="hint">{formatMinute(shown, language)}</span>}
          {lines.map((line) => {
            const value = at === null ? undefined : line.values[at];
            return (
              <span key={line.label} className="chart-key">
                <span className="swatch" style={{ background: `var(${line.colour})` }} aria-hidden="true" />
                {line.label}
                {at !== null && <b>{value === null || value === undefined ? "–" : format(value)}</b>}
              </span>
            );
          })}
        </span>
      </figcaption>
      <div
        className="chart-plot"
        ref={box}
        tabIndex={0}
        role="slider"
        aria-label={t("monitor.chart", { title })}
        aria-valuemin={0}
        aria-valuemax={Math.max(0, moments.length - 1)}
        aria-valuenow={at ?? 0}
        aria-valuetext={at === null ? "" : textAt(at)}
        onKeyDown={onKeyDown}
      />
    </figure>
  );
}

/** The moment nearest to this one at which anything was called; itself when there is none. */
function nearestCalled(lines: readonly Line[], idx: number): number {
  const called = (at: number) => lines.some(({ values }) => typeof values[at] === "number");
  const most = lines[0]?.values.length ?? 0;
  for (let step = 0; step < most; step++) {
    if (called(idx - step)) return idx - step;
    if (called(idx + step)) return idx + step;
  }
  return idx;
}

/** The line that is drawn nearest to this height at a moment. */
function nearestLine(chart: uPlot, lines: readonly Line[], idx: number, top: number): number {
  let nearest = 0;
  let least = Number.POSITIVE_INFINITY;
  for (const [at, { values }] of lines.entries()) {
    const value = values[idx];
    if (value === null || value === undefined) continue;
    const distance = Math.abs(chart.valToPos(value, "y") - top);
    if (distance < least) {
      least = distance;
      nearest = at;
    }
  }
  return nearest;
}
