import * as Ariakit from "@ariakit/react";
import { Keyboard } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useLocation } from "wouter";
import type { Key } from "../i18n/en.ts";
import { useT } from "../i18n/index.ts";
import "./keys.css";

/** Typed after g. */
const PLACES: Record<string, string> = {
  s: "/search",
  g: "/dependencies",
  m: "/monitor",
  c: "/compare",
  o: "/file",
  d: "/doors",
};
/** How long after g a second key counts. */
const SEQUENCE_MS = 1500;

type Row = readonly [Key, readonly string[]];

const MAP: readonly (readonly [Key, readonly Row[]])[] = [
  [
    "help.anywhere",
    [
      ["help.help", ["?"]],
      ["help.trace_id", ["t"]],
      ["help.go_search", ["g", "s"]],
      ["help.go_graph", ["g", "g"]],
      ["help.go_monitor", ["g", "m"]],
      ["help.go_compare", ["g", "c"]],
      ["help.go_file", ["g", "o"]],
      ["help.go_doors", ["g", "d"]],
      ["help.close_things", ["Esc"]],
    ],
  ],
  [
    "keys.in_trace",
    [
      ["keys.move", ["↓", "↑", "j", "k"]],
      ["keys.fold", ["←", "→", "h", "l"]],
      ["keys.details", ["Enter", "Esc"]],
      ["keys.find", ["f", "/"]],
      ["keys.matches", ["n", "p"]],
      ["keys.errors", ["e", "E"]],
      ["keys.zoom", ["+", "−", "0"]],
      ["keys.pan", ["[", "]"]],
      ["keys.first", ["Home", "End"]],
    ],
  ],
  [
    "help.in_graph",
    [
      ["help.graph_move", ["←", "→", "↑", "↓"]],
      ["help.graph_open", ["Enter"]],
      ["help.graph_zoom", ["+", "−", "0"]],
    ],
  ],
  [
    "help.in_charts",
    [
      ["help.chart_move", ["←", "→"]],
      ["help.chart_ends", ["Home", "End"]],
      ["help.chart_open", ["Enter"]],
    ],
  ],
  [
    "help.in_trees",
    [
      ["help.tree_move", ["↑", "↓"]],
      ["help.tree_fold", ["←", "→"]],
    ],
  ],
  ["help.in_tables", [["help.table_sort", ["Enter"]]]],
];

/** The keys that hold everywhere, and the map of all of them. */
export function Keys() {
  const t = useT();
  const [, navigate] = useLocation();
  const [open, setOpen] = useState(false);
  const sequence = useRef(0);

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      const isTyping = target.matches("input, select, textarea, [contenteditable]");
      if (isTyping || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      const place = event.timeStamp - sequence.current < SEQUENCE_MS ? PLACES[event.key] : undefined;
      sequence.current = 0;
      if (place) navigate(place);
      else if (event.key === "g") sequence.current = event.timeStamp;
      else if (event.key === "t") document.querySelector<HTMLInputElement>(".go input")?.focus();
      else if (event.key === "?") setOpen(true);
      else return;
      event.preventDefault();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, [navigate]);

  return (
    <>
      <button
        type="button"
        className="button button-quiet button-icon"
        aria-label={t("help.open")}
        title={`${t("help.open")} (?)`}
        onClick={() => setOpen(true)}
      >
        <Keyboard size={16} aria-hidden="true" />
      </button>
      <Ariakit.Dialog
        open={open}
        onClose={() => setOpen(false)}
        unmountOnHide
        className="key-map"
        backdrop={<div className="key-map-backdrop" />}
      >
        <header>
          <Ariakit.DialogHeading>{t("help.title")}</Ariakit.DialogHeading>
          <Ariakit.DialogDismiss className="button">{t("help.close")}</Ariakit.DialogDismiss>
        </header>
        <div className="key-map-parts">
          {MAP.map(([part, rows]) => (
            <section key={part}>
              <h2>{t(part)}</h2>
              <dl>
                {rows.map(([text, keys]) => (
                  <div key={text}>
                    <dt>
                      {keys.map((key, at) => (
                        <span key={key + String(at)}>
                          {at > 0 && keys[0] === "g" && ` ${t("help.then")} `}
                          <kbd>{key}</kbd>
                        </span>
                      ))}
                    </dt>
                    <dd>{t(text)}</dd>
                  </div>
                ))}
              </dl>
            </section>
          ))}
        </div>
        <p className="hint">{t("help.trace_page")}</p>
      </Ariakit.Dialog>
    </>
  );
}
