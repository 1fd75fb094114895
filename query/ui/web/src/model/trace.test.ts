import assert from "node:assert/strict";
import { test } from "node:test";
import { idOf, spansWithId, type Trace } from "./trace.ts";

function withIds(...ids: string[]): Trace {
  return { spanIds: ids.join("") } as Trace;
}

test("ids stand one after another, and each span has its own", () => {
  const trace = withIds("00000000000000a1", "00000000000000b2");

  assert.equal(idOf(trace, 1), "00000000000000b2");
  assert.deepEqual(spansWithId(trace, "00000000000000b2"), [1]);
});

test("digits that straddle two ids are no id", () => {
  assert.deepEqual(spansWithId(withIds("aaaaaaaabbbbbbbb", "ccccccccdddddddd"), "bbbbbbbbcccccccc"), []);
});

test("an id that several spans have is found in each, and a part of one in none", () => {
  const trace = withIds("aaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaa");

  assert.deepEqual(spansWithId(trace, "aaaaaaaaaaaaaaaa"), [0, 1]);
  assert.deepEqual(spansWithId(trace, "aaaa"), []);
});
