"""The status of a Zipkin span, which Zipkin has no field for: its tracers tell it by tags.

Source: OpenTelemetry collector's Zipkin translator. Where that misses a plain `otel.status_code` it is understood here
besides `STATUS_CODE_*`.
"""

from storage.attributes import Attributes, text_of
from storage.span import StatusCode

ERROR_KEY = "error"
STATUS_KEY = "otel.status_code"
STATUS_TEXTS = {
    "STATUS_CODE_UNSET": StatusCode.UNSET,
    "STATUS_CODE_OK": StatusCode.OK,
    "STATUS_CODE_ERROR": StatusCode.ERROR,
    "OK": StatusCode.OK,
}


def zipkin_status(stored: StatusCode, attributes: Attributes) -> StatusCode:
    """What the span's tags say: ERROR by any `error` tag, else what `otel.status_code` names, else what is stored."""
    if ERROR_KEY in attributes:
        return StatusCode.ERROR
    return STATUS_TEXTS.get(text_of(attributes.get(STATUS_KEY)), stored)
