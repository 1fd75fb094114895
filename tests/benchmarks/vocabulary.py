"""What the benchmark's spans talk about: services, operations and typed attributes, from a seeded generator.

Shaped after the data the reference measurements were made with: 24 services by a Zipf law, four kinds of span with 6-11
typed attributes each, five resource attributes, 2 % errors that carry an exception event.
"""

import random

from storage.attributes import AttributeValue
from storage.span import SpanKind

SERVICES = tuple(
    f"{name}.shop"
    for name in (
        *("frontend", "productpage", "checkout", "cart", "payment", "currency", "shipping", "quote"),
        *("email", "recommendation", "catalog", "reviews", "ratings", "details", "accounting", "fraud"),
        *("inventory", "search", "session", "gateway", "ledger", "loyalty", "notify", "reports"),
    )
)
FURTHER_SERVICES = tuple(
    f"{name}.back"
    for name in (
        *("billing", "tax", "refunds", "wallet", "vouchers", "pricing", "stock", "suppliers"),
        *("routing", "tracking", "labels", "returns", "identity", "profiles", "consent", "audit"),
    )
)
OPERATIONS_PER_KIND = 6
KINDS = (SpanKind.SERVER, SpanKind.CLIENT, SpanKind.PRODUCER, SpanKind.CONSUMER)
ERROR_SHARE = 0.02
RARE_TAG = ("app.canary", "release-4711")
"""On about one span in 83,000 (12 per million): the tag that only a few traces in days have."""
RARE_SHARE = 12e-6

_VERBS = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD")
_NOUNS = ("cart", "order", "quote", "user", "item", "report")
_STATUS = (200, 200, 200, 200, 200, 200, 201, 204, 304, 404, 500)
_AGENTS = ("Mozilla/5.0 (X11; Linux x86_64)", "okhttp/4.12.0", "python-httpx/0.28.1", "Go-http-client/2.0")
_TOPICS = ("orders", "payments", "shipments", "mail", "audit")


def operation(kind: SpanKind, number: int) -> str:
    """The span name of a kind's operation `number` (0 to OPERATIONS_PER_KIND - 1)."""
    if kind in (SpanKind.PRODUCER, SpanKind.CONSUMER):
        verb = "publish" if kind is SpanKind.PRODUCER else "process"
        return f"{_TOPICS[number % len(_TOPICS)]} {verb}"
    return f"{_VERBS[number]} /api/{_NOUNS[number]}/{{id}}"


def attributes_of(kind: SpanKind, source: random.Random) -> dict[str, AttributeValue]:
    """6 to 11 typed attributes such as a span of this kind has."""
    if kind in (SpanKind.PRODUCER, SpanKind.CONSUMER):
        return _messaging(source)
    noun = source.choice(_NOUNS)
    found: dict[str, AttributeValue] = {
        "http.request.method": source.choice(_VERBS),
        "http.response.status_code": source.choice(_STATUS),
        "http.route": f"/api/{noun}/{{id}}",
        "url.path": f"/api/{noun}/{source.randrange(5000)}",
        "server.address": f"{noun}.shop.svc.cluster.local",
        "server.port": source.choice((80, 443, 8080, 9080)),
        "network.protocol.version": source.choice(("1.1", "2")),
        "app.tenant": f"tenant-{source.randrange(200)}",
    }
    if kind is SpanKind.SERVER:
        found["user_agent.original"] = source.choice(_AGENTS)
        found["client.address"] = f"10.{source.randrange(4)}.{source.randrange(256)}.{source.randrange(1, 255)}"
        found["app.cache_hit"] = source.random() < 0.7
    elif source.random() < 0.5:
        found["app.retry_delay"] = round(source.random() * 3, 3)
        found["app.backends"] = [f"b-{source.randrange(9)}", f"b-{source.randrange(9)}"]
    return found


def _messaging(source: random.Random) -> dict[str, AttributeValue]:
    topic = source.choice(_TOPICS)
    found: dict[str, AttributeValue] = {
        "messaging.system": "kafka",
        "messaging.destination.name": topic,
        "messaging.destination.partition.id": str(source.randrange(32)),
        "messaging.kafka.offset": source.randrange(10**6),
        "messaging.message.body.size": source.randrange(100, 5000),
        "messaging.batch.message_count": source.randrange(1, 20),
        "app.tenant": f"tenant-{source.randrange(200)}",
    }
    if source.random() < 0.1:
        found["app.key"] = source.randbytes(6)
    return found


def resource_of(service: str, instance: int) -> dict[str, AttributeValue]:
    """The five resource attributes of one instance of a service."""
    short = service.partition(".")[0]
    return {
        "service.name": service,
        "service.version": f"1.{len(short)}.{instance}",
        "k8s.pod.name": f"{short}-7d9f{instance}-x{len(short):02d}q",
        "host.name": f"node-{(len(short) * 7 + instance) % 12}",
        "deployment.environment.name": "production",
    }
