"""What OpenTracing's tags of a Jaeger span mean: its kind and its status.

Source: OpenTelemetry collector's translator from Jaeger. `error` decides, then `otel.status_code`, then HTTP's status.
"""

from storage.attributes import Attributes, AttributeValue, text_of
from storage.span import SpanKind, StatusCode

_KINDS = {
    "client": SpanKind.CLIENT,
    "server": SpanKind.SERVER,
    "producer": SpanKind.PRODUCER,
    "consumer": SpanKind.CONSUMER,
    "internal": SpanKind.INTERNAL,
}
_STATUSES = {"OK": StatusCode.OK, "ERROR": StatusCode.ERROR}
_HTTP_MESSAGE_KEY = "http.status_message"


def kind_of_tags(tags: Attributes) -> SpanKind:
    """By `span.kind`; UNSPECIFIED when there is none or an unknown one."""
    kind = tags.get("span.kind")
    return _KINDS.get(kind, SpanKind.UNSPECIFIED) if isinstance(kind, str) else SpanKind.UNSPECIFIED


def status_of_tags(tags: Attributes, kind: SpanKind) -> tuple[StatusCode, str]:
    """The status and its message."""
    description = _text(tags.get("otel.status_description"))
    error = tags.get("error")
    if error is True or error == "true":
        return StatusCode.ERROR, description or _text(tags.get(_HTTP_MESSAGE_KEY))
    if "otel.status_code" in tags:
        return _STATUSES.get(text_of(tags["otel.status_code"]).upper(), StatusCode.UNSET), description
    if _is_http_error(tags.get("http.status_code"), kind):
        return StatusCode.ERROR, _text(tags.get(_HTTP_MESSAGE_KEY))
    return StatusCode.UNSET, ""


def _is_http_error(value: AttributeValue, kind: SpanKind) -> bool:
    """Anything but 1xx to 3xx; a 4xx is the caller's error and none of the server's."""
    if isinstance(value, str):
        if not (value.isascii() and value.isdigit() and len(value) <= 9):
            return False
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return False
    return not (100 <= value < 400 or (400 <= value < 500 and kind is SpanKind.SERVER))


def _text(value: AttributeValue) -> str:
    return value if isinstance(value, str) else ""
