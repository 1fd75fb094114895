"""How gRPC doors refuse: which code an error has, and what tells the sender when to come again."""

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.rpc import error_details_pb2, status_pb2

from collector.errors import (
    BodyTooSlow,
    CollectorError,
    MalformedPayload,
    Overloaded,
    PayloadTooLarge,
    StoreUnreachable,
    UnsupportedPayload,
)

_CODES: tuple[tuple[type[CollectorError], grpc.StatusCode], ...] = (
    (MalformedPayload, grpc.StatusCode.INVALID_ARGUMENT),
    (UnsupportedPayload, grpc.StatusCode.UNIMPLEMENTED),
    (PayloadTooLarge, grpc.StatusCode.RESOURCE_EXHAUSTED),
    (StoreUnreachable, grpc.StatusCode.UNAVAILABLE),
    (Overloaded, grpc.StatusCode.RESOURCE_EXHAUSTED),
    (BodyTooSlow, grpc.StatusCode.DEADLINE_EXCEEDED),
)


def code_of(error: CollectorError) -> grpc.StatusCode:
    """INTERNAL for an error without a code of its own."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), grpc.StatusCode.INTERNAL)


def retry_metadata(code: grpc.StatusCode, error: CollectorError) -> tuple[tuple[str, bytes], ...]:
    """RetryInfo as trailers, without which collectors drop what is RESOURCE_EXHAUSTED; twice, because Python's exporter
    looks for it in a place of its own."""
    if not isinstance(error, Overloaded):
        return ()
    delay = duration_pb2.Duration()
    delay.FromNanoseconds(int(error.retry_after_s * 1e9))
    info = error_details_pb2.RetryInfo(retry_delay=delay)
    detail = any_pb2.Any()
    detail.Pack(info)
    status = status_pb2.Status(code=code.value[0], message=str(error), details=[detail])
    return (
        ("grpc-status-details-bin", status.SerializeToString()),
        ("google.rpc.retryinfo-bin", info.SerializeToString()),
    )
