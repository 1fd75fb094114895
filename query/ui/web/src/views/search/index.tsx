import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { GitCompareArrows, Radio } from "lucide-react";
import { useEffect, useMemo, useRef, useState } from "react";
import { useLocation, useSearch } from "wouter";
import { findTraces, findTracesById, type TraceSummary } from "../../api/clew.ts";
import { Failed, Loading } from "../../components/states.tsx";
import type { Key } from "../../i18n/en.ts";
import { useLanguage, useT } from "../../i18n/index.ts";
import { momentsOf } from "../../routing/time-range.ts";
import { useTitle } from "../../shell/use-title.ts";
import { counted } from "./counted.ts";
import { askedOf, parametersOf, type Question, questionOf } from "./question.ts";
import { Scatter } from "./scatter.tsx";
import { SearchForm } from "./search-form.tsx";
import { TraceList } from "./trace-list.tsx";
import "./search.css";

const LIVE_EVERY_MS = 2000;

/** Traces by what is asked; the address holds the whole question, in Jaeger's words. */
export default function SearchView() {
  const search = useSearch();
  const [, navigate] = useLocation();
  const question = useMemo(() => questionOf(new URLSearchParams(search)), [search]);
  const [live, setLive] = useState(false);
  const [asked, setAsked] = useState(0);
  const onSearch = (next: Question) => {
    setAsked((count) => count + 1);
    navigate(`/search?${parametersOf(next).toString()}`);
  };
  return (
    <div className="search">
      <SearchForm key={search} question={question} onSearch={onSearch} />
      <Results question={question} asked={asked} live={live} onLive={setLive} />
    </div>
  );
}

interface ResultsProps {
  question: Question;
  /** How often the form was sent: the same question again looks again. */
  asked: number;
  live: boolean;
  onLive: (live: boolean) => void;
}

interface Found {
  traces: TraceSummary[];
  nowMs: number;
}

function Results({ question, asked, live, onLive }: ResultsProps) {
  const t = useT();
  useTitle(t("search.title"));
  const ofNow = "lookback" in question.range && question.traceIds.length === 0;
  const found = useQuery({
    queryKey: ["traces", question, asked],
    queryFn: async ({ signal }): Promise<Found> => {
      const nowMs = Date.now();
      const traces =
        question.traceIds.length > 0
          ? await findTracesById(question.traceIds, signal)
          : await findTraces(askedOf(question, nowMs), signal);
      return { traces, nowMs };
    },
    refetchInterval: live && ofNow ? LIVE_EVERY_MS : false,
    placeholderData: keepPreviousData,
    structuralSharing: false,
  });
  if (found.error && !found.data) return <Failed error={found.error} onRetry={() => void found.refetch()} />;
  if (!found.data) return <Loading />;
  return (
    <section className="results" aria-label={t("search.results")} aria-busy={found.isFetching && !live}>
      {found.error && <Failed error={found.error} onRetry={() => void found.refetch()} />}
      <FoundTraces found={found.data} question={question} canLive={ofNow} live={live} onLive={onLive} />
    </section>
  );
}

type Order = "newest" | "longest" | "shortest" | "most_spans" | "most_errors";
const ORDERS: Record<Order, (a: TraceSummary, b: TraceSummary) => number> = {
  newest: (a, b) => Number(b.startTimeUnixNano ?? 0) - Number(a.startTimeUnixNano ?? 0),
  longest: (a, b) => Number(b.durationNano ?? 0) - Number(a.durationNano ?? 0),
  shortest: (a, b) => Number(a.durationNano ?? 0) - Number(b.durationNano ?? 0),
  most_spans: (a, b) => b.spanCount - a.spanCount,
  most_errors: (a, b) => b.errorCount - a.errorCount,
};

interface FoundTracesProps {
  found: Found;
  question: Question;
  canLive: boolean;
  live: boolean;
  onLive: (live: boolean) => void;
}

function FoundTraces({ found, question, canLive, live, onLive }: FoundTracesProps) {
  const t = useT();
  const language = useLanguage();
  const [, navigate] = useLocation();
  const [order, setOrder] = useState<Order>("newest");
  const [log, setLog] = useState(true);
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const [highlighted, setHighlighted] = useState<string>();
  const sorted = useMemo(() => [...found.traces].sort(ORDERS[order]), [found, order]);
  const fresh = useFresh(found.traces, live);
  const { startMs, endMs } = momentsOf(question.range, found.nowMs);
  const missing = question.traceIds.filter((id) => !found.traces.some((trace) => same(trace.traceId, id)));
  const choose = (id: string) =>
    setChosen((now) => (now.includes(id) ? now.filter((one) => one !== id) : [...now.slice(-1), id]));
  return (
    <>
      <div className="results-head">
        <h1 className="number" aria-live="polite">
          {counted(found.traces.length, "trace", t, language)}
        </h1>
        {found.traces.length === question.limit && question.traceIds.length === 0 && (
          <span className="hint">{t("search.more", { n: question.limit })}</span>
        )}
        {missing.length > 0 && <span className="field-error">{t("search.missing", { ids: missing.join(", ") })}</span>}
        <span className="results-tools">
          <button
            type="button"
            className="button"
            disabled={chosen.length !== 2}
            title={t("search.compare_hint")}
            onClick={() => navigate(`/trace/${chosen.join("...")}`)}
          >
            <GitCompareArrows size={14} aria-hidden="true" />
            {t("search.compare")}
          </button>
          <button
            type="button"
            className={live ? "button live" : "button"}
            aria-pressed={live}
            disabled={!canLive}
            title={t("search.live_hint")}
            onClick={() => onLive(!live)}
          >
            <Radio size={14} aria-hidden="true" />
            {t("search.live")}
          </button>
          <button type="button" className="button" aria-pressed={log} onClick={() => setLog(!log)}>
            {t("search.log_scale")}
          </button>
          <select
            className="input"
            aria-label={t("search.sort")}
            value={order}
            onChange={(event) => setOrder(event.target.value as Order)}
          >
            {(Object.keys(ORDERS) as Order[]).map((one) => (
              <option key={one} value={one}>
                {t(`search.sort_${one}` as Key)}
              </option>
            ))}
          </select>
        </span>
      </div>
      {found.traces.length === 0 ? (
        <div className="state">
          <div>
            <strong>{t("search.none")}</strong>
            <p>{t("search.none_why")}</p>
          </div>
        </div>
      ) : (
        <>
          <Scatter traces={found.traces} startMs={startMs} endMs={endMs} log={log} highlighted={highlighted} />
          <TraceList
            traces={sorted}
            chosen={chosen}
            onChoose={choose}
            onHighlight={setHighlighted}
            fresh={fresh}
            nowMs={found.nowMs}
          />
        </>
      )}
    </>
  );
}

function same(traceId: string, asked: string): boolean {
  return traceId.padStart(32, "0") === asked.toLowerCase().padStart(32, "0");
}

/** Those of the traces that were not there the last time; none while the page does not look by itself. */
function useFresh(traces: readonly TraceSummary[], live: boolean): ReadonlySet<string> {
  const known = useRef<ReadonlySet<string>>(undefined);
  const [fresh, setFresh] = useState<ReadonlySet<string>>(() => new Set());
  useEffect(() => {
    const now = new Set(traces.map((trace) => trace.traceId));
    const before = known.current;
    known.current = now;
    setFresh(live && before ? new Set([...now].filter((id) => !before.has(id))) : new Set());
  }, [traces, live]);
  return fresh;
}
