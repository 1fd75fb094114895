import { useMemo, useState } from "react";
import { Link } from "wouter";
import { type Column, SortableTable } from "../../components/sortable-table.tsx";
import { formatDuration, formatPercent, formatRate } from "../../i18n/format.ts";
import { useLanguage, useT } from "../../i18n/index.ts";
import { searchLink } from "../../routing/search-link.ts";
import { useServiceColour } from "../../theme/theme.ts";
import { type CallRow, type CallSeries, rowsOf, sparkline } from "./series.ts";

const WIDTH = 132;
const HEIGHT = 24;

interface CallsTableProps {
  series: readonly CallSeries[];
  startMs: number;
  endMs: number;
  /** Where a service's name leads; without it rows are operations. */
  serviceLink?: (service: string) => string;
}

/** One row a service or operation, with its lines small: what is called, how badly, how slowly, and where time goes. */
export function CallsTable({ series, startMs, endMs, serviceLink }: CallsTableProps) {
  const t = useT();
  const language = useLanguage();
  const colourOf = useServiceColour();
  const [text, setText] = useState("");
  const rows = useMemo(() => rowsOf(series), [series]);
  const nameOf = (row: CallRow) => (serviceLink ? row.series.service : (row.series.operation ?? ""));
  const shown = rows.filter((row) => nameOf(row).toLowerCase().includes(text.toLowerCase()));
  const slowest = Math.max(0, ...series.flatMap((one) => one.p95.map((value) => value ?? 0)));

  const columns: Column<CallRow>[] = [
    {
      id: "name",
      title: t(serviceLink ? "monitor.service" : "monitor.operation"),
      value: nameOf,
      cell: (row) =>
        serviceLink ? (
          <Link href={serviceLink(row.series.service)} className="calls-name">
            <span className="swatch" style={{ background: colourOf(row.series.service) }} aria-hidden="true" />
            {row.series.service}
          </Link>
        ) : (
          <span className="calls-name">{row.series.operation || "–"}</span>
        ),
    },
    {
      id: "p95",
      title: `${t("monitor.latency")} ${t("monitor.p95")}`,
      number: true,
      value: ({ p95 }) => p95,
      cell: ({ series: one, p95 }) => (
        <Small values={one.p95} top={slowest} colour="--accent">
          {p95 === undefined ? "–" : formatDuration(p95, language)}
        </Small>
      ),
    },
    {
      id: "rate",
      title: t("monitor.rate"),
      number: true,
      value: ({ rate }) => rate,
      cell: ({ series: one, rate }) => (
        <Small values={one.rate} colour="--text-3">
          {formatRate(rate, language)}
        </Small>
      ),
    },
    {
      id: "errors",
      title: t("monitor.errors"),
      number: true,
      value: ({ errors }) => errors,
      cell: ({ series: one, errors }) => (
        <Small values={one.errors} top={Math.max(0.05, ...one.errors.map((value) => value ?? 0))} colour="--danger">
          <span className={errors >= 0.1 ? "health-bad" : errors >= 0.01 ? "health-some" : undefined}>
            {formatPercent(errors, language)}
          </span>
        </Small>
      ),
    },
    {
      id: "impact",
      title: t("monitor.impact"),
      hint: t("monitor.impact_hint"),
      number: true,
      value: ({ impact }) => impact,
      cell: ({ impact }) => (
        <span className="impact" title={formatPercent(impact, language)}>
          <span className="visually-hidden">{formatPercent(impact, language)}</span>
          <span className="impact-bar" style={{ width: `${Math.max(1, impact * 100)}%` }} />
        </span>
      ),
    },
    {
      id: "traces",
      title: t("monitor.traces"),
      cell: (row) => {
        const { service, operation } = row.series;
        const question = { service, operation, startMs, endMs };
        const slow = row.p95 === undefined ? question : { ...question, minDuration: row.p95 };
        return (
          <span className="calls-links">
            <Link href={searchLink(question)} aria-label={t("monitor.to_traces", { name: nameOf(row) })}>
              {t("monitor.traces")}
            </Link>
            {row.p95 !== undefined && <Link href={searchLink(slow)}>≥ {formatDuration(row.p95, language)}</Link>}
            {row.errors > 0 && (
              <Link href={searchLink({ ...question, tags: { error: "true" } })}>{t("monitor.behind_errors")}</Link>
            )}
          </span>
        );
      },
    },
  ];

  const title = t(serviceLink ? "monitor.services" : "monitor.operations");
  const find = t(serviceLink ? "monitor.find_service" : "monitor.find");
  return (
    <section className="panel calls">
      <header>
        <h2>
          {title} <span className="hint number">{rows.length}</span>
        </h2>
        <input
          className="input"
          type="search"
          value={text}
          placeholder={find}
          aria-label={find}
          onChange={(event) => setText(event.target.value)}
        />
      </header>
      <div className="calls-table">
        <SortableTable caption={title} columns={columns} rows={shown} rowKey={nameOf} first="impact" />
      </div>
    </section>
  );
}

interface SmallProps {
  values: readonly (number | null)[];
  colour: string;
  top?: number;
  children: React.ReactNode;
}

/** A small line, and beside it what it comes to. */
function Small({ values, colour, top, children }: SmallProps) {
  return (
    <span className="small">
      <svg viewBox={`0 -1 ${WIDTH} ${HEIGHT + 2}`} width={WIDTH} height={HEIGHT} aria-hidden="true">
        <path d={sparkline(values, WIDTH, HEIGHT, top)} style={{ stroke: `var(${colour})` }} />
      </svg>
      <span className="small-value">{children}</span>
    </span>
  );
}
