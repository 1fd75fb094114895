import * as Ariakit from "@ariakit/react";
import { useQuery } from "@tanstack/react-query";
import { useId, useMemo, useRef, useState } from "react";
import { Link } from "wouter";
import { servicesOf } from "../../api/jaeger.ts";
import { Picker } from "../../components/picker.tsx";
import { Failed, Loading } from "../../components/states.tsx";
import { TimeRangeField } from "../../components/time-range.tsx";
import { formatDuration, formatMinute, formatPercent, formatRate } from "../../i18n/format.ts";
import { useLanguage, useT } from "../../i18n/index.ts";
import { searchLink } from "../../routing/search-link.ts";
import { useParameters } from "../../routing/use-parameters.ts";
import { type UsedTimeRange, useTimeRange } from "../../routing/use-time-range.ts";
import { useTitle } from "../../shell/use-title.ts";
import { useServiceColour } from "../../theme/theme.ts";
import { HowToSend } from "../doors/how-to-send.tsx";
import { CallsTable } from "./calls-table.tsx";
import { Chart, type Line } from "./chart.tsx";
import { behind, type CallSeries, type Measure } from "./series.ts";
import { type Calls, useCalls } from "./use-calls.ts";
import "../../components/toolbar.css";
import "./monitor.css";

const KINDS = ["server", "client", "consumer", "producer", "internal"] as const;
type Kind = (typeof KINDS)[number];
const LIVE_MS = 15_000;

export default function MonitorView() {
  const t = useT();
  useTitle(t("monitor.title"));
  const [given, change] = useParameters();
  const live = given.get("live") === "true";
  const time = useTimeRange("1h", live ? LIVE_MS : 0);
  const service = given.get("service") ?? "";
  const kind = KINDS.find((one) => one === given.get("kind")) ?? "server";
  const services = useQuery({ queryKey: ["services"], queryFn: ({ signal }) => servicesOf(signal) });

  return (
    <div className="monitor">
      <h1 className="visually-hidden">{t("monitor.title")}</h1>
      <Toolbar {...{ service, kind, live, time, change }} services={services.data ?? []} />
      {services.error && <Failed error={services.error} onRetry={services.refetch} />}
      {service ? (
        <OneService key={`${service} ${kind}`} service={service} kind={kind} time={time} />
      ) : (
        services.data && <AllServices services={services.data} kind={kind} time={time} given={given} />
      )}
    </div>
  );
}

interface ToolbarProps {
  service: string;
  kind: Kind;
  live: boolean;
  time: UsedTimeRange;
  services: readonly string[];
  change: ReturnType<typeof useParameters>[1];
}

function Toolbar({ service, kind, live, time, services, change }: ToolbarProps) {
  const t = useT();
  const id = useId();
  const colourOf = useServiceColour();
  return (
    <search className="toolbar">
      <Picker
        label={t("monitor.service")}
        value={service}
        options={services}
        none={t("monitor.all_services")}
        onChange={(next) => change({ service: next })}
        mark={(name) => <span className="swatch" style={{ background: colourOf(name) }} aria-hidden="true" />}
      />
      <div className="field">
        <label htmlFor={id}>{t("monitor.kind")}</label>
        <select
          id={id}
          className="input"
          value={kind}
          onChange={(event) => change({ kind: event.target.value === "server" ? undefined : event.target.value })}
        >
          {KINDS.map((one) => (
            <option key={one} value={one}>
              {t(`monitor.kind_${one}`)}
            </option>
          ))}
        </select>
      </div>
      <TimeRangeField {...time} />
      <label className="check">
        <input
          type="checkbox"
          checked={live}
          disabled={!("lookback" in time.range)}
          onChange={() => change({ live: live ? undefined : "true" })}
        />
        {t("monitor.live")}
      </label>
    </search>
  );
}

interface Part {
  kind: Kind;
  time: UsedTimeRange;
}

function AllServices({ services, kind, time, given }: Part & { services: readonly string[]; given: URLSearchParams }) {
  const { startMs, endMs } = time;
  const calls = useCalls({ services, kind, byOperation: false, allQuantiles: false, startMs, endMs });
  const linkOf = (service: string) => {
    const next = new URLSearchParams(given);
    next.set("service", service);
    return `/monitor?${next.toString()}`;
  };
  if (services.length === 0) return <Nothing />;
  if (calls.error && !calls.data) return <Failed error={calls.error} onRetry={calls.refetch} />;
  if (!calls.data) return <Loading />;
  if (calls.data.series.length === 0) return <Nothing />;
  return <CallsTable series={calls.data.series} startMs={startMs} endMs={endMs} serviceLink={linkOf} />;
}

function OneService({ service, kind, time }: Part & { service: string }) {
  const { startMs, endMs } = time;
  const services = useMemo(() => [service], [service]);
  const whole = useCalls({ services, kind, byOperation: false, allQuantiles: true, startMs, endMs });
  const parts = useCalls({ services, kind, byOperation: true, allQuantiles: false, startMs, endMs });
  const error = whole.error ?? parts.error;
  if (error && !whole.data) return <Failed error={error} onRetry={whole.refetch} />;
  if (!whole.data) return <Loading />;
  const [series] = whole.data.series;
  if (!series) return <Nothing />;
  return (
    <>
      <Charts calls={whole.data} series={series} />
      {parts.data ? <CallsTable series={parts.data.series} startMs={startMs} endMs={endMs} /> : <Loading />}
    </>
  );
}

function Charts({ calls, series }: { calls: Calls; series: CallSeries }) {
  const t = useT();
  const language = useLanguage();
  const { moments } = calls;
  const charts = useMemo(
    (): { title: string; measures: Measure[]; lines: Line[]; format: (value: number) => string }[] => [
      {
        title: t("monitor.latency"),
        measures: ["p99", "p95", "p50"],
        lines: [
          { label: t("monitor.p99"), colour: "--chart-3", values: series.p99 },
          { label: t("monitor.p95"), colour: "--chart-2", values: series.p95 },
          { label: t("monitor.p50"), colour: "--chart-1", values: series.p50 },
        ],
        format: (value) => formatDuration(value, language),
      },
      {
        title: t("monitor.errors"),
        measures: ["errors"],
        lines: [{ label: t("monitor.errors"), colour: "--danger", values: series.errors, fill: true }],
        format: (value) => formatPercent(value, language),
      },
      {
        title: t("monitor.rate"),
        measures: ["rate"],
        lines: [{ label: t("monitor.rate"), colour: "--chart-1", values: series.rate, fill: true }],
        format: (value) => formatRate(value, language),
      },
    ],
    [series, language, t],
  );
  return (
    <div className="charts">
      {charts.map((chart) => (
        <ChartWithTraces key={chart.measures[0]} {...chart} moments={moments} calls={calls} service={series.service} />
      ))}
    </div>
  );
}

interface ChartWithTracesProps {
  title: string;
  measures: Measure[];
  lines: Line[];
  format: (value: number) => string;
  moments: number[];
  calls: Calls;
  service: string;
}

/** A chart, and a way from the point that was picked to the traces behind it. */
function ChartWithTraces({ measures, calls, service, ...chart }: ChartWithTracesProps) {
  const t = useT();
  const language = useLanguage();
  const anchor = useRef({ x: 0, y: 0 });
  const frame = useRef<HTMLDivElement>(null);
  const [picked, setPicked] = useState<{ moment: number; line: number }>();
  const popover = Ariakit.usePopoverStore({
    open: picked !== undefined,
    setOpen: (open) => !open && setPicked(undefined),
    placement: "bottom",
  });
  const measure = measures[picked?.line ?? 0] as Measure;
  const value = picked ? (chart.lines[picked.line]?.values[chart.moments.indexOf(picked.moment)] ?? null) : null;
  return (
    <div className="panel" ref={frame}>
      <Chart
        {...chart}
        onPick={(moment, line, at) => {
          anchor.current = at;
          setPicked({ moment, line });
        }}
      />
      <Ariakit.Popover
        store={popover}
        className="popover point"
        // The click that picks a point is still on its way out when this opens.
        hideOnInteractOutside={(event) => !frame.current?.contains(event.target as Node)}
        aria-label={t("monitor.point", { time: picked ? formatMinute(picked.moment, language) : "" })}
        getAnchorRect={() => {
          const box = frame.current?.querySelector(".chart-plot")?.getBoundingClientRect();
          return { x: (box?.x ?? 0) + anchor.current.x, y: (box?.y ?? 0) + anchor.current.y, width: 1, height: 1 };
        }}
      >
        {picked && (
          <>
            <p>
              <strong>{formatMinute(picked.moment, language)}</strong>{" "}
              <span className="number">
                {chart.lines[picked.line]?.label} {value === null ? "–" : chart.format(value)}
              </span>
            </p>
            <Behind service={service} moment={picked.moment} calls={calls} measure={measure} value={value} />
          </>
        )}
      </Ariakit.Popover>
    </div>
  );
}

interface BehindProps {
  service: string;
  moment: number;
  calls: Calls;
  measure: Measure;
  value: number | null;
}

function Behind({ service, moment, calls, measure, value }: BehindProps) {
  const t = useT();
  const language = useLanguage();
  const { startMs, endMs, minDuration, errorsOnly } = behind(moment, calls.steps, measure, value);
  const all = { service, startMs, endMs };
  return (
    <ul className="point-links">
      {minDuration !== undefined && (
        <li>
          <Link href={searchLink({ ...all, minDuration })}>
            {t("monitor.behind_latency", { duration: formatDuration(minDuration, language) })}
          </Link>
        </li>
      )}
      {(errorsOnly || measure === "rate") && (
        <li>
          <Link href={searchLink({ ...all, tags: { error: "true" } })}>{t("monitor.behind_errors")}</Link>
        </li>
      )}
      <li>
        <Link href={searchLink(all)}>{t("monitor.behind_rate")}</Link>
      </li>
    </ul>
  );
}

function Nothing() {
  const t = useT();
  return (
    <>
      <div className="state">
        <div>
          <h2>{t("monitor.empty_title")}</h2>
          <p>{t("monitor.empty_text")}</p>
        </div>
      </div>
      <HowToSend />
    </>
  );
}
