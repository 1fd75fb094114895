import assert from "node:assert/strict";
import { test } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import { packed } from "./files.ts";

test("a compressed file is sent as it is and called compressed", async () => {
  const file = new Blob([gzipSync("[]")]);
  assert.deepEqual(await packed(file), { body: file, coding: "gzip" });
});

test("a small file is sent as it is", async () => {
  const file = new Blob(["[]"]);
  assert.deepEqual(await packed(file), { body: file, coding: undefined });
  assert.equal((await packed(new Blob([]))).coding, undefined);
});

test("a large file is compressed on the way", async () => {
  const text = "[1]".repeat(50_000);
  const { body, coding } = await packed(new Blob([text]));
  assert.equal(coding, "gzip");
  assert.ok(body.size < 5_000);
  assert.equal(gunzipSync(Buffer.from(await body.arrayBuffer())).toString(), text);
});
