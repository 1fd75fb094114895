import * as Ariakit from "@ariakit/react";
import { useMemo } from "react";
import { facts } from "../../api/facts.ts";
import { CopyButton } from "../../components/copy-button.tsx";
import { useT } from "../../i18n/index.ts";
import { DoorCounters } from "./door-counters.tsx";
import { portOf, type Snippet, snippetsOf } from "./snippets.ts";
import "./doors.css";

/** How to point Istio and SDKs at this clew, and whether spans come in. For pages that have nothing to show yet. */
export function HowToSend() {
  const t = useT();
  const snippets = useMemo(() => snippetsOf(location.hostname, facts.doors, Date.now()), []);
  return (
    <div className="sending">
      <section className="panel sending-how">
        <h2>{t("doors.title")}</h2>
        <p className="sending-intro">{t("doors.intro")}</p>
        <Ariakit.TabProvider>
          <Ariakit.TabList className="tabs" aria-label={t("doors.how")}>
            {snippets.map(({ sender }) => (
              <Ariakit.Tab key={sender} id={sender} className="tab">
                {t(`doors.${sender}`)}
              </Ariakit.Tab>
            ))}
          </Ariakit.TabList>
          {snippets.map((snippet) => (
            <Ariakit.TabPanel key={snippet.sender} tabId={snippet.sender} className="tab-panel">
              <Recipe snippet={snippet} />
            </Ariakit.TabPanel>
          ))}
        </Ariakit.TabProvider>
        <p className="hint">{t("doors.host", { host: location.hostname })}</p>
      </section>
      <DoorCounters />
    </div>
  );
}

function Recipe({ snippet }: { snippet: Snippet }) {
  const t = useT();
  const isClosed = Object.keys(facts.doors).length > 0 && facts.doors[snippet.door] === undefined;
  return (
    <>
      <p>{t(`doors.${snippet.sender}_how`, { port: portOf(facts.doors.otlp_grpc) ?? "4317" })}</p>
      {isClosed && <p className="sending-closed">{t("doors.closed", { setting: snippet.setting })}</p>}
      <div className="snippet">
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys */}
        <section className="snippet-text" tabIndex={0} aria-label={t(`doors.${snippet.sender}`)}>
          <pre>{snippet.text}</pre>
        </section>
        <CopyButton label={t("doors.copy", { name: t(`doors.${snippet.sender}`) })} text={snippet.text} />
      </div>
    </>
  );
}
