"""A list of Zipkin v2 spans read as Zipkin itself reads it, slowly: what the strict reader refused ends here."""

from collector.decode.zipkin_json_reader import JsonReader
from collector.decode.zipkin_span import RefusedSpanError, WireAnnotation, WireEndpoint, WireSpan
from collector.errors import MalformedPayload

_NOT_A_LIST = "Expected a JSON_V2 encoded list\n"
_IS_V1 = "Expected a JSON_V2 encoded list, but received: JSON_V1\n"


def read_spans(payload: bytes) -> list[WireSpan]:
    """The spans of the list; what follows it is ignored. Bytes that are not UTF-8 become U+FFFD, as in Zipkin.

    MalformedPayload when this is no JSON list, or a list of v1 spans; RefusedSpanError with gson's words otherwise.
    """
    reader = list_reader(payload, _NOT_A_LIST)
    return [_span(reader) for _ in reader.elements()]


def list_reader(payload: bytes, refusal: str) -> JsonReader:
    """A reader before a list. MalformedPayload with the words of `refusal` when the payload is none."""
    text = payload.decode("utf-8", "replace").removeprefix("\ufeff").lstrip(" \t\r\n")
    if not text.startswith("["):
        raise MalformedPayload(refusal)
    return JsonReader(text)


def _span(reader: JsonReader) -> WireSpan:
    span = WireSpan("", "")
    missing = {"traceId", "id"}
    for name in reader.members():
        if name in ("traceId", "id"):
            missing.discard(name)
        elif name.endswith("yAnnotations"):
            raise MalformedPayload(_IS_V1)
        elif reader.take_null():
            continue
        _read_member(reader, span, name)
    if missing:
        names = " ".join(name for name in ("traceId", "id") if name in missing)
        raise RefusedSpanError(f"Missing : {names}", f"at {reader.path()}")
    return span


def _read_member(reader: JsonReader, span: WireSpan, name: str) -> None:
    match name:
        case "traceId":
            span.trace_id = reader.string()
        case "id":
            span.id = reader.string()
        case "parentId":
            span.parent_id = reader.string()
        case "kind":
            span.kind = reader.string()
        case "name":
            span.name = reader.string()
        case "timestamp":
            span.timestamp = reader.integer()
        case "duration":
            span.duration = reader.integer()
        case "localEndpoint":
            span.local_endpoint = read_endpoint(reader)
        case "remoteEndpoint":
            span.remote_endpoint = read_endpoint(reader)
        case "annotations":
            span.annotations = [_annotation(reader) for _ in reader.elements()]
        case "tags":
            span.tags = _tags(reader)
        case "debug":
            span.debug = reader.boolean()
        case "shared":
            span.shared = reader.boolean()
        case _:
            reader.skip()


def read_endpoint(reader: JsonReader) -> WireEndpoint:
    """The next value, which v1 and v2 write alike."""
    endpoint = WireEndpoint()
    for name in reader.members():
        if reader.take_null():
            continue
        match name:
            case "serviceName":
                endpoint.service_name = reader.string()
            case "ipv4":
                endpoint.ipv4 = reader.string()
            case "ipv6":
                endpoint.ipv6 = reader.string()
            case "port":
                endpoint.port = reader.integer()
            case _:
                reader.skip()
    return endpoint


def _annotation(reader: JsonReader) -> WireAnnotation:
    timestamp: int | None = None
    value: str | None = None
    last = ""
    for name in reader.members():
        last = f".{name}"
        if name == "timestamp":
            timestamp = reader.integer()
        elif name == "value":
            value = reader.string()
        else:
            reader.skip()
    if timestamp is None or value is None:
        raise RefusedSpanError(f"Incomplete annotation at {reader.path()}{last}")
    return WireAnnotation(timestamp, value)


def _tags(reader: JsonReader) -> dict[str, str]:
    tags: dict[str, str] = {}
    for name in reader.members():
        if reader.take_null():
            raise RefusedSpanError(f"No value at {reader.path()}")
        tags[name] = reader.string()
    return tags
