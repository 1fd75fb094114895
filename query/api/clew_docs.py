"""What clew's own trace document holds, as JSON Schema in the API documentation."""

from typing import Any

Schema = dict[str, Any]

_NANO = " Nanoseconds as text, as proto3 JSON has 64-bit integers."


def _text(description: str) -> Schema:
    return {"type": "string", "description": description}


def _number(description: str) -> Schema:
    return {"type": "integer", "description": description}


def _flag(description: str) -> Schema:
    return {"type": "boolean", "description": description}


def _list(item: Schema, description: str) -> Schema:
    return {"type": "array", "items": item, "description": description}


def _map(required: str, **properties: Schema) -> Schema:
    """An object. required: the names of the properties that are always there."""
    return {"type": "object", "properties": properties, "required": required.split()}


_OTLP = {"type": "object"}
_TIMES = {
    "startTimeUnixNano": _text("Epoch." + _NANO),
    "endTimeUnixNano": _text("Epoch." + _NANO),
}
_SUMMARY = _map(
    "rootService rootOperation spans errors depth roots orphans circles reports services",
    rootService=_text("Of the first span listed: the earliest without a parent, if there is one."),
    rootOperation=_text("The name of the same span."),
    **_TIMES,
    durationNano=_text("From the earliest start to the latest end; like both absent when no span has a start." + _NANO),
    spans=_number("Spans in this document."),
    errors=_number("Spans with the status ERROR or a Zipkin `error` tag."),
    depth=_number("Spans on the longest way from a root to a leaf."),
    roots=_number("Roots, for whatever reason."),
    orphans=_number("Roots whose parent is not in the trace."),
    circles=_number("Roots at which a circle of parents was cut."),
    reports=_number("Spans as they were sent, repeats and pieces included."),
    services=_list(
        _map(
            "name spans errors", name=_text("Service."), spans=_number("Its spans."), errors=_number("Of them errors.")
        ),
        "Every service, by name.",
    ),
)
_SPAN = _map(
    "depth service onCriticalPath error protocol reports warnings resource span",
    parent=_number("Position of its parent in this list, always before it; absent of a root."),
    root={
        "type": "string",
        "enum": ["parentless", "orphan", "circle"],
        "description": "Why it is a root: no parent; the parent is not in the trace; it is its own ancestor.",
    },
    depth=_number("0 of a root."),
    service=_text("Local service."),
    durationNano=_text("As it was sent, so it may be 0 or negative; absent when it was." + _NANO),
    selfTimeNano=_text("The time it did not wait for children; absent without a start." + _NANO),
    onCriticalPath=_flag("Whether the critical path leads through it."),
    criticalPathNano=_text("How long the path stays in it: 0 when it only waited; absent off the path." + _NANO),
    error=_flag("Status ERROR or a Zipkin `error` tag."),
    protocol={"type": "string", "enum": ["zipkin", "otlp", "jaeger"]},
    sidecar=_flag("Whether a proxy of the mesh reported it; absent otherwise."),
    reports=_number("How many spans as sent became this one."),
    warnings=_list({"type": "string"}, "What its sender and the adjusters say of it."),
    resource=_number("Position of its resource in `resources`."),
    scope={**_OTLP, "description": "OTLP's instrumentation scope; absent when nothing is known of it."},
    span={**_OTLP, "description": "OTLP's JSON of the span; ids and times are those after reconstruction."},
)
_DOCUMENT = _map(
    "traceId summary resources spans criticalPath",
    traceId=_text("32 hex digits."),
    summary=_SUMMARY,
    resources=_list(_OTLP, "OTLP's resources, each once."),
    spans=_list(_SPAN, "Depth-first: a span, then all below it; siblings by start."),
    criticalPath=_list(
        _map("span startTimeUnixNano endTimeUnixNano", span=_number("Position in `spans`."), **_TIMES),
        "Sections, by root and time: without gaps they fill each root's time.",
    ),
)

_COLUMN_TIMES = {"type": "array", "items": {"type": ["integer", "null"]}}
_NUMBERS = {"type": "array", "items": {"type": "integer"}}
_FROM_START = " Nanoseconds from the start of the trace."
_OUTLINE = _map(
    "traceId summary spans services names roots warnings timing",
    traceId=_text("32 hex digits."),
    summary=_SUMMARY,
    services=_list({"type": "string"}, "Each once."),
    names=_list({"type": "string"}, "Names of spans, each once."),
    spans=_map(
        "spanId parent service name kind start duration protocol flags",
        spanId=_text("16 hex digits a span, one after another."),
        parent={**_NUMBERS, "description": "Position of its parent, always before it; -1 of a root."},
        service={**_NUMBERS, "description": "Position in `services`."},
        name={**_NUMBERS, "description": "Position in `names`."},
        kind={**_NUMBERS, "description": "OTLP's numbers: 1 internal, 2 server, 3 client, 4 producer, 5 consumer."},
        start={**_COLUMN_TIMES, "description": "Null when unknown." + _FROM_START},
        duration={**_COLUMN_TIMES, "description": "Nanoseconds as they were sent; null when they were not."},
        protocol={**_NUMBERS, "description": "1 Zipkin, 2 OTLP, 3 Jaeger."},
        flags={**_NUMBERS, "description": "Sum of 1 error, 2 sidecar, 4 joined reports, 8 has events, 16 has links."},
    ),
    roots=_list(_map("span reason", span=_number("Position."), reason=_text("As in the whole document.")), "Roots."),
    warnings=_list(
        _map("span texts", span=_number("Position."), texts=_list({"type": "string"}, "Warnings.")), "Where any are."
    ),
    timing={
        **_map(
            "selfTime criticalPathTime criticalPath",
            selfTime={**_COLUMN_TIMES, "description": "Nanoseconds in which it did not wait for children."},
            criticalPathTime={**_COLUMN_TIMES, "description": "Nanoseconds the path stays in it; null off the path."},
            criticalPath={
                **_map("span start end", span=_NUMBERS, start=_NUMBERS, end=_NUMBERS),
                "description": "Sections as columns." + _FROM_START,
            },
        ),
        "description": "How the time was spent; columns as those of `spans`. The only line break stands before it, and "
        "all before that is sent first.",
    },
)
_NO_TRACE: Schema = {
    "400": {"description": "A parameter is wrong; Jaeger's envelope with the error."},
    "404": {"description": "No span of this trace is known; Jaeger's envelope with the error."},
}
OUTLINE_RESPONSES: Schema = {
    "responses": {
        "200": {"description": "The outline.", "content": {"application/json": {"schema": _OUTLINE}}},
        **_NO_TRACE,
    }
}
"""What the endpoint of one trace's outline answers."""

TAGS_RESPONSES: Schema = {
    "responses": {
        "200": {
            "description": "Tags of the newest traces that satisfy the search.",
            "content": {
                "application/json": {
                    "schema": _map(
                        "tags",
                        tags=_list(
                            _map(
                                "key spans values",
                                key=_text("Of a span's attribute or its resource's."),
                                spans=_number("On how many spans it was seen."),
                                values=_list(
                                    _map(
                                        "text spans", text=_text("As a search by tag compares it."), spans=_number("")
                                    ),
                                    "The most frequent, 50 at most.",
                                ),
                            ),
                            "The most frequent keys first, 500 at most.",
                        ),
                    )
                }
            },
        },
        "400": {"description": "A parameter is wrong; Jaeger's envelope with the error."},
    }
}
"""What the endpoint of tags answers."""

TRACE_RESPONSES: Schema = {
    "responses": {
        "200": {"description": "The trace.", "content": {"application/json": {"schema": _DOCUMENT}}},
        "400": {"description": "A parameter is wrong; Jaeger's envelope with the error."},
        "404": {"description": "No span of this trace is known; Jaeger's envelope with the error."},
    }
}
"""What the endpoint of one trace answers, for its OpenAPI operation."""

_LISTED = _map(
    "traceId rootService rootOperation spanCount errorCount orphanCount services",
    traceId=_text("32 hex digits."),
    rootService=_text("Of the earliest span without a parent; empty when every span has one."),
    rootOperation=_text("The name of the same span."),
    startTimeUnixNano=_text("The earliest start; absent when no span has one." + _NANO),
    durationNano=_text("From there to the latest end; absent likewise." + _NANO),
    spanCount=_number("Spans; those that were sent twice count once, the halves of a shared id apart."),
    errorCount=_number("Of them with the status ERROR or a Zipkin `error` tag."),
    orphanCount=_number("Of them with a parent that is not in the trace."),
    services=_list(
        _map(
            "name spanCount errorCount",
            name=_text("Service."),
            spanCount=_number("Its spans."),
            errorCount=_number("Of them errors."),
        ),
        "Every service, by name.",
    ),
)
SUMMARIES_RESPONSES: Schema = {
    "responses": {
        "200": {
            "description": "The traces found, those with the latest hit first; they tell of all their spans.",
            "content": {
                "application/json": {"schema": _map("summaries", summaries=_list(_LISTED, "One a trace."))},
            },
        },
        "400": {"description": "A parameter is wrong; Jaeger's envelope with the error."},
    }
}
"""What the endpoint of summaries answers."""

_NODE = _map(
    "name kind instrumented",
    name=_text("A service's is lower-case; a database's or queue's is `system/name`; a host's is without its port."),
    kind={
        "type": "string",
        "enum": ["service", "database", "queue", "external"],
        "description": "A name may stand for nodes of several kinds.",
    },
    instrumented=_flag("Whether it is a service that told something of these calls itself."),
)
_EDGE = _map(
    "parent child calls errors",
    parent=_number("Position in `nodes` of what calls; of a message, of what gives it."),
    child=_number("Position in `nodes` of what is called; of a message, of what takes it."),
    calls=_number("Spans that tell of a call, as Zipkin's links count them."),
    errors=_number("Of them in error."),
    **{
        name: _text(
            f"Quantile {quantile} of the called one's durations, of the caller's where nothing called reports; "
            "within 1/32. Absent when none is known." + _NANO
        )
        for name, quantile in (("p50Nano", "0.5"), ("p95Nano", "0.95"), ("p99Nano", "0.99"))
    },
)
GRAPH_RESPONSES: Schema = {
    "responses": {
        "200": {
            "description": "The service graph of whole minutes.",
            "content": {
                "application/json": {
                    "schema": _map(
                        "startTimeUnixNano endTimeUnixNano nodes edges edgesLeftOut",
                        startTimeUnixNano=_text("The first minute's begin, epoch." + _NANO),
                        endTimeUnixNano=_text("The last minute's end, epoch." + _NANO),
                        nodes=_list(_NODE, "By name, then kind."),
                        edges=_list(_EDGE, "By parent, then child; the 5000 most called."),
                        edgesLeftOut=_number("How many more there are."),
                    )
                }
            },
        },
        "400": {"description": "A parameter is wrong; Jaeger's envelope with the error."},
    }
}
"""What the endpoint of the service graph answers."""

_LEFT_OUT = _map(
    "spans message",
    spans=_number("Spans of the file that are not shown."),
    message=_text("Why, with the first of them; empty when none."),
)
TRANSFORM: Schema = {
    "requestBody": {
        "required": True,
        "description": "A file of Jaeger's, Zipkin's (v1 or v2) or OTLP's JSON, or one such document a line; gzip and "
        "deflate are taken.",
        "content": {"application/json": {"schema": {}}},
    },
    "responses": {
        "200": {
            "description": "Its traces, each as /api/clew/v1/traces/{trace_id} answers it. Nothing is stored.",
            "content": {
                "application/json": {
                    "schema": _map(
                        "leftOut traces", leftOut=_LEFT_OUT, traces=_list(_DOCUMENT, "In the order of the file.")
                    )
                }
            },
        },
        "400": {"description": "It is no file of traces; Jaeger's envelope with what it is."},
        "413": {"description": "Beyond CLEW_MAX_BODY_BYTES, or inflated beyond CLEW_MAX_INFLATED_BYTES."},
        "503": {"description": "Other files take the room for them; retry."},
    },
}
"""What the endpoint of a file takes and answers."""

_COUNTS = {
    "received": _number("Found in what was sent, good or bad."),
    "accepted": _number("Taken: stored, dropped or pending by now."),
    "stored": _number("On disk."),
    "rejected": _number("Never taken; the sender was told."),
    "dropped": _number("Taken and not stored."),
}
_BY_REASON: Schema = {"type": "object", "additionalProperties": {"type": "integer"}}
_DOOR = _map(
    "name door total recent rejectedBy droppedBy refusedPayloadsBy",
    name=_text("As in the metrics: `zipkin_http`, `otlp_grpc`, ..."),
    door=_text("As on the ready line; Zipkin's two ways in share one."),
    address=_text("Where it listens; absent while it is closed."),
    total={
        **_map(
            "received accepted stored rejected dropped pending",
            **_COUNTS,
            pending=_number("Taken, and the commit is still to come."),
        ),
        "description": "Spans since the start.",
    },
    recent={**_map("received accepted stored rejected dropped", **_COUNTS), "description": "Of the last minute."},
    rejectedBy={**_BY_REASON, "description": "Spans since the start, by reason."},
    droppedBy={**_BY_REASON, "description": "Spans since the start, by reason."},
    refusedPayloadsBy={**_BY_REASON, "description": "Requests whose spans were never known, by reason."},
)
DOORS: Schema = {
    "responses": {
        "200": {
            "description": "Every way in, open or not; none from a process that takes no spans.",
            "content": {
                "application/json": {
                    "schema": _map(
                        "recentNano doors",
                        recentNano=_text("How long the last minute is in fact." + _NANO),
                        doors=_list(_DOOR, "Always in the same order."),
                    )
                }
            },
        }
    }
}
"""What the endpoint of the doors answers."""
