/**
 * A colour for each service, the same on every page and in every session: it depends on the name alone.
 *
 * The hues are Okabe and Ito's (2008), told apart with any colour vision, and steps of lightness between them; each has
 * 3:1 contrast or more to the background in its theme (tests/ui hold it).
 */

export type Theme = "light" | "dark";

const PALETTES: Record<Theme, readonly string[]> = {
  light: [
    "#0072b2",
    "#d55e00",
    "#009e73",
    "#b0579a",
    "#8a6d00",
    "#2a93c9",
    "#a33b00",
    "#00725a",
    "#7a3a8c",
    "#5c6b00",
    "#4a5fc1",
    "#c2426b",
    "#1f7f8c",
    "#8b5a2b",
    "#5b6b7b",
    "#6d4bd1",
  ],
  dark: [
    "#56b4e9",
    "#f0883e",
    "#2fc79a",
    "#e08cc4",
    "#e8c547",
    "#7fc8f0",
    "#ff9f73",
    "#4fd6b4",
    "#c39be0",
    "#b9c84b",
    "#8fa2ff",
    "#ff8fab",
    "#5cc4d1",
    "#d3a373",
    "#a3b3c2",
    "#b49cff",
  ],
};

/** FNV-1a over UTF-16 units: enough to spread names, and stable for ever. */
export function hashOfName(name: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < name.length; at++) {
    hash ^= name.charCodeAt(at);
    hash = Math.imul(hash, 0x01000193);
  }
  return hash >>> 0;
}

const known: Record<Theme, Map<string, string>> = { light: new Map(), dark: new Map() };

export function serviceColour(name: string, theme: Theme): string {
  let colour = known[theme].get(name);
  if (colour === undefined) {
    const palette = PALETTES[theme];
    colour = palette[hashOfName(name) % palette.length] as string;
    known[theme].set(name, colour);
  }
  return colour;
}
