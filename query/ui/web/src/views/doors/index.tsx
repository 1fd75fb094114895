import { useT } from "../../i18n/index.ts";
import { useTitle } from "../../shell/use-title.ts";
import { HowToSend } from "./how-to-send.tsx";

export default function DoorsView() {
  const t = useT();
  useTitle(t("doors.title"));
  return (
    <>
      <h1 className="visually-hidden">{t("doors.title")}</h1>
      <HowToSend />
    </>
  );
}
