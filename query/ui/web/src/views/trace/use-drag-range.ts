import { type PointerEvent, type RefObject, useRef, useState } from "react";
import type { Range } from "./range.ts";

const LEAST_DRAG_PX = 4;

/** A part of `whole` chosen by dragging across an element that shows it. onClick: when nothing was dragged. */
export function useDragRange(
  element: RefObject<HTMLElement | null>,
  whole: Range,
  onRange: (range: Range) => void,
  onClick?: () => void,
) {
  const [dragged, setDragged] = useState<Range>();
  const last = useRef<Range>(undefined);
  const onPointerDown = (event: PointerEvent) => {
    if (event.button !== 0 || !element.current) return;
    const box = element.current.getBoundingClientRect();
    const begin = event.clientX;
    const target = element.current;
    const moment = (x: number) =>
      whole.from + Math.min(1, Math.max(0, (x - box.left) / box.width)) * (whole.to - whole.from);
    target.setPointerCapture(event.pointerId);
    const onMove = (move: globalThis.PointerEvent) => {
      if (Math.abs(move.clientX - begin) < LEAST_DRAG_PX && !last.current) return;
      const [a, b] = [moment(begin), moment(move.clientX)];
      last.current = { from: Math.min(a, b), to: Math.max(a, b) };
      setDragged(last.current);
    };
    const onEnd = () => {
      target.removeEventListener("pointermove", onMove);
      target.removeEventListener("pointerup", onEnd);
      target.removeEventListener("pointercancel", onEnd);
      if (last.current) onRange(last.current);
      else onClick?.();
      last.current = undefined;
      setDragged(undefined);
    };
    target.addEventListener("pointermove", onMove);
    target.addEventListener("pointerup", onEnd);
    target.addEventListener("pointercancel", onEnd);
  };
  return { dragged, onPointerDown };
}
