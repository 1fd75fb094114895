import type { KeyboardEvent, PointerEvent } from "react";
import { useT } from "../../i18n/index.ts";

const LEAST = 15;
const MOST = 70;

/** The border between names and bars: dragged, or moved by the arrow keys. percent: of the width of both. */
export function NameWidth({ percent, onPercent }: { percent: number; onPercent: (percent: number) => void }) {
  const t = useT();
  const set = (value: number) => onPercent(Math.min(MOST, Math.max(LEAST, value)));
  const onPointerDown = (event: PointerEvent<HTMLDivElement>) => {
    const handle = event.currentTarget;
    const box = handle.parentElement?.getBoundingClientRect();
    if (!box) return;
    handle.setPointerCapture(event.pointerId);
    const onMove = (move: globalThis.PointerEvent) => set(((move.clientX - box.left) / box.width) * 100);
    const onEnd = () => {
      handle.removeEventListener("pointermove", onMove);
      handle.removeEventListener("pointerup", onEnd);
    };
    handle.addEventListener("pointermove", onMove);
    handle.addEventListener("pointerup", onEnd);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "ArrowLeft") set(percent - 2);
    else if (event.key === "ArrowRight") set(percent + 2);
    else return;
    event.preventDefault();
  };
  return (
    <div
      className="name-width"
      role="separator"
      aria-orientation="vertical"
      aria-label={t("trace.name_width")}
      aria-valuenow={Math.round(percent)}
      aria-valuemin={LEAST}
      aria-valuemax={MOST}
      tabIndex={0}
      onPointerDown={onPointerDown}
      onKeyDown={onKeyDown}
    />
  );
}
