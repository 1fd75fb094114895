"""What the workload must look like in every window, when a client has sent it whole."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

from storage.attributes import Attributes
from tests.clients.seen import (
    JaegerSpan,
    SeenEvent,
    SeenLink,
    SeenSpan,
    in_microseconds,
    jaeger_form,
    typed_all,
    zipkin_form,
)
from tests.clients.sending import Sent
from tests.clients.windows import api_v2, api_v3, jaeger_json, otlp_json, remote_storage, zipkin_json
from tests.clients.workload import LINKED_SPAN, LINKED_TRACE, RESOURCE, SCOPE, SPANS, Planned
from tests.process.clew_process import Clew

SDK_ADDS = frozenset(
    [
        *("telemetry.sdk.language", "telemetry.sdk.name", "telemetry.sdk.version", "service.instance.id"),
        *("client-uuid", "hostname", "ip", "jaeger.version", "sampler.type", "sampler.param"),
    ]
)
"""What OpenTelemetry's and Jaeger's SDKs add by themselves; their values are their business."""


def as_sent_by_otlp(sent: Sent, without: Iterable[str] = ()) -> list[SeenSpan]:
    """The workload in OTLP's shape. without: attributes that the client cannot send."""
    return [_seen(plan, sent, frozenset(without)) for plan in SPANS]


def assert_every_window_shows(
    clew: Clew,
    spans: list[SeenSpan],
    zipkin: list[dict[str, Any]] | None = None,
    jaeger: list[JaegerSpan] | None = None,
) -> None:
    """zipkin, jaeger: the spans in these forms; what their own collectors make of `spans`, when not given."""
    trace_id = spans[0].trace_id
    shown = {id_: without_sdk_tags(span) for id_, span in zipkin_json(clew, trace_id).items()}
    assert_same("Zipkin JSON", shown, {span["id"]: span for span in zipkin or map(zipkin_form, spans)})
    by_id = {span.span_id: span for span in jaeger or map(jaeger_form, spans)}
    cut = {id_: in_microseconds(span) for id_, span in by_id.items()}
    assert_same("Jaeger JSON", as_jaeger(jaeger_json(clew, trace_id)), cut)
    assert_same("api_v2", as_jaeger(api_v2(clew, trace_id)), by_id)
    for window in (api_v3, otlp_json, remote_storage):
        assert_same(window.__name__, as_otlp(window(clew, trace_id)), {span.span_id: span for span in spans})


def assert_same(window: str, shown: Mapping[str, object], expected: Mapping[str, object]) -> None:
    """Equal, or AssertionError with each field that differs; spans are too long to be shown whole."""
    found = list(differences(shown, expected, window))
    assert not found, "\n".join(found)


def differences(shown: object, expected: object, where: str) -> Iterator[str]:
    """Where two values differ, and how."""
    if is_dataclass(shown) and not isinstance(shown, type):
        shown = {item.name: getattr(shown, item.name) for item in fields(shown)}
    if is_dataclass(expected) and not isinstance(expected, type):
        expected = {item.name: getattr(expected, item.name) for item in fields(expected)}
    if isinstance(shown, Mapping) and isinstance(expected, Mapping):
        for key in {**expected, **shown}:
            yield from differences(shown.get(key, "nothing"), expected.get(key, "nothing"), f"{where} {key}")
    elif shown != expected:
        yield f"{where}: {str(shown)[:200]!r}, expected {str(expected)[:200]!r}"


def as_jaeger(spans: Mapping[str, JaegerSpan]) -> dict[str, JaegerSpan]:
    """The spans without what SDKs add: to the process, or by way of Zipkin to the tags."""
    return {
        id_: replace(span, tags=without_sdk(span.tags), process=without_sdk(span.process))
        for id_, span in spans.items()
    }


def as_otlp(spans: Mapping[str, SeenSpan]) -> dict[str, SeenSpan]:
    """The same of spans in OTLP's shape."""
    return {
        id_: replace(span, attributes=without_sdk(span.attributes), resource=without_sdk(span.resource))
        for id_, span in spans.items()
    }


def without_sdk(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values without what SDKs add."""
    return {key: value for key, value in values.items() if key not in SDK_ADDS}


def without_sdk_tags(span: dict[str, Any]) -> dict[str, Any]:
    """A Zipkin span without the tags that SDKs add."""
    return span | ({"tags": without_sdk(span["tags"])} if "tags" in span else {})


def _seen(plan: Planned, sent: Sent, without: frozenset[str]) -> SeenSpan:
    start_ns = sent.base_ns + plan.offset_ns
    return SeenSpan(
        trace_id=sent.trace_id,
        span_id=sent.span_ids[plan.name],
        parent_id=sent.span_ids[plan.parent] if plan.parent else "",
        name=plan.name,
        kind=plan.kind,
        start_ns=start_ns,
        end_ns=start_ns + plan.duration_ns,
        attributes=typed_all(_kept(plan.attributes, without)),
        events=tuple(
            SeenEvent(sent.base_ns + event.offset_ns, event.name, typed_all(event.attributes)) for event in plan.events
        ),
        links=tuple(SeenLink(LINKED_TRACE, LINKED_SPAN, typed_all(link)) for link in plan.links),
        status="unset" if plan.error is None else "error",
        message=plan.error or "",
        resource=typed_all({"service.name": sent.service, **RESOURCE}),
        scope=SCOPE,
    )


def _kept(attributes: Attributes, without: frozenset[str]) -> Attributes:
    return {key: value for key, value in attributes.items() if key not in without}
