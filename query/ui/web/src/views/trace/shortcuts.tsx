import * as Ariakit from "@ariakit/react";
import { Fragment } from "react";
import type { Key } from "../../i18n/en.ts";
import { useT } from "../../i18n/index.ts";

const KEYS: readonly [Key, readonly string[]][] = [
  ["keys.move", ["↓", "↑", "j", "k"]],
  ["keys.fold", ["←", "→", "h", "l"]],
  ["keys.details", ["Enter", "Esc"]],
  ["keys.find", ["f", "/"]],
  ["keys.matches", ["n", "p"]],
  ["keys.errors", ["e", "E"]],
  ["keys.zoom", ["+", "−", "0"]],
  ["keys.pan", ["a", "d"]],
  ["keys.first", ["Home", "End"]],
  ["keys.help", ["?"]],
];

export function Shortcuts({ open, onClose }: { open: boolean; onClose: () => void }) {
  const t = useT();
  return (
    <Ariakit.Dialog open={open} onClose={onClose} className="dialog" backdrop={<div className="dialog-backdrop" />}>
      <Ariakit.DialogHeading>{t("trace.keys")}</Ariakit.DialogHeading>
      <div className="shortcuts">
        {KEYS.map(([key, names]) => (
          <Fragment key={key}>
            <span>
              {names.map((name) => (
                <kbd key={name}>{name}</kbd>
              ))}
            </span>
            <span>{t(key)}</span>
          </Fragment>
        ))}
      </div>
      <p className="hint">{t("keys.mouse")}</p>
      <Ariakit.DialogDismiss className="button">{t("trace.close")}</Ariakit.DialogDismiss>
    </Ariakit.Dialog>
  );
}
