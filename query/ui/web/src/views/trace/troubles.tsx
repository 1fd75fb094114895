import { CircleX, TriangleAlert, Unlink } from "lucide-react";
import { useMemo } from "react";
import { formatCount } from "../../i18n/format.ts";
import { useLanguage, useT } from "../../i18n/index.ts";
import { Flag, hasFlag, type Trace } from "../../model/trace.ts";

interface TroublesProps {
  trace: Trace;
  selected: number | undefined;
  onSelect: (span: number) => void;
}

/** What is wrong with the trace, or with what was reported of it; each leads from one such span to the next. */
export function Troubles({ trace, selected, onSelect }: TroublesProps) {
  const t = useT();
  const language = useLanguage();
  const found = useMemo(() => {
    const errors: number[] = [];
    for (let at = 0; at < trace.size; at++) if (hasFlag(trace, at, Flag.error)) errors.push(at);
    const roots = [...trace.roots];
    const rootsFor = (reason: string) => roots.filter(([, why]) => why === reason).map(([span]) => span);
    return [
      { key: "erroneous", spans: errors, Icon: CircleX, look: "trouble-error" },
      { key: "orphans", spans: rootsFor("orphan"), Icon: Unlink, look: "trouble-warning" },
      { key: "circles", spans: rootsFor("circle"), Icon: Unlink, look: "trouble-warning" },
      { key: "warned", spans: [...trace.warnings.keys()], Icon: TriangleAlert, look: "trouble-warning" },
    ] as const;
  }, [trace]);
  const troubles = found.filter(({ spans }) => spans.length > 0);
  if (troubles.length === 0) return null;
  const next = (spans: readonly number[]) => spans.find((span) => span > (selected ?? -1)) ?? (spans[0] as number);
  return (
    <div className="troubles">
      {troubles.map(({ key, spans, Icon, look }) => (
        <button key={key} type="button" className={`trouble ${look}`} onClick={() => onSelect(next(spans))}>
          <Icon size={13} aria-hidden="true" />
          {spans.length === 1 ? t(`trace.one_${key}`) : t(`trace.${key}`, { n: formatCount(spans.length, language) })}
        </button>
      ))}
    </div>
  );
}
