/** The part of a trace's time that is shown, in nanoseconds from its start. */

export interface Range {
  from: number;
  to: number;
}

const LEAST_PART = 1e-7;

/** Within the trace, and not so narrow that numbers lose their meaning. */
export function clamped(range: Range, duration: number): Range {
  const width = Math.min(duration, Math.max(range.to - range.from, Math.max(duration * LEAST_PART, 10)));
  const from = Math.min(Math.max(0, range.from), duration - width);
  return { from, to: from + width };
}

/** factor: below 1 zooms in. around: the moment that keeps its place. */
export function zoomed(range: Range, factor: number, around: number, duration: number): Range {
  return clamped(
    { from: around - (around - range.from) * factor, to: around + (range.to - around) * factor },
    duration,
  );
}

/** parts: of the shown width; negative to the left. */
export function moved(range: Range, parts: number, duration: number): Range {
  const by = (range.to - range.from) * parts;
  return clamped({ from: range.from + by, to: range.to + by }, duration);
}

/** Moments to label, evenly spaced at a round distance, in ascending order and within the range. */
export function ticksOf(range: Range, most: number): number[] {
  const rough = (range.to - range.from) / Math.max(1, most);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((one) => one * power >= rough) ?? 10) * power;
  const ticks: number[] = [];
  for (let at = Math.ceil(range.from / step) * step; at <= range.to && ticks.length < 100; at += step) ticks.push(at);
  return ticks;
}
