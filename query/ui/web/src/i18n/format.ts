/** Numbers, durations and times as the language in force writes them. */

import type { Language } from "./index.ts";

const LOCALES: Record<Language, string> = { en: "en-GB", ko: "ko-KR" };

const numbers = new Map<string, Intl.NumberFormat>();

function number(language: Language, options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = language + JSON.stringify(options);
  let found = numbers.get(key);
  if (!found) {
    found = new Intl.NumberFormat(LOCALES[language], options);
    numbers.set(key, found);
  }
  return found;
}

/** 12,345 */
export function formatCount(count: number, language: Language): string {
  return number(language, { maximumFractionDigits: 0 }).format(count);
}

/** 12.3K, 1.2만: for places with little room. */
export function formatCompact(count: number, language: Language): string {
  return number(language, { notation: "compact", maximumFractionDigits: count < 1000 ? 0 : 1 }).format(count);
}

/** A fraction as a percentage: 0, 0.02 %, 3.4 %, 56 %. */
export function formatPercent(fraction: number, language: Language): string {
  const percent = fraction * 100;
  const digits = percent === 0 || percent >= 10 ? 0 : percent >= 1 ? 1 : 2;
  return number(language, { style: "percent", maximumFractionDigits: digits }).format(fraction);
}

/** Calls a second, with as many digits as tell something. */
export function formatRate(perSecond: number, language: Language): string {
  const digits = perSecond >= 100 ? 0 : perSecond >= 1 ? 1 : perSecond === 0 ? 0 : 3;
  return number(language, { maximumFractionDigits: digits }).format(perSecond);
}

/** Nanoseconds with the unit that fits, three digits: 0, 850 ns, 12.3 µs, 4.56 ms, 1.2 s, 3 m 20 s. */
export function formatDuration(ns: number, language: Language): string {
  const size = Math.abs(ns);
  if (size >= 60e9) {
    const seconds = Math.round(ns / 1e9);
    const minutes = Math.trunc(seconds / 60);
    if (Math.abs(minutes) < 60) return parts(minutes, "m", Math.abs(seconds % 60), "s");
    return parts(Math.trunc(minutes / 60), "h", Math.abs(minutes % 60), "m");
  }
  for (const [unit, inNs] of UNITS) {
    // What would be rounded up to a thousand belongs to the next unit.
    if (size >= inNs * 0.9995) return `${digits(ns / inNs, language)} ${unit}`;
  }
  return size === 0 ? "0" : `${digits(ns, language)} ns`;
}

const UNITS: readonly (readonly [string, number])[] = [
  ["s", 1e9],
  ["ms", 1e6],
  ["µs", 1e3],
];

function digits(value: number, language: Language): string {
  const size = Math.abs(value);
  return number(language, { maximumFractionDigits: size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2 }).format(value);
}

function parts(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small ? `${large} ${largeUnit} ${small} ${smallUnit}` : `${large} ${largeUnit}`;
}

/** A difference with its sign: +4.5 ms, −12 %. */
export function withSign(value: number, text: string): string {
  return value > 0 ? `+${text}` : value < 0 ? `−${text.replace(/^[-−]/, "")}` : `±${text}`;
}

/** 14:03:27 */
export function formatClock(epochMs: number, language: Language): string {
  return time(language, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }).format(epochMs);
}

/** 21 Nov 2026, 14:03:27.123 */
export function formatMoment(epochMs: number, language: Language): string {
  return time(language, {
    year: "numeric",
    month: "short",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    fractionalSecondDigits: 3,
    hourCycle: "h23",
  }).format(epochMs);
}

/** 21 Nov, 14:03 */
export function formatMinute(epochMs: number, language: Language): string {
  return time(language, {
    month: "short",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  }).format(epochMs);
}

const times = new Map<string, Intl.DateTimeFormat>();

function time(language: Language, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = language + JSON.stringify(options);
  let found = times.get(key);
  if (!found) {
    found = new Intl.DateTimeFormat(LOCALES[language], options);
    times.set(key, found);
  }
  return found;
}
