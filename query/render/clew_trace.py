"""One reconstructed trace as clew's own JSON: its tree, where its time went, and its summary.

The shape is told by `query.api.clew_docs`. Spans are a list in the order of the tree, not objects within each other:
a chain of some thousand spans would be deeper than JSON parsers go.
"""

from collections.abc import Iterator, Mapping, Sequence

from query.reconstruct.jaeger_as_otel import jaeger_as_otel
from query.reconstruct.reconstruction import Reconstruction
from query.reconstruct.sidecars import is_sidecar
from query.reconstruct.trace import TraceSpan
from query.render.jaeger_envelope import to_bytes
from query.render.json_parts import joined
from query.render.otlp_json import JsonObject, key_values_json, scope_json, span_json
from storage.attributes import encode
from storage.span import Resource, StatusCode


def trace_document(found: Reconstruction) -> Iterator[bytes]:
    """The document in pieces, to be sent one after another. No piece depends on how many spans there are."""
    resources, places = _Resources(found), places_in_document(found)
    head = to_bytes(
        {
            "traceId": found.trace.trace_id.hex(),
            "summary": summary_json(found),
            "resources": resources.listed,
        }
    )
    yield head[:-1] + b',"spans":['
    yield from joined(_spans(found, places, resources.numbers))
    yield b'],"criticalPath":['
    yield from joined(_sections(found, places))
    yield b"]}"


def _spans(found: Reconstruction, places: Sequence[int], resources: Mapping[int, int]) -> Iterator[JsonObject]:
    times_ns = found.path.times_ns()
    for at in found.tree.order:
        shown, parent = found.trace.spans[at], found.tree.parents[at]
        span = jaeger_as_otel(shown.span)
        self_ns, scope = found.self_times_ns[at], scope_json(span.scope)
        yield {
            **({"root": found.tree.roots[at].name.lower()} if parent is None else {"parent": places[parent]}),
            "depth": found.tree.depths[at],
            "service": span.service,
            **({} if span.duration_ns is None else {"durationNano": str(span.duration_ns)}),
            **({} if self_ns is None else {"selfTimeNano": str(self_ns)}),
            "onCriticalPath": at in found.path.spans,
            **({"criticalPathNano": str(times_ns.get(at, 0))} if at in found.path.spans else {}),
            "error": span.status_code is StatusCode.ERROR,
            "protocol": span.protocol.name.lower(),
            **({"sidecar": True} if is_sidecar(span) else {}),
            "reports": shown.reports,
            "warnings": shown.warnings,
            "resource": resources[id(shown.span.resource)],
            **({"scope": scope} if scope else {}),
            "span": span_json(TraceSpan(span)),
        }


def _sections(found: Reconstruction, places: Sequence[int]) -> Iterator[JsonObject]:
    for at, start_ns, end_ns in found.path.sections:
        yield {"span": places[at], "startTimeUnixNano": str(start_ns), "endTimeUnixNano": str(end_ns)}


def places_in_document(found: Reconstruction) -> Sequence[int]:
    """Where in the document each position is."""
    places = [0] * len(found.tree.order)
    for place, at in enumerate(found.tree.order):
        places[at] = place
    return places


def summary_json(found: Reconstruction) -> JsonObject:
    """What the head of the document says of the trace as a whole."""
    summary, listed = found.summary, found.summary.listed
    times: JsonObject = {}
    if listed.start_ns is not None and listed.end_ns is not None:
        times = {
            "startTimeUnixNano": str(listed.start_ns),
            "endTimeUnixNano": str(listed.end_ns),
            "durationNano": str(listed.end_ns - listed.start_ns),
        }
    first = found.trace.spans[summary.root].span
    return {
        "rootService": first.service,
        "rootOperation": first.name,
        **times,
        "spans": listed.spans,
        "errors": listed.errors,
        "depth": summary.depth,
        "roots": summary.roots,
        "orphans": summary.orphans,
        "circles": summary.circles,
        "reports": summary.reports,
        "services": [{"name": one.name, "spans": one.spans, "errors": one.errors} for one in listed.services],
    }


class _Resources:
    """The resources of a trace, equal ones once. numbers: by a resource's id(), its number in `listed`."""

    def __init__(self, found: Reconstruction) -> None:
        self.listed: list[JsonObject] = []
        self.numbers: dict[int, int] = {}
        by_content: dict[tuple[str, int, str], int] = {}
        for at in found.tree.order:
            resource = found.trace.spans[at].span.resource
            if id(resource) in self.numbers:
                continue
            content = encode(resource.attributes), resource.dropped_attributes, resource.schema_url
            if content not in by_content:
                by_content[content] = len(self.listed)
                self.listed.append(_resource(resource))
            self.numbers[id(resource)] = by_content[content]


def _resource(resource: Resource) -> JsonObject:
    return {
        "attributes": key_values_json(resource.attributes),
        **({"droppedAttributesCount": resource.dropped_attributes} if resource.dropped_attributes else {}),
        **({"schemaUrl": resource.schema_url} if resource.schema_url else {}),
    }
