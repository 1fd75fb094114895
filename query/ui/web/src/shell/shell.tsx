import { Activity, FileUp, GitCompareArrows, Languages, Moon, Plug, Search, Share2, Sun } from "lucide-react";
import { type FormEvent, type ReactNode, useState } from "react";
import { Link, useLocation } from "wouter";
import type { Key } from "../i18n/en.ts";
import { setLanguage, useLanguage, useT } from "../i18n/index.ts";
import { setTheme, useTheme } from "../theme/theme.ts";
import { FileDrop } from "./file-drop.tsx";
import { Keys } from "./keys.tsx";
import { Mark } from "./mark.tsx";
import { FocusOnArrival } from "./places.tsx";
import "../components/controls.css";
import "./shell.css";

interface Place {
  path: string;
  label: Key;
  Icon: typeof Search;
  here: (location: string) => boolean;
}

const PLACES: readonly Place[] = [
  { path: "/search", label: "nav.search", Icon: Search, here: (at) => at === "/" || at.startsWith("/search") },
  { path: "/dependencies", label: "nav.graph", Icon: Share2, here: (at) => at.startsWith("/dependencies") },
  { path: "/monitor", label: "nav.monitor", Icon: Activity, here: (at) => at.startsWith("/monitor") },
  {
    path: "/compare",
    label: "nav.compare",
    Icon: GitCompareArrows,
    here: (at) => at.startsWith("/compare") || (at.startsWith("/trace/") && at.includes("...")),
  },
  { path: "/file", label: "nav.file", Icon: FileUp, here: (at) => at.startsWith("/file") },
  { path: "/doors", label: "nav.doors", Icon: Plug, here: (at) => at.startsWith("/doors") },
];

export function Shell({ children }: { children: ReactNode }) {
  const t = useT();
  const [location] = useLocation();
  return (
    <>
      <a className="skip" href={`${location}#content`} onClick={toContent}>
        {t("nav.skip")}
      </a>
      <header className="topbar">
        <Link href="/search" className="brand" aria-label="clew">
          <Mark />
          <span>clew</span>
        </Link>
        <nav aria-label={t("nav.main")}>
          {PLACES.map(({ path, label, Icon, here }) => (
            <Link key={path} href={path} className="place" aria-current={here(location) ? "page" : undefined}>
              <Icon size={15} aria-hidden="true" />
              <span>{t(label)}</span>
            </Link>
          ))}
        </nav>
        <GoToTrace />
        <Keys />
        <LanguageSwitch />
        <ThemeSwitch />
      </header>
      <FileDrop />
      <FocusOnArrival />
      <main id="content" tabIndex={-1}>
        {children}
      </main>
    </>
  );
}

function toContent(event: { preventDefault: () => void }) {
  event.preventDefault();
  document.getElementById("content")?.focus();
}

function GoToTrace() {
  const t = useT();
  const [, navigate] = useLocation();
  const [text, setText] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const ids = text.match(/[0-9a-fA-F]{1,32}/g);
    if (!ids) return;
    setText("");
    navigate(ids.length === 1 ? `/trace/${ids[0]}` : `/search?${ids.map((id) => `traceID=${id}`).join("&")}`);
  };
  return (
    <form className="go" onSubmit={submit}>
      <input
        className="input mono"
        value={text}
        onChange={(event) => setText(event.target.value)}
        placeholder={t("nav.find_trace")}
        aria-label={t("nav.find_trace")}
        spellCheck={false}
      />
    </form>
  );
}

function LanguageSwitch() {
  const t = useT();
  const language = useLanguage();
  const other = language === "en" ? "ko" : "en";
  return (
    <button type="button" className="button button-quiet" lang={other} onClick={() => setLanguage(other)}>
      <Languages size={15} aria-hidden="true" />
      {t("language.switch")}
    </button>
  );
}

function ThemeSwitch() {
  const t = useT();
  const theme = useTheme();
  const label = t(theme === "dark" ? "theme.to_light" : "theme.to_dark");
  return (
    <button
      type="button"
      className="button button-quiet button-icon"
      aria-label={label}
      title={label}
      onClick={() => setTheme(theme === "dark" ? "light" : "dark")}
    >
      {theme === "dark" ? <Sun size={16} aria-hidden="true" /> : <Moon size={16} aria-hidden="true" />}
    </button>
  );
}
