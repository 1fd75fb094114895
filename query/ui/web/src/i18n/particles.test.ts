import assert from "node:assert/strict";
import { test } from "node:test";
import { withParticles } from "./particles.ts";

test("a syllable with a final consonant takes the form for it", () => {
  assert.equal(withParticles("결제을(를) 열고 주문이(가) 옵니다"), "결제를 열고 주문이 옵니다");
});

test("로 follows a vowel and ㄹ", () => {
  assert.equal(withParticles("파일(으)로, 서버(으)로, 화면(으)로"), "파일로, 서버로, 화면으로");
});

test("a digit is read as Korean reads it", () => {
  assert.equal(withParticles("3은(는) 2과(와) 1(으)로"), "3은 2와 1로");
});

test("a Latin word takes a form where its letters tell the sound, and keeps both where they do not", () => {
  assert.equal(withParticles("gateway을(를) email을(를) cart을(를)"), "gateway를 email을 cart을(를)");
});

test("text without both forms stays as it is", () => {
  assert.equal(withParticles("서비스를 고르세요"), "서비스를 고르세요");
});
