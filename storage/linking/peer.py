"""The far end of a call as a span describes it: a database, a queue, or a host from which nobody reports.

Sources: OpenTelemetry's semantic conventions, the stable names and those they replaced (database, messaging, HTTP,
RPC, general attributes), OpenTracing's tags, Zipkin's remoteEndpoint. The names of databases and queues are put
together as Elastic APM does it for `service.target`.
"""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from storage.attributes import AttributeValue
from storage.requests import NodeKind
from storage.span import Span, SpanKind

PEER_KINDS = frozenset({SpanKind.CLIENT, SpanKind.PRODUCER, SpanKind.CONSUMER})
"""The kinds of spans that may describe a far end."""

_SERVICE = ("peer.service", "service.peer.name")
_DATABASE_SYSTEM = ("db.system.name", "db.system", "db.type")
_DATABASE = ("db.namespace", "db.name", "db.instance")
_TEMPORARY = ("messaging.destination.temporary", "messaging.temp_destination")
_ANONYMOUS = ("messaging.destination.anonymous",)
_DESTINATION = (
    "messaging.destination.template",
    "messaging.destination.name",
    "messaging.destination",
    "message_bus.destination",
)
_MESSAGING_SYSTEM = ("messaging.system",)
_OPERATION = ("messaging.operation.type", "messaging.operation")
_HOST = ("server.address", "net.peer.name", "peer.hostname")
URL = ("url.full", "http.url")
AUTHORITY = ("http.host",)
REMOTE_ADDRESS = "remote address"
"""Stands among the keys for the address of Zipkin's remoteEndpoint: its ipv4, else its ipv6. No attribute's name."""
_ADDRESS = ("network.peer.address", "net.sock.peer.addr", "net.peer.ip", "peer.ipv4", "peer.ipv6", REMOTE_ADDRESS)
HOSTS = (*_HOST, *URL, *AUTHORITY, *_ADDRESS)
"""Those that name a host, the first that has one before the others."""
_REMOTE_PROCEDURES = ("rpc.service",)

PEER_KEYS = (
    *_SERVICE,
    *_DATABASE_SYSTEM,
    *_DATABASE,
    *_TEMPORARY,
    *_ANONYMOUS,
    *_DESTINATION,
    *_MESSAGING_SYSTEM,
    *_OPERATION,
    *(key for key in HOSTS if key != REMOTE_ADDRESS),
    *_REMOTE_PROCEDURES,
    REMOTE_ADDRESS,
)
"""The span attributes that `described_peer` looks at, and after them REMOTE_ADDRESS."""

URL_AUTHORITY = r"^[A-Za-z][A-Za-z0-9+.-]*://(?:[^/?#]*@)?(?P<authority>[^/?#]*)"
AUTHORITY_HOST = r"^(?:\[(?P<address>[^\]]*)\]|(?P<name>[^:\[\]]*))"
"""The host is what either group holds."""
LONGEST_NAME = 256
"""Characters; the rest of a longer name is cut off."""

_TAKES_MESSAGES = frozenset({"receive", "process", "deliver"})


class Peer(NamedTuple):
    """kind: DATABASE, QUEUE or EXTERNAL. name: never empty. gives: whether messages come from there."""

    kind: NodeKind
    name: str
    gives: bool = False


def peer_of(span: Span) -> Peer | None:
    """The far end that this span describes; None when it is of none of PEER_KINDS or describes none."""
    if span.kind not in PEER_KINDS:
        return None
    values = {**span.attributes, REMOTE_ADDRESS: span.remote.ipv4 or span.remote.ipv6}
    return described_peer({key: text for key in PEER_KEYS if (text := _text(values.get(key)))})


def described_peer(texts: Mapping[str, str]) -> Peer | None:
    """The far end that these attributes describe: by PEER_KEYS, without those that are empty.

    Only attributes that are texts count, and `true` as "true".

    A queue, when there is any attribute of messaging: `system/destination`, `system/host`, or what there is of them.
    The destination is the template when there is one, and "(temporary)" or "(anonymous)" of such destinations, whose
    names are without number. `gives`: when the operation is to receive or to process.
    A database, when there is any attribute of one: `system/namespace`, `system/host`, or what there is of them. A
    namespace that is a number is none (Redis counts its databases), unless nothing else is known.
    An external host otherwise: by its name, that in the URL (without its port), the address, or the RPC service.
    `peer.service` and `service.peer.name` name any of the three before all else.
    Systems and hosts are lower-case, names have at most LONGEST_NAME characters.
    """
    service, host = _first(texts, _SERVICE), _host(texts)
    broker, destination = _first(texts, _MESSAGING_SYSTEM).lower(), _destination(texts)
    if broker or destination:
        gives = _first(texts, _OPERATION) in _TAKES_MESSAGES
        return _peer(NodeKind.QUEUE, service or "/".join(filter(None, (broker, destination or host))), gives)
    system, namespace = _first(texts, _DATABASE_SYSTEM).lower(), _first(texts, _DATABASE)
    if system or namespace:
        database = "" if namespace.isdecimal() and (system or host) else namespace
        return _peer(NodeKind.DATABASE, service or "/".join(filter(None, (system, database or host))))
    name = service or host or _first(texts, _REMOTE_PROCEDURES)
    return _peer(NodeKind.EXTERNAL, name) if name else None


def host_of_url(url: str) -> str:
    """The host in a URL, without its port; "" when there is none."""
    found = re.match(URL_AUTHORITY, url)
    return host_of_authority(found["authority"]) if found else ""


def host_of_authority(authority: str) -> str:
    """The host of `host:port` or `[address]:port`."""
    found = re.match(AUTHORITY_HOST, authority)
    return (found["address"] or found["name"] or "") if found else ""


def _peer(kind: NodeKind, name: str, gives: bool = False) -> Peer:
    return Peer(kind, name[:LONGEST_NAME], gives)


def _destination(texts: Mapping[str, str]) -> str:
    if _first(texts, _TEMPORARY) == "true":
        return "(temporary)"
    if _first(texts, _ANONYMOUS) == "true":
        return "(anonymous)"
    return _first(texts, _DESTINATION)


def _host(texts: Mapping[str, str]) -> str:
    return next((host.lower() for key in HOSTS if (host := _host_in(key, texts.get(key, "")))), "")


def _host_in(key: str, text: str) -> str:
    if key in URL:
        return host_of_url(text)
    return host_of_authority(text) if key in AUTHORITY else text


def _first(texts: Mapping[str, str], keys: Sequence[str]) -> str:
    return next((texts[key] for key in keys if texts.get(key)), "")


def _text(value: AttributeValue) -> str | None:
    if value is True:
        return "true"
    return value if isinstance(value, str) else None
