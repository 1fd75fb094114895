import assert from "node:assert/strict";
import { test } from "node:test";
import { hashOfName, PALETTES, serviceColour, type Theme } from "./service-colours.ts";

const SURFACES: Record<Theme, readonly string[]> = { light: ["#ffffff", "#f6f7f9"], dark: ["#151c25", "#0e131a"] };

function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one: string, other: string): number {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

for (const theme of ["light", "dark"] as const) {
  test(`every colour stands out from the surfaces of the ${theme} theme by 3:1`, () => {
    for (const colour of PALETTES[theme]) {
      for (const surface of SURFACES[theme]) assert.ok(contrast(colour, surface) >= 3, `${colour} on ${surface}`);
    }
  });

  test(`the colours of the ${theme} theme are all different`, () => {
    assert.equal(new Set(PALETTES[theme]).size, PALETTES[theme].length);
  });
}

test("a service has the same colour for ever", () => {
  assert.equal(hashOfName("productpage.default"), hashOfName(["productpage", "default"].join(".")));
  assert.equal(serviceColour("checkout", "light"), serviceColour("checkout", "light"));
  assert.equal(hashOfName("checkout"), EXPECTED_HASH);
});

/** Written down, so that a change of the rule is noticed: it would recolour everyone's services. */
const EXPECTED_HASH = 1259066387;
