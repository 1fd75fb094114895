"""The searches of Jaeger's storage integration suite with own data: jaeger.md 4.2, Q1 to Q25.

Every case has a service of its own (queryNN-service). All traces are loaded together, then each search must give
exactly the traces of its case. Query texts are the string forms, as Jaeger's end-to-end mode sends them.
"""

from dataclasses import dataclass, field
from typing import Any

from storage.attributes import AttributeValue
from storage.span import Event, Link, Resource, Scope, Span, SpanKind
from tests.builders import DAY, HOUR, SECOND, TODAY_NS, US, a_span, a_span_id, a_trace_id

AFTERNOON_NS = TODAY_NS + 15 * HOUR + (46 * 60 + 31) * SECOND
FOUR_TAGS: dict[str, AttributeValue] = {
    "sameplacetag1": "sameplacevalue",
    "sameplacetag2": 123,
    "sameplacetag3": 72.5,
    "sameplacetag4": True,
}
FOUR_TEXTS = {
    "sameplacetag1": "sameplacevalue",
    "sameplacetag2": "123",
    "sameplacetag3": "72.5",
    "sameplacetag4": "true",
}
FIRST, SECOND_TAG, THIRD, FOURTH = ({key: value} for key, value in FOUR_TAGS.items())
AT_SPAN: dict[str, Any] = {"attributes": FOUR_TAGS | {"blob": b"\x00\x01"}}
AT_RESOURCE: dict[str, Any] = {"resource": Resource(FOUR_TAGS)}
AT_EVENT: dict[str, Any] = {"events": (Event(AFTERNOON_NS, "", {"other": 1}), Event(AFTERNOON_NS, "", FOUR_TAGS))}
SPREAD: dict[str, Any] = {
    "attributes": FIRST,
    "resource": Resource(THIRD),
    "events": (Event(AFTERNOON_NS, "", SECOND_TAG), Event(AFTERNOON_NS + 1, "", FOURTH)),
}
LINKS = (
    Link(a_trace_id(0xA), a_span_id(1), attributes={"opentracing.ref_type": "child_of"}),
    Link(a_trace_id(0xB), a_span_id(2), attributes={"opentracing.ref_type": "child_of"}),
    Link(a_trace_id(0xB), a_span_id(2), attributes={"opentracing.ref_type": "follows_from"}),
)
OPERATION: dict[str, Any] = {"name": "query-operation"}
NAMED: dict[str, Any] = {"operation": "query-operation"}
TAGGED: dict[str, Any] = {"tags": FOUR_TEXTS}
UP_TO_1_US: dict[str, Any] = {"duration_max_ns": 1_000}
ABOUT_5_US: dict[str, Any] = {"duration_min_ns": 4_500, "duration_max_ns": 5_500}


@dataclass(frozen=True)
class JaegerCase:
    """One search: `question` on top of service and window, and the spans of the traces that it must give."""

    number: int
    caption: str
    spans: list[dict[str, Any]]
    question: dict[str, Any] = field(default_factory=dict)
    start_min_ns: int = AFTERNOON_NS
    start_max_ns: int = AFTERNOON_NS + 2 * HOUR

    @property
    def criteria(self) -> dict[str, Any]:
        window = {"start_min_ns": self.start_min_ns, "start_max_ns": self.start_max_ns, "limit": 1000}
        return {"service": self.service, **window, **self.question}

    @property
    def service(self) -> str:
        return f"query{self.number:02}-service"

    def traces(self) -> list[list[Span]]:
        """The expected traces; spans with another `trace` offset are other traces."""
        traces: dict[int, list[Span]] = {}
        for number, changes in enumerate(self.spans, 1):
            offset = changes.get("trace", 0)
            values = {"service": self.service, "start_ns": AFTERNOON_NS + SECOND + offset, "duration_ns": 5 * US}
            spans = traces.setdefault(offset, [])
            values |= {key: value for key, value in changes.items() if key != "trace"}
            spans.append(a_span(self.number * 100 + offset, number, **values))
        return list(traces.values())


CASES = [
    JaegerCase(1, "Tags in one spot - Tags", [AT_SPAN, {"kind": SpanKind.CLIENT}], TAGGED),
    JaegerCase(2, "Tags in one spot - Logs", [AT_EVENT], TAGGED),
    JaegerCase(3, "Tags in one spot - Process", [AT_RESOURCE], TAGGED),
    JaegerCase(
        4,
        "Tags in different spots",
        [{"attributes": FIRST, "resource": Resource(THIRD), "events": (Event(1, "", SECOND_TAG | FOURTH),)}],
        TAGGED,
    ),
    JaegerCase(
        5,
        "Trace spans over multiple indices",
        [{"start_ns": TODAY_NS + 211 * SECOND}, {"start_ns": TODAY_NS - DAY + 86_191 * SECOND}],
        start_min_ns=TODAY_NS + 31 * SECOND,
        start_max_ns=TODAY_NS + 451 * SECOND,
    ),
    JaegerCase(6, "Operation name", [OPERATION, {"name": "another"}], NAMED),
    JaegerCase(
        7,
        "Operation name + max Duration",
        [OPERATION | {"duration_ns": 1_000}, OPERATION | {"duration_ns": 2_000}],
        NAMED | {"duration_max_ns": 2_000},
    ),
    JaegerCase(8, "Operation name + Duration range", [OPERATION], NAMED | ABOUT_5_US),
    JaegerCase(9, "Duration range", [{"duration_ns": 5_000}], ABOUT_5_US),
    JaegerCase(10, "max Duration", [{"duration_ns": 1_000}], UP_TO_1_US),
    JaegerCase(11, "default", [{}]),
    JaegerCase(12, "Tags + Operation name", [OPERATION | AT_SPAN | {"links": LINKS}], NAMED | TAGGED),
    JaegerCase(
        13,
        "Tags + Operation name + max Duration",
        [OPERATION | AT_RESOURCE | {"duration_ns": 1_000}],
        NAMED | TAGGED | UP_TO_1_US,
    ),
    JaegerCase(14, "Tags + Operation name + Duration range", [OPERATION | AT_EVENT], NAMED | TAGGED | ABOUT_5_US),
    JaegerCase(15, "Tags + Duration range", [AT_SPAN], TAGGED | ABOUT_5_US),
    JaegerCase(16, "Tags + max Duration", [AT_RESOURCE | {"duration_ns": 1_000}], TAGGED | UP_TO_1_US),
    JaegerCase(17, "Multi-spot Tags + Operation name", [OPERATION | SPREAD], NAMED | TAGGED),
    JaegerCase(
        18,
        "Multi-spot Tags + Operation name + max Duration",
        [OPERATION | SPREAD | {"duration_ns": 1_000}],
        NAMED | TAGGED | UP_TO_1_US,
    ),
    JaegerCase(
        19, "Multi-spot Tags + Operation name + Duration range", [OPERATION | SPREAD], NAMED | TAGGED | ABOUT_5_US
    ),
    JaegerCase(20, "Multi-spot Tags + Duration range", [SPREAD], TAGGED | ABOUT_5_US),
    JaegerCase(21, "Multi-spot Tags + max Duration", [SPREAD | {"duration_ns": 1_000}], TAGGED | UP_TO_1_US),
    JaegerCase(22, "Multiple Traces", [OPERATION | {"trace": n} for n in (0, 1, 2)], NAMED),
    JaegerCase(23, "Scope Name and Version", [OPERATION | {"scope": Scope("scope-name", "1.2.3")}], NAMED),
    JaegerCase(24, "Scope Attributes", [{"scope": Scope("s", attributes=FOUR_TAGS | {"blob": b"\xff"})}], TAGGED),
    JaegerCase(25, "Link Attributes", [{"links": (*LINKS, Link(a_trace_id(9), a_span_id(9), "", FOUR_TAGS))}], TAGGED),
]

NEAR_MISSES: list[dict[str, Any]] = [
    {"start_ns": AFTERNOON_NS - DAY},
    {"name": "another", "duration_ns": 7_000, "attributes": FIRST | SECOND_TAG | THIRD},
    {"name": "another", "duration_ns": 7_000, "attributes": FOUR_TAGS | {"sameplacetag2": 1230}},
    {"name": "another", "duration_ns": 7_000, "attributes": FOUR_TAGS | {"sameplacetag4": False}},
]


def all_spans() -> list[Span]:
    """The spans of every case, and near misses of those that ask for more than service and time."""
    spans = [span for case in CASES for trace in case.traces() for span in trace]
    for case in CASES:
        for number, changes in enumerate(NEAR_MISSES if case.question else NEAR_MISSES[:1], 50):
            values: dict[str, Any] = {"service": case.service, "start_ns": AFTERNOON_NS + SECOND} | changes
            spans.append(a_span(case.number * 100 + number, **values))
    return spans
