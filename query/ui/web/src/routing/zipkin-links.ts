/**
 * Links made for Zipkin's page, told in this page's own (Jaeger's) words.
 *
 * Source: the addresses of Zipkin Lens: /traces/{id}, /dependency, and its search, whose question stands in the address
 * of / : serviceName, spanName, remoteServiceName, annotationQuery ("error and http.method=GET"), minDuration and
 * maxDuration in microseconds or with a unit, lookback ("15m", a number of milliseconds, "range" with endTs) and limit.
 */

const TRACE = /^\/traces\/([0-9a-fA-F]{1,32})$/;
const SEARCH_WORDS = [
  "serviceName",
  "spanName",
  "remoteServiceName",
  "annotationQuery",
  "tagQuery",
  "autocompleteTags",
];

/** The address in this page's words, or undefined when the place is not one of Zipkin's. */
export function fromZipkin(path: string, search: string): string | undefined {
  const trace = TRACE.exec(path);
  if (trace) return `/trace/${(trace[1] as string).toLowerCase()}`;
  if (path === "/dependency") return `/dependencies${search ? `?${search}` : ""}`;
  if (path === "/traceViewer") return "/file";
  if (path !== "/" && path !== "/index.html") return undefined;
  const given = new URLSearchParams(search);
  if (!SEARCH_WORDS.some((word) => given.has(word))) return undefined;
  return `/search?${searchFromZipkin(given).toString()}`;
}

export function searchFromZipkin(given: URLSearchParams): URLSearchParams {
  const query = new URLSearchParams();
  const put = (name: string, value: string | null | undefined) => {
    if (value) query.set(name, value);
  };
  put("service", wordUnlessAll(given.get("serviceName")));
  put("operation", wordUnlessAll(given.get("spanName")));
  const tags = tagsOf(given.get("annotationQuery") ?? "");
  const remote = wordUnlessAll(given.get("remoteServiceName"));
  if (remote) tags["peer.service"] = remote;
  if (Object.keys(tags).length > 0) query.set("tags", JSON.stringify(tags));
  put("minDuration", durationOf(given.get("minDuration")));
  put("maxDuration", durationOf(given.get("maxDuration")));
  put("limit", given.get("limit"));
  putTimes(given, query);
  return query;
}

function wordUnlessAll(word: string | null): string | undefined {
  return word && word !== "all" ? word : undefined;
}

/** "error and http.method=GET": a tag alone only has to be there. */
function tagsOf(annotationQuery: string): Record<string, string> {
  const tags: Record<string, string> = {};
  for (const term of annotationQuery.split(/\s+and\s+/)) {
    const [key, ...value] = term.trim().split("=");
    if (key) tags[key] = value.join("=") || (key === "error" ? "true" : "");
  }
  return tags;
}

/** Zipkin's plain numbers are microseconds. */
function durationOf(text: string | null): string | undefined {
  if (!text) return undefined;
  return /^\d+$/.test(text) ? `${text}us` : text;
}

function putTimes(given: URLSearchParams, query: URLSearchParams): void {
  const lookback = given.get("lookback");
  const endTs = Number(given.get("endTs") ?? "");
  const lookbackMs = lookback && /^\d+$/.test(lookback) ? Number(lookback) : undefined;
  if (endTs > 0 && lookbackMs) {
    query.set("lookback", "custom");
    query.set("start", String((endTs - lookbackMs) * 1000));
    query.set("end", String(endTs * 1000));
  } else if (lookbackMs) {
    query.set("lookback", `${Math.max(1, Math.round(lookbackMs / 60_000))}m`);
  } else if (lookback && /^\d+[smhdw]$/.test(lookback)) {
    query.set("lookback", lookback);
  }
}
