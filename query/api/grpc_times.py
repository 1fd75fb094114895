"""Times and durations of gRPC requests, as clients in Go and in other languages mean them.

Jaeger's own messages are generated for Go without the notion of an absent time, so a Go client that sets none sends
Go's zero time (the first second of year 1) and an empty duration. Both are what an absent field is: None.
"""

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from storage.times import GO_ZERO_TIME_S, clamped_ns


def time_ns(request: Message, field: str) -> int | None:
    """The Timestamp in that field in epoch nanoseconds, clamped to 64 bits; None when it is unset.

    A Timestamp that is there and empty is the epoch.
    """
    if not request.HasField(field):
        return None
    value: Timestamp = getattr(request, field)
    if value.seconds == GO_ZERO_TIME_S and not value.nanos:
        return None
    return clamped_ns(value.seconds * 10**9 + value.nanos)


def duration_ns(request: Message, field: str) -> int | None:
    """The Duration in that field in nanoseconds, clamped to 64 bits; None when it is unset or zero."""
    value: Duration = getattr(request, field)
    return clamped_ns(value.seconds * 10**9 + value.nanos) or None
