import assert from "node:assert/strict";
import { test } from "node:test";
import { fromZipkin } from "./zipkin-links.ts";

const searched = (text: string) => Object.fromEntries(new URLSearchParams(fromZipkin("/", text)?.split("?")[1]));

test("a trace of Zipkin's page is the trace here", () => {
  assert.equal(fromZipkin("/traces/5AF7183fb1d4cf5f", ""), "/trace/5af7183fb1d4cf5f");
});

test("Zipkin's dependencies keep their times", () => {
  assert.equal(fromZipkin("/dependency", "startTime=1&endTime=2"), "/dependencies?startTime=1&endTime=2");
});

test("a search says the same in Jaeger's words", () => {
  assert.deepEqual(searched("serviceName=shop&spanName=get&minDuration=1500&limit=20&lookback=15m"), {
    service: "shop",
    operation: "get",
    minDuration: "1500us",
    limit: "20",
    lookback: "15m",
  });
});

test("an annotation query becomes tags and a remote service one of them", () => {
  const tags = JSON.parse(searched("annotationQuery=error and http.method=GET&remoteServiceName=db").tags ?? "");
  assert.deepEqual(tags, { error: "true", "http.method": "GET", "peer.service": "db" });
});

test("a range that ends at endTs is a custom time range in microseconds", () => {
  assert.deepEqual(searched("serviceName=all&endTs=1700000000000&lookback=60000"), {
    lookback: "custom",
    start: "1699999940000000",
    end: "1700000000000000",
  });
});

test("this page's own places stay", () => {
  assert.equal(fromZipkin("/search", "service=x"), undefined);
  assert.equal(fromZipkin("/", "service=x"), undefined);
});
