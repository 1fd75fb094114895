"""A list of Zipkin v1 spans read as Zipkin itself reads it, slowly: what the strict reader refused ends here."""

from collector.decode.zipkin_json_lenient import list_reader, read_endpoint
from collector.decode.zipkin_json_reader import JsonReader
from collector.decode.zipkin_json_v1_span import JsonV1Annotation, JsonV1BinaryAnnotation, JsonV1Span, v1_of
from collector.decode.zipkin_span import RefusedSpanError, WireSpan
from collector.decode.zipkin_v1_conversion import v2_spans

_NOT_A_LIST = "Expected a JSON_V1 encoded list\n"


def read_spans(payload: bytes) -> list[WireSpan]:
    """The v2 spans of the list; what follows it is ignored. Bytes that are not UTF-8 become U+FFFD, as in Zipkin.

    MalformedPayload when this is no JSON list; RefusedSpanError with gson's words otherwise.
    """
    reader = list_reader(payload, _NOT_A_LIST)
    found: list[WireSpan] = []
    for _ in reader.elements():
        span = _span(reader)
        try:
            found += v2_spans(v1_of(span))
        except RefusedSpanError as error:
            raise RefusedSpanError(error.cause, f"at {reader.path()}") from error
    return found


def _span(reader: JsonReader) -> JsonV1Span:
    span = JsonV1Span("", "")
    missing = {"traceId", "id"}
    for name in reader.members():
        if name in ("traceId", "id"):
            missing.discard(name)
        elif reader.take_null():
            continue
        _read_member(reader, span, name)
    if missing:
        # Zipkin's v1 ids are numbers, and an absent one is the number 0.
        raise RefusedSpanError("traceId == 0" if "traceId" in missing else "id == 0", f"at {reader.path()}")
    return span


def _read_member(reader: JsonReader, span: JsonV1Span, name: str) -> None:
    match name:
        case "traceId":
            span.trace_id = reader.string()
        case "id":
            span.id = reader.string()
        case "parentId":
            span.parent_id = reader.string()
        case "name":
            span.name = reader.string()
        case "timestamp":
            span.timestamp = reader.integer()
        case "duration":
            span.duration = reader.integer()
        case "annotations":
            span.annotations = [_annotation(reader) for _ in reader.elements()]
        case "binaryAnnotations":
            span.binary_annotations = [_binary_annotation(reader) for _ in reader.elements()]
        case "debug":
            span.debug = reader.boolean()
        case _:
            reader.skip()


def _annotation(reader: JsonReader) -> JsonV1Annotation:
    annotation = JsonV1Annotation(0, "")
    missing = {"timestamp", "value"}
    name = ""
    for name in reader.members():
        missing.discard(name)
        if name == "timestamp":
            annotation.timestamp = reader.integer()
        elif name == "value":
            annotation.value = reader.string()
        elif name == "endpoint" and not reader.take_null():
            annotation.endpoint = read_endpoint(reader)
        elif name != "endpoint":
            reader.skip()
    if missing:
        raise RefusedSpanError(f"Incomplete annotation at {reader.path()}.{name}")
    return annotation


def _binary_annotation(reader: JsonReader) -> JsonV1BinaryAnnotation:
    annotation = JsonV1BinaryAnnotation("")
    has_key = False
    name = ""
    for name in reader.members():
        if reader.take_null():
            continue
        if name == "key":
            has_key, annotation.key = True, reader.string()
        elif name == "value":
            annotation.value = _text_or_flag(reader)
        elif name == "endpoint":
            annotation.endpoint = read_endpoint(reader)
        else:
            reader.skip()
    if not has_key:
        raise RefusedSpanError(f"No key at {reader.path()}.{name}")
    return annotation


def _text_or_flag(reader: JsonReader) -> str | bool | None:
    if reader.at_string():
        return reader.string()
    if reader.at_boolean():
        return reader.boolean()
    reader.skip()
    return None
