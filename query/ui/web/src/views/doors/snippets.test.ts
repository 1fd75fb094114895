import assert from "node:assert/strict";
import { test } from "node:test";
import { portOf, snippetsOf } from "./snippets.ts";

const texts = (host: string, doors: Record<string, string>) =>
  Object.fromEntries(snippetsOf(host, doors, 1_700_000_000_000).map(({ sender, text }) => [sender, text]));

test("snippets have the host of the page and the ports that the doors listen on", () => {
  const { istio, sdk, collector } = texts("traces.example", {
    zipkin: "0.0.0.0:29411",
    otlp_http: "[::]:24318",
    otlp_grpc: "0.0.0.0:24317",
  });
  assert.match(istio ?? "", /address: traces\.example:29411$/);
  assert.match(sdk ?? "", /ENDPOINT=http:\/\/traces\.example:24318$/m);
  assert.match(collector ?? "", /endpoint: traces\.example:24317$/m);
});

test("a door that is not told of has its usual port", () => {
  assert.match(texts("a", {}).jaeger ?? "", /http:\/\/a:14268\/api\/traces/);
});

test("an IPv6 host is bracketed once", () => {
  assert.match(texts("::1", {}).istio ?? "", /address: \[::1\]:9411/);
  assert.match(texts("[::1]", {}).istio ?? "", /address: \[::1\]:9411/);
});

test("the span to try with is JSON of now", () => {
  const body = /-d '(.*)'$/s.exec(texts("a", {}).zipkin ?? "")?.[1] ?? "";
  const [span] = JSON.parse(body) as { traceId: string; timestamp: number }[];
  assert.match(span?.traceId ?? "", /^[0-9a-f]{16}$/);
  assert.equal(span?.timestamp, 1_700_000_000_000_000);
});

test("the port is what follows the last colon", () => {
  assert.deepEqual([portOf("[::]:1"), portOf(":2"), portOf("a"), portOf(undefined)], ["1", "2", undefined, undefined]);
});
