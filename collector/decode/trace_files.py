"""Files that people keep traces in: what Jaeger's, Zipkin's and Grafana's pages download, and what OpenTelemetry
collectors write (their file exporter: a JSON document a line).

What a file holds is told by its content; neither names nor content types are asked.
"""

from collections.abc import Callable, Iterator, Mapping

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from collector.decode import jaeger_json, otlp_json, zipkin_json_v1, zipkin_json_v2
from collector.decode.decoded import DecodedColumns
from collector.decode.zipkin_formats import ZipkinFormat, format_of
from collector.errors import MalformedPayload
from storage.batch import SpanColumns

EXPECTED = (
    'expected traces as JSON of Jaeger ({"data": [...]}), Zipkin ([{"traceId": ...}]) '
    'or OTLP ({"resourceSpans": [...]})'
)
_BOM = b"\xef\xbb\xbf"
_MOST_DOCUMENTS = 100_000
_MOST_ELEMENTS = 4_000_000
"""As otlp_json.ELEMENTS_MAX: a Python object each."""
_SHOWN_MEMBERS = 6

_Decode = Callable[[bytes], DecodedColumns]


class _Document(Struct, rename="camel", gc=False):
    """The members that tell one kind of document from another, none of them read."""

    resource_spans: Raw | UnsetType = UNSET
    snake_resource_spans: Raw | UnsetType = msgspec.field(default=UNSET, name="resource_spans")
    batches: Raw | UnsetType = UNSET
    result: Raw | UnsetType = UNSET
    trace: Raw | UnsetType = UNSET
    data: Raw | UnsetType = UNSET
    spans: Raw | UnsetType = UNSET
    trace_id: Raw | UnsetType = UNSET
    id: Raw | UnsetType = UNSET


_DOCUMENT = msgspec.json.Decoder(_Document)
_LIST = msgspec.json.Decoder(list[Raw])
_MEMBERS = msgspec.json.Decoder(dict[str, Raw])


def decode(body: bytes) -> DecodedColumns:
    """The spans of a file, in its order: one JSON document, or one a line.

    MalformedPayload when a document is none of traces, with its line where there are several. Single spans with bad
    ids are left out and counted, but of a Zipkin list, which is whole or refused.
    """
    body = body.removeprefix(_BOM).strip()
    if not body:
        raise MalformedPayload(f"{EXPECTED}, got an empty file")
    if body.count(b"{") + body.count(b"[") + body.count(b",") > _MOST_ELEMENTS:
        raise MalformedPayload(f"expected at most {_MOST_ELEMENTS} JSON elements in a file, got more")
    if _is_json(body):
        return _decoder_of(body)(body)
    return _joined(_lines(body))


def _is_json(body: bytes) -> bool:
    """Whether the file is one document. Not whether it is a good one: of one line there is nothing else to try."""
    try:
        msgspec.json.decode(body, type=Raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return b"\n" not in body
    return True


def _lines(body: bytes) -> Iterator[tuple[str, DecodedColumns]]:
    """Each line that is not blank, decoded, and where it is."""
    for number, line in enumerate(body.split(b"\n"), 1):
        if not (line := line.strip()):
            continue
        if number > _MOST_DOCUMENTS:
            raise MalformedPayload(f"expected at most {_MOST_DOCUMENTS} lines in a file, got more")
        try:
            yield f"line {number}", _decoder_of(line)(line)
        except MalformedPayload as error:
            raise MalformedPayload(f"line {number}: {error}") from error


def _joined(documents: Iterator[tuple[str, DecodedColumns]]) -> DecodedColumns:
    columns, rejected, messages = SpanColumns(), dict[str, int](), list[str]()
    for where, decoded in documents:
        columns.extend(decoded.columns)
        for reason, spans in decoded.rejected.items():
            rejected[reason] = rejected.get(reason, 0) + spans
        if decoded.message and not messages:
            messages.append(f"{where}: {decoded.message}")
    return DecodedColumns(columns, rejected, "".join(messages))


def _decoder_of(document: bytes) -> _Decode:
    """Who reads this document. MalformedPayload when it is none of traces."""
    try:
        if document.startswith(b"["):
            return _decoder_of_list(document)
        return _decoder_of_object(_DOCUMENT.decode(document), document)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise MalformedPayload(f"{EXPECTED}, got {_told(document)}: {error}") from error
    except RecursionError:
        raise MalformedPayload(f"{EXPECTED}, got JSON nested too deep") from None


def _decoder_of_list(document: bytes) -> _Decode:
    items = _LIST.decode(document)
    if not items:
        raise MalformedPayload(f"{EXPECTED}, got an empty list")
    first = bytes(items[0])
    if first.startswith(b"["):
        # Traces as Zipkin answers a search, each a list of spans.
        flat = b"[" + b",".join(inner for item in items if (inner := bytes(item).strip()[1:-1].strip())) + b"]"
        return lambda _document: _zipkin(flat)
    if not first.startswith(b"{"):
        raise MalformedPayload(f"{EXPECTED}, got a list whose first item is {first[:40].decode(errors='replace')}")
    return _of_list(_DOCUMENT.decode(first), first, items)


def _of_list(found: _Document, first: bytes, items: list[Raw]) -> _Decode:
    if found.trace_id is not UNSET and found.id is not UNSET:
        return _zipkin
    if found.spans is not UNSET and found.trace_id is UNSET:
        return jaeger_json.decode
    each = _decoder_of_object(found, first)
    return lambda _document: _joined((f"[{index}]", each(bytes(item))) for index, item in enumerate(items))


def _decoder_of_object(found: _Document, document: bytes) -> _Decode:
    match found:
        case _Document(resource_spans=Raw()) | _Document(snake_resource_spans=Raw()):
            return otlp_json.decode
        case _Document(batches=Raw() as batches):
            # Tempo's and Grafana's name for the same.
            return lambda _document: otlp_json.decode(b'{"resourceSpans":' + bytes(batches) + b"}")
        case _Document(result=Raw() as inner) | _Document(trace=Raw() as inner):
            # Jaeger's /api/v3 and Tempo's /api/v2 wrap OTLP.
            return lambda _document: otlp_json.decode(bytes(inner))
        case _Document(data=Raw()) | _Document(spans=Raw()):
            return jaeger_json.decode
        case _Document(trace_id=Raw(), id=Raw()):
            return lambda one: _zipkin(b"[" + one + b"]")
    raise MalformedPayload(f"{EXPECTED}, got {_told(document)}")


def _zipkin(document: bytes) -> DecodedColumns:
    decoders: Mapping[ZipkinFormat, _Decode] = {
        ZipkinFormat.JSON_V1: zipkin_json_v1.decode,
        ZipkinFormat.JSON_V2: zipkin_json_v2.decode,
    }
    return decoders[format_of(document, ZipkinFormat.JSON_V2)](document)


def _told(document: bytes) -> str:
    """What a document is, as far as one can tell."""
    try:
        members = _MEMBERS.decode(document)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        begin = document[:40].decode(errors="replace")
        return f"{begin!r}..., which is no JSON" if len(document) > len(begin) else f"{begin!r}, which is no JSON"
    for signal in ("Logs", "Metrics", "Profiles"):
        if f"resource{signal}" in members:
            return f"OTLP {signal.lower()}"
    names = ", ".join(f"`{name[:40]}`" for name in list(members)[:_SHOWN_MEMBERS])
    return f"an object with {names}" if names else "an empty object"
