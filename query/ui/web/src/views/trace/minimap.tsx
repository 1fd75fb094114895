import { useEffect, useRef } from "react";
import { useSize } from "../../components/use-size.ts";
import { useT } from "../../i18n/index.ts";
import { endOf, Flag, hasFlag, type Trace } from "../../model/trace.ts";
import { serviceColour } from "../../theme/service-colours.ts";
import { useTheme } from "../../theme/theme.ts";
import type { Range } from "./range.ts";
import { useDragRange } from "./use-drag-range.ts";

interface MinimapProps {
  trace: Trace;
  range: Range;
  critical: boolean;
  onRange: (range: Range) => void;
}

/** The whole trace, a line a span, on a canvas; a drag zooms into a part, a click shows everything again. */
export function Minimap({ trace, range, critical, onRange }: MinimapProps) {
  const t = useT();
  const theme = useTheme();
  const canvas = useRef<HTMLCanvasElement>(null);
  const frame = useRef<HTMLDivElement>(null);
  const { width, height } = useSize(frame);
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context || !canvas.current || width === 0) return;
    const { current } = canvas;
    let later: ReturnType<typeof setTimeout> | undefined;
    // 50,000 lines take a while: the frame with the rows goes first.
    const frame = requestAnimationFrame(() => {
      later = setTimeout(() => {
        current.width = Math.round(width * devicePixelRatio);
        current.height = Math.round(height * devicePixelRatio);
        context.scale(devicePixelRatio, devicePixelRatio);
        draw(context, trace, width, height, theme, critical);
      });
    });
    return () => {
      cancelAnimationFrame(frame);
      clearTimeout(later);
    };
  }, [trace, width, height, theme, critical]);
  const whole = { from: 0, to: trace.durationNs };
  const { dragged, onPointerDown } = useDragRange(frame, whole, onRange, () => onRange(whole));
  const shown = dragged ?? range;
  const left = (shown.from / trace.durationNs) * 100;
  const right = 100 - (shown.to / trace.durationNs) * 100;
  return (
    <div className="minimap" ref={frame} onPointerDown={onPointerDown} title={t("trace.minimap")}>
      <canvas ref={canvas} />
      <div className="minimap-veil" style={{ left: 0, width: `${left}%` }} />
      <div className="minimap-veil" style={{ right: 0, width: `${right}%` }} />
      <div className="minimap-window" style={{ left: `${left}%`, right: `${right}%` }} />
    </div>
  );
}

function draw(
  context: CanvasRenderingContext2D,
  trace: Trace,
  width: number,
  height: number,
  theme: "light" | "dark",
  critical: boolean,
): void {
  context.clearRect(0, 0, width, height);
  const row = Math.min(4, height / trace.size);
  const thick = Math.max(1, row * 0.75);
  const scale = width / trace.durationNs;
  const colours = trace.services.map((name) => serviceColour(name, theme));
  const style = getComputedStyle(document.documentElement);
  // Of a large trace many spans share a line of pixels: those that would hide nothing new are left out.
  const covered = new Float64Array(Math.ceil(height) + 1).fill(-1);
  const line = new Int32Array(Math.ceil(height) + 1).fill(-1);
  for (let at = 0; at < trace.size; at++) {
    const start = trace.start[at] as number;
    if (Number.isNaN(start)) continue;
    const y = at * row;
    const left = start * scale;
    const right = Math.max(left + 1, endOf(trace, at) * scale);
    const pixel = Math.floor(y);
    if (row < 1 && line[pixel] === trace.service[at] && (covered[pixel] as number) >= right) continue;
    covered[pixel] = right;
    line[pixel] = trace.service[at] as number;
    context.fillStyle = colours[trace.service[at] as number] as string;
    context.fillRect(left, y, right - left, thick);
  }
  if (critical) {
    context.fillStyle = style.getPropertyValue("--critical");
    for (const [span, sections] of trace.timing.critical) {
      for (let part = 0; part < sections.length; part += 2) {
        const left = (sections[part] as number) * scale;
        const right = (sections[part + 1] as number) * scale;
        context.fillRect(left, span * row + thick / 2 - 0.5, Math.max(0.5, right - left), 1);
      }
    }
  }
  context.fillStyle = style.getPropertyValue("--danger");
  for (let at = 0; at < trace.size; at++) {
    if (hasFlag(trace, at, Flag.error) && !Number.isNaN(trace.start[at])) {
      context.fillRect((trace.start[at] as number) * scale - 1, at * row, 2, Math.max(2, thick));
    }
  }
}
