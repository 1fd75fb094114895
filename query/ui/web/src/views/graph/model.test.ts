import assert from "node:assert/strict";
import { test } from "node:test";
import {
  edgeId,
  edgeWidth,
  filtered,
  type GraphEdge,
  healthOf,
  type NodeKind,
  neighbourhood,
  nodeId,
  type ServiceGraph,
  searched,
  totalsOf,
} from "./model.ts";

/** "a>b c>@d": services a, b, c and the database d. */
function graphOf(text: string, calls = 10): ServiceGraph {
  const nodes = new Map<string, { id: string; name: string; kind: NodeKind }>();
  const node = (word: string) => {
    const kind: NodeKind = word.startsWith("@") ? "database" : "service";
    const name = word.replace("@", "");
    const id = nodeId(kind, name);
    nodes.set(id, { id, name, kind });
    return id;
  };
  const edges = text.split(" ").map((pair): GraphEdge => {
    const [from, to] = pair.split(">").map(node) as [string, string];
    return { id: edgeId(from, to), from, to, calls, errors: 1, p50: 1, p95: 2, p99: 3 };
  });
  return { nodes: [...nodes.values()], edges, leftOut: 0, startMs: 0, endMs: 60_000 };
}

const names = (graph: ServiceGraph) => graph.nodes.map(({ name }) => name).sort();

test("the neighbourhood keeps its direction", () => {
  const graph = graphOf("a>b b>c c>d x>c b>y z>a");
  const of = (hops: number, direction: "both" | "callers" | "callees") =>
    names(neighbourhood(graph, nodeId("service", "b"), hops, direction)).join("");
  assert.equal(of(1, "both"), "abcy");
  assert.equal(of(2, "both"), "abcdyz");
  assert.equal(of(9, "callers"), "abz");
  assert.equal(of(9, "callees"), "bcdy");
  assert.equal(of(0, "both"), "b");
});

test("a circle ends the neighbourhood and keeps its edges", () => {
  const graph = neighbourhood(graphOf("a>b b>a"), nodeId("service", "a"), 5, "both");
  assert.equal(graph.edges.length, 2);
});

test("kinds and few calls are filtered away with the nodes they leave alone", () => {
  const graph = graphOf("a>b b>@c");
  assert.deepEqual(names(filtered(graph, new Set(["service"]), 0)), ["a", "b"]);
  assert.deepEqual(names(filtered(graph, new Set(["service", "database"]), 11)), []);
  assert.equal(filtered(graph, new Set(["service", "database"]), 10), graph);
});

test("a search finds all words, those at the begin first", () => {
  const { nodes } = graphOf("shop-cart>cart cart>discart");
  assert.deepEqual(
    searched(nodes, "cart").map(({ name }) => name),
    ["cart", "discart", "shop-cart"],
  );
  assert.deepEqual(
    searched(nodes, "SHOP cart").map(({ name }) => name),
    ["shop-cart"],
  );
  assert.deepEqual(searched(nodes, " "), []);
});

test("totals sum the calls of a node, and count itself neither as caller nor as callee", () => {
  const totals = totalsOf(graphOf("a>b c>b b>b"));
  assert.deepEqual(totals.get(nodeId("service", "b")), {
    callsIn: 30,
    errorsIn: 3,
    callsOut: 10,
    errorsOut: 1,
    callers: 2,
    callees: 0,
  });
});

test("an edge is as wide as it is called, and as healthy as its errors are few", () => {
  assert.equal(edgeWidth(1000, 1000), 7);
  assert.ok(edgeWidth(10, 1000) < edgeWidth(100, 1000));
  assert.equal(edgeWidth(0, 0), 1);
  assert.deepEqual(
    [0, 1, 10, 99].map((errors) => healthOf({ calls: 100, errors })),
    ["ok", "some", "bad", "bad"],
  );
  assert.equal(healthOf({ calls: 0, errors: 0 }), "ok");
});
