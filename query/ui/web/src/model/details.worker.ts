/** Keeps one trace's document and answers what is asked of it. */

import type { Answer, Question } from "./details.ts";
import { detailOf, type TraceDocument } from "./document.ts";
import { findInDocument } from "./find.ts";

let document: TraceDocument | undefined;

async function answer(question: Question): Promise<unknown> {
  if ("load" in question) {
    const response = await fetch(question.load);
    if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
    document = (await response.json()) as TraceDocument;
    return undefined;
  }
  if (!document) throw new Error("no trace is loaded");
  return "detail" in question ? detailOf(document, question.detail) : findInDocument(document, question.find);
}

addEventListener("message", async ({ data }: MessageEvent<Question>) => {
  try {
    postMessage({ id: data.id, answer: await answer(data) } satisfies Answer);
  } catch (error) {
    postMessage({ id: data.id, error: error instanceof Error ? error.message : String(error) } satisfies Answer);
  }
});
