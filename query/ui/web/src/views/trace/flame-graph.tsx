import { type PointerEvent, useEffect, useMemo, useRef, useState } from "react";
import { useSize } from "../../components/use-size.ts";
import { formatCount, formatDuration } from "../../i18n/format.ts";
import { useLanguage, useT } from "../../i18n/index.ts";
import { type Frame, framesOf } from "../../model/flame.ts";
import type { Trace } from "../../model/trace.ts";
import { serviceColour } from "../../theme/service-colours.ts";
import { useTheme } from "../../theme/theme.ts";
import "./flame-graph.css";

const FRAME_PX = 20;
const LEAST_TEXT_PX = 34;

/** Frames from callers down to callees, on a canvas. onFind: what to look for in the waterfall. */
export function FlameGraph({ trace, onFind }: { trace: Trace; onFind: (text: string) => void }) {
  const t = useT();
  const language = useLanguage();
  const theme = useTheme();
  const frames = useMemo(() => framesOf(trace), [trace]);
  const [zoom, setZoom] = useState<number>();
  const [hovered, setHovered] = useState<{ frame: number; x: number; y: number }>();
  const canvas = useRef<HTMLCanvasElement>(null);
  const box = useRef<HTMLDivElement>(null);
  const { width } = useSize(box);
  const total = frames.reduce((sum, frame) => (frame.parent < 0 ? sum + frame.width : sum), 0);
  const shown = zoom === undefined ? { left: 0, width: total } : (frames[zoom] as Frame);
  const depth = frames.reduce((most, frame) => Math.max(most, frame.depth), 0) + 1;
  const height = depth * FRAME_PX;

  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context || !canvas.current || width === 0) return;
    canvas.current.width = Math.round(width * devicePixelRatio);
    canvas.current.height = Math.round(height * devicePixelRatio);
    context.scale(devicePixelRatio, devicePixelRatio);
    const style = getComputedStyle(document.documentElement);
    const paint = {
      surface: style.getPropertyValue("--surface"),
      text: theme === "dark" ? "#0e131a" : "#ffffff",
      danger: style.getPropertyValue("--danger"),
      font: `12px ${style.getPropertyValue("--sans")}`,
    };
    context.clearRect(0, 0, width, height);
    for (const [at, frame] of frames.entries()) {
      drawFrame(context, trace, frame, placeOf(frame, shown, width), hovered?.frame === at, theme, paint);
    }
  }, [trace, frames, shown, width, height, theme, hovered?.frame]);

  const frameAt = (event: PointerEvent): number => {
    const rect = event.currentTarget.getBoundingClientRect();
    const moment = shown.left + ((event.clientX - rect.left) / rect.width) * shown.width;
    const level = Math.floor((event.clientY - rect.top) / FRAME_PX);
    return frames.findIndex(
      (frame) => frame.depth === level && frame.left <= moment && moment < frame.left + frame.width,
    );
  };
  const pointed = hovered && frames[hovered.frame];
  return (
    <div className="flame">
      <p className="flame-hint hint">
        {t("trace.flame_hint")}
        {zoom !== undefined && (
          <button type="button" className="button" onClick={() => setZoom(undefined)}>
            {t("trace.flame_reset")}
          </button>
        )}
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must take the focus to be scrolled by keys */}
      <div className="flame-scroll" tabIndex={0} ref={box} role="region" aria-label={t("trace.flame")}>
        <canvas
          ref={canvas}
          role="img"
          aria-label={t("trace.flame_picture", { n: frames.length })}
          style={{ height }}
          onPointerMove={(event) => {
            const frame = frameAt(event);
            setHovered(frame < 0 ? undefined : { frame, x: event.clientX, y: event.clientY });
          }}
          onPointerLeave={() => setHovered(undefined)}
          onPointerDown={(event) => {
            const frame = frameAt(event);
            if (frame >= 0) setZoom(frame === zoom ? undefined : frame);
          }}
          onDoubleClick={(event) => {
            const frame = frames[frameAt(event as unknown as PointerEvent)];
            if (frame) onFind(`"${trace.names[frame.name]}"`);
          }}
        />
      </div>
      {hovered && pointed && (
        <div className="flame-tip" style={{ left: hovered.x, top: hovered.y }}>
          <strong>{trace.services[pointed.service]}</strong> {trace.names[pointed.name]}
          <dl className="number">
            <dt>{t("trace.spans")}</dt>
            <dd>{formatCount(pointed.spans, language)}</dd>
            <dt>{t("trace.errors")}</dt>
            <dd>{formatCount(pointed.errors, language)}</dd>
            <dt>{t("trace.total")}</dt>
            <dd>{formatDuration(pointed.total, language)}</dd>
            <dt>{t("trace.self_time")}</dt>
            <dd>{formatDuration(pointed.self, language)}</dd>
          </dl>
        </div>
      )}
    </div>
  );
}

interface Place {
  left: number;
  width: number;
}

function placeOf(frame: Frame, shown: Place, width: number): Place {
  const left = Math.max(0, ((frame.left - shown.left) / shown.width) * width);
  const right = Math.min(width, ((frame.left + frame.width - shown.left) / shown.width) * width);
  return { left, width: right - left };
}

function drawFrame(
  context: CanvasRenderingContext2D,
  trace: Trace,
  frame: Frame,
  place: Place,
  hovered: boolean,
  theme: "light" | "dark",
  paint: { surface: string; text: string; danger: string; font: string },
): void {
  if (place.width < 0.3) return;
  const top = frame.depth * FRAME_PX;
  context.globalAlpha = hovered ? 0.75 : 1;
  context.fillStyle = serviceColour(trace.services[frame.service] as string, theme);
  context.fillRect(place.left, top, Math.max(0.5, place.width - 1), FRAME_PX - 1);
  context.globalAlpha = 1;
  if (frame.errors > 0) {
    context.fillStyle = paint.danger;
    context.fillRect(place.left, top + FRAME_PX - 4, Math.max(0.5, place.width - 1), 3);
  }
  if (place.width < LEAST_TEXT_PX) return;
  context.save();
  context.beginPath();
  context.rect(place.left + 4, top, place.width - 9, FRAME_PX);
  context.clip();
  context.font = paint.font;
  context.textBaseline = "middle";
  context.fillStyle = paint.text;
  context.fillText(`${trace.names[frame.name]}  ${trace.services[frame.service]}`, place.left + 5, top + FRAME_PX / 2);
  context.restore();
}
