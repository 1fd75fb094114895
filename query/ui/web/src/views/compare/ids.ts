/** The two trace ids of /trace/<a>...<b>; either may be still missing. */
export function idsOf(text: string): { a: string; b: string } {
  const [a = "", b = ""] = text.split("...");
  return { a: a.trim(), b: b.trim() };
}

export function isTraceId(text: string): boolean {
  return /^[0-9a-fA-F]{1,32}$/.test(text);
}

/** Where two traces are compared. */
export function compareLink(a: string, b: string): string {
  return `/trace/${a}...${b}`;
}
