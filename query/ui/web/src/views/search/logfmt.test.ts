import assert from "node:assert/strict";
import { test } from "node:test";
import { pairText, tagsOfText, textOfTags, wordAt } from "./logfmt.ts";

test("pairs apart by spaces are tags", () => {
  assert.deepEqual(tagsOfText(" error=true  http.url=http://a/?b=c "), {
    tags: { error: "true", "http.url": "http://a/?b=c" },
    bad: undefined,
  });
});

test("quotes keep spaces, equals signs and quotes", () => {
  const tags = { "a key": 'say "hi" = \\', plain: "x" };
  assert.deepEqual(tagsOfText(textOfTags(tags)), { tags, bad: undefined });
});

test("a tag may be empty", () => {
  assert.deepEqual(tagsOfText("zone="), { tags: { zone: "" }, bad: undefined });
});

test("a word that is no pair is told", () => {
  assert.equal(tagsOfText("error=true oops").bad, "oops");
  assert.equal(tagsOfText('a="open').bad, 'a="open');
});

test("a pair is quoted where it must be", () => {
  assert.equal(pairText("user agent", "curl/8"), '"user agent"=curl/8');
});

test("the word at the caret is a key, then a value", () => {
  assert.deepEqual(wordAt("error=true htt", 14), { from: 11, to: 14, key: "htt", value: undefined });
  assert.deepEqual(wordAt("error=tr x=y", 8), { from: 0, to: 8, key: "error", value: "tr" });
  assert.deepEqual(wordAt('a="b c', 6), { from: 0, to: 6, key: "a", value: "b c" });
  assert.deepEqual(wordAt("a=b ", 4), { from: 4, to: 4, key: "", value: undefined });
});
