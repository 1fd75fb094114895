import assert from "node:assert/strict";
import { test } from "node:test";
import { formatCompact, formatDuration, formatPercent, formatRate, withSign } from "./format.ts";

test("a duration has the unit that fits and three digits", () => {
  const shown = [0, 850, 12_345, 4_560_000, 99_960_000, 1_234_000_000, 200_000_000_000, 7_260_000_000_000].map((ns) =>
    formatDuration(ns, "en"),
  );
  assert.deepEqual(shown, ["0", "850 ns", "12.3 µs", "4.56 ms", "100 ms", "1.23 s", "3 m 20 s", "2 h 1 m"]);
});

test("a duration is not rounded up to a thousand of its unit", () => {
  assert.equal(formatDuration(999_700, "en"), "1 ms");
  assert.equal(formatDuration(999_999_999, "en"), "1 s");
});

test("small fractions keep digits that tell something", () => {
  assert.deepEqual(
    [0, 0.0002, 0.034, 0.56].map((one) => formatPercent(one, "en")),
    ["0%", "0.02%", "3.4%", "56%"],
  );
});

test("rates keep digits where they are small", () => {
  assert.deepEqual(
    [0, 0.0123, 3.25, 1234.5].map((one) => formatRate(one, "en")),
    ["0", "0.012", "3.3", "1,235"],
  );
});

test("Korean counts by ten thousands", () => {
  assert.equal(formatCompact(12_345, "ko"), "1.2만");
});

test("a difference has its sign once", () => {
  assert.equal(withSign(-3, "-3 ms"), "−3 ms");
  assert.equal(withSign(3, "3 ms"), "+3 ms");
  assert.equal(withSign(0, "0"), "±0");
});
