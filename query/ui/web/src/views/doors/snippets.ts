/** What to write where, so that spans come here. */

/** Ports by door, as custom has them, where a door does not say its own. */
const USUAL_PORTS = { zipkin: "9411", otlp_grpc: "4317", otlp_http: "4318", jaeger_thrift_http: "14268" };

export type Sender = "istio" | "sdk" | "collector" | "zipkin" | "jaeger";

export interface Snippet {
  sender: Sender;
  /** The door that it uses, by its name on the ready line, and the setting that opens it. */
  door: keyof typeof USUAL_PORTS;
  setting: string;
  text: string;
}

/** host: of this page. doors: the open ones, with the addresses they listen on. nowMs: for a span to try with. */
export function snippetsOf(host: string, doors: Record<string, string>, nowMs: number): Snippet[] {
  const at = (door: keyof typeof USUAL_PORTS) => `${bracketed(host)}:${portOf(doors[door]) ?? USUAL_PORTS[door]}`;
  return [
    {
      sender: "istio",
      door: "zipkin",
      setting: "COLLECTOR_ZIPKIN_HOST_PORT",
      text: `meshConfig:
  enableTracing: true
  defaultConfig:
    tracing:
      sampling: 100
      zipkin:
        address: ${at("zipkin")}`,
    },
    {
      sender: "sdk",
      door: "otlp_http",
      setting: "COLLECTOR_OTLP_HTTP_HOST_PORT",
      text: `OTEL_TRACES_EXPORTER=otlp
OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf
OTEL_EXPORTER_OTLP_ENDPOINT=http://${at("otlp_http")}
OTEL_SERVICE_NAME=my-service`,
    },
    {
      sender: "collector",
      door: "otlp_grpc",
      setting: "COLLECTOR_OTLP_GRPC_HOST_PORT",
      text: `exporters:
  otlp/clew:
    endpoint: ${at("otlp_grpc")}
    tls:
      insecure: true

service:
  pipelines:
    traces:
      exporters: [otlp/clew]`,
    },
    {
      sender: "zipkin",
      door: "zipkin",
      setting: "COLLECTOR_ZIPKIN_HOST_PORT",
      text: `curl -i http://${at("zipkin")}/api/v2/spans -H 'content-type: application/json' -d '[{
  "traceId": "${randomId(nowMs)}", "id": "1", "name": "hello", "kind": "SERVER",
  "timestamp": ${nowMs * 1000}, "duration": 2000, "localEndpoint": {"serviceName": "hello"}}]'`,
    },
    {
      sender: "jaeger",
      door: "jaeger_thrift_http",
      setting: "COLLECTOR_HTTP_SERVER_HOST_PORT",
      text: `JAEGER_ENDPOINT=http://${at("jaeger_thrift_http")}/api/traces
JAEGER_SAMPLER_TYPE=const
JAEGER_SAMPLER_PARAM=1
JAEGER_SERVICE_NAME=my-service`,
    },
  ];
}

/** The port of "0.0.0.0:9411", "[::]:9411" or ":9411". */
export function portOf(address: string | undefined): string | undefined {
  return /:([0-9]+)$/.exec(address ?? "")?.[1];
}

/** An IPv6 address is bracketed before a port; location.hostname has it so already. */
function bracketed(host: string): string {
  return host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
}

/** 16 hex digits that a moment and chance make. */
function randomId(nowMs: number): string {
  return (BigInt(nowMs) * 1_000_003n).toString(16).padStart(16, "0").slice(-16);
}
