import { useQuery } from "@tanstack/react-query";
import { Search } from "lucide-react";
import { type FormEvent, useId, useMemo, useState } from "react";
import { operationsOf, servicesOf } from "../../api/jaeger.ts";
import { Picker } from "../../components/picker.tsx";
import { lookbackText } from "../../components/time-range.tsx";
import type { Key } from "../../i18n/en.ts";
import { useT } from "../../i18n/index.ts";
import { LOOKBACKS, momentsOf, type TimeRange } from "../../routing/time-range.ts";
import { useServiceColour } from "../../theme/theme.ts";
import { tagsOfText } from "./logfmt.ts";
import { askedOf, durationNs, idsIn, MOST_TRACES, type Question } from "./question.ts";
import { TagsField } from "./tags-field.tsx";

interface SearchFormProps {
  question: Question;
  onSearch: (question: Question) => void;
}

/** Everything that can be asked. What is typed becomes the question when the form is sent. */
export function SearchForm({ question, onSearch }: SearchFormProps) {
  const t = useT();
  const colour = useServiceColour();
  const [draft, setDraft] = useState(question);
  const [ids, setIds] = useState(question.traceIds.join(" "));
  const change = (changes: Partial<Question>) => setDraft((now) => ({ ...now, ...changes }));
  const services = useQuery({ queryKey: ["services"], queryFn: ({ signal }) => servicesOf(signal) });
  const operations = useQuery({
    queryKey: ["operations", draft.service],
    queryFn: ({ signal }) => operationsOf(draft.service, signal),
    enabled: draft.service !== "",
  });
  const names = useMemo(
    () => [...new Set(operations.data?.map(({ name }) => name) ?? [])].sort((a, b) => a.localeCompare(b)),
    [operations.data],
  );
  const wrong = mistakesOf(draft, ids);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (Object.keys(wrong).length === 0) onSearch({ ...draft, traceIds: idsIn(ids) });
  };
  const swatch = (name: string) => <span className="swatch" style={{ background: colour(name) }} />;
  return (
    <form className="search-form" onSubmit={submit} aria-label={t("search.title")}>
      <Picker
        label={t("search.service")}
        value={draft.service}
        options={services.data ?? []}
        none={t("search.any_service")}
        mark={swatch}
        onChange={(service) => change({ service, operation: "" })}
      />
      <Picker
        label={t("search.operation")}
        value={draft.operation}
        options={names}
        none={t("search.any_operation")}
        onChange={(operation) => change({ operation })}
      />
      <TagsField
        value={draft.tags}
        onChange={(tags) => change({ tags })}
        among={{ ...askedOf({ ...draft, tags: "", minDuration: "", maxDuration: "" }, Date.now()), limit: undefined }}
      />
      <div className="fields-2">
        <TextField
          label={t("search.least")}
          value={draft.minDuration}
          hint={t("search.duration_hint")}
          wrong={wrong.minDuration && t(wrong.minDuration)}
          onChange={(minDuration) => change({ minDuration })}
        />
        <TextField
          label={t("search.most")}
          value={draft.maxDuration}
          hint={t("search.duration_hint")}
          wrong={wrong.maxDuration && t(wrong.maxDuration)}
          onChange={(maxDuration) => change({ maxDuration })}
        />
      </div>
      <RangeField range={draft.range} onRange={(range) => change({ range })} />
      <div className="field">
        <label htmlFor="search-limit">{t("search.limit")}</label>
        <input
          id="search-limit"
          className="input number"
          type="number"
          min={1}
          max={MOST_TRACES}
          value={draft.limit}
          onChange={(event) => change({ limit: Math.max(1, Math.min(MOST_TRACES, Number(event.target.value) || 1)) })}
        />
      </div>
      <TextField
        label={t("search.ids")}
        value={ids}
        hint={t("search.ids_hint")}
        wrong={wrong.ids && t("search.ids_bad", { text: wrong.ids })}
        onChange={setIds}
      />
      <button type="submit" className="button button-primary">
        <Search size={14} aria-hidden="true" />
        {t("search.find")}
      </button>
    </form>
  );
}

interface Mistakes {
  minDuration?: Key;
  maxDuration?: Key;
  /** The first text that is no trace id. */
  ids?: string;
  tags?: string;
}

function mistakesOf(draft: Question, ids: string): Mistakes {
  const least = durationNs(draft.minDuration);
  const most = durationNs(draft.maxDuration);
  const mistakes: Mistakes = {};
  if (draft.minDuration.trim() && least === undefined) mistakes.minDuration = "search.duration_bad";
  if (draft.maxDuration.trim() && most === undefined) mistakes.maxDuration = "search.duration_bad";
  else if (least !== undefined && most !== undefined && most < least) mistakes.maxDuration = "search.duration_order";
  const badId = idsIn(ids).find((id) => !/^[0-9a-fA-F]{1,32}$/.test(id));
  if (badId) mistakes.ids = badId;
  const { bad } = tagsOfText(draft.tags);
  if (bad) mistakes.tags = bad;
  return mistakes;
}

interface TextFieldProps {
  label: string;
  value: string;
  hint: string;
  wrong: string | undefined;
  onChange: (value: string) => void;
}

function TextField({ label, value, hint, wrong, onChange }: TextFieldProps) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        className="input"
        value={value}
        placeholder={hint}
        spellCheck={false}
        aria-invalid={wrong !== undefined}
        aria-describedby={wrong === undefined ? undefined : `${id}-wrong`}
        onChange={(event) => onChange(event.target.value)}
      />
      {wrong !== undefined && (
        <p className="field-error" id={`${id}-wrong`}>
          {wrong}
        </p>
      )}
    </div>
  );
}

/** A range that ends now, or two moments. */
function RangeField({ range, onRange }: { range: TimeRange; onRange: (range: TimeRange) => void }) {
  const t = useT();
  const id = useId();
  const { startMs, endMs } = momentsOf(range, Date.now());
  const lookback = "lookback" in range ? range.lookback : "custom";
  const offered: string[] = [...LOOKBACKS];
  if (lookback !== "custom" && !offered.includes(lookback)) offered.unshift(lookback);
  return (
    <>
      <div className="field">
        <label htmlFor={id}>{t("time.range")}</label>
        <select
          id={id}
          className="input"
          value={lookback}
          onChange={({ target }) =>
            onRange(target.value === "custom" ? { startMs, endMs } : { lookback: target.value })
          }
        >
          {offered.map((one) => (
            <option key={one} value={one}>
              {lookbackText(one, t)}
            </option>
          ))}
          <option value="custom">{t("time.custom")}</option>
        </select>
      </div>
      {lookback === "custom" && (
        <>
          <MomentField label={t("time.start")} ms={startMs} onMs={(ms) => onRange({ startMs: ms, endMs })} />
          <MomentField label={t("time.end")} ms={endMs} onMs={(ms) => onRange({ startMs, endMs: ms })} />
        </>
      )}
    </>
  );
}

function MomentField({ label, ms, onMs }: { label: string; ms: number; onMs: (ms: number) => void }) {
  const id = useId();
  const local = new Date(ms - new Date(ms).getTimezoneOffset() * 60e3).toISOString().slice(0, 19);
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        className="input number"
        type="datetime-local"
        step={1}
        value={local}
        onChange={(event) => {
          const given = new Date(event.target.value).getTime();
          if (Number.isFinite(given)) onMs(given);
        }}
      />
    </div>
  );
}
