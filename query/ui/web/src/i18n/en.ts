import { compareEn } from "./texts/compare.ts";
import { doorsEn } from "./texts/doors.ts";
import { fileEn } from "./texts/file.ts";
import { graphEn } from "./texts/graph.ts";
import { helpEn } from "./texts/help.ts";
import { monitorEn } from "./texts/monitor.ts";
import { searchEn } from "./texts/search.ts";
import { sharedEn } from "./texts/shared.ts";
import { timeEn } from "./texts/time.ts";
import { traceEn } from "./texts/trace.ts";

/** English, and with it every key there is. {name} is filled in. */
export const en = {
  ...sharedEn,
  ...timeEn,
  ...traceEn,
  ...searchEn,
  ...fileEn,
  ...doorsEn,
  ...graphEn,
  ...helpEn,
  ...compareEn,
  ...monitorEn,
  "nav.search": "Search",
  "nav.graph": "Service graph",
  "nav.monitor": "Monitor",
  "nav.compare": "Compare",
  "nav.file": "Open a file",
  "nav.main": "Main",
  "nav.find_trace": "Trace ID",
  "nav.skip": "Skip to the content",
  "theme.to_dark": "Dark theme",
  "theme.to_light": "Light theme",
  "language.switch": "한국어",
  "state.loading": "Loading",
  "state.failed": "This did not work",
  "state.retry": "Try again",
} as const;

export type Key = keyof typeof en;
export type Dictionary = Record<Key, string>;
