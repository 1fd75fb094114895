/** Files with traces that were opened on this page. They are translated by the server, which stores nothing of them. */

import { apiUrl, postJson } from "../../api/http.ts";
import type { TraceDocument } from "../../model/document.ts";

export interface OpenedTrace {
  /** Unique on this page. */
  key: string;
  file: string;
  document: TraceDocument;
}

export interface Opened {
  traces: OpenedTrace[];
  /** Spans of the file that are not shown, and why. */
  leftOut: { spans: number; message: string };
}

/** Smaller ones are sent as they are. */
const COMPRESSED_FROM_BYTES = 64 * 1024;
const GZIP_MARK = [0x1f, 0x8b];

interface Answer {
  leftOut: { spans: number; message: string };
  traces: TraceDocument[];
}

/** The traces in a file. Raises ApiError with the server's words when it holds none. */
export async function openFile(file: File): Promise<Opened> {
  const { body, coding } = await packed(file);
  const headers: Record<string, string> = coding ? { "content-encoding": coding } : {};
  const answer = await postJson<Answer>(apiUrl("api/clew/v1/transform"), body, undefined, headers);
  const traces = answer.traces.map((document, at) => ({
    key: `${file.name} ${file.lastModified} ${at}`,
    file: file.name,
    document,
  }));
  return { traces, leftOut: answer.leftOut };
}

/** The file as it is sent: what is not compressed yet is, for the limit on the wire is the smaller one. */
export async function packed(file: Blob): Promise<{ body: Blob; coding: string | undefined }> {
  const mark = new Uint8Array(await file.slice(0, GZIP_MARK.length).arrayBuffer());
  if (GZIP_MARK.every((byte, at) => mark[at] === byte)) return { body: file, coding: "gzip" };
  if (file.size < COMPRESSED_FROM_BYTES) return { body: file, coding: undefined };
  const stream = file.stream().pipeThrough(new CompressionStream("gzip"));
  return { body: await new Response(stream).blob(), coding: "gzip" };
}
