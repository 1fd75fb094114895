import { useMemo, useState } from "react";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { Segments } from "../../components/segments.tsx";
import { formatCount, formatDuration, formatPercent } from "../../i18n/format.ts";
import { useLanguage, useT } from "../../i18n/index.ts";
import { type Group, type Grouping, groupsOf } from "../../model/statistics.ts";
import type { Trace } from "../../model/trace.ts";
import { useServiceColour } from "../../theme/theme.ts";
import "./statistics.css";

const GROUPINGS: readonly Grouping[] = ["both", "service", "operation"];

/** Where the time of a trace went, by service and operation. */
export function Statistics({ trace, onFind }: { trace: Trace; onFind: (text: string) => void }) {
  const t = useT();
  const language = useLanguage();
  const colour = useServiceColour();
  const [by, setBy] = useState<Grouping>("both");
  const groups = useMemo(() => groupsOf(trace, by), [trace, by]);
  const columns = useMemo((): Column<Group>[] => {
    const self = groups.reduce((sum, group) => sum + group.self, 0) || 1;
    const time = (key: string, title: string, value: (group: Group) => number): Column<Group> => ({
      key,
      title,
      value,
      cell: (group) => formatDuration(value(group), language),
      width: "minmax(84px, 0.6fr)",
      numeric: true,
    });
    const count = (key: string, title: string, value: (group: Group) => number): Column<Group> => ({
      key,
      title,
      value,
      cell: (group) => formatCount(value(group), language),
      width: "minmax(70px, 0.5fr)",
      numeric: true,
    });
    const service: Column<Group> = {
      key: "service",
      title: t("trace.service"),
      value: (group) => group.service,
      cell: (group) => (
        <>
          <span className="swatch" style={{ background: colour(group.service) }} /> {group.service}
        </>
      ),
      width: "minmax(140px, 1fr)",
    };
    const operation: Column<Group> = {
      key: "operation",
      title: t("trace.operation"),
      value: (group) => group.operation,
      cell: (group) => group.operation,
      width: "minmax(160px, 1.4fr)",
    };
    return [
      ...(by === "operation" ? [] : [service]),
      ...(by === "service" ? [] : [operation]),
      count("spans", t("trace.count"), (group) => group.spans),
      count("errors", t("trace.errors"), (group) => group.errors),
      time("self", t("trace.self_time"), (group) => group.self),
      {
        key: "share",
        title: t("trace.share"),
        value: (group) => group.self,
        cell: (group) => (
          <span className="share">
            <span style={{ width: `${(group.self / self) * 100}%` }} />
            <em>{formatPercent(group.self / self, language)}</em>
          </span>
        ),
        width: "minmax(110px, 0.9fr)",
        numeric: true,
      },
      time("critical", t("trace.critical_time"), (group) => group.critical),
      time("total", t("trace.total"), (group) => group.total),
      time("average", t("trace.average"), (group) => group.total / group.spans),
      time("least", t("trace.least"), (group) => group.least),
      time("most", t("trace.most"), (group) => group.most),
    ];
  }, [groups, by, t, language, colour]);
  return (
    <div className="statistics">
      <div className="statistics-tools">
        <Segments
          label={t("trace.group_by")}
          value={by}
          options={GROUPINGS.map((value) => ({ value, text: t(`trace.by_${value}`) }))}
          onChange={setBy}
        />
      </div>
      <DataTable
        key={by}
        label={t("trace.statistics")}
        columns={columns}
        rows={groups}
        rowKey={(group) => `${group.service}\n${group.operation}`}
        sortedBy="self"
        onRow={(group) => onFind(`"${group.operation || group.service}"`)}
      />
    </div>
  );
}
