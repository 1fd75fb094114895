import { RefreshCw } from "lucide-react";
import { useId } from "react";
import { type Translate, useT } from "../i18n/index.ts";
import { LOOKBACKS, lookbackMs, type TimeRange } from "../routing/time-range.ts";
import type { UsedTimeRange } from "../routing/use-time-range.ts";
import "./time-range.css";

const CUSTOM = "custom";

/** Chooses a range that ends now, or two moments; and looks again. */
export function TimeRangeField({ range, startMs, endMs, setRange, refresh }: UsedTimeRange) {
  const t = useT();
  const id = useId();
  const chosen = "lookback" in range ? range.lookback : CUSTOM;
  const offered: string[] = [...LOOKBACKS];
  if (chosen !== CUSTOM && !offered.includes(chosen)) offered.unshift(chosen);
  const choose = (value: string) => setRange(value === CUSTOM ? { startMs, endMs } : { lookback: value });
  return (
    <div className="time-range">
      <div className="field">
        <label htmlFor={id}>{t("time.range")}</label>
        <select id={id} className="input" value={chosen} onChange={(event) => choose(event.target.value)}>
          {offered.map((lookback) => (
            <option key={lookback} value={lookback}>
              {lookbackText(lookback, t)}
            </option>
          ))}
          <option value={CUSTOM}>{t("time.custom")}</option>
        </select>
      </div>
      {chosen === CUSTOM && <Moments startMs={startMs} endMs={endMs} setRange={setRange} />}
      <button
        type="button"
        className="button button-icon"
        aria-label={t("time.refresh")}
        title={t("time.refresh")}
        onClick={refresh}
      >
        <RefreshCw size={15} aria-hidden="true" />
      </button>
    </div>
  );
}

interface MomentsProps {
  startMs: number;
  endMs: number;
  setRange: (range: TimeRange) => void;
}

function Moments({ startMs, endMs, setRange }: MomentsProps) {
  const t = useT();
  const id = useId();
  const change = (next: { startMs: number; endMs: number }) => {
    if (next.startMs < next.endMs) setRange(next);
  };
  const moments = [
    ["time.start", "startMs", startMs],
    ["time.end", "endMs", endMs],
  ] as const;
  return moments.map(([label, end, value]) => (
    <div className="field" key={end}>
      <label htmlFor={id + end}>{t(label)}</label>
      <input
        id={id + end}
        className="input number"
        type="datetime-local"
        step={1}
        defaultValue={localText(value)}
        key={value}
        onBlur={(event) => {
          const given = new Date(event.target.value).getTime();
          if (Number.isFinite(given) && localText(given) !== localText(value)) {
            change({ startMs, endMs, [end]: given });
          }
        }}
      />
    </div>
  ));
}

export function lookbackText(lookback: string, t: Translate): string {
  const minutes = (lookbackMs(lookback) ?? 0) / 60e3;
  if (minutes < 60) return t("time.last_minutes", { n: Math.round(minutes * 10) / 10 });
  if (minutes === 60) return t("time.last_hour");
  if (minutes < 24 * 60) return t("time.last_hours", { n: Math.round(minutes / 6) / 10 });
  if (minutes === 24 * 60) return t("time.last_day");
  return t("time.last_days", { n: Math.round(minutes / 144) / 10 });
}

/** As a datetime-local field has it: local time, to the second. */
function localText(ms: number): string {
  const date = new Date(ms);
  return new Date(ms - date.getTimezoneOffset() * 60e3).toISOString().slice(0, 19);
}
