import { useQuery } from "@tanstack/react-query";
import { ArrowLeftRight } from "lucide-react";
import { type FormEvent, useId, useMemo, useState } from "react";
import { Link, useLocation, useSearch } from "wouter";
import { outlineOfTrace } from "../../api/clew.ts";
import { ApiError } from "../../api/http.ts";
import { Failed, Loading } from "../../components/states.tsx";
import { formatCount, formatDuration, formatMoment, withSign } from "../../i18n/format.ts";
import { useLanguage, useT } from "../../i18n/index.ts";
import { type Trace, traceOf } from "../../model/trace.ts";
import { compareLink, idsOf, isTraceId } from "./ids.ts";
import { compared } from "./merge.ts";
import { PathTree } from "./path-tree.tsx";
import { ServiceTimes } from "./service-times.tsx";
import "../../components/toolbar.css";
import { useTitle } from "../../shell/use-title.ts";
import "./compare.css";

/** ids: "a...b", or "" when the traces are still to be chosen. */
export default function CompareView({ ids }: { ids: string }) {
  const t = useT();
  const given = new URLSearchParams(useSearch());
  // /compare?a=<id> is how a trace's page asks what to compare it with.
  const { a, b } = ids ? idsOf(ids) : { a: given.get("a") ?? "", b: given.get("b") ?? "" };
  useTitle(t("compare.title"));
  return (
    <div className="compare">
      <h1 className="visually-hidden">{t("compare.title")}</h1>
      <Choice key={`${a} ${b}`} a={a} b={b} />
      {isTraceId(a) && isTraceId(b) ? <Pair a={a} b={b} /> : <p className="compare-how">{t("compare.how")}</p>}
    </div>
  );
}

/** Which traces. */
function Choice({ a, b }: { a: string; b: string }) {
  const t = useT();
  const id = useId();
  const [, navigate] = useLocation();
  const [ids, setIds] = useState({ a, b });
  const [tried, setTried] = useState(false);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (isTraceId(ids.a.trim()) && isTraceId(ids.b.trim())) navigate(compareLink(ids.a.trim(), ids.b.trim()));
  };
  const field = (side: "a" | "b", label: string) => {
    const isWrong = tried && !isTraceId(ids[side].trim());
    return (
      <div className="field compare-id">
        <label htmlFor={id + side}>{label}</label>
        <input
          id={id + side}
          className="input mono"
          value={ids[side]}
          spellCheck={false}
          placeholder={t("compare.id")}
          aria-invalid={isWrong}
          aria-describedby={isWrong ? `${id}${side}why` : undefined}
          onChange={(event) => setIds({ ...ids, [side]: event.target.value })}
        />
        {isWrong && (
          <span id={`${id}${side}why`} className="compare-wrong" role="alert">
            {t("compare.bad_id")}
          </span>
        )}
      </div>
    );
  };
  return (
    <form className="toolbar" onSubmit={submit}>
      {field("a", t("compare.first"))}
      <button
        type="button"
        className="button button-icon"
        aria-label={t("compare.swap")}
        title={t("compare.swap")}
        onClick={() => {
          setIds({ a: ids.b, b: ids.a });
          if (isTraceId(a) && isTraceId(b)) navigate(compareLink(b, a), { replace: true });
        }}
      >
        <ArrowLeftRight size={15} aria-hidden="true" />
      </button>
      {field("b", t("compare.second"))}
      <button type="submit" className="button button-primary">
        {t("compare.go")}
      </button>
    </form>
  );
}

function useTrace(traceId: string) {
  return useQuery({
    queryKey: ["trace", traceId, "jaeger"],
    queryFn: async ({ signal }) => {
      const { outline, timing } = await outlineOfTrace(traceId, "jaeger", signal);
      return traceOf({ ...outline, timing: await timing() });
    },
    staleTime: 60_000,
    structuralSharing: false,
  });
}

function Pair({ a, b }: { a: string; b: string }) {
  const t = useT();
  const [first, second] = [useTrace(a), useTrace(b)];
  for (const [id, { error, refetch }] of [
    [a, first],
    [b, second],
  ] as const) {
    if (!error) continue;
    const missing = error instanceof ApiError && error.status === 404;
    return <Failed error={missing ? new Error(t("compare.not_found", { id })) : error} onRetry={refetch} />;
  }
  if (!first.data || !second.data) return <Loading />;
  return <Compared key={`${a} ${b}`} a={first.data} b={second.data} />;
}

function Compared({ a, b }: { a: Trace; b: Trace }) {
  const t = useT();
  const comparison = useMemo(() => compared(a, b), [a, b]);
  return (
    <>
      <Totals a={a} b={b} />
      <div className="compare-parts">
        <PathTree comparison={comparison} />
        <ServiceTimes services={comparison.services} />
      </div>
      <p className="hint compare-rule">{t("compare.rule")}</p>
    </>
  );
}

function Totals({ a, b }: { a: Trace; b: Trace }) {
  const t = useT();
  const language = useLanguage();
  const count = (n: number) => formatCount(n, language);
  const rows = [
    ["compare.duration", a.durationNs, b.durationNs, (ns: number) => formatDuration(ns, language)],
    ["compare.spans", a.size, b.size, count],
    ["compare.errors", a.summary.errors, b.summary.errors, count],
    ["compare.services", a.summary.services.length, b.summary.services.length, count],
    ["compare.depth", a.summary.depth, b.summary.depth, count],
  ] as const;
  const head = (side: string, trace: Trace) => (
    <div className="compare-head">
      <span className="compare-side">{side}</span>
      <div>
        <h2>
          <Link href={`/trace/${trace.traceId}`} title={t("compare.open")}>
            {trace.summary.rootService}: {trace.summary.rootOperation}
          </Link>
        </h2>
        <p className="hint">
          {formatMoment(Number(trace.startNs / 1_000_000n), language)} · <span className="mono">{trace.traceId}</span>
        </p>
      </div>
    </div>
  );
  return (
    <section className="panel compare-totals">
      {head("A", a)}
      {head("B", b)}
      <dl>
        {rows.map(([key, before, after, shown]) => (
          <div key={key}>
            <dt>{t(key)}</dt>
            <dd className="number">
              {shown(before)} → <strong>{shown(after)}</strong>
              {before !== after && (
                <span className={after > before ? "worse" : "better"}>
                  {withSign(after - before, shown(Math.abs(after - before)))}
                </span>
              )}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
