"""Sends the workload by jaeger-client: spans by UDP, after asking 5778 whether to sample."""

from typing import Any

from jaeger_client.config import Config
from opentracing import Format, Reference, ReferenceType  # type: ignore[import-untyped]

from tests.clients.python.job import answer, read_job
from tests.waiting import wait_until


def send(job: Any, service: str, target: dict[str, Any]) -> dict[str, object]:
    spans = job["spans"]
    config: Any = Config(
        {
            "local_agent": target,
            "generate_128bit_trace_id": True,
            "sampling_refresh_interval": 0.2,
            "max_tag_value_length": 20_000,
            "reporter_flush_interval": 3600,
            "tags": spans[0]["resource"],
        },
        service_name=service,
    )
    tracer = config.new_tracer()
    # Until the agent has answered it would sample one trace in a thousand.
    wait_until(lambda: tracer.sampler.is_sampled(2**64 - 1)[0], "the sampling strategy has been fetched")
    started: dict[str, Any] = {}
    for plan in spans:
        started[plan["name"]] = span = tracer.start_span(
            plan["name"],
            child_of=started[plan["parent"]] if plan["parent"] else None,
            references=[reference(tracer, link) for link in plan["links"]],
            tags=plan["attributes"] | {"span.kind": plan["kind"]} | ({"error": True} if plan["error"] else {}),
            start_time=seconds(job, plan["offset_ns"], 0.3),
        )
        for event in plan["events"]:
            span.log_kv({"event": event["name"], **event["attributes"]}, seconds(job, event["offset_ns"], 0.5))
    for plan in reversed(spans):
        started[plan["name"]].finish(seconds(job, plan["offset_ns"] + plan["duration_ns"], 0.9))
    wait_until(tracer.close().done, "the reporter has sent what it holds")
    return {
        "trace_id": f"{started[spans[0]['name']].trace_id:032x}",
        "span_ids": {name: f"{span.span_id:016x}" for name, span in started.items()},
    }


def reference(tracer: Any, link: Any) -> Reference:
    context = tracer.extract(Format.TEXT_MAP, {"uber-trace-id": f"{link['trace_id']}:{link['span_id']}:0:1"})
    return Reference(ReferenceType.FOLLOWS_FROM, context)


def seconds(job: Any, offset_ns: int, fraction: float) -> float:
    """A time cut to microseconds, and a fraction of one more: floats are a quarter off, and the client cuts again."""
    return float(((job["base_ns"] + offset_ns) // 1000 + fraction) / 1e6)


if __name__ == "__main__":
    job = read_job()
    answer({name: send(job, variant["service"], variant["target"]) for name, variant in job["variants"].items()})
