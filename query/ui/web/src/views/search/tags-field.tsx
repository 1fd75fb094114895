import * as Ariakit from "@ariakit/react";
import { useQuery } from "@tanstack/react-query";
import { useMemo, useRef, useState } from "react";
import { findTags, type SearchParameters } from "../../api/clew.ts";
import { formatCompact } from "../../i18n/format.ts";
import { useLanguage, useT } from "../../i18n/index.ts";
import { quotedIfNeeded, tagsOfText, wordAt } from "./logfmt.ts";

const MOST_OFFERED = 30;

interface TagsFieldProps {
  value: string;
  onChange: (value: string) => void;
  /** Whose traces tell the tags there are; without the tags typed so far. */
  among: SearchParameters;
}

/** Tags in logfmt; keys, and values once a key is there, are completed from the newest traces. */
export function TagsField({ value, onChange, among }: TagsFieldProps) {
  const t = useT();
  const language = useLanguage();
  const input = useRef<HTMLInputElement>(null);
  const [caret, setCaret] = useState(value.length);
  const [asked, setAsked] = useState(false);
  const { data: tags = [] } = useQuery({
    queryKey: ["tags", among.service, among.operation],
    queryFn: ({ signal }) => findTags(among, signal),
    enabled: asked,
    staleTime: 60_000,
  });
  const word = wordAt(value, caret);
  const offered = useMemo(() => {
    const part = (word.value ?? word.key).toLowerCase();
    const texts =
      word.value === undefined
        ? tags.map(({ key, spans }) => ({ text: key, spans }))
        : (tags.find(({ key }) => key === word.key)?.values ?? []);
    return texts.filter(({ text }) => text.toLowerCase().includes(part)).slice(0, MOST_OFFERED);
  }, [tags, word.key, word.value]);
  const take = (text: string) => {
    const pair =
      word.value === undefined ? `${quotedIfNeeded(text)}=` : `${quotedIfNeeded(word.key)}=${quotedIfNeeded(text)} `;
    onChange(value.slice(0, word.from) + pair + value.slice(word.to).trimStart());
    const next = word.from + pair.length;
    setCaret(next);
    requestAnimationFrame(() => input.current?.setSelectionRange(next, next));
  };
  const { bad } = tagsOfText(value);
  // The word being typed is not wrong yet.
  const wrong = bad !== undefined && bad !== value.slice(word.from, word.to);
  const seeCaret = () => setCaret(input.current?.selectionStart ?? value.length);
  return (
    <div className="field">
      <Ariakit.ComboboxProvider value={value} setValue={onChange} placement="bottom-start">
        <Ariakit.ComboboxLabel className="label">{t("search.tags")}</Ariakit.ComboboxLabel>
        <Ariakit.Combobox
          ref={input}
          className="input mono"
          placeholder={t("search.tags_hint")}
          showMinLength={0}
          showOnClick
          showOnChange
          autoSelect={false}
          spellCheck={false}
          aria-invalid={wrong}
          onFocus={() => setAsked(true)}
          onSelect={seeCaret}
          onKeyUp={seeCaret}
        />
        <Ariakit.ComboboxPopover
          className="popover tags-popover"
          gutter={4}
          hidden={offered.length === 0 || undefined}
          aria-label={t("search.tags_keys")}
        >
          {offered.map(({ text, spans }) => (
            <Ariakit.ComboboxItem
              key={text}
              value={text}
              className="option"
              setValueOnClick={false}
              hideOnClick={false}
              onClick={() => take(text)}
            >
              <code>{text || '""'}</code>
              <span className="hint number">{formatCompact(spans, language)}</span>
            </Ariakit.ComboboxItem>
          ))}
        </Ariakit.ComboboxPopover>
      </Ariakit.ComboboxProvider>
      {wrong && <p className="field-error">{t("search.tags_bad", { text: bad })}</p>}
    </div>
  );
}
