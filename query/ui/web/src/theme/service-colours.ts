/**
 * A colour for each service, the same on every page and in every session: it depends on the name alone.
 *
 * Twenty hues in three steps of lightness, evenly apart in OKLCH. Neighbours differ in lightness as well as in hue, because
 * colour-blind people tell colours by lightness; and no view tells services by colour alone. Each colour has a contrast of 3:1
 * or more to the surfaces of its theme.
 */

export type Theme = "light" | "dark";

const HUES = 20;
const STEPS: Record<Theme, readonly [lightness: number, chroma: number][]> = {
  light: [
    [0.53, 0.135],
    [0.42, 0.115],
    [0.62, 0.125],
  ],
  dark: [
    [0.74, 0.125],
    [0.84, 0.1],
    [0.65, 0.135],
  ],
};

/** Every colour of a theme as #rrggbb. */
export const PALETTES: Record<Theme, readonly string[]> = { light: palette("light"), dark: palette("dark") };

function palette(theme: Theme): string[] {
  const steps = STEPS[theme];
  return Array.from({ length: HUES * steps.length }, (_, at) => {
    const [lightness, chroma] = steps[Math.floor(at / HUES)] as [number, number];
    return hexOfOklch(lightness, chroma, ((at % HUES) * 360) / HUES + 25);
  });
}

/** Björn Ottosson's OKLab to sRGB, clipped to what a screen has. */
function hexOfOklch(lightness: number, chroma: number, hue: number): string {
  const a = chroma * Math.cos((hue * Math.PI) / 180);
  const b = chroma * Math.sin((hue * Math.PI) / 180);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const linear = [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
  const bytes = linear.map((value) => {
    const within = Math.min(1, Math.max(0, value));
    return Math.round(255 * (within <= 0.0031308 ? 12.92 * within : 1.055 * within ** (1 / 2.4) - 0.055));
  });
  return `#${bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

/** FNV-1a over UTF-16 units with a last mixing (Murmur's): enough to spread names alike, and stable for ever. */
export function hashOfName(name: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < name.length; at++) hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

const known: Record<Theme, Map<string, string>> = { light: new Map(), dark: new Map() };

export function serviceColour(name: string, theme: Theme): string {
  let colour = known[theme].get(name);
  if (colour === undefined) {
    const colours = PALETTES[theme];
    colour = colours[hashOfName(name) % colours.length] as string;
    known[theme].set(name, colour);
  }
  return colour;
}
