/** The whole document of a trace as /api/clew/v1/traces/{id} answers it: what spans carry. */

import { Flag, KINDS, type Outline, PROTOCOLS, type RootReason, type Summary } from "./trace.ts";

/** OTLP's AnyValue as JSON. */
export interface AnyValue {
  stringValue?: string;
  boolValue?: boolean;
  intValue?: string | number;
  doubleValue?: number | string;
  bytesValue?: string;
  arrayValue?: { values?: AnyValue[] };
  kvlistValue?: { values?: KeyValue[] };
}

export interface KeyValue {
  key: string;
  value: AnyValue;
}

export interface OtlpEvent {
  timeUnixNano?: string;
  name?: string;
  attributes?: KeyValue[];
  droppedAttributesCount?: number;
}

export interface OtlpLink {
  traceId: string;
  spanId: string;
  traceState?: string;
  attributes?: KeyValue[];
  flags?: number;
}

export interface OtlpSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  traceState?: string;
  flags?: number;
  name?: string;
  kind?: number | string;
  startTimeUnixNano?: string;
  endTimeUnixNano?: string;
  attributes?: KeyValue[];
  events?: OtlpEvent[];
  links?: OtlpLink[];
  status?: { code?: number | string; message?: string };
  droppedAttributesCount?: number;
  droppedEventsCount?: number;
  droppedLinksCount?: number;
}

export interface OtlpScope {
  name?: string;
  version?: string;
  attributes?: KeyValue[];
}

export interface DocumentSpan {
  parent?: number;
  root?: RootReason;
  depth: number;
  service: string | null;
  durationNano?: string;
  selfTimeNano?: string;
  onCriticalPath: boolean;
  criticalPathNano?: string;
  error: boolean;
  protocol: string;
  sidecar?: boolean;
  reports: number;
  warnings: string[];
  resource: number;
  scope?: OtlpScope;
  span: OtlpSpan;
}

export interface TraceDocument {
  traceId: string;
  summary: Summary;
  resources: { attributes?: KeyValue[] }[];
  spans: DocumentSpan[];
  criticalPath: { span: number; startTimeUnixNano: string; endTimeUnixNano: string }[];
}

/** All that is known of one span. */
export interface SpanDetail extends DocumentSpan {
  resourceAttributes: KeyValue[];
}

export function detailOf(document: TraceDocument, span: number): SpanDetail | undefined {
  const found = document.spans[span];
  return found && { ...found, resourceAttributes: document.resources[found.resource]?.attributes ?? [] };
}

/** The outline of a document, as the server would answer it. */
export function outlineOf(document: TraceDocument): Outline {
  const services = new Numbers();
  const names = new Numbers();
  const start = BigInt(document.summary.startTimeUnixNano ?? "0");
  const fromStart = (nano: string | undefined) =>
    nano === undefined || nano === "0" ? null : Number(BigInt(nano) - start);
  const number = (nano: string | undefined) => (nano === undefined ? null : Number(nano));
  const spans = document.spans;
  return {
    traceId: document.traceId,
    summary: document.summary,
    spans: {
      spanId: spans.map((one) => one.span.spanId).join(""),
      parent: spans.map((one) => one.parent ?? -1),
      service: spans.map((one) => services.of(one.service ?? "")),
      name: spans.map((one) => names.of(one.span.name ?? "")),
      kind: spans.map((one) => kindOf(one.span.kind)),
      start: spans.map((one) => fromStart(one.span.startTimeUnixNano)),
      duration: spans.map((one) => number(one.durationNano)),
      protocol: spans.map((one) => Math.max(0, (PROTOCOLS as readonly string[]).indexOf(one.protocol))),
      flags: spans.map(flagsOf),
    },
    services: services.listed,
    names: names.listed,
    roots: spans.flatMap((one, span) => (one.root ? [{ span, reason: one.root }] : [])),
    warnings: spans.flatMap((one, span) => (one.warnings.length > 0 ? [{ span, texts: one.warnings }] : [])),
    timing: {
      selfTime: spans.map((one) => number(one.selfTimeNano)),
      criticalPathTime: spans.map((one) => number(one.criticalPathNano)),
      criticalPath: {
        span: document.criticalPath.map((one) => one.span),
        start: document.criticalPath.map((one) => fromStart(one.startTimeUnixNano) ?? 0),
        end: document.criticalPath.map((one) => fromStart(one.endTimeUnixNano) ?? 0),
      },
    },
  };
}

/** proto3 JSON has enums as numbers or names. */
function kindOf(kind: number | string | undefined): number {
  if (typeof kind !== "string") return kind ?? 0;
  return Math.max(0, (KINDS as readonly string[]).indexOf(kind.replace("SPAN_KIND_", "").toLowerCase()));
}

function flagsOf(one: DocumentSpan): number {
  return (
    (one.error ? Flag.error : 0) |
    (one.sidecar ? Flag.sidecar : 0) |
    (one.reports > 1 ? Flag.joined : 0) |
    (one.span.events?.length ? Flag.events : 0) |
    (one.span.links?.length ? Flag.links : 0)
  );
}

class Numbers {
  readonly listed: string[] = [];
  readonly #known = new Map<string, number>();

  of(text: string): number {
    let number = this.#known.get(text);
    if (number === undefined) {
      number = this.listed.push(text) - 1;
      this.#known.set(text, number);
    }
    return number;
  }
}

/** A value as one line of text: what a search compares, and what a table shows. */
export function textOf(value: AnyValue | undefined): string {
  if (value === undefined) return "";
  if (value.stringValue !== undefined) return value.stringValue;
  if (value.boolValue !== undefined) return String(value.boolValue);
  if (value.intValue !== undefined) return String(value.intValue);
  if (value.doubleValue !== undefined) return String(value.doubleValue);
  if (value.bytesValue !== undefined) return value.bytesValue;
  const plain = plainOf(value);
  return plain === null ? "" : JSON.stringify(plain);
}

export type Plain = string | number | boolean | null | Plain[] | { [key: string]: Plain };

/** A value as plain JSON, integers beyond what a number holds as text. */
export function plainOf(value: AnyValue): Plain {
  if (value.arrayValue) return (value.arrayValue.values ?? []).map(plainOf);
  if (value.kvlistValue) {
    return Object.fromEntries((value.kvlistValue.values ?? []).map((one) => [one.key, plainOf(one.value)]));
  }
  if (value.intValue !== undefined) {
    const number = Number(value.intValue);
    return Number.isSafeInteger(number) ? number : String(value.intValue);
  }
  return value.stringValue ?? value.boolValue ?? value.doubleValue ?? value.bytesValue ?? null;
}

/** OTLP's name of the type, without "Value": string, bool, int, double, bytes, array, kvlist; "" of nothing. */
export function typeOf(value: AnyValue): string {
  return (Object.keys(value)[0] ?? "").replace("Value", "");
}
