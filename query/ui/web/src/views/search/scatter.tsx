import { type PointerEvent, useEffect, useMemo, useRef, useState } from "react";
import { useLocation } from "wouter";
import type { TraceSummary } from "../../api/clew.ts";
import { useSize } from "../../components/use-size.ts";
import { formatClock, formatDuration, formatMinute } from "../../i18n/format.ts";
import { useLanguage, useT } from "../../i18n/index.ts";
import { serviceColour } from "../../theme/service-colours.ts";
import { useTheme } from "../../theme/theme.ts";
import { counted } from "./counted.ts";

const HEIGHT_PX = 132;
const LEFT_PX = 58;
const BOTTOM_PX = 20;
const TOP_PX = 16;
const RIGHT_PX = 14;
const NEAR_PX = 14;
const DAY_MS = 86_400e3;

interface ScatterProps {
  traces: readonly TraceSummary[];
  startMs: number;
  endMs: number;
  log: boolean;
  highlighted: string | undefined;
}

interface Point {
  trace: TraceSummary;
  x: number;
  y: number;
  radius: number;
}

/** A dot a trace: when it began, how long it took, and by its size how many spans it has. A click opens it. */
export function Scatter({ traces, startMs, endMs, log, highlighted }: ScatterProps) {
  const t = useT();
  const language = useLanguage();
  const theme = useTheme();
  const [, navigate] = useLocation();
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const { width } = useSize(box);
  const [near, setNear] = useState<Point>();
  const scale = useMemo(() => scaleOf(traces, startMs, endMs, width, log), [traces, startMs, endMs, width, log]);
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context || !canvas.current || width === 0) return;
    canvas.current.width = Math.round(width * devicePixelRatio);
    canvas.current.height = Math.round(HEIGHT_PX * devicePixelRatio);
    context.scale(devicePixelRatio, devicePixelRatio);
    const style = getComputedStyle(document.documentElement);
    context.font = `11px ${style.getPropertyValue("--sans")}`;
    context.fillStyle = style.getPropertyValue("--text-3");
    context.strokeStyle = style.getPropertyValue("--line");
    context.textBaseline = "middle";
    for (const ns of scale.durations) {
      const y = Math.round(scale.y(ns)) + 0.5;
      context.textAlign = "right";
      context.fillText(formatDuration(ns, language), LEFT_PX - 7, y);
      line(context, LEFT_PX, y, width - RIGHT_PX, y);
    }
    context.textAlign = "center";
    for (const ms of scale.moments) {
      const text = scale.days ? formatMinute(ms, language) : formatClock(ms, language);
      context.fillText(text, scale.x(ms), HEIGHT_PX - BOTTOM_PX / 2);
    }
    for (const { trace, x, y, radius } of scale.points) {
      context.globalAlpha = highlighted && highlighted !== trace.traceId ? 0.3 : 0.8;
      context.fillStyle = serviceColour(trace.rootService || trace.services[0]?.name || "", theme);
      context.beginPath();
      context.arc(x, y, radius, 0, 7);
      context.fill();
      if (trace.errorCount > 0) {
        // Told apart without colour: a ring around what failed.
        context.strokeStyle = style.getPropertyValue("--danger");
        context.lineWidth = 2;
        context.beginPath();
        context.arc(x, y, radius + 2.5, 0, 7);
        context.stroke();
      }
    }
    context.globalAlpha = 1;
  }, [scale, width, theme, language, highlighted]);
  const onPointerMove = (event: PointerEvent) => {
    const rect = event.currentTarget.getBoundingClientRect();
    const [x, y] = [event.clientX - rect.left, event.clientY - rect.top];
    let best: Point | undefined;
    let least = NEAR_PX;
    for (const point of scale.points) {
      const distance = Math.hypot(point.x - x, point.y - y);
      if (distance <= least) [best, least] = [point, distance];
    }
    setNear(best);
  };
  return (
    <div className="scatter" ref={box}>
      <canvas
        ref={canvas}
        role="img"
        aria-label={t("search.plot", { n: traces.length })}
        style={{ height: HEIGHT_PX, cursor: near ? "pointer" : undefined }}
        onPointerMove={onPointerMove}
        onPointerLeave={() => setNear(undefined)}
        onPointerDown={() => near && navigate(`/trace/${near.trace.traceId}`)}
      />
      {near && (
        <div
          className="scatter-tip"
          style={near.x < width / 2 ? { left: near.x + 12, top: near.y } : { right: width - near.x + 12, top: near.y }}
        >
          <strong>{near.trace.rootService || t("search.no_root")}</strong> {near.trace.rootOperation}
          <p className="number">
            {formatDuration(Number(near.trace.durationNano ?? 0), language)},{" "}
            {counted(near.trace.spanCount, "span", t, language)}
            {near.trace.errorCount > 0 && `, ${counted(near.trace.errorCount, "error", t, language)}`}
          </p>
        </div>
      )}
    </div>
  );
}

function line(context: CanvasRenderingContext2D, x1: number, y1: number, x2: number, y2: number): void {
  context.beginPath();
  context.moveTo(x1, y1);
  context.lineTo(x2, y2);
  context.stroke();
}

function scaleOf(traces: readonly TraceSummary[], startMs: number, endMs: number, width: number, log: boolean) {
  const timed = traces.filter((trace) => trace.startTimeUnixNano !== undefined);
  const begins = timed.map((trace) => Number(trace.startTimeUnixNano) / 1e6);
  const lengths = timed.map((trace) => Math.max(1e3, Number(trace.durationNano ?? 0)));
  // What was found may be a small part of the window: the picture then shows that part.
  const first = Math.min(...begins, endMs);
  const last = Math.max(...begins, startMs);
  const pad = Math.max(500, (last - first) * 0.03);
  const [from, to] = begins.length > 0 ? [first - pad, last + pad] : [startMs, endMs];
  const most = Math.max(...lengths, 1e6) * 1.08;
  const least = log ? Math.min(...lengths, most / 10) * 0.8 : 0;
  const place = (ns: number) => (log ? Math.log(ns / least) / Math.log(most / least) : (ns - least) / (most - least));
  const x = (ms: number) => LEFT_PX + ((ms - from) / (to - from)) * (width - LEFT_PX - RIGHT_PX);
  const y = (ns: number) => HEIGHT_PX - BOTTOM_PX - place(ns) * (HEIGHT_PX - BOTTOM_PX - TOP_PX);
  const points = timed.map((trace, at) => ({
    trace,
    x: x(begins[at] as number),
    y: y(lengths[at] as number),
    radius: Math.min(11, 3 + Math.log2(1 + trace.spanCount) * 0.7),
  }));
  const durations = log ? powers(least, most) : [0, 0.33, 0.66, 1].map((part) => (part * most) / 1.08);
  const labels = Math.max(2, Math.floor(width / 190));
  const moments = Array.from({ length: labels }, (_, at) => from + ((at + 0.5) / labels) * (to - from));
  return { x, y, points, durations, moments, days: to - from > DAY_MS };
}

function powers(least: number, most: number): number[] {
  const found: number[] = [];
  for (let power = 10 ** Math.ceil(Math.log10(least)); power <= most; power *= 10) found.push(power);
  const step = Math.ceil(found.length / 4);
  return found.filter((_, at) => at % step === 0);
}
