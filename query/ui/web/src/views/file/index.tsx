import { ArrowLeft, FileUp } from "lucide-react";
import { useMemo, useRef, useState } from "react";
import { ApiError } from "../../api/http.ts";
import { type Column, SortableTable } from "../../components/sortable-table.tsx";
import { formatCount, formatDuration, formatMoment } from "../../i18n/format.ts";
import { useLanguage, useT } from "../../i18n/index.ts";
import { detailsOf } from "../../model/details.ts";
import { outlineOf } from "../../model/document.ts";
import { traceOf } from "../../model/trace.ts";
import { useParameters } from "../../routing/use-parameters.ts";
import { useTitle } from "../../shell/use-title.ts";
import { useServiceColour } from "../../theme/theme.ts";
import { TracePage } from "../trace/trace-page.tsx";
import type { OpenedTrace } from "./files.ts";
import { closeFiles, type FileState, openFiles, useFiles } from "./opened.ts";
import "./file.css";

const TOO_LARGE = 413;

export default function FileView() {
  const t = useT();
  const files = useFiles();
  const [given, change] = useParameters();
  const asked = given.get("trace");
  const only = files.traces.length === 1 && files.busy === 0 ? files.traces[0] : undefined;
  const shown = files.traces.find(({ key }) => key === asked) ?? only;
  useTitle(shown?.file ?? t("file.title"));
  if (shown) {
    return (
      <>
        <Problems {...files} />
        <OneTrace key={shown.key} opened={shown} alone={shown === only} onBack={() => change({ trace: undefined })} />
      </>
    );
  }
  return (
    <div className="file-view">
      <h1 className="visually-hidden">{t("file.title")}</h1>
      <DropZone busy={files.busy} />
      <Problems {...files} />
      {files.traces.length > 0 && <TraceList traces={files.traces} onOpen={(key) => change({ trace: key })} />}
    </div>
  );
}

function DropZone({ busy }: { busy: number }) {
  const t = useT();
  const field = useRef<HTMLInputElement>(null);
  return (
    <div className="drop-zone">
      <FileUp size={30} aria-hidden="true" />
      <p className="drop-title">{t("file.drop")}</p>
      <p className="hint">{t("file.or")}</p>
      <button type="button" className="button button-primary" onClick={() => field.current?.click()}>
        {t("file.choose")}
      </button>
      <input
        ref={field}
        type="file"
        multiple
        hidden
        accept=".json,.jsonl,.ndjson,.gz,.txt,application/json,application/gzip"
        onChange={(event) => {
          const files = [...(event.target.files ?? [])];
          event.target.value = "";
          void openFiles(files);
        }}
      />
      <p className="drop-what">{t("file.what")}</p>
      {busy > 0 && (
        <p role="status" className="drop-busy">
          <span className="spinner" aria-hidden="true" />
          {t("file.reading")}…
        </p>
      )}
    </div>
  );
}

function Problems({ problems, leftOut, traces, busy }: FileState) {
  const t = useT();
  const language = useLanguage();
  const [closed, setClosed] = useState<unknown>();
  if ((problems.length === 0 && leftOut.length === 0) || closed === problems) return null;
  return (
    <div className="file-problems" role="alert">
      {problems.map(({ file, error }) => (
        <div key={file} className="state-failed file-problem">
          <strong>{t("file.refused", { file })}</strong>
          <p>{error.message}</p>
          {error instanceof ApiError && error.status === TOO_LARGE && <p>{t("file.too_large")}</p>}
        </div>
      ))}
      {leftOut.map(({ file, spans, message }) => (
        <div key={file} className="file-left-out file-problem">
          <strong>{t("file.left_out", { file, n: formatCount(spans, language) })}</strong>
          <p>{message}</p>
        </div>
      ))}
      {traces.length > 0 && busy === 0 && (
        <button type="button" className="button" onClick={() => setClosed(problems)}>
          OK
        </button>
      )}
    </div>
  );
}

function TraceList({ traces, onOpen }: { traces: readonly OpenedTrace[]; onOpen: (key: string) => void }) {
  const t = useT();
  const language = useLanguage();
  const colourOf = useServiceColour();
  const count = (id: "spans" | "errors"): Column<OpenedTrace> => ({
    id,
    title: t(`file.${id}`),
    number: true,
    value: ({ document }) => document.summary[id],
    cell: ({ document }) => formatCount(document.summary[id], language),
  });
  const startMs = ({ document }: OpenedTrace) => {
    const nano = document.summary.startTimeUnixNano;
    return nano === undefined ? undefined : Number(BigInt(nano) / 1_000_000n);
  };
  const durationNs = ({ document }: OpenedTrace) => {
    const nano = document.summary.durationNano;
    return nano === undefined ? undefined : Number(nano);
  };
  const columns: Column<OpenedTrace>[] = [
    {
      id: "trace",
      title: t("file.trace"),
      value: ({ document }) => document.summary.rootService,
      cell: ({ key, document }) => (
        <button type="button" className="link-button file-trace" onClick={() => onOpen(key)}>
          <span className="swatch" style={{ background: colourOf(document.summary.rootService) }} aria-hidden="true" />
          <b>{document.summary.rootService}</b> {document.summary.rootOperation}{" "}
          <span className="mono hint">{document.traceId.slice(0, 8)}</span>
        </button>
      ),
    },
    {
      id: "started",
      title: t("file.started"),
      number: true,
      value: startMs,
      cell: (one) => {
        const ms = startMs(one);
        return ms === undefined ? "–" : formatMoment(ms, language);
      },
    },
    {
      id: "duration",
      title: t("file.duration"),
      number: true,
      value: durationNs,
      cell: (one) => {
        const ns = durationNs(one);
        return ns === undefined ? "–" : formatDuration(ns, language);
      },
    },
    count("spans"),
    count("errors"),
    {
      id: "services",
      title: t("file.services"),
      number: true,
      value: ({ document }) => document.summary.services.length,
      cell: ({ document }) => formatCount(document.summary.services.length, language),
    },
    { id: "file", title: t("file.file"), value: ({ file }) => file, cell: ({ file }) => file },
  ];
  return (
    <section className="panel file-list">
      <header>
        <h2>
          {t("file.traces")} <span className="hint number">{formatCount(traces.length, language)}</span>
        </h2>
        <button type="button" className="button" onClick={closeFiles}>
          {t("file.close")}
        </button>
      </header>
      <SortableTable
        caption={t("file.traces")}
        columns={columns}
        rows={traces}
        rowKey={({ key }) => key}
        first="started"
      />
    </section>
  );
}

function OneTrace({ opened, alone, onBack }: { opened: OpenedTrace; alone: boolean; onBack: () => void }) {
  const t = useT();
  const trace = useMemo(() => traceOf(outlineOf(opened.document)), [opened]);
  const details = useMemo(() => detailsOf(opened.document), [opened]);
  return (
    <>
      <div className="file-bar">
        <button type="button" className="button" onClick={alone ? closeFiles : onBack}>
          <ArrowLeft size={14} aria-hidden="true" />
          {t(alone ? "file.close" : "file.back")}
        </button>
        <span className="hint">{t("file.only_here", { file: opened.file })}</span>
      </div>
      <TracePage trace={trace} details={details} stored={false} />
    </>
  );
}
