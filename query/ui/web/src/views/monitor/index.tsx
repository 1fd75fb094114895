export default function MonitorView() {
  return <h1>Monitor</h1>;
}
