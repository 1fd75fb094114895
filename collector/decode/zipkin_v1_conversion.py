"""From Zipkin's v1 model to v2 (zipkin2.v1.V1SpanConverter): one v1 span becomes a span for each host that reported it.

The kind comes from the core annotations: cs, cr (client), sr, ss (server), ms (producer), mr (consumer), and wr, ws
(when a message was read or written). The remote endpoint comes from the addresses ca, sa, ma (of client, server and
message broker).
"""

from collector.decode.zipkin_span import RefusedSpanError, WireAnnotation, WireEndpoint, WireSpan
from collector.decode.zipkin_v1_span import ADDRESSES, V1Annotation, V1Endpoint, V1Span

MAX_SERVICES_PER_SPAN = 64
"""Each makes a span of its own with the name repeated; a span has two by nature, one that is shared wrongly a few."""

_KINDS = {
    "cs": "CLIENT",
    "cr": "CLIENT",
    "sr": "SERVER",
    "ss": "SERVER",
    "ms": "PRODUCER",
    "mr": "CONSUMER",
    "ws": None,
    "wr": None,
}
_INT64_MAX = 2**63 - 1


def v2_spans(span: V1Span) -> list[WireSpan]:
    """The v2 spans of one v1 span, at least one. RefusedSpanError when too many services share it."""
    return _Conversion(span).spans()


class _Half:
    """A v2 span in the making: what one service reported of the v1 span."""

    __slots__ = ("annotations", "duration", "endpoint", "kind", "remote", "shared", "tags", "timestamp")

    def __init__(self, endpoint: V1Endpoint | None) -> None:
        self.endpoint = endpoint
        self.remote: V1Endpoint | None = None
        self.kind: str | None = None
        self.timestamp = 0
        self.duration = 0
        self.shared = False
        self.annotations: list[WireAnnotation] = []
        self.tags: dict[str, str] = {}

    def annotate(self, annotation: V1Annotation) -> None:
        self.annotations.append(WireAnnotation(annotation.timestamp, annotation.value))

    def lasts(self, begin: V1Annotation, end: V1Annotation | None) -> None:
        self.timestamp = begin.timestamp
        if end is not None:
            self.duration = min(end.timestamp - begin.timestamp, _INT64_MAX)


class _Conversion:
    """One v1 span. The first half takes what names no host."""

    def __init__(self, span: V1Span) -> None:
        self._span = span
        self._first = _Half(None)
        self._halves = [self._first]
        self._by_service: dict[str | None, _Half] = {}
        self._core: dict[str, V1Annotation] = {}

    def spans(self) -> list[WireSpan]:
        self._read_annotations()
        self._restore_missing_starts()
        self._time_rpc()
        self._share_lone_server()
        self._time_message()
        self._read_binary_annotations()
        return [self._built(half) for half in self._halves]

    def _half_of(self, endpoint: V1Endpoint | None) -> _Half:
        """Hosts of one service name are one: instrumentation wrote the same host with and without its port."""
        if endpoint is None:
            return self._first
        if self._first.endpoint is None:
            self._first.endpoint = endpoint
            self._by_service[endpoint.service] = self._first
        return self._by_service.get(endpoint.service) or self._new_half(endpoint)

    def _new_half(self, endpoint: V1Endpoint) -> _Half:
        if len(self._halves) >= MAX_SERVICES_PER_SPAN:
            raise RefusedSpanError(f"Expected at most {MAX_SERVICES_PER_SPAN} services in one v1 span, got more")
        half = _Half(endpoint)
        self._halves.append(half)
        self._by_service.setdefault(endpoint.service, half)
        return half

    def _read_annotations(self) -> None:
        for annotation in sorted(self._span.annotations, key=_by_time):
            half = self._half_of(annotation.endpoint)
            if annotation.endpoint is None or annotation.value not in _KINDS:
                half.annotate(annotation)
                continue
            half.kind = _KINDS[annotation.value] or half.kind
            self._core[annotation.value] = annotation

    def _restore_missing_starts(self) -> None:
        """Bridges from newer libraries report a start and a duration, and of the annotations only the end."""
        span, core = self._span, self._core
        for start, end in (("cs", "cr"), ("sr", "ss")):
            ended = core.get(end)
            if ended is None or start in core or not span.timestamp or not span.duration:
                continue
            if span.timestamp + span.duration == ended.timestamp:
                core[start] = V1Annotation(span.timestamp, start, ended.endpoint)

    def _time_rpc(self) -> None:
        core = self._core
        sent, received = core.get("cs"), core.get("sr")
        if sent is not None and received is not None:
            self._time_shared_rpc(sent, received)
        elif sent is not None and "cr" in core:
            self._time_as_reported(sent, core["cr"])
        elif received is not None and "ss" in core:
            self._time_as_reported(received, core["ss"])
        else:
            self._time_incomplete_rpc()

    def _time_shared_rpc(self, sent: V1Annotation, received: V1Annotation) -> None:
        """Both sides in one v1 span: what it says of its time is the client's."""
        self._time_as_reported(sent, self._core.get("cr"))
        client = self._half_of(sent.endpoint)
        server = self._other_half(sent, received, client)
        server.shared = True
        server.lasts(received, self._core.get("ss"))
        if "cr" not in self._core and not self._span.duration:
            client.duration = 0  # nobody waited for an answer

    def _time_incomplete_rpc(self) -> None:
        for half in self._halves:
            if half.kind in ("CLIENT", "SERVER"):
                start, end = ("cs", "cr") if half.kind == "CLIENT" else ("sr", "ss")
                if start in self._core:
                    half.timestamp = self._core[start].timestamp
                if end in self._core:
                    half.annotate(self._core[end])
        if self._span.timestamp:
            self._first.timestamp, self._first.duration = self._span.timestamp, self._span.duration

    def _share_lone_server(self) -> None:
        """v1 has no shared flag; a server that leaves its time to somebody else is one that shares an id."""
        received = self._core.get("sr")
        if received is None or "cs" in self._core:
            return
        if not self._span.timestamp or ("ss" in self._core and not self._span.duration):
            self._half_of(received.endpoint).shared = True

    def _time_message(self) -> None:
        core = self._core
        sent, received, written, read = (core.get(value) for value in ("ms", "mr", "ws", "wr"))
        if sent is not None and received is not None:
            producer = self._half_of(sent.endpoint)
            consumer = self._other_half(sent, received, producer)
            consumer.shared = True
            consumer.lasts(read or received, received if read else None)
            producer.duration = 0
            producer.lasts(sent, written)
        elif sent is not None:
            self._time_as_reported(sent, written)
        elif received is not None:
            self._time_as_reported(read or received, received if read else None)
        else:
            for annotation in (written, read):
                if annotation is not None:
                    self._half_of(annotation.endpoint).annotate(annotation)

    def _other_half(self, sent: V1Annotation, received: V1Annotation, sender: _Half) -> _Half:
        """The half of the receiving side, a new one when a service talks to itself."""
        assert sent.endpoint is not None  # core annotations have one
        assert received.endpoint is not None
        if sent.endpoint.service != received.endpoint.service:
            return self._half_of(received.endpoint)
        receiver = self._new_half(received.endpoint)
        sender.kind, receiver.kind = _KINDS[sent.value], _KINDS[received.value]
        return receiver

    def _time_as_reported(self, begin: V1Annotation, end: V1Annotation | None) -> None:
        half = self._half_of(begin.endpoint)
        if self._span.timestamp and self._span.duration:
            half.timestamp, half.duration = self._span.timestamp, self._span.duration
        else:
            half.lasts(begin, end)

    def _read_binary_annotations(self) -> None:
        addresses: dict[str, V1Endpoint] = {}
        for key, value, endpoint in sorted(self._span.binary_annotations, key=_by_key):
            # zipkin-ruby wrote "1" where the value of an address should be true.
            if key in ADDRESSES and endpoint is not None:
                addresses[key] = endpoint
            elif value is not None:
                half = self._half_of(endpoint)
                if key != "lc" or value:  # "lc" says where a local span was, and nothing else
                    half.tags[key] = value
        if addresses:
            self._place_remotes(addresses)

    def _place_remotes(self, addresses: dict[str, V1Endpoint]) -> None:
        core = self._core
        client, server, broker = (addresses.get(key) for key in ("ca", "sa", "ma"))
        if (client or server) and not any(value in core for value in ("cs", "cr", "ss", "sr")):
            self._place_without_core(client, server)
            return
        at_server = core.get("sr") or core.get("ss")
        if client is not None and at_server is not None and client != at_server.endpoint:
            assert at_server.endpoint is not None
            if client.service == at_server.endpoint.service:
                client = client._replace(service=None)  # Finagle's socket: with the name it would be a link to itself
            self._half_of(at_server.endpoint).remote = client
        at_client = core.get("cs") or core.get("cr")
        if server is not None and at_client is not None:
            self._half_of(at_client.endpoint).remote = server
        if broker is not None:
            for value in ("ms", "mr"):
                if value in core:
                    self._half_of(core[value].endpoint).remote = broker

    def _place_without_core(self, client: V1Endpoint | None, server: V1Endpoint | None) -> None:
        if client is not None and server is not None:
            self._half_of(client).remote = server
        elif server is not None:
            self._first.remote = server  # of a client or of neither
        else:
            self._first.kind, self._first.remote = "SERVER", client

    def _built(self, half: _Half) -> WireSpan:
        span = self._span
        return WireSpan(
            trace_id=span.trace_id,
            id=span.id,
            parent_id=span.parent_id,
            kind=half.kind,
            name=span.name,
            timestamp=half.timestamp,
            duration=half.duration,
            local_endpoint=_wire(half.endpoint),
            remote_endpoint=_wire(half.remote),
            annotations=half.annotations or None,
            tags=half.tags or None,
            debug=span.debug,
            shared=half.shared,
        )


def _wire(endpoint: V1Endpoint | None) -> WireEndpoint | None:
    return endpoint and WireEndpoint(*endpoint)


def _by_time(annotation: V1Annotation) -> tuple[int, str]:
    return annotation.timestamp, annotation.value


def _by_key(annotation: tuple[str, object, object]) -> str:
    return annotation[0]
