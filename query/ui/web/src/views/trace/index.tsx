import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { useLocation, useSearch } from "wouter";
import { type ClockRule, documentUrl, outlineOfTrace } from "../../api/clew.ts";
import { ApiError } from "../../api/http.ts";
import { Failed, Loading } from "../../components/states.tsx";
import { useT } from "../../i18n/index.ts";
import { remoteDetails } from "../../model/details.ts";
import { type OutlineTiming, type Trace, timingOf, traceOf } from "../../model/trace.ts";
import { TracePage } from "./trace-page.tsx";

const CLOCK_RULES: readonly ClockRule[] = ["jaeger", "zipkin", "none"];

/** A trace that the server has. */
export default function TraceView({ traceId }: { traceId: string }) {
  const t = useT();
  const given = new URLSearchParams(useSearch());
  const clocks = CLOCK_RULES.find((rule) => rule === given.get("clockSkew")) ?? "jaeger";
  const asked = useQuery({
    queryKey: ["trace", traceId, clocks],
    queryFn: async ({ signal }) => {
      const { outline, timing } = await outlineOfTrace(traceId, clocks, signal);
      return { trace: traceOf(outline), timing };
    },
    staleTime: 60_000,
    structuralSharing: false,
  });
  const trace = useTimed(asked.data);
  const details = useMemo(() => remoteDetails(documentUrl(traceId, clocks)), [traceId, clocks]);
  useEffect(() => () => details.close(), [details]);
  const title = trace && `${trace.summary.rootService}: ${trace.summary.rootOperation}`;
  useEffect(() => {
    if (title) document.title = `${title} · clew`;
    return () => {
      document.title = "clew";
    };
  }, [title]);
  if (asked.error instanceof ApiError && asked.error.status === 404) {
    return (
      <div className="state">
        <div>
          <h1>{t("trace.not_found", { id: traceId })}</h1>
          <p>{t("trace.not_found_why")}</p>
        </div>
        <button type="button" className="button" onClick={() => void asked.refetch()}>
          {t("state.retry")}
        </button>
      </div>
    );
  }
  if (asked.error) return <Failed error={asked.error} onRetry={() => void asked.refetch()} />;
  if (!trace) return <Loading />;
  return (
    <TracePage key={`${traceId} ${clocks}`} trace={trace} details={details} stored>
      <Clocks clocks={clocks} />
    </TracePage>
  );
}

/** The trace, at once; it knows how its time was spent when that has come. */
function useTimed(asked: { trace: Trace; timing: () => Promise<OutlineTiming> } | undefined): Trace | undefined {
  const [come, setCome] = useState<{ asked: typeof asked; trace: Trace }>();
  useEffect(() => {
    let current = true;
    // Here, for the rows are in the page now.
    asked?.timing().then(
      (timing) => current && setCome({ asked, trace: { ...asked.trace, timing: timingOf(timing) } }),
      () => undefined, // the connection broke off: what is shown stays
    );
    return () => {
      current = false;
    };
  }, [asked]);
  return come && come.asked === asked ? come.trace : asked?.trace;
}

/** Whose rule corrects clocks. */
function Clocks({ clocks }: { clocks: ClockRule }) {
  const t = useT();
  const [path, navigate] = useLocation();
  const search = useSearch();
  const choose = (rule: string) => {
    const parameters = new URLSearchParams(search);
    if (rule === "jaeger") parameters.delete("clockSkew");
    else parameters.set("clockSkew", rule);
    navigate(`${path}?${parameters.toString()}`, { replace: true });
  };
  return (
    <select
      className="input clocks"
      aria-label={t("trace.clocks")}
      value={clocks}
      onChange={(event) => choose(event.target.value)}
    >
      {CLOCK_RULES.map((rule) => (
        <option key={rule} value={rule}>
          {t(`trace.clocks_${rule}`)}
        </option>
      ))}
    </select>
  );
}
