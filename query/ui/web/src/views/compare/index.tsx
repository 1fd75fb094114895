/** ids: "a...b", or "" when the traces are still to be chosen. */
export default function CompareView({ ids }: { ids: string }) {
  return <h1>{ids}</h1>;
}
