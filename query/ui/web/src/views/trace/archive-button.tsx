import { Archive, Check } from "lucide-react";
import { useState } from "react";
import { archiveTrace } from "../../api/jaeger.ts";
import { useT } from "../../i18n/index.ts";

/** Keeps the trace beyond the retention, and says that it did, or what the server says. */
export function ArchiveButton({ traceId }: { traceId: string }) {
  const t = useT();
  const [said, setSaid] = useState<"busy" | "kept" | Error>();
  const keep = () => {
    setSaid("busy");
    archiveTrace(traceId).then(
      () => setSaid("kept"),
      (error: Error) => setSaid(error),
    );
  };
  const kept = said === "kept";
  return (
    <>
      <button
        type="button"
        className="button"
        disabled={said === "busy" || kept}
        title={t("trace.archive_long")}
        onClick={keep}
      >
        {kept ? <Check size={14} aria-hidden="true" /> : <Archive size={14} aria-hidden="true" />}
        {t(kept ? "trace.archived" : "trace.archive")}
      </button>
      <span className={said instanceof Error ? "archive-error" : "visually-hidden"} role="status">
        {said instanceof Error ? said.message : kept ? t("trace.archived") : ""}
      </span>
    </>
  );
}
