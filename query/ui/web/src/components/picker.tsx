import * as Ariakit from "@ariakit/react";
import { ChevronsUpDown } from "lucide-react";
import { useMemo, useState } from "react";
import { useT } from "../i18n/index.ts";
import "./picker.css";

const SHOWN_AT_ONCE = 200;

interface PickerProps {
  label: string;
  value: string;
  options: readonly string[];
  onChange: (value: string) => void;
  /** What "" is called, if it can be chosen. */
  none?: string;
  /** Drawn before each option, such as a service's swatch. */
  mark?: (option: string) => React.ReactNode;
}

/** One of many names, found by typing a part of it. */
export function Picker({ label, value, options, onChange, none, mark }: PickerProps) {
  const t = useT();
  const [text, setText] = useState("");
  const matching = useMemo(() => {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    const all = none === undefined ? options : ["", ...options];
    return all.filter((option) => words.every((word) => (option || none || "").toLowerCase().includes(word)));
  }, [options, none, text]);
  return (
    <div className="field">
      <Ariakit.ComboboxProvider resetValueOnHide setValue={setText}>
        <Ariakit.SelectProvider value={value} setValue={(next: string) => onChange(next)}>
          <Ariakit.SelectLabel className="label">{label}</Ariakit.SelectLabel>
          <Ariakit.Select className="input picker">
            {value && mark?.(value)}
            <span className="picker-value">{value || (none ?? "")}</span>
            <ChevronsUpDown size={13} aria-hidden="true" />
          </Ariakit.Select>
          <Ariakit.SelectPopover className="popover picker-popover" gutter={4} sameWidth>
            <Ariakit.Combobox
              autoSelect
              className="input"
              placeholder={t("picker.find")}
              aria-label={t("picker.find")}
            />
            <Ariakit.ComboboxList className="picker-list">
              {matching.slice(0, SHOWN_AT_ONCE).map((option) => (
                <Ariakit.SelectItem key={option} value={option} className="option" render={<Ariakit.ComboboxItem />}>
                  {option && mark?.(option)}
                  <span className="picker-value">{option || none}</span>
                </Ariakit.SelectItem>
              ))}
              {matching.length === 0 && <p className="hint picker-more">{t("picker.nothing")}</p>}
              {matching.length > SHOWN_AT_ONCE && (
                <p className="hint picker-more">{t("picker.more", { n: matching.length - SHOWN_AT_ONCE })}</p>
              )}
            </Ariakit.ComboboxList>
          </Ariakit.SelectPopover>
        </Ariakit.SelectProvider>
      </Ariakit.ComboboxProvider>
    </div>
  );
}
