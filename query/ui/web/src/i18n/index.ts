import { useSyncExternalStore } from "react";
import { type Dictionary, en, type Key } from "./en.ts";
import { ko } from "./ko.ts";
import { withParticles } from "./particles.ts";

export type Language = "en" | "ko";
export type Translate = (key: Key, values?: Record<string, string | number>) => string;

const STORED = "clew.language";
const dictionaries: Record<Language, Dictionary> = { en, ko };
const listeners = new Set<() => void>();
let current: Language = first();

function first(): Language {
  let chosen: string | null = null;
  try {
    chosen = localStorage.getItem(STORED);
  } catch {
    // Storage may be forbidden; the browser's language then.
  }
  return (chosen ?? navigator.language).startsWith("ko") ? "ko" : "en";
}

export function setLanguage(language: Language): void {
  current = language;
  document.documentElement.lang = language;
  try {
    localStorage.setItem(STORED, language);
  } catch {
    // As above: it lasts as long as the page.
  }
  for (const listener of listeners) listener();
}

/** The text of a key in the language in force, with {name} filled in. In components: useT(). */
export function t(key: Key, values: Record<string, string | number> = {}): string {
  const text = dictionaries[current][key].replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
  return current === "ko" ? withParticles(text) : text;
}

export function useLanguage(): Language {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => current,
  );
}

/** t(), and the component is drawn again when the language changes. */
export function useT(): Translate {
  useLanguage();
  return t;
}

document.documentElement.lang = current;
