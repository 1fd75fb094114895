import { formatCount } from "../../i18n/format.ts";
import type { Language, Translate } from "../../i18n/index.ts";

export type Thing = "trace" | "span" | "error" | "orphan";

const MANY = { trace: "search.count", span: "search.spans", error: "search.errors", orphan: "search.orphans" } as const;

/** "1 span", "2,000 spans". */
export function counted(n: number, thing: Thing, t: Translate, language: Language): string {
  return n === 1 ? t(`search.one_${thing}`) : t(MANY[thing], { n: formatCount(n, language) });
}
