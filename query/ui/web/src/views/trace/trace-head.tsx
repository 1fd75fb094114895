import * as Ariakit from "@ariakit/react";
import { Copy, Download, GitCompareArrows, Share } from "lucide-react";
import { Link } from "wouter";
import { facts } from "../../api/facts.ts";
import { FORMATS, type Format, traceText } from "../../api/jaeger.ts";
import { CopyButton, copyText } from "../../components/copy-button.tsx";
import { formatCount, formatDuration, formatMoment } from "../../i18n/format.ts";
import { useLanguage, useT } from "../../i18n/index.ts";
import type { Trace } from "../../model/trace.ts";
import { useServiceColour } from "../../theme/theme.ts";
import { ArchiveButton } from "./archive-button.tsx";
import "./trace-head.css";

interface TraceHeadProps {
  trace: Trace;
  /** Whether the server has the trace, so that it can be taken away and compared. */
  stored: boolean;
  services: ReadonlySet<string>;
  onServices: (services: ReadonlySet<string>) => void;
}

/** What the trace is, and what to do with it as a whole. */
export function TraceHead({ trace, stored, services, onServices }: TraceHeadProps) {
  const t = useT();
  const language = useLanguage();
  const { summary } = trace;
  const told: [string, string][] = [
    ...(summary.startTimeUnixNano
      ? ([[t("trace.started"), formatMoment(Number(trace.startNs / 1000n) / 1e3, language)]] as [string, string][])
      : []),
    [t("trace.duration"), formatDuration(trace.durationNs, language)],
    [t("trace.spans"), formatCount(summary.spans, language)],
    [t("trace.errors"), formatCount(summary.errors, language)],
    [t("trace.services"), formatCount(summary.services.length, language)],
    [t("trace.depth"), formatCount(summary.depth, language)],
    ...(summary.reports > summary.spans
      ? ([[t("trace.reports"), formatCount(summary.reports, language)]] as [string, string][])
      : []),
  ];
  return (
    <header className="trace-head">
      <div className="trace-title">
        <h1>
          {summary.rootService} <span>{summary.rootOperation}</span>
        </h1>
        <code className="trace-id">{trace.traceId.replace(/^0{16}/, "")}</code>
        <CopyButton label={t("trace.copy_id")} text={trace.traceId.replace(/^0{16}/, "")} />
        <span className="trace-actions">
          {stored && (
            <Link className="button" href={`/compare?a=${trace.traceId}`}>
              <GitCompareArrows size={14} aria-hidden="true" />
              {t("trace.compare")}
            </Link>
          )}
          {stored && facts.archive && <ArchiveButton traceId={trace.traceId} />}
          {stored && <Take traceId={trace.traceId} />}
        </span>
      </div>
      <div className="trace-facts">
        <dl>
          {told.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd className="number">{value}</dd>
            </div>
          ))}
        </dl>
        <Services trace={trace} services={services} onServices={onServices} />
      </div>
    </header>
  );
}

function Services({ trace, services, onServices }: Pick<TraceHeadProps, "trace" | "services" | "onServices">) {
  const t = useT();
  const language = useLanguage();
  const colour = useServiceColour();
  const toggle = (name: string) => {
    const next = new Set(services);
    if (!next.delete(name)) next.add(name);
    onServices(next);
  };
  return (
    <ul className="trace-services" aria-label={t("trace.services")}>
      {trace.summary.services.map(({ name, spans, errors }) => (
        <li key={name}>
          <button type="button" className="chip" aria-pressed={services.has(name)} onClick={() => toggle(name)}>
            <span className="swatch" style={{ background: colour(name) }} />
            {name}
            <span className="chip-count number">{formatCount(spans, language)}</span>
            {errors > 0 && (
              <span className="chip-errors number" title={t("trace.errors")}>
                {formatCount(errors, language)}
              </span>
            )}
          </button>
        </li>
      ))}
    </ul>
  );
}

/** The trace as a file or in the clipboard, in each of the three forms. */
function Take({ traceId }: { traceId: string }) {
  const t = useT();
  const formats = Object.keys(FORMATS) as Format[];
  return (
    <Ariakit.MenuProvider placement="bottom-end">
      <Ariakit.MenuButton className="button">
        <Share size={14} aria-hidden="true" />
        {t("trace.take")}
      </Ariakit.MenuButton>
      <Ariakit.Menu className="popover" gutter={4}>
        {formats.map((format) => (
          <Ariakit.MenuItem key={format} className="option" onClick={() => void download(traceId, format)}>
            <Download size={14} aria-hidden="true" />
            {t("trace.download", { format: FORMATS[format].name })}
          </Ariakit.MenuItem>
        ))}
        {formats.map((format) => (
          <Ariakit.MenuItem
            key={format}
            className="option"
            onClick={() => void traceText(traceId, format).then((text) => copyText(text))}
          >
            <Copy size={14} aria-hidden="true" />
            {t("trace.copy_as", { format: FORMATS[format].name })}
          </Ariakit.MenuItem>
        ))}
      </Ariakit.Menu>
    </Ariakit.MenuProvider>
  );
}

async function download(traceId: string, format: Format): Promise<void> {
  const url = URL.createObjectURL(new Blob([await traceText(traceId, format)], { type: "application/json" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = `trace-${traceId.replace(/^0{16}/, "")}-${format}.json`;
  link.click();
  URL.revokeObjectURL(url);
}
