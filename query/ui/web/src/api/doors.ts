/** What comes in by each door, and where it listens. */

import { apiUrl, getJson } from "./http.ts";

export interface SpanCounts {
  received: number;
  accepted: number;
  stored: number;
  rejected: number;
  dropped: number;
}

export const DOORS = [
  "zipkin_http",
  "zipkin_grpc",
  "otlp_grpc",
  "otlp_http",
  "jaeger_thrift_http",
  "jaeger_collector_grpc",
  "jaeger_udp_compact",
  "jaeger_udp_binary",
] as const;

export type DoorName = (typeof DOORS)[number];

export interface Door {
  name: DoorName;
  /** Absent while it is closed. */
  address?: string;
  total: SpanCounts & { pending: number };
  recent: SpanCounts;
  rejectedBy: Record<string, number>;
  droppedBy: Record<string, number>;
  refusedPayloadsBy: Record<string, number>;
}

export interface DoorsReport {
  recentNano: string;
  doors: Door[];
}

export function fetchDoors(signal?: AbortSignal): Promise<DoorsReport> {
  return getJson<DoorsReport>(apiUrl("api/clew/v1/doors"), signal);
}
