import { useQuery } from "@tanstack/react-query";
import { Link2, Search, X } from "lucide-react";
import { useState } from "react";
import { Link } from "wouter";
import { CopyButton } from "../../components/copy-button.tsx";
import { Failed, Loading } from "../../components/states.tsx";
import { formatDuration, formatMoment, formatPercent } from "../../i18n/format.ts";
import { useLanguage, useT } from "../../i18n/index.ts";
import type { SpanDetails as Details } from "../../model/details.ts";
import { type AnyValue, type KeyValue, plainOf, type SpanDetail, textOf, typeOf } from "../../model/document.ts";
import { Flag, hasFlag, idOf, KINDS, nameOf, PROTOCOLS, serviceOf, type Trace } from "../../model/trace.ts";
import { searchLink } from "../../routing/search-link.ts";
import { useServiceColour } from "../../theme/theme.ts";
import "./span-details.css";

interface SpanDetailsProps {
  trace: Trace;
  span: number;
  details: Details;
  onSelect: (span: number) => void;
  onClose: () => void;
}

/** All that is known of one span, beside the waterfall. */
export function SpanDetails({ trace, span, details, onSelect, onClose }: SpanDetailsProps) {
  const t = useT();
  const colour = useServiceColour();
  const asked = useQuery({
    queryKey: ["span", trace.traceId, span, details],
    queryFn: () => details.detail(span),
    staleTime: Number.POSITIVE_INFINITY,
    structuralSharing: false,
  });
  const service = serviceOf(trace, span);
  return (
    <aside className="details" aria-label={t("trace.span")}>
      <header className="details-head">
        <span className="details-stripe" style={{ background: colour(service) }} />
        <div className="details-title">
          <h2>{nameOf(trace, span)}</h2>
          <p>{service}</p>
        </div>
        <CopyButton label={t("trace.copy_link")} text={() => Promise.resolve(spanUrl(trace, span))} />
        <button
          type="button"
          className="button button-quiet button-icon"
          aria-label={t("trace.close")}
          title={t("trace.close")}
          onClick={onClose}
        >
          <X size={16} aria-hidden="true" />
        </button>
      </header>
      <div className="details-body">
        <Times trace={trace} span={span} onSelect={onSelect} />
        <Warnings trace={trace} span={span} />
        {asked.error && <Failed error={asked.error} onRetry={() => void asked.refetch()} />}
        {asked.isPending && <Loading />}
        {asked.data && <Carried key={span} trace={trace} detail={asked.data} service={service} />}
      </div>
    </aside>
  );
}

function spanUrl(trace: Trace, span: number): string {
  return `${location.origin}${location.pathname}${location.search}#${idOf(trace, span)}`;
}

function Times({ trace, span, onSelect }: { trace: Trace; span: number; onSelect: (span: number) => void }) {
  const t = useT();
  const language = useLanguage();
  const start = trace.start[span] as number;
  const self = trace.timing.selfTime[span] as number;
  const duration = trace.duration[span] as number;
  const critical = trace.timing.criticalTime[span] as number;
  const parent = trace.parent[span] as number;
  const known = (ns: number) => (Number.isNaN(ns) ? "?" : formatDuration(ns, language));
  const facts: [string, React.ReactNode][] = [
    [t("trace.duration"), known(duration)],
    [t("trace.start"), Number.isNaN(start) ? "?" : `+${formatDuration(start, language)}`],
    [
      t("trace.self_time"),
      `${known(self)}${duration > 0 && !Number.isNaN(self) ? ` (${formatPercent(self / duration, language)})` : ""}`,
    ],
    ...(Number.isNaN(critical) ? [] : ([[t("trace.critical_time"), known(critical)]] as [string, string][])),
    ...(Number.isNaN(start)
      ? []
      : ([[t("trace.at"), formatMoment(Number(trace.startNs / 1000n) / 1e3 + start / 1e6, language)]] as [
          string,
          string,
        ][])),
    [t("trace.kind"), KINDS[trace.kind[span] as number] || t("trace.none")],
    [
      t("trace.protocol"),
      `${PROTOCOLS[trace.protocol[span] as number]}${hasFlag(trace, span, Flag.sidecar) ? `, ${t("trace.sidecar")}` : ""}`,
    ],
    [t("trace.span"), <code key="id">{idOf(trace, span)}</code>],
  ];
  if (parent >= 0) {
    facts.push([
      t("trace.parent"),
      <button key="parent" type="button" className="link" onClick={() => onSelect(parent)}>
        {serviceOf(trace, parent)} {nameOf(trace, parent)}
      </button>,
    ]);
  }
  return (
    <dl className="details-facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd className="number">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Warnings({ trace, span }: { trace: Trace; span: number }) {
  const t = useT();
  const root = trace.roots.get(span);
  const texts = [
    ...(root === "orphan" || root === "circle" ? [t(`trace.${root}`)] : []),
    ...(trace.warnings.get(span) ?? []),
  ];
  if (texts.length === 0) return null;
  return (
    <ul className="details-warnings" aria-label={t("trace.warnings")}>
      {texts.map((text) => (
        <li key={text}>{text}</li>
      ))}
    </ul>
  );
}

function Carried({ trace, detail, service }: { trace: Trace; detail: SpanDetail; service: string }) {
  const t = useT();
  const language = useLanguage();
  const { span } = detail;
  const status = span.status?.message;
  const raw = () => JSON.stringify(span, null, 2);
  return (
    <>
      {status && <p className="details-status">{status}</p>}
      {detail.reports > 1 && <p className="hint">{t("trace.joined", { n: detail.reports })}</p>}
      <Section title={t("trace.attributes")} count={span.attributes?.length ?? 0} open>
        <Attributes attributes={span.attributes} service={service} />
        <Dropped n={span.droppedAttributesCount} />
      </Section>
      {(span.events?.length ?? 0) > 0 && (
        <Section title={t("trace.events")} count={span.events?.length ?? 0} open>
          {span.events?.map((event, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: events have no other identity, and never change
            <div className="details-event" key={at}>
              <p>
                <strong>{event.name}</strong>
                <span className="hint number">
                  {event.timeUnixNano
                    ? ` +${formatDuration(Number(BigInt(event.timeUnixNano) - trace.startNs), language)}`
                    : ""}
                </span>
              </p>
              <Attributes attributes={event.attributes} service={undefined} />
            </div>
          ))}
          <Dropped n={span.droppedEventsCount} />
        </Section>
      )}
      {(span.links?.length ?? 0) > 0 && (
        <Section title={t("trace.links")} count={span.links?.length ?? 0} open>
          {span.links?.map((link, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: as of events
            <div className="details-event" key={at}>
              <Link href={`/trace/${link.traceId}#${link.spanId}`}>
                <Link2 size={13} aria-hidden="true" /> <code>{link.traceId}</code> <code>{link.spanId}</code>
              </Link>
              <Attributes attributes={link.attributes} service={undefined} />
            </div>
          ))}
          <Dropped n={span.droppedLinksCount} />
        </Section>
      )}
      <Section title={t("trace.resource")} count={detail.resourceAttributes.length}>
        <Attributes attributes={detail.resourceAttributes} service={service} />
      </Section>
      {detail.scope && (
        <Section title={t("trace.scope")} count={detail.scope.attributes?.length ?? 0}>
          <p className="details-scope">
            {detail.scope.name} {detail.scope.version}
          </p>
          <Attributes attributes={detail.scope.attributes} service={undefined} />
        </Section>
      )}
      <Section title={t("trace.raw")}>
        <CopyButton label={t("trace.copy")} text={raw()} className="button details-copy">
          {t("trace.copy")}
        </CopyButton>
        <Raw text={raw} />
      </Section>
    </>
  );
}

function Dropped({ n }: { n: number | undefined }) {
  const t = useT();
  return n ? <p className="hint">{t("trace.dropped", { n })}</p> : null;
}

function Raw({ text }: { text: () => string }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must take the focus to be scrolled by keys
    <pre className="details-raw" tabIndex={0}>
      {text()}
    </pre>
  );
}

interface SectionProps {
  title: string;
  count?: number;
  open?: boolean;
  children: React.ReactNode;
}

/** Its content is made when it is opened. */
function Section({ title, count, open = false, children }: SectionProps) {
  const [shown, setShown] = useState(open);
  return (
    <details className="details-section" open={shown} onToggle={(event) => setShown(event.currentTarget.open)}>
      <summary>
        {title}
        {count !== undefined && <span className="hint number">{count}</span>}
      </summary>
      {shown && children}
    </details>
  );
}

/** service: of the searches for a tag; undefined where a tag cannot be searched. */
function Attributes({ attributes = [], service }: { attributes: KeyValue[] | undefined; service: string | undefined }) {
  const t = useT();
  if (attributes.length === 0) return <p className="hint">{t("trace.none")}</p>;
  return (
    <table className="attributes">
      <tbody>
        {attributes.map(({ key, value }) => (
          <tr key={key}>
            <th scope="row">{key}</th>
            <td>
              <Value value={value} />
            </td>
            <td className="attribute-actions">
              <CopyButton label={`${t("trace.copy")} ${key}`} text={textOf(value)} />
              {service !== undefined && (
                <Link
                  className="button button-quiet button-icon"
                  href={searchLink({ service, tags: { [key]: textOf(value) } })}
                  aria-label={`${t("trace.search_tag")}: ${key}`}
                  title={t("trace.search_tag")}
                >
                  <Search size={13} aria-hidden="true" />
                </Link>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Value({ value }: { value: AnyValue }) {
  const type = typeOf(value);
  if (type === "array" || type === "kvlist") return <pre>{JSON.stringify(plainOf(value), null, 2)}</pre>;
  const text = textOf(value);
  return (
    <>
      {/^https?:\/\/[^\s]+$/.test(text) ? (
        <a href={text} target="_blank" rel="noreferrer noopener">
          {text}
        </a>
      ) : (
        <span className={`value-${type}`}>{text}</span>
      )}
      {type !== "string" && type !== "" && <span className="value-type">{type}</span>}
    </>
  );
}
