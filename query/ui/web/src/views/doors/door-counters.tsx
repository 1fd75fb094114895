import { useQuery } from "@tanstack/react-query";
import { type Door, fetchDoors } from "../../api/doors.ts";
import { type Column, SortableTable } from "../../components/sortable-table.tsx";
import { Failed, Loading } from "../../components/states.tsx";
import type { Key } from "../../i18n/en.ts";
import { formatCount } from "../../i18n/format.ts";
import { useLanguage, useT } from "../../i18n/index.ts";

const EVERY_MS = 2000;

type State = "closed" | "waiting" | "live" | "quiet" | "trouble";

export function stateOf(door: Door): State {
  if (door.address === undefined) return "closed";
  if (door.recent.rejected + door.recent.dropped > 0) return "trouble";
  if (door.recent.received > 0) return "live";
  return door.total.received > 0 ? "quiet" : "waiting";
}

/** What comes in by each door, counted live. */
export function DoorCounters() {
  const t = useT();
  const language = useLanguage();
  const { data, error, refetch } = useQuery({
    queryKey: ["doors"],
    queryFn: ({ signal }) => fetchDoors(signal),
    refetchInterval: EVERY_MS,
    staleTime: 0,
  });
  if (error && !data) return <Failed error={error} onRetry={refetch} />;
  if (!data) return <Loading />;
  const recent = (id: "stored" | "rejected" | "dropped"): Column<Door> => ({
    id,
    title: t(`doors.${id}`),
    hint: t("doors.last_minute"),
    number: true,
    cell: (door) => (
      <span className={id !== "stored" && door.recent[id] > 0 ? "health-bad" : undefined}>
        {formatCount(door.recent[id], language)}
      </span>
    ),
  });
  const columns: Column<Door>[] = [
    {
      id: "door",
      title: t("doors.door"),
      cell: (door) => (
        <>
          {t(`doors.name_${door.name}`)}
          <Reasons door={door} />
        </>
      ),
    },
    { id: "address", title: t("doors.address"), cell: ({ address }) => <code>{address ?? "–"}</code> },
    {
      id: "state",
      title: t("doors.state"),
      cell: (door) => {
        const state = stateOf(door);
        return <span className={`door-state door-${state}`}>{t(`doors.state_${state}`)}</span>;
      },
    },
    recent("stored"),
    recent("rejected"),
    recent("dropped"),
    {
      id: "total",
      title: t("doors.total"),
      number: true,
      cell: ({ total }) => formatCount(total.stored, language),
    },
  ];
  return (
    <section className="panel sending-counters">
      <h2>
        {t("doors.counters")} <span className="hint">{t("doors.last_minute")}</span>
      </h2>
      {data.doors.length === 0 ? (
        <p className="sending-none">{t("doors.none")}</p>
      ) : (
        <div className="sending-table">
          <SortableTable
            caption={t("doors.counters")}
            columns={columns}
            rows={data.doors}
            rowKey={({ name }) => name}
            first=""
          />
        </div>
      )}
    </section>
  );
}

/** Why spans were not stored, in the words of the metrics. */
function Reasons({ door }: { door: Door }) {
  const t = useT();
  const told: [Key, Record<string, number>][] = [
    ["doors.reasons", { ...door.rejectedBy, ...door.droppedBy }],
    ["doors.refused", door.refusedPayloadsBy],
  ];
  return told.map(([key, counts]) => {
    const reasons = Object.entries(counts).map(([reason, count]) => `${reason} ${count}`);
    return reasons.length === 0 ? null : (
      <p key={key} className="hint">
        {t(key, { reasons: reasons.join(", ") })}
      </p>
    );
  });
}
