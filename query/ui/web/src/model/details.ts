/** What spans carry, asked for when it is needed: it is fifteen times the size of a trace's outline. */

import { detailOf, type SpanDetail, type TraceDocument } from "./document.ts";
import { findInDocument } from "./find.ts";

export interface SpanDetails {
  detail(span: number): Promise<SpanDetail | undefined>;
  /** Positions of the spans that match by what they carry; the terms are those of `find`. */
  find(text: string): Promise<number[]>;
  close(): void;
}

/** Of a document that is here. */
export function detailsOf(document: TraceDocument): SpanDetails {
  return {
    detail: async (span) => detailOf(document, span),
    find: async (text) => findInDocument(document, text),
    close: () => undefined,
  };
}

export type Question = { id: number } & ({ detail: number } | { find: string } | { load: string });
export type Answer = { id: number; answer?: unknown; error?: string };

/**
 * Of a document at an address. It is fetched and kept in a worker, so that neither parsing 50 MB nor searching them
 * makes the page stutter.
 */
export function remoteDetails(url: string): SpanDetails {
  const waiting = new Map<number, { resolve: (answer: never) => void; reject: (error: Error) => void }>();
  let last = 0;
  let worker: Worker | undefined;
  const begun = () => {
    // Not before it is asked: while a trace opens, a thread that begins is in its way.
    worker = new Worker(new URL("./details.worker.ts", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }: MessageEvent<Answer>) => {
      const asked = waiting.get(data.id);
      waiting.delete(data.id);
      if (data.error === undefined) asked?.resolve(data.answer as never);
      else asked?.reject(new Error(data.error));
    };
    return worker;
  };
  const ask = <T>(question: { detail: number } | { find: string } | { load: string }) =>
    new Promise<T>((resolve, reject) => {
      last += 1;
      waiting.set(last, { resolve, reject });
      (worker ?? begun()).postMessage({ id: last, ...question } satisfies Question);
    });
  let loaded: Promise<void> | undefined;
  const load = () => {
    loaded ??= ask<void>({ load: url }).catch((error: unknown) => {
      loaded = undefined; // the next question tries again
      throw error;
    });
    return loaded;
  };
  return {
    detail: async (span) => {
      await load();
      return ask<SpanDetail | undefined>({ detail: span });
    },
    find: async (text) => {
      await load();
      return ask<number[]>({ find: text });
    },
    close: () => worker?.terminate(),
  };
}
