"""Why a receiver says no.

CollectorError
├── MalformedPayload    the bytes are not what the door expects; HTTP 400, gRPC INVALID_ARGUMENT; never retried
│   └── CannotInflate       the compressed bytes are damaged or cut short
├── UnsupportedPayload  a content type or encoding that the door does not take; HTTP 415, gRPC UNIMPLEMENTED
├── PayloadTooLarge     over the wire or the inflated limit; HTTP 413, gRPC RESOURCE_EXHAUSTED without RetryInfo
├── Overloaded          no room in the queue or the store; HTTP 503 + Retry-After, gRPC RESOURCE_EXHAUSTED + RetryInfo
│   └── StoreUnreachable    the store did not answer, tried again in vain; HTTP 503 + Retry-After, gRPC UNAVAILABLE
├── BodyTooSlow         the body did not arrive in time; HTTP 408, gRPC DEADLINE_EXCEEDED
├── ClientGone          the client left before its body was whole; nobody is there to be told
└── NotStored           the store failed for a reason it does not know itself; HTTP 500, gRPC INTERNAL
"""


class CollectorError(Exception):
    """The root of what the collector raises on purpose. `str()` is fit to be sent to the client."""


class MalformedPayload(CollectorError):
    """The whole payload is refused: what was expected, what came, where."""


class CannotInflate(MalformedPayload):
    """The payload is not what its content encoding says."""


class UnsupportedPayload(CollectorError):
    """The door takes other content types or encodings; the message names them."""


class PayloadTooLarge(CollectorError):
    """The payload is over a size limit."""


class Overloaded(CollectorError):
    """The payload was fine but cannot be taken now; the sender may retry after `retry_after_s` seconds."""

    def __init__(self, message: str, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class StoreUnreachable(Overloaded):
    """The store could not be written to, in several attempts. None of the payload is stored."""


class NotStored(CollectorError):
    """The spans could not be written and nothing says that another attempt would go better."""


class BodyTooSlow(CollectorError):
    """The rest of the body did not come within the door's time."""


class ClientGone(CollectorError):
    """The connection ended inside the body."""
