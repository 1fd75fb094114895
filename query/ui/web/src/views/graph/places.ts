/** What a layout is asked and what it answers. Apart from `layout`, which brings a library into the worker only. */

export interface LayoutNode {
  id: string;
  width: number;
}

export interface LayoutEdge {
  id: string;
  from: string;
  to: string;
}

export interface Place {
  /** The left end and the middle of the height. */
  x: number;
  y: number;
}

export interface Layout {
  places: Record<string, Place>;
  /** By edge: where it enters and leaves the layers between its ends, from the left to the right. */
  lanes: Record<string, readonly Place[]>;
  width: number;
  height: number;
}

export const NODE_HEIGHT = 32;
