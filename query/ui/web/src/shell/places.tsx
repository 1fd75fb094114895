import { useEffect, useRef } from "react";
import { useLocation } from "wouter";

/** On the way to another view the focus goes to its content, as it would on a new page. */
export function FocusOnArrival() {
  const [location] = useLocation();
  const view = location.split("/")[1] ?? "";
  const before = useRef(view);
  useEffect(() => {
    if (before.current === view) return;
    before.current = view;
    document.getElementById("content")?.focus({ preventScroll: true });
    scrollTo({ top: 0 });
  }, [view]);
  return null;
}
