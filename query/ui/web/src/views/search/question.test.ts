import assert from "node:assert/strict";
import { test } from "node:test";
import { askedOf, durationNs, parametersOf, questionOf } from "./question.ts";

const of = (text: string) => questionOf(new URLSearchParams(text));

test("an address of Jaeger's page is understood whole", () => {
  const tags = encodeURIComponent('{"error":"true","http.status_code":"500"}');
  const question = of(
    `service=shop&operation=GET%20%2F&tags=${tags}&lookback=1h&start=1700000000000000&end=1700003600000000&limit=20` +
      "&minDuration=1.5ms&maxDuration=2s",
  );
  assert.deepEqual(question, {
    service: "shop",
    operation: "GET /",
    tags: "error=true http.status_code=500",
    minDuration: "1.5ms",
    maxDuration: "2s",
    limit: 20,
    range: { startMs: 1700000000000, endMs: 1700003600000 },
    traceIds: [],
  });
});

test("a question survives its address", () => {
  const text = "service=shop&tags=%7B%22a+b%22%3A%22c%22%7D&minDuration=1s&limit=7&lookback=15m";
  assert.equal(parametersOf(of(text)).toString(), text);
});

test("an address without a question asks for the newest of the last hour", () => {
  assert.deepEqual(of("").range, { lookback: "1h" });
  assert.equal(of("limit=x").limit, 50);
  assert.equal(of("limit=99999").limit, 1500);
});

test("tags are taken as Jaeger's API has them, one by one, and as they are typed", () => {
  assert.equal(of("tag=http.url:http://a:80/").tags, "http.url=http://a:80/");
  assert.equal(of("tags=error%3Dtrue").tags, "error=true");
});

test("trace ids stand alone, one parameter each or several in one", () => {
  assert.deepEqual(of("traceID=a&traceID=b,c").traceIds, ["a", "b", "c"]);
  assert.equal(parametersOf(of("traceID=a&traceID=b&service=x")).toString(), "traceID=a&traceID=b");
});

test("a range that ends now is asked as microseconds up to now", () => {
  const asked = askedOf(of("lookback=5m"), 1_700_000_000_000);
  assert.equal(asked.start, 1_699_999_700_000_000);
  assert.equal(asked.end, 1_700_000_000_000_000);
});

test("durations need a unit", () => {
  assert.equal(durationNs("1.5ms"), 1_500_000);
  assert.equal(durationNs("20us"), 20_000);
  assert.equal(durationNs("20"), undefined);
  assert.equal(durationNs("fast"), undefined);
});
