import { type Column, SortableTable } from "../../components/sortable-table.tsx";
import { formatDuration, withSign } from "../../i18n/format.ts";
import { useLanguage, useT } from "../../i18n/index.ts";
import { useServiceColour } from "../../theme/theme.ts";
import type { ServiceDelta } from "./merge.ts";
import { Bar } from "./path-tree.tsx";

/** Where the time went: what each service spent itself, not waiting for others. */
export function ServiceTimes({ services }: { services: readonly ServiceDelta[] }) {
  const t = useT();
  const language = useLanguage();
  const colourOf = useServiceColour();
  const most = Math.max(0, ...services.map(({ selfA, selfB }) => Math.abs(selfB - selfA)));
  const columns: Column<ServiceDelta>[] = [
    {
      id: "service",
      title: t("compare.services"),
      value: ({ service }) => service,
      cell: ({ service }) => (
        <span className="compare-service">
          <span className="swatch" style={{ background: colourOf(service) }} aria-hidden="true" />
          {service}
        </span>
      ),
    },
    {
      id: "spans",
      title: t("compare.spans"),
      number: true,
      value: ({ spansA, spansB }) => spansB - spansA,
      cell: ({ spansA, spansB }) =>
        spansA === spansB ? <span className="hint">{spansA}</span> : `${spansA} → ${spansB}`,
    },
    {
      id: "a",
      title: "A",
      number: true,
      value: ({ selfA }) => selfA,
      cell: ({ selfA, spansA }) => (spansA > 0 ? formatDuration(selfA, language) : "–"),
    },
    {
      id: "b",
      title: "B",
      number: true,
      value: ({ selfB }) => selfB,
      cell: ({ selfB, spansB }) => (spansB > 0 ? formatDuration(selfB, language) : "–"),
    },
    {
      id: "delta",
      title: t("compare.delta"),
      number: true,
      value: ({ selfA, selfB }) => Math.abs(selfB - selfA),
      cell: ({ selfA, selfB }) => {
        const delta = selfB - selfA;
        return (
          <span className="path-delta">
            <Bar delta={delta} most={most} />
            <span className={delta > 0 ? "worse" : delta < 0 ? "better" : "hint"}>
              {withSign(delta, formatDuration(Math.abs(delta), language))}
            </span>
          </span>
        );
      },
    },
  ];
  return (
    <section className="panel compare-services">
      <h2>{t("compare.by_service")}</h2>
      <SortableTable
        caption={t("compare.by_service")}
        columns={columns}
        rows={services}
        rowKey={({ service }) => service}
        first="delta"
      />
    </section>
  );
}
