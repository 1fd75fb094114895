import { useSyncExternalStore } from "react";
import { serviceColour, type Theme } from "./service-colours.ts";

const KEY = "clew.theme";
const listeners = new Set<() => void>();

function current(): Theme {
  return document.documentElement.dataset.theme === "dark" ? "dark" : "light";
}

export function setTheme(theme: Theme): void {
  document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // Storage may be forbidden: the choice then lasts as long as the page.
  }
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The theme in force; the component is drawn again when it changes. */
export function useTheme(): Theme {
  return useSyncExternalStore(subscribe, current);
}

/** The colour of a service in the theme in force, for text, bars and canvases alike. */
export function useServiceColour(): (service: string) => string {
  const theme = useTheme();
  return (service) => serviceColour(service, theme);
}
