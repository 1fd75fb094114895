/** Tags as people type them: key=value pairs apart by spaces, in logfmt: "a key"="a \"value\"". */

export interface TypedTags {
  tags: Record<string, string>;
  /** The first word that is no pair. */
  bad: string | undefined;
}

const QUOTED = '"(?:[^"\\\\]|\\\\.)*"';
const PAIR = new RegExp(`^(${QUOTED}|[^\\s="]+)=(${QUOTED}|[^\\s"]*)$`);
const WORD = new RegExp(`(?:${QUOTED}|\\S)+`, "g");

export function tagsOfText(text: string): TypedTags {
  const tags: Record<string, string> = {};
  let bad: string | undefined;
  let rest = text;
  for (const [word] of text.matchAll(WORD)) {
    const pair = PAIR.exec(word);
    if (pair) tags[unquoted(pair[1] as string)] = unquoted(pair[2] as string);
    else bad ??= word;
    rest = rest.replace(word, "");
  }
  return { tags, bad: bad ?? (rest.trim() || undefined) };
}

export function textOfTags(tags: Record<string, string>): string {
  return Object.entries(tags)
    .map(([key, value]) => pairText(key, value))
    .join(" ");
}

export function pairText(key: string, value: string): string {
  return `${quotedIfNeeded(key)}=${quotedIfNeeded(value)}`;
}

export function quotedIfNeeded(text: string): string {
  return /[\s="\\]/.test(text) ? `"${text.replace(/["\\]/g, "\\$&")}"` : text;
}

function unquoted(text: string): string {
  return text.startsWith('"') ? text.slice(1, -1).replace(/\\(.)/g, "$1") : text;
}

/** The word that is being typed at the caret: where it is, its key, and its value once there is a "=". */
export function wordAt(
  text: string,
  caret: number,
): { from: number; to: number; key: string; value: string | undefined } {
  let from = 0;
  let quoted = false;
  for (let at = 0; at < caret; at++) {
    if (text[at] === '"' && text[at - 1] !== "\\") quoted = !quoted;
    else if (text[at] === " " && !quoted) from = at + 1;
  }
  const after = quoted ? -1 : text.slice(caret).search(/\s/);
  const to = after < 0 ? text.length : caret + after;
  const word = text.slice(from, to);
  const equals = word.indexOf("=");
  const plain = (part: string) => part.replace(/^"|"$/g, "");
  return equals < 0
    ? { from, to, key: plain(word), value: undefined }
    : { from, to, key: plain(word.slice(0, equals)), value: plain(word.slice(equals + 1)) };
}
