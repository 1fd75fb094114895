/**
 * A flame graph of a trace: spans of one service and name below the same callers become one frame, as wide as their time.
 * The time of a frame is at least that of the frames below it, so children that ran at the same time still fit.
 */

import { Flag, hasFlag, type Trace } from "./trace.ts";

export interface Frame {
  service: number;
  name: number;
  parent: number;
  depth: number;
  spans: number;
  errors: number;
  /** Nanoseconds: durations added up. */
  total: number;
  self: number;
  /** Nanoseconds that its picture spans, and where it begins. */
  width: number;
  left: number;
}

export function framesOf(trace: Trace): Frame[] {
  const frames: Frame[] = [];
  const frameOfSpan = new Int32Array(trace.size);
  const known = new Map<string, number>();
  for (let at = 0; at < trace.size; at++) {
    const above = trace.parent[at] as number;
    const parent = above < 0 ? -1 : (frameOfSpan[above] as number);
    const key = `${parent} ${trace.service[at]} ${trace.name[at]}`;
    let number = known.get(key);
    if (number === undefined) {
      const depth = parent < 0 ? 0 : (frames[parent] as Frame).depth + 1;
      const service = trace.service[at] as number;
      const name = trace.name[at] as number;
      number =
        frames.push({ service, name, parent, depth, spans: 0, errors: 0, total: 0, self: 0, width: 0, left: 0 }) - 1;
      known.set(key, number);
    }
    const frame = frames[number] as Frame;
    frame.spans += 1;
    frame.errors += hasFlag(trace, at, Flag.error) ? 1 : 0;
    frame.total += Math.max(0, trace.duration[at] || 0);
    frame.self += trace.timing.selfTime[at] || 0;
    frameOfSpan[at] = number;
  }
  placed(frames);
  return frames;
}

/** Parents stand before their children in the list: widths are summed from its end, places given from its start. */
function placed(frames: Frame[]): void {
  const below = new Float64Array(frames.length);
  for (let at = frames.length - 1; at >= 0; at--) {
    const frame = frames[at] as Frame;
    frame.width = Math.max(frame.self + (below[at] as number), 1);
    if (frame.parent >= 0) below[frame.parent] = (below[frame.parent] as number) + frame.width;
  }
  const next = new Float64Array(frames.length);
  let roots = 0;
  for (const [at, frame] of frames.entries()) {
    if (frame.parent < 0) {
      frame.left = roots;
      roots += frame.width;
    } else {
      frame.left = next[frame.parent] as number;
      next[frame.parent] = frame.left + frame.width;
    }
    next[at] = frame.left;
  }
}
