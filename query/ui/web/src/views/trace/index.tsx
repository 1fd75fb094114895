export default function TraceView({ traceId }: { traceId: string }) {
  return <h1>{traceId}</h1>;
}
