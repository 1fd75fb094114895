import assert from "node:assert/strict";
import { test } from "node:test";
import { searchLink } from "./search-link.ts";

test("a question becomes Jaeger's address of it", () => {
  const link = searchLink({
    service: "shop",
    operation: "GET /a b",
    tags: { error: "true" },
    startMs: 1000.5,
    endMs: 2000,
    minDuration: 1_500_000,
    limit: 50,
  });
  assert.deepEqual(Object.fromEntries(new URLSearchParams(link.split("?")[1])), {
    service: "shop",
    operation: "GET /a b",
    tags: '{"error":"true"}',
    minDuration: "1500us",
    lookback: "custom",
    start: "1000500",
    end: "2000000",
    limit: "50",
  });
});

test("what is not asked is not in it", () => {
  assert.equal(searchLink({ service: "shop", tags: {}, minDuration: 0 }), "/search?service=shop");
  assert.equal(searchLink({ minDuration: 2e9, maxDuration: 3e6 }), "/search?minDuration=2s&maxDuration=3ms");
});
