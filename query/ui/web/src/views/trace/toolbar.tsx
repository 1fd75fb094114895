import { ChevronDown, ChevronsDownUp, ChevronsUpDown, ChevronUp, Filter, Route } from "lucide-react";
import type { KeyboardEvent, ReactNode, RefObject } from "react";
import { useT } from "../../i18n/index.ts";
import { VIEWS, type View } from "./trace-page.tsx";

interface ToolbarProps {
  view: View;
  onView: (view: View) => void;
  findRef: RefObject<HTMLInputElement | null>;
  text: string;
  onText: (text: string) => void;
  /** In ascending order; undefined while nothing is searched. */
  matches: number[] | undefined;
  selected: number | undefined;
  onMatch: (step: 1 | -1) => void;
  onlyMatches: boolean;
  onOnlyMatches: (only: boolean) => void;
  critical: boolean;
  onCritical: (critical: boolean) => void;
  onExpandAll: () => void;
  onCollapseAll: () => void;
  children?: ReactNode;
}

export function Toolbar(props: ToolbarProps) {
  const { view, onView, critical, onCritical, onExpandAll, onCollapseAll, children } = props;
  const t = useT();
  const onTabKey = (event: KeyboardEvent<HTMLElement>) => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    const next = VIEWS[(VIEWS.indexOf(view) + step + VIEWS.length) % VIEWS.length];
    if (!step || !next) return;
    onView(next);
    (event.currentTarget.children[VIEWS.indexOf(next)] as HTMLElement | undefined)?.focus();
  };
  return (
    <div className="trace-toolbar">
      <div className="tabs" role="tablist" aria-label={t("trace.views")} onKeyDown={onTabKey}>
        {VIEWS.map((one) => (
          <button
            key={one}
            type="button"
            role="tab"
            className="tab"
            aria-selected={one === view}
            tabIndex={one === view ? 0 : -1}
            onClick={() => onView(one)}
          >
            {t(`trace.${one}`)}
          </button>
        ))}
      </div>
      {view === "waterfall" && (
        <>
          <button type="button" className="button" aria-pressed={critical} onClick={() => onCritical(!critical)}>
            <Route size={14} aria-hidden="true" />
            {t("trace.critical_path")}
          </button>
          <IconButton label={t("trace.expand_all")} onClick={onExpandAll} Icon={ChevronsUpDown} />
          <IconButton label={t("trace.collapse_all")} onClick={onCollapseAll} Icon={ChevronsDownUp} />
        </>
      )}
      {children}
      <Find {...props} />
    </div>
  );
}

function Find({ findRef, text, onText, matches, selected, onMatch, onlyMatches, onOnlyMatches }: ToolbarProps) {
  const t = useT();
  const at = matches?.indexOf(selected ?? -1) ?? -1;
  const onKey = (event: KeyboardEvent) => {
    if (event.key === "Enter") onMatch(event.shiftKey ? -1 : 1);
    if (event.key === "Escape") onText("");
  };
  return (
    <div className="find">
      <input
        ref={findRef}
        className="input"
        type="search"
        value={text}
        placeholder={t("trace.find")}
        aria-label={t("trace.find")}
        spellCheck={false}
        onChange={(event) => onText(event.target.value)}
        onKeyDown={onKey}
      />
      {matches && (
        <>
          <span className="find-count number" role="status">
            {matches.length === 0
              ? t("trace.find_none")
              : t("trace.find_count", { at: at < 0 ? "–" : at + 1, n: matches.length })}
          </span>
          <IconButton label={t("trace.find_previous")} onClick={() => onMatch(-1)} Icon={ChevronUp} />
          <IconButton label={t("trace.find_next")} onClick={() => onMatch(1)} Icon={ChevronDown} />
          <button
            type="button"
            className="button button-icon"
            aria-pressed={onlyMatches}
            aria-label={t("trace.only_matches")}
            title={t("trace.only_matches")}
            onClick={() => onOnlyMatches(!onlyMatches)}
          >
            <Filter size={14} aria-hidden="true" />
          </button>
        </>
      )}
    </div>
  );
}

function IconButton({ label, onClick, Icon }: { label: string; onClick: () => void; Icon: typeof Filter }) {
  return (
    <button
      type="button"
      className="button button-quiet button-icon"
      aria-label={label}
      title={label}
      onClick={onClick}
    >
      <Icon size={15} aria-hidden="true" />
    </button>
  );
}
