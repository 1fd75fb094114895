"""Jaeger v2: the configuration of an OpenTelemetry collector with Jaeger's parts in it, as `--config` gives it.

Only what `service` names is running in a collector, so only that is looked at. `jaeger_v2_keys` has the tables.
"""

from collections.abc import Iterator, Mapping

from clew.peers.config_file import Node
from clew.peers.jaeger_v2_keys import DOORS, IGNORED, REFUSED_IF_TRUE, REFUSED_PARTS, SETTINGS, UNDERSTOOD, Door
from clew.peers.stores import ARCHIVE_URL, STORE_URL, UNREAD, badger_settings, memory_settings, refusal
from clew.peers.translation import Translation, is_true
from storage.settings import CLOSED

PEER = "Jaeger v2"
RECEIVERS = ("otlp", "jaeger", "zipkin")
EXPORTER = "jaeger_storage_exporter"
STORAGE = "jaeger_storage"
MEMORY_MAX_TRACES = "1000000"
"""Jaeger's bound when a memory backend gives none."""
SECTIONS = frozenset({"service", "extensions", "receivers", "processors", "exporters", "connectors"})
NOT_KNOWN = "not known"
_PROMETHEUS = "pull.exporter.prometheus"

View = dict[str, Node]
"""The parts that run, each with its keys: dotted path -> value, maps among the values."""


def translate(config: Mapping[str, Node], *, has_store: bool) -> Translation:
    """What a configuration comes to. has_store: where spans are kept is said elsewhere, so not by this."""
    found = Translation(PEER)
    if not isinstance(config.get("service"), dict):
        found.refused.append("service: expected a map with extensions and pipelines; clew opens what it names")
        return found
    for key in config.keys() - SECTIONS:
        found.ignore(key, NOT_KNOWN)
    view = _view(config, found)
    _translate_doors(view, found)
    _translate_metrics_port(view, found)
    _translate_storage(config, view, found, has_store)
    for path, variable in SETTINGS.items():
        text = _text(view.get(path))
        if text:
            found.settings[variable] = text
    _translate_rest(view, found)
    return found


def without_file(given: Mapping[str, str]) -> Translation:
    """What Jaeger v2's one variable comes to when there is no `--config` that refers to it."""
    found = Translation(PEER)
    if given.get("JAEGER_LISTEN_HOST", "0.0.0.0") != "0.0.0.0":
        found.ignore("JAEGER_LISTEN_HOST", "without --config each door's own setting says where it listens")
    return found


def _view(config: Mapping[str, Node], found: Translation) -> View:
    service = _map(config.get("service"))
    connectors = _map(config.get("connectors"))
    used: dict[str, list[str]] = {"receivers": [], "processors": [], "exporters": []}
    for name, pipeline in _map(service.get("pipelines")).items():
        if name.partition("/")[0] != "traces":
            found.ignore(f"service.pipelines.{name}", "clew takes traces only")
            continue
        for kind in used:
            used[kind] += [part for part in _texts(_map(pipeline).get(kind)) if part not in used[kind]]
    view: View = {}
    _put(view, "service", service)
    _put_receivers(view, used["receivers"], _map(config.get("receivers")), found)
    for part in used["processors"]:
        _put(view, f"processors.{part.partition('/')[0]}", _map(config.get("processors")).get(part))
    _put_exporters(view, used["exporters"], _map(config.get("exporters")), connectors, found)
    used["extensions"] = _texts(service.get("extensions"))
    extensions = _map(config.get("extensions"))
    for part in used["extensions"]:
        kind = part.partition("/")[0]
        if kind in view:
            found.ignore(f"extensions.{part}", f"clew has one {kind}")
        elif kind != STORAGE:
            _put(view, kind, extensions.get(part))
    for section, parts in used.items():
        missing = [part for part in parts if part not in _map(config.get(section)) and part not in connectors]
        found.refused += [f"{section}.{part}: the service names it, and it is not there" for part in missing]
    return view


def _put_receivers(view: View, used: list[str], parts: Mapping[str, Node], found: Translation) -> None:
    for part in used:
        kind = part.partition("/")[0]
        if kind not in RECEIVERS:
            found.ignore(f"receivers.{part}", "clew has no such receiver")
        elif f"receivers.{kind}" in view:
            found.ignore(f"receivers.{part}", f"clew has one door of each kind; the first {kind} receiver is it")
        else:
            _put(view, f"receivers.{kind}", parts.get(part))


def _put_exporters(
    view: View, used: list[str], parts: Mapping[str, Node], connectors: Mapping[str, Node], found: Translation
) -> None:
    for part in used:
        if part.partition("/")[0] == EXPORTER and EXPORTER not in view:
            _put(view, EXPORTER, parts.get(part))
        elif part in connectors:
            found.ignore(f"connectors.{part}", "/api/metrics is answered from the spans")
        else:
            found.ignore(f"exporters.{part}", "clew keeps spans and sends them nowhere")
    if used and EXPORTER not in view and any(path.startswith("receivers.") for path in view):
        found.refused.append(
            f"service.pipelines: expected a traces pipeline that ends in {EXPORTER}, got {', '.join(used)}; "
            "clew keeps the spans it receives"
        )


def _translate_doors(view: View, found: Translation) -> None:
    for door in DOORS:
        is_open = door.path in view or (door.owner is not None and door.owner in view)
        found.settings[door.variable] = _endpoint(view, door) if is_open else CLOSED
        for part, why in REFUSED_PARTS.items():
            if view.get(f"{door.path}.{part}") is not None:
                found.refused.append(f"{door.path}.{part}: {why}")


def _endpoint(view: View, door: Door) -> str:
    return _text(view.get(f"{door.path}.endpoint")) or door.default


def _translate_metrics_port(view: View, found: Translation) -> None:
    """8888: the address, else the first reader that Prometheus pulls from, else where the collector has it."""
    metrics = "service.telemetry.metrics"
    address = _text(view.get(f"{metrics}.address")) or "localhost:8888"
    readers = view.get(f"{metrics}.readers")
    if isinstance(readers, list):
        scraped = [pulled for reader in readers if (pulled := _part(reader, _PROMETHEUS)) is not None]
        host, port = (_text(scraped[0].get(name)) for name in ("host", "port")) if scraped else ("", "")
        address = f"{_bracketed(host) or 'localhost'}:{port or '8888'}" if scraped else CLOSED
    if view.get(f"{metrics}.level") == "none":
        address = CLOSED
    found.settings["CLEW_METRICS_HOST_PORT"] = address


def _translate_storage(config: Mapping[str, Node], view: View, found: Translation, has_store: bool) -> None:
    written = _text(view.get(f"{EXPORTER}.trace_storage"))
    read = _text(view.get("jaeger_query.storage.traces") or view.get("jaeger_query.trace_storage"))
    archive = _text(view.get("jaeger_query.storage.traces_archive") or view.get("jaeger_query.trace_storage_archive"))
    name = written or read or _text(view.get("remote_storage.storage"))
    if written and read and written != read:
        found.refused.append(
            f"jaeger_query.storage.traces: expected {written!r}, to which {EXPORTER} writes, got {read!r}; "
            "clew has one store"
        )
        return
    backends = _part(config, f"extensions.{STORAGE}.backends") or {}
    for other in backends:
        if other not in (name, archive):
            found.ignore(f"{STORAGE}.backends.{other}", "nothing uses it")
    if has_store and name:
        found.ignore(f"{STORAGE}.backends.{name}", "where spans are kept is said by a variable or flag")
    elif name:
        settings = _settings_of_backend(name, backends, "storage", view, found)
        lasting = view.get("storage.badger.ephemeral") is False
        found.means(f"{STORAGE}.backends.{name}", settings, UNREAD if lasting else "")
    if archive and archive != name:
        settings = _settings_of_backend(archive, backends, "archive", view, found)
        found.means(
            f"{STORAGE}.backends.{archive}", {ARCHIVE_URL: settings[STORE_URL]} if STORE_URL in settings else {}
        )


def _settings_of_backend(
    name: str, backends: Mapping[str, Node], at: str, view: View, found: Translation
) -> dict[str, str]:
    """Settings of a store that is this backend, whose keys are put into the view at `at`; none when it is refused."""
    backend = _map(backends.get(name))
    kind = next(iter(backend), "")
    if kind not in ("memory", "badger"):
        why = refusal(kind) if name in backends else "the configuration names it, and it is not there"
        found.refused.append(f"{STORAGE}.backends.{name}: {why}")
        return {}
    _put(view, at, dict(backend))

    def value(*paths: str) -> str:
        return next((text for path in paths if (text := _text(view.get(f"{at}.{kind}.{path}")))), "")

    if kind == "memory":
        return memory_settings(value("max_traces") or MEMORY_MAX_TRACES)
    return badger_settings(
        ephemeral=is_true(value("ephemeral") or "true"),
        keys=value("directories.keys", "directory_key"),
        values=value("directories.values", "directory_value"),
        ttl=value("ttl.spans", "span_store_ttl"),
    )


def _translate_rest(view: View, found: Translation) -> None:
    """Everything that no door and no setting has taken: refused, without effect, or unknown."""
    for path, why in REFUSED_IF_TRUE.items():
        if is_true(_text(view.get(path))):
            found.refused.append(f"{path}: {why}")
    doors = {door.path for door in DOORS} | {f"{door.path}.endpoint" for door in DOORS}
    for leaf in _leaves(view):
        path = f"storage.{leaf.removeprefix('archive.')}" if leaf.startswith("archive.") else leaf
        if path in doors or path in SETTINGS or path in REFUSED_IF_TRUE or _covering(path, UNDERSTOOD):
            continue
        table_row = _covering(path, IGNORED)
        if table_row:
            found.ignore(table_row, IGNORED[table_row])
        elif path.startswith("processors."):
            found.ignore(path, "clew keeps spans as they were sent")
        elif view[leaf] is not None or "." not in leaf:
            found.ignore(leaf, NOT_KNOWN)


def _covering(path: str, table: Mapping[str, str] | tuple[str, ...]) -> str | None:
    """The longest entry that is the path or a part of it from the left."""
    while path and path not in table:
        path = path.rpartition(".")[0]
    return path or None


def _leaves(view: View) -> Iterator[str]:
    """Paths with nothing below them."""
    parents = {path.rpartition(".")[0] for path in view}
    return (path for path in view if path not in parents)


def _put(view: View, path: str, node: Node) -> None:
    view[path] = node
    if isinstance(node, dict):
        for key, value in node.items():
            _put(view, f"{path}.{key}", value)


def _part(node: object, path: str) -> dict[str, Node] | None:
    """The map at a dotted path, an empty one for null; None when the path leads nowhere."""
    at = node
    for key in path.split("."):
        if not isinstance(at, Mapping) or key not in at:
            return None
        at = at[key]
    return at if isinstance(at, dict) else {}


def _map(node: Node) -> dict[str, Node]:
    return node if isinstance(node, dict) else {}


def _texts(node: Node) -> list[str]:
    return [str(item) for item in node] if isinstance(node, list) else []


def _text(node: Node) -> str:
    if isinstance(node, bool):
        return "true" if node else "false"
    return str(node) if isinstance(node, str | int | float) else ""


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host
