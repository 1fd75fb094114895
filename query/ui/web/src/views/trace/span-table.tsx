import { CircleX } from "lucide-react";
import { useMemo } from "react";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { formatDuration } from "../../i18n/format.ts";
import { useLanguage, useT } from "../../i18n/index.ts";
import { Flag, hasFlag, KINDS, nameOf, serviceOf, type Trace } from "../../model/trace.ts";
import { useServiceColour } from "../../theme/theme.ts";

interface SpanTableProps {
  trace: Trace;
  matches: ReadonlySet<number> | undefined;
  services: ReadonlySet<string>;
  onSelect: (span: number) => void;
}

/** The spans as a table; of a search those that match only. */
export function SpanTable({ trace, matches, services, onSelect }: SpanTableProps) {
  const t = useT();
  const language = useLanguage();
  const colour = useServiceColour();
  const rows = useMemo(() => {
    const shown: number[] = [];
    for (let at = 0; at < trace.size; at++) {
      if (matches && !matches.has(at)) continue;
      if (services.size > 0 && !services.has(serviceOf(trace, at))) continue;
      shown.push(at);
    }
    return shown;
  }, [trace, matches, services]);
  const columns = useMemo((): Column<number>[] => {
    const time = (key: string, title: string, of: Float64Array): Column<number> => ({
      key,
      title,
      value: (span) => (Number.isNaN(of[span]) ? -1 : (of[span] as number)),
      cell: (span) => (Number.isNaN(of[span]) ? "" : formatDuration(of[span] as number, language)),
      width: "minmax(90px, 0.6fr)",
      numeric: true,
    });
    return [
      {
        key: "service",
        title: t("trace.service"),
        value: (span) => serviceOf(trace, span),
        cell: (span) => (
          <>
            <span className="swatch" style={{ background: colour(serviceOf(trace, span)) }} /> {serviceOf(trace, span)}
          </>
        ),
        width: "minmax(150px, 1fr)",
      },
      {
        key: "operation",
        title: t("trace.operation"),
        value: (span) => nameOf(trace, span),
        cell: (span) => nameOf(trace, span),
        width: "minmax(180px, 1.5fr)",
      },
      {
        key: "kind",
        title: t("trace.kind"),
        value: (span) => KINDS[trace.kind[span] as number] ?? "",
        cell: (span) =>
          `${KINDS[trace.kind[span] as number]}${hasFlag(trace, span, Flag.sidecar) ? ` (${t("trace.sidecar")})` : ""}`,
        width: "minmax(100px, 0.6fr)",
      },
      time("start", t("trace.start"), trace.start),
      time("duration", t("trace.duration"), trace.duration),
      time("self", t("trace.self_time"), trace.timing.selfTime),
      time("critical", t("trace.critical_time"), trace.timing.criticalTime),
      {
        key: "status",
        title: t("trace.status"),
        value: (span) => (hasFlag(trace, span, Flag.error) ? 1 : 0),
        cell: (span) =>
          hasFlag(trace, span, Flag.error) && (
            <CircleX className="mark-error" size={13} role="img" aria-label={t("trace.error")} />
          ),
        width: "80px",
        numeric: true,
      },
    ];
  }, [trace, t, language, colour]);
  return (
    <DataTable
      label={t("trace.table")}
      columns={columns}
      rows={rows}
      rowKey={(span) => span}
      sortedBy="duration"
      onRow={onSelect}
    />
  );
}
