"""The envelope around every answer of Jaeger's JSON API, and its bytes."""

import json
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from query.render.jaeger_translation import span_kind_text
from query.render.jaeger_values import JsonObject
from storage.requests import DependencyLink, Operation
from storage.span import SpanKind

_DATA = b'{"data":['


def envelope(data: object, total: int = 0, errors: Sequence[JsonObject] = ()) -> JsonObject:
    """`limit` and `offset` are always 0 and `errors` null when there is none, as Jaeger has them."""
    return {"data": data, "total": total, "limit": 0, "offset": 0, "errors": list(errors) or None}


def envelope_document(data: Iterable[Iterable[bytes]], errors: Sequence[JsonObject] = ()) -> Iterator[bytes]:
    """The text of an envelope in parts. data: of each of its items the parts of its text."""
    yield _DATA
    for number, item in enumerate(data):
        if number:
            yield b","
        yield from item
    yield to_bytes(envelope([], errors=errors))[len(_DATA) :]


def failure(status: int, message: str) -> JsonObject:
    """What an answer with an error status holds. Clients show `msg`."""
    return envelope(None, errors=[{"code": status, "msg": message}])


def trace_not_found(trace_id_text: str) -> JsonObject:
    """The entry for one of several ids asked for; it has no code, for the answer as a whole is a success."""
    return {"msg": "trace not found", "traceID": trace_id_text}


def operations_json(operations: Sequence[Operation]) -> list[JsonObject]:
    """{name, spanKind}: the kind in lower case, "" when unspecified."""
    return [{"name": one.name, "spanKind": span_kind_text(SpanKind(one.kind))} for one in operations]


def dependencies_json(links: Sequence[DependencyLink]) -> list[JsonObject]:
    """{parent, child, callCount}."""
    return [{"parent": link.parent, "child": link.child, "callCount": link.call_count} for link in links]


def to_bytes(body: object, *, pretty: bool = False) -> bytes:
    """The JSON text, on one line or indented with 4 spaces."""
    try:
        text = msgspec.json.encode(body)
    except UnicodeEncodeError:
        # A lone surrogate, which JSON can escape and UTF-8 cannot hold: escape everything that is not ASCII.
        text = json.dumps(body, separators=(",", ":")).encode()
    return msgspec.json.format(text, indent=4) if pretty else text
