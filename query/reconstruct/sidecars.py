"""Which spans a proxy of the mesh reported, and not an application."""

from storage.span import Span


def is_sidecar(span: Span) -> bool:
    """Whether Envoy says that it made this span.

    By Zipkin it tags every span with `component=proxy` (Istio: and with its `node_id`); by OTLP its resource or scope
    is named after it.
    """
    return (
        span.attributes.get("component") == "proxy"
        or span.scope.name == "envoy"
        or span.resource.attributes.get("telemetry.sdk.name") == "envoy"
    )
