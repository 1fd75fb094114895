import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SpanKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SPAN_KIND_UNSPECIFIED: _ClassVar[SpanKind]
    SPAN_KIND_INTERNAL: _ClassVar[SpanKind]
    SPAN_KIND_SERVER: _ClassVar[SpanKind]
    SPAN_KIND_CLIENT: _ClassVar[SpanKind]
    SPAN_KIND_PRODUCER: _ClassVar[SpanKind]
    SPAN_KIND_CONSUMER: _ClassVar[SpanKind]

class MetricType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    UNKNOWN: _ClassVar[MetricType]
    GAUGE: _ClassVar[MetricType]
    COUNTER: _ClassVar[MetricType]
    STATE_SET: _ClassVar[MetricType]
    INFO: _ClassVar[MetricType]
    HISTOGRAM: _ClassVar[MetricType]
    GAUGE_HISTOGRAM: _ClassVar[MetricType]
    SUMMARY: _ClassVar[MetricType]
SPAN_KIND_UNSPECIFIED: SpanKind
SPAN_KIND_INTERNAL: SpanKind
SPAN_KIND_SERVER: SpanKind
SPAN_KIND_CLIENT: SpanKind
SPAN_KIND_PRODUCER: SpanKind
SPAN_KIND_CONSUMER: SpanKind
UNKNOWN: MetricType
GAUGE: MetricType
COUNTER: MetricType
STATE_SET: MetricType
INFO: MetricType
HISTOGRAM: MetricType
GAUGE_HISTOGRAM: MetricType
SUMMARY: MetricType

class MetricFamily(_message.Message):
    __slots__ = ("name", "type", "unit", "help", "metrics")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    HELP_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    name: str
    type: MetricType
    unit: str
    help: str
    metrics: _containers.RepeatedCompositeFieldContainer[Metric]
    def __init__(self, name: _Optional[str] = ..., type: _Optional[_Union[MetricType, str]] = ..., unit: _Optional[str] = ..., help: _Optional[str] = ..., metrics: _Optional[_Iterable[_Union[Metric, _Mapping]]] = ...) -> None: ...

class Metric(_message.Message):
    __slots__ = ("labels", "metric_points")
    LABELS_FIELD_NUMBER: _ClassVar[int]
    METRIC_POINTS_FIELD_NUMBER: _ClassVar[int]
    labels: _containers.RepeatedCompositeFieldContainer[Label]
    metric_points: _containers.RepeatedCompositeFieldContainer[MetricPoint]
    def __init__(self, labels: _Optional[_Iterable[_Union[Label, _Mapping]]] = ..., metric_points: _Optional[_Iterable[_Union[MetricPoint, _Mapping]]] = ...) -> None: ...

class Label(_message.Message):
    __slots__ = ("name", "value")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: str
    def __init__(self, name: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...

class MetricPoint(_message.Message):
    __slots__ = ("gauge_value", "timestamp")
    GAUGE_VALUE_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    gauge_value: GaugeValue
    timestamp: _timestamp_pb2.Timestamp
    def __init__(self, gauge_value: _Optional[_Union[GaugeValue, _Mapping]] = ..., timestamp: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GaugeValue(_message.Message):
    __slots__ = ("double_value", "int_value")
    DOUBLE_VALUE_FIELD_NUMBER: _ClassVar[int]
    INT_VALUE_FIELD_NUMBER: _ClassVar[int]
    double_value: float
    int_value: int
    def __init__(self, double_value: _Optional[float] = ..., int_value: _Optional[int] = ...) -> None: ...

class MetricsQueryBaseRequest(_message.Message):
    __slots__ = ("service_names", "groupByOperation", "end_time", "lookback", "step", "ratePer", "spanKinds")
    SERVICE_NAMES_FIELD_NUMBER: _ClassVar[int]
    GROUPBYOPERATION_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    LOOKBACK_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    RATEPER_FIELD_NUMBER: _ClassVar[int]
    SPANKINDS_FIELD_NUMBER: _ClassVar[int]
    service_names: _containers.RepeatedScalarFieldContainer[str]
    groupByOperation: bool
    end_time: _timestamp_pb2.Timestamp
    lookback: _duration_pb2.Duration
    step: _duration_pb2.Duration
    ratePer: _duration_pb2.Duration
    spanKinds: _containers.RepeatedScalarFieldContainer[SpanKind]
    def __init__(self, service_names: _Optional[_Iterable[str]] = ..., groupByOperation: _Optional[bool] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., lookback: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., step: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., ratePer: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., spanKinds: _Optional[_Iterable[_Union[SpanKind, str]]] = ...) -> None: ...

class GetLatenciesRequest(_message.Message):
    __slots__ = ("baseRequest", "quantile")
    BASEREQUEST_FIELD_NUMBER: _ClassVar[int]
    QUANTILE_FIELD_NUMBER: _ClassVar[int]
    baseRequest: MetricsQueryBaseRequest
    quantile: float
    def __init__(self, baseRequest: _Optional[_Union[MetricsQueryBaseRequest, _Mapping]] = ..., quantile: _Optional[float] = ...) -> None: ...

class GetCallRatesRequest(_message.Message):
    __slots__ = ("baseRequest",)
    BASEREQUEST_FIELD_NUMBER: _ClassVar[int]
    baseRequest: MetricsQueryBaseRequest
    def __init__(self, baseRequest: _Optional[_Union[MetricsQueryBaseRequest, _Mapping]] = ...) -> None: ...

class GetErrorRatesRequest(_message.Message):
    __slots__ = ("baseRequest",)
    BASEREQUEST_FIELD_NUMBER: _ClassVar[int]
    baseRequest: MetricsQueryBaseRequest
    def __init__(self, baseRequest: _Optional[_Union[MetricsQueryBaseRequest, _Mapping]] = ...) -> None: ...

class GetMinStepDurationRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetMinStepDurationResponse(_message.Message):
    __slots__ = ("minStep",)
    MINSTEP_FIELD_NUMBER: _ClassVar[int]
    minStep: _duration_pb2.Duration
    def __init__(self, minStep: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class GetMetricsResponse(_message.Message):
    __slots__ = ("metrics",)
    METRICS_FIELD_NUMBER: _ClassVar[int]
    metrics: MetricFamily
    def __init__(self, metrics: _Optional[_Union[MetricFamily, _Mapping]] = ...) -> None: ...
