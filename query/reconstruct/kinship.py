"""How likely two spans come from the same process: what tells the halves of a shared span id apart for their children.

A Zipkin sidecar and the application behind it name themselves differently: Envoy says `productpage.default`, an IP
address and an Istio node id, the application's SDK says `productpage` and its host or pod name.
"""

from collections.abc import Iterable
from functools import lru_cache

from storage.attributes import Attributes, AttributeValue
from storage.span import Span

_HOST_KEYS = frozenset(
    {
        "host.id",
        "host.ip",
        "host.name",
        "k8s.pod.ip",
        "k8s.pod.name",
        "k8s.pod.uid",
        "container.id",
        "network.local.address",
    }
)
_NODE_ID_KEY = "node_id"
_SPAN_KEYS = _HOST_KEYS | {_NODE_ID_KEY}
_NO_HOST = frozenset({"", "::1", "::", "0.0.0.0", "localhost"})


def service_affinity(one: Span, other: Span) -> int:
    """2 when both name the same service, 1 when one adds a namespace to it (`app` and `app.namespace`), else 0."""
    return _affinity(one.service, other.service) if one.service and other.service else 0


class Hosts:
    """The hosts of the spans of one trace, which has very many spans and few hosts. It lives no longer than they do."""

    def __init__(self) -> None:
        self._of_resource: dict[int, frozenset[str]] = {}

    def of(self, span: Span) -> frozenset[str]:
        """Every name and address by which the span's host can be recognised; loopback addresses name no host."""
        known = self._of_resource.get(id(span.resource))
        if known is None:
            known = self._of_resource[id(span.resource)] = _names(_told_by(span.resource.attributes))
        local, attributes = span.local, span.attributes
        if local.ipv4 is None and local.ipv6 is None and _SPAN_KEYS.isdisjoint(attributes):
            return known
        told = [local.ipv4, local.ipv6, *_told_by(attributes), *_istio_node(attributes.get(_NODE_ID_KEY))]
        return known | _names(told)


def encloses(outer: Span, inner: Span) -> bool:
    """Whether `inner` starts while `outer` runs, by their own clocks."""
    if outer.start_ns is None or inner.start_ns is None:
        return False
    return outer.start_ns <= inner.start_ns <= outer.start_ns + (outer.duration_ns or 0)


@lru_cache(4096)
def _affinity(one: str, other: str) -> int:
    mine, theirs = one.lower(), other.lower()
    if mine == theirs:
        return 2
    return int(mine == theirs.partition(".")[0] or theirs == mine.partition(".")[0])


def _told_by(attributes: Attributes) -> list[str]:
    if _HOST_KEYS.isdisjoint(attributes):
        return []
    return [text for key in _HOST_KEYS for text in _texts(attributes.get(key))]


def _names(told: Iterable[str | None]) -> frozenset[str]:
    return frozenset(name for name in told if name and name not in _NO_HOST and not name.startswith("127."))


def _texts(value: AttributeValue) -> list[str]:
    if isinstance(value, list):
        return [item for item in value if isinstance(item, str)]
    return [value] if isinstance(value, str) else []


def _istio_node(value: AttributeValue) -> list[str]:
    """`sidecar~<pod ip>~<pod>.<namespace>~<domain>`, as Istio names its proxies."""
    parts = value.split("~") if isinstance(value, str) else []
    return [parts[1], parts[2].rpartition(".")[0]] if len(parts) == 4 else []
