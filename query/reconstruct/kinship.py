"""How likely two spans come from the same process: what tells the halves of a shared span id apart for their children.

A Zipkin sidecar and the application behind it name themselves differently: Envoy says `productpage.default`, an IP
address and an Istio node id, the application's SDK says `productpage` and its host or pod name.
"""

from storage.attributes import AttributeValue
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
_NO_HOST = frozenset({"", "::1", "::", "0.0.0.0", "localhost"})


def service_affinity(one: Span, other: Span) -> int:
    """2 when both name the same service, 1 when one adds a namespace to it (`app` and `app.namespace`), else 0."""
    if not one.service or not other.service:
        return 0
    mine, theirs = one.service.lower(), other.service.lower()
    if mine == theirs:
        return 2
    return int(mine == theirs.partition(".")[0] or theirs == mine.partition(".")[0])


def hosts_of(span: Span) -> frozenset[str]:
    """Every name and address by which the span's host can be recognised; loopback addresses name no host."""
    found = [span.local.ipv4, span.local.ipv6]
    for attributes in (span.resource.attributes, span.attributes):
        # Most spans have none of them, and a trace may have very many spans.
        if not _HOST_KEYS.isdisjoint(attributes):
            found += [text for key in _HOST_KEYS for text in _texts(attributes.get(key))]
    found += _istio_node(span.attributes.get(_NODE_ID_KEY))
    return frozenset(name for name in found if name and name not in _NO_HOST and not name.startswith("127."))


def encloses(outer: Span, inner: Span) -> bool:
    """Whether `inner` starts while `outer` runs, by their own clocks."""
    if outer.start_ns is None or inner.start_ns is None:
        return False
    return outer.start_ns <= inner.start_ns <= outer.start_ns + (outer.duration_ns or 0)


def _texts(value: AttributeValue) -> list[str]:
    if isinstance(value, list):
        return [item for item in value if isinstance(item, str)]
    return [value] if isinstance(value, str) else []


def _istio_node(value: AttributeValue) -> list[str]:
    """`sidecar~<pod ip>~<pod>.<namespace>~<domain>`, as Istio names its proxies."""
    parts = value.split("~") if isinstance(value, str) else []
    return [parts[1], parts[2].rpartition(".")[0]] if len(parts) == 4 else []
