import { CircleAlert } from "lucide-react";
import { useT } from "../i18n/index.ts";
import "./states.css";

export function Loading() {
  const t = useT();
  return (
    <div className="state" role="status">
      <span className="spinner" aria-hidden="true" />
      {t("state.loading")}…
    </div>
  );
}

/** What failed, in the server's words, and a way to try again. */
export function Failed({ error, onRetry }: { error: Error; onRetry?: () => void }) {
  const t = useT();
  return (
    <div className="state state-failed" role="alert">
      <CircleAlert size={18} aria-hidden="true" />
      <div>
        <strong>{t("state.failed")}</strong>
        <p>{error.message}</p>
      </div>
      {onRetry && (
        <button type="button" className="button" onClick={onRetry}>
          {t("state.retry")}
        </button>
      )}
    </div>
  );
}
