export default function FileView() {
  return <h1>File</h1>;
}
