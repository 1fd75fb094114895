/**
 * Finding spans in a trace, as Jaeger's page does it: terms apart by spaces, any of them may match; a term is a part of a
 * service, a name, an attribute's key or value, an event or a warning, in any case; key=value; or a whole span id.
 * "quoted text" is one term.
 */

import { type KeyValue, type TraceDocument, textOf } from "./document.ts";
import { nameOf, serviceOf, spansWithId, type Trace } from "./trace.ts";

export function termsOf(text: string): string[] {
  return [...text.matchAll(/"([^"]+)"|(\S+)/g)].map((found) => (found[1] ?? found[2] ?? "").toLowerCase());
}

/** Positions of the spans that match by what an outline knows: service, name, span id. */
export function findInOutline(trace: Trace, text: string): Set<number> {
  const terms = termsOf(text);
  const services = trace.services.map((name) => terms.some((term) => name.toLowerCase().includes(term)));
  const names = trace.names.map((name) => terms.some((term) => name.toLowerCase().includes(term)));
  const found = new Set(terms.flatMap((term) => spansWithId(trace, term)));
  for (let at = 0; at < trace.size; at++) {
    if (services[trace.service[at] as number] || names[trace.name[at] as number]) found.add(at);
  }
  return found;
}

/** Positions of the spans that match by what they carry. */
export function findInDocument(document: TraceDocument, text: string): number[] {
  const terms = termsOf(text);
  const resources = document.resources.map(({ attributes }) => terms.some((term) => within(attributes, term)));
  const found: number[] = [];
  for (const [at, one] of document.spans.entries()) {
    if (
      resources[one.resource] ||
      terms.some(
        (term) =>
          within(one.span.attributes, term) ||
          within(one.scope?.attributes, term) ||
          one.span.status?.message?.toLowerCase().includes(term) ||
          one.warnings.some((warning) => warning.toLowerCase().includes(term)) ||
          one.span.events?.some((event) => event.name?.toLowerCase().includes(term) || within(event.attributes, term)),
      )
    ) {
      found.push(at);
    }
  }
  return found;
}

function within(attributes: KeyValue[] | undefined, term: string): boolean {
  if (!attributes) return false;
  const equals = term.indexOf("=");
  return attributes.some(({ key, value }) => {
    const name = key.toLowerCase();
    if (name.includes(term)) return true;
    const text = textOf(value).toLowerCase();
    if (text.includes(term)) return true;
    return equals > 0 && name === term.slice(0, equals) && text === term.slice(equals + 1);
  });
}

/** The span whose id the text is, if it is one. */
export function spanWithId(trace: Trace, text: string): number | undefined {
  const id = text.trim().toLowerCase();
  if (!/^[0-9a-f]{1,16}$/.test(id)) return undefined;
  return spansWithId(trace, id.padStart(16, "0"))[0];
}

export function describe(trace: Trace, span: number): string {
  return `${serviceOf(trace, span)} ${nameOf(trace, span)}`;
}
