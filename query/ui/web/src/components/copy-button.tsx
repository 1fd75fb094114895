import { Check, Copy } from "lucide-react";
import { useState } from "react";
import { useT } from "../i18n/index.ts";

const SHOWN_MS = 1500;

interface CopyButtonProps {
  label: string;
  /** The text, or how to get it. */
  text: string | (() => Promise<string>);
  children?: React.ReactNode;
  className?: string;
}

/** Puts a text into the clipboard, and says that it did. */
export function CopyButton({ label, text, children, className = "button button-quiet button-icon" }: CopyButtonProps) {
  const t = useT();
  const [done, setDone] = useState(false);
  const copy = async () => {
    await copyText(typeof text === "string" ? text : await text());
    setDone(true);
    setTimeout(() => setDone(false), SHOWN_MS);
  };
  return (
    <button type="button" className={className} aria-label={children ? undefined : label} title={label} onClick={copy}>
      {done ? <Check size={14} aria-hidden="true" /> : <Copy size={14} aria-hidden="true" />}
      {children}
      <span className="visually-hidden" role="status">
        {done ? t("trace.copied") : ""}
      </span>
    </button>
  );
}

/** Also where the page is not served by HTTPS, as inside most meshes: there browsers have no clipboard API. */
export async function copyText(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "visually-hidden";
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
}
