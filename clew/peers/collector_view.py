"""The parts of a collector's configuration that run: what its `service` names, by one path for each key.

`receivers.otlp.protocols.grpc.endpoint`, `processors.batch`, `jaeger_query.base_path`, `service.telemetry.logs`:
extensions and the exporter stand there by their kind alone, for clew has one of each.
"""

from collections.abc import Iterator, Mapping

from clew.peers.config_file import Node
from clew.peers.translation import Translation

RECEIVERS = ("otlp", "jaeger", "zipkin")
NO_RECEIVER = "nop"
"""Stands in a pipeline that is not to receive."""
EXPORTER = "jaeger_storage_exporter"
STORAGE = "jaeger_storage"

View = dict[str, Node]
"""Dotted path -> value; maps are among the values."""


def view_of(config: Mapping[str, Node], found: Translation) -> View:
    """The running parts; what cannot run here is noted in `found`."""
    service, connectors = as_map(config.get("service")), as_map(config.get("connectors"))
    used = _used(service, found)
    for section, parts in used.items():
        missing = [part for part in parts if part not in as_map(config.get(section)) and part not in connectors]
        found.refused += [f"{section}.{part}: the service names it, and it is not there" for part in missing]
    view: View = {}
    put(view, "service", service)
    receivers = [part for part in used["receivers"] if part not in connectors]
    _put_receivers(view, receivers, as_map(config.get("receivers")), found)
    for part in used["processors"]:
        put(view, f"processors.{part.partition('/')[0]}", as_map(config.get("processors")).get(part))
    _put_exporters(view, used["exporters"], as_map(config.get("exporters")), connectors, found)
    for part in used["extensions"]:
        kind = part.partition("/")[0]
        if kind in view:
            found.ignore(f"extensions.{part}", f"clew has one {kind}")
        elif kind != STORAGE:
            put(view, kind, as_map(config.get("extensions")).get(part))
    return view


def _used(service: Mapping[str, Node], found: Translation) -> dict[str, list[str]]:
    """What the service names of each section, in its order."""
    used: dict[str, list[str]] = {"receivers": [], "processors": [], "exporters": []}
    for name, pipeline in as_map(service.get("pipelines")).items():
        if name.partition("/")[0] != "traces":
            found.ignore(f"service.pipelines.{name}", "clew takes traces only")
            continue
        for section, parts in used.items():
            parts += [part for part in _texts(as_map(pipeline).get(section)) if part not in parts]
    return used | {"extensions": _texts(service.get("extensions"))}


def _put_receivers(view: View, used: list[str], parts: Mapping[str, Node], found: Translation) -> None:
    for part in used:
        kind = part.partition("/")[0]
        if kind not in RECEIVERS:
            found.ignore(f"receivers.{part}", "clew has no such receiver")
        elif f"receivers.{kind}" in view:
            found.ignore(f"receivers.{part}", f"clew has one door of each kind; the first {kind} receiver is it")
        else:
            put(view, f"receivers.{kind}", parts.get(part))
    others = [part for part in used if part.partition("/")[0] not in (*RECEIVERS, NO_RECEIVER)]
    if others and len(others) == len(used):
        found.refused.append(
            f"service.pipelines: expected a receiver of {', '.join(RECEIVERS)}, got {', '.join(others)}; "
            "no span would ever come"
        )


def _put_exporters(
    view: View, used: list[str], parts: Mapping[str, Node], connectors: Mapping[str, Node], found: Translation
) -> None:
    for part in used:
        if part.partition("/")[0] == EXPORTER and EXPORTER not in view:
            put(view, EXPORTER, parts.get(part))
        elif part in connectors:
            found.ignore(f"connectors.{part}", "/api/metrics is answered from the spans")
        else:
            found.ignore(f"exporters.{part}", "clew keeps spans and sends them nowhere")
    if used and EXPORTER not in view and any(path.startswith("receivers.") for path in view):
        found.refused.append(
            f"service.pipelines: expected a traces pipeline that ends in {EXPORTER}, got {', '.join(used)}; "
            "clew keeps the spans it receives"
        )


def leaves(view: View) -> Iterator[str]:
    """Paths with nothing below them."""
    parents = {path.rpartition(".")[0] for path in view}
    return (path for path in view if path not in parents)


def put(view: View, path: str, node: Node) -> None:
    """Put a value and everything in it at this path."""
    view[path] = node
    if isinstance(node, dict):
        for key, value in node.items():
            put(view, f"{path}.{key}", value)


def part_at(node: object, path: str) -> dict[str, Node] | None:
    """The map at a dotted path, an empty one for null; None when the path leads nowhere."""
    at = node
    for key in path.split("."):
        if not isinstance(at, Mapping) or key not in at:
            return None
        at = at[key]
    return at if isinstance(at, dict) else {}


def as_map(node: Node) -> dict[str, Node]:
    """The value when it is a map, else an empty one."""
    return node if isinstance(node, dict) else {}


def _texts(node: Node) -> list[str]:
    return [str(item) for item in node] if isinstance(node, list) else []


def as_text(node: Node) -> str:
    """The value as a setting is written; empty for null, maps and lists."""
    if isinstance(node, bool):
        return "true" if node else "false"
    return str(node) if isinstance(node, str | int | float) else ""
