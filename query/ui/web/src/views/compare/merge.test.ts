import assert from "node:assert/strict";
import { test } from "node:test";
import { type Outline, type Trace, traceOf } from "../../model/trace.ts";
import { type Comparison, compared, type PathNode, rowsOf } from "./merge.ts";

const MS = 1e6;

/** One span a line, indented by its depth: "service name duration-in-ms [!]". */
function traced(text: string): Trace {
  const lines = text.split("\n").filter((line) => line.trim());
  const services: string[] = [];
  const names: string[] = [];
  const number = (list: string[], value: string) => (list.includes(value) ? list.indexOf(value) : list.push(value) - 1);
  const way: number[] = [];
  const spans: Outline["spans"] = {
    spanId: "",
    parent: [],
    service: [],
    name: [],
    kind: [],
    start: [],
    duration: [],
    protocol: [],
    flags: [],
  };
  const selfTime: (number | null)[] = [];
  const least = Math.min(...lines.map((line) => line.length - line.trimStart().length));
  for (const [at, line] of lines.entries()) {
    const depth = (line.length - line.trimStart().length - least) / 2;
    const [service = "", name = "", ms = "0", error = ""] = line.trim().split(" ");
    way[depth] = at;
    spans.spanId += String(at).padStart(16, "0");
    spans.parent.push(depth === 0 ? -1 : (way[depth - 1] as number));
    spans.service.push(number(services, service));
    spans.name.push(number(names, name));
    spans.kind.push(2);
    spans.start.push(0);
    spans.duration.push(ms === "-" ? null : Number(ms) * MS);
    selfTime.push(ms === "-" ? null : Number(ms) * MS);
    spans.protocol.push(2);
    spans.flags.push(error ? 1 : 0);
  }
  const total = String(Math.max(...spans.duration.map((one) => one ?? 0)));
  const summary = { durationNano: total, startTimeUnixNano: "1" } as Outline["summary"];
  return traceOf({
    traceId: "1",
    summary,
    services,
    names,
    spans,
    roots: [],
    warnings: [],
    timing: { selfTime, criticalPathTime: [], criticalPath: { span: [], start: [], end: [] } },
  });
}

function told(comparison: Comparison, only = false): string[] {
  return rowsOf(comparison.roots, new Set(), only).map(
    ({ depth, name, change, a, b }) => `${"  ".repeat(depth)}${name} ${change} ${a.count}:${b.count}`,
  );
}

const BEFORE = traced(`
  web get 100
    cart list 20
      db select 5
      db select 5
    ads show 30
`);
const AFTER = traced(`
  web get 160
    cart list 20
      db select 6
    pay charge 60 !
      bank post 50
    ads show 10
`);

test("added, removed, slower and faster paths stand in one tree", () => {
  assert.deepEqual(told(compared(BEFORE, AFTER)), [
    "get slower 1:1",
    "  list same 1:1",
    "    select faster 2:1",
    "  show faster 1:1",
    "  charge added 0:1",
    "    post added 0:1",
  ]);
});

test("the other way round everything is the opposite", () => {
  const { counts } = compared(AFTER, BEFORE);
  assert.deepEqual(counts, { added: 0, removed: 2, slower: 2, faster: 1, same: 1 });
});

test("a trace compared with itself has no changes", () => {
  const comparison = compared(BEFORE, BEFORE);
  assert.equal(comparison.counts.same, comparison.size);
  assert.deepEqual(told(comparison, true), []);
});

test("a difference that is small, or a small part of the trace, is none", () => {
  const changes = (before: string, after: string) =>
    compared(traced(`web get 1000\n  a b ${before}`), traced(`web get 1000\n  a b ${after}`)).roots[0]?.children[0]
      ?.change;
  assert.equal(changes("100", "109"), "same");
  assert.equal(changes("1", "2.9"), "same");
  assert.equal(changes("100", "111"), "slower");
  assert.equal(changes("100", "80"), "faster");
});

test("roots with other names are one path when each trace has one", () => {
  const [root] = compared(traced("web v1 10"), traced("web v2 10")).roots;
  assert.deepEqual([root?.name, root?.otherName, root?.change], ["v1", "v2", "same"]);
});

test("several roots are paired by their names", () => {
  assert.deepEqual(told(compared(traced("a x 1\nb y 1"), traced("b y 1\nc z 1"))), [
    "x removed 1:0",
    "y same 1:1",
    "z added 0:1",
  ]);
});

test("what only the number of calls changes is shown among the changes, with all above it", () => {
  const once = traced("web get 100\n  a b 1\n  c d 1");
  const twice = traced("web get 100\n  a b 0.5\n  a b 0.5\n  c d 1");
  assert.deepEqual(told(compared(once, twice), true), ["get same 1:1", "  b same 1:2"]);
});

test("services are listed by how much their own time changed", () => {
  const { services } = compared(BEFORE, AFTER);
  assert.deepEqual(
    services.map(({ service, spansA, spansB }) => `${service} ${spansA}:${spansB}`),
    ["web 1:1", "pay 0:1", "bank 0:1", "ads 1:1", "db 2:1", "cart 1:1"],
  );
});

test("spans without times are compared by their structure", () => {
  const comparison = compared(traced("web get 100\n  a b -"), traced("web get 100\n  a b -"));
  assert.deepEqual(told(comparison), ["get same 1:1", "  b same 1:1"]);
});

test("closed paths hide what is below them", () => {
  const { roots } = compared(BEFORE, AFTER);
  const list = (roots[0] as PathNode).children[0] as PathNode;
  assert.equal(rowsOf(roots, new Set([list.id]), false).length, 5);
});

test("a chain of thousands of spans is compared without an error", () => {
  const deep = traced(Array.from({ length: 3000 }, (_, at) => `${"  ".repeat(at)}a b ${4000 - at}`).join("\n"));
  assert.equal(compared(deep, deep).size, 3000);
});
