import { useSyncExternalStore } from "react";
import { type OpenedTrace, openFile } from "./files.ts";

export interface FileProblem {
  file: string;
  error: Error;
}

export interface FileState {
  traces: readonly OpenedTrace[];
  problems: readonly FileProblem[];
  /** Files with spans that are not shown. */
  leftOut: readonly { file: string; spans: number; message: string }[];
  /** How many files are being read. */
  busy: number;
}

const NOTHING: FileState = { traces: [], problems: [], leftOut: [], busy: 0 };

let state = NOTHING;
const listeners = new Set<() => void>();

function change(next: Partial<FileState>): void {
  state = { ...state, ...next };
  for (const listener of listeners) listener();
}

/** Opens files beside those that are open; what a file of the same name held before is replaced. */
export async function openFiles(files: Iterable<File>): Promise<void> {
  const all = [...files];
  const names = new Set(all.map(({ name }) => name));
  const others = <T extends { file: string }>(list: readonly T[]) => list.filter(({ file }) => !names.has(file));
  change({ ...state, problems: [], leftOut: others(state.leftOut), traces: others(state.traces) });
  change({ busy: state.busy + all.length });
  await Promise.all(
    all.map(async (file) => {
      try {
        const { traces, leftOut } = await openFile(file);
        change({ traces: [...state.traces, ...traces] });
        if (leftOut.spans > 0) change({ leftOut: [...state.leftOut, { file: file.name, ...leftOut }] });
      } catch (error) {
        const problem = { file: file.name, error: error instanceof Error ? error : new Error(String(error)) };
        change({ problems: [...state.problems, problem] });
      } finally {
        change({ busy: state.busy - 1 });
      }
    }),
  );
}

export function closeFiles(): void {
  change(NOTHING);
}

export function useFiles(): FileState {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => state,
  );
}
