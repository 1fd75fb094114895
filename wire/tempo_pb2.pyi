from opentelemetry.proto.trace.v1 import trace_pb2 as _trace_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TraceByIDResponse(_message.Message):
    __slots__ = ("trace",)
    TRACE_FIELD_NUMBER: _ClassVar[int]
    trace: _trace_pb2.TracesData
    def __init__(self, trace: _Optional[_Union[_trace_pb2.TracesData, _Mapping]] = ...) -> None: ...
