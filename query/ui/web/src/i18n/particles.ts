/**
 * Korean particles that depend on the sound before them: 을/를, 이/가, 은/는, 와/과, (으)로.
 *
 * A text says both forms, "{name}을(를)", and once the name is filled in the one that fits stays. Where the sound of a
 * Latin word cannot be told from its letters ("cart" is 카트, "chat" 챗) both stay, as careful Korean writing has it.
 */

const BOTH_FORMS = /(\S)(을\(를\)|이\(가\)|은\(는\)|과\(와\)|\(으\)로)/gu;

/** By the form for a final consonant and the one for none; 로 also follows ㄹ. */
const FORMS: Record<string, readonly [string, string]> = {
  "을(를)": ["을", "를"],
  "이(가)": ["이", "가"],
  "은(는)": ["은", "는"],
  "과(와)": ["과", "와"],
  "(으)로": ["으로", "로"],
};

type Final = "consonant" | "rieul" | "none";

/** 영, 일, 이, 삼, 사, 오, 육, 칠, 팔, 구 */
const DIGITS: readonly Final[] = [
  "consonant",
  "rieul",
  "none",
  "consonant",
  "none",
  "none",
  "consonant",
  "rieul",
  "rieul",
  "none",
];

export function withParticles(text: string): string {
  return text.replace(BOTH_FORMS, (whole, before: string, both: string) => {
    const final = finalOf(before);
    if (final === undefined) return whole;
    const [afterConsonant, afterVowel] = FORMS[both] as readonly [string, string];
    const isOpen = final === "none" || (final === "rieul" && both === "(으)로");
    return before + (isOpen ? afterVowel : afterConsonant);
  });
}

/** How the last syllable that this character stands for ends; undefined when the character does not tell. */
function finalOf(character: string): Final | undefined {
  const code = character.charCodeAt(0);
  if (code >= 0xac00 && code <= 0xd7a3) {
    const jongseong = (code - 0xac00) % 28;
    return jongseong === 0 ? "none" : jongseong === 8 ? "rieul" : "consonant";
  }
  if (/[0-9]/.test(character)) return DIGITS[Number(character)];
  if (/[aiouyw]/i.test(character)) return "none";
  if (/[mn]/i.test(character)) return "consonant";
  if (/l/i.test(character)) return "rieul";
  return undefined;
}
