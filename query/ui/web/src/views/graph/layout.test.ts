import assert from "node:assert/strict";
import { test } from "node:test";
import { apart, layoutOf } from "./layout.ts";
import { NODE_HEIGHT } from "./places.ts";

const nodesOf = (...ids: string[]) => ids.map((id) => ({ id, width: 100 }));
const edgesOf = (text: string) =>
  text.split(" ").map((pair) => {
    const [from, to] = pair.split(">") as [string, string];
    return { id: pair, from, to };
  });

test("callers stand left of what they call", () => {
  const { places } = layoutOf(nodesOf("a", "b", "c"), edgesOf("a>b b>c a>c"));
  assert.ok((places.a?.x ?? 0) < (places.b?.x ?? 0));
  assert.ok((places.b?.x ?? 0) < (places.c?.x ?? 0));
});

test("no two nodes overlap, circles, self calls and loners included", () => {
  const ids = Array.from({ length: 40 }, (_, at) => `n${at}`);
  const edges = ids.flatMap((id, at) => [
    { id: `a${at}`, from: id, to: ids[(at * 7 + 3) % 30] as string },
    { id: `b${at}`, from: id, to: ids[(at * 3) % 30] as string },
  ]);
  const { places, width, height } = layoutOf([...nodesOf(...ids, "alone", "lonely")], edges);
  const boxes = Object.values(places);
  assert.equal(boxes.length, 42);
  for (const [at, a] of boxes.entries()) {
    assert.ok(a.x >= 0 && a.x + 100 <= width && a.y - NODE_HEIGHT / 2 >= 0 && a.y + NODE_HEIGHT / 2 <= height);
    for (const b of boxes.slice(at + 1)) {
      assert.ok(Math.abs(a.x - b.x) >= 100 || Math.abs(a.y - b.y) >= NODE_HEIGHT, JSON.stringify([a, b]));
    }
  }
});

test("the middle of a fan is its root", () => {
  const { places } = layoutOf(nodesOf("a", "b", "c", "d"), edgesOf("a>b a>c a>d"));
  const ys = ["b", "c", "d"].map((id) => places[id]?.y ?? 0).sort((a, b) => a - b);
  assert.equal(places.a?.y, ys[1]);
});

test("an empty graph has no size", () => {
  assert.deepEqual(layoutOf([], []), { places: {}, lanes: {}, width: 0, height: 0 });
});

test("wishes that do not touch are granted, and those that do share the way", () => {
  assert.deepEqual(apart([0, 100], [10, 10]), [0, 100]);
  assert.deepEqual(apart([50, 50], [10, 10]), [45, 55]);
  assert.deepEqual(apart([20, 0, 100], [10, 10, 10]), [5, 15, 100]);
});

test("an edge over several layers passes beside their nodes", () => {
  const { places, lanes } = layoutOf(nodesOf("a", "b", "c"), edgesOf("a>b b>c a>c"));
  const [lane] = lanes["a>c"] ?? [];
  assert.ok(lane && Math.abs(lane.y - (places.b?.y ?? 0)) >= NODE_HEIGHT / 2);
  assert.deepEqual(lanes["a>b"], []);
});

test("no edge has a lane in the layers of its own ends", () => {
  const ids = Array.from({ length: 60 }, (_, at) => `n${at}`);
  const edges = ids.flatMap((from, at) =>
    [8, 9 + (at % 7), 17].flatMap((step) =>
      at + step < 60 ? [{ id: `${at}+${step}`, from, to: `n${at + step}` }] : [],
    ),
  );
  const { places, lanes } = layoutOf(nodesOf(...ids), edges);
  for (const { id, from, to } of edges) {
    for (const { x } of lanes[id] ?? []) {
      assert.ok(x > (places[from]?.x ?? 0) + 100 && x < (places[to]?.x ?? 0), id);
    }
  }
});

test("an edge that leads back has its lanes, too", () => {
  const { lanes } = layoutOf(nodesOf("a", "b", "c", "d"), edgesOf("a>b b>c c>d d>a"));
  assert.equal(Object.values(lanes).filter((lane) => lane.length === 4).length, 1);
});
