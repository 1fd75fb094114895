"""Jaeger v2: the configuration of an OpenTelemetry collector with Jaeger's parts in it, as `--config` gives it.

`jaeger_v2_keys` has the tables; its paths are those of `collector_view`.
"""

from collections.abc import Collection, Mapping

from clew.peers.collector_view import EXPORTER, STORAGE, View, as_map, as_text, leaves, part_at, put, view_of
from clew.peers.config_file import Node
from clew.peers.jaeger_v2_keys import DOORS, IGNORED, REFUSED_IF_TRUE, REFUSED_PARTS, SETTINGS, UNDERSTOOD, Door
from clew.peers.stores import ARCHIVE_URL, STORE_URL, UNREAD, badger_settings, memory_settings, refusal
from clew.peers.translation import Translation, is_true
from storage.settings import CLOSED

PEER = "Jaeger v2"
BASE_PATH = "QUERY_BASE_PATH"
MEMORY_MAX_TRACES = "1000000"
"""Jaeger's bound when a memory backend gives none."""
SECTIONS = frozenset({"service", "extensions", "receivers", "processors", "exporters", "connectors"})
NOT_KNOWN = "not known"
_PROMETHEUS = "pull.exporter.prometheus"


def translate(config: Mapping[str, Node], given: Collection[str]) -> Translation:
    """What a configuration comes to. given: variables that are set elsewhere; a store named there is not this one's."""
    found = Translation(PEER)
    if not isinstance(config.get("service"), dict):
        found.refused.append("service: expected a map with extensions and pipelines; clew opens what it names")
        return found
    for key in sorted(config.keys() - SECTIONS):
        found.ignore(key, NOT_KNOWN)
    view = view_of(config, found)
    _translate_doors(view, found)
    _translate_metrics_port(view, found)
    _translate_storage(config, view, found, given)
    for path, variable in SETTINGS.items():
        text = as_text(view.get(path))
        if text:
            found.settings[variable] = text
    if BASE_PATH in found.settings:
        # v2 takes one slash at the end, v1 and clew do not.
        found.settings[BASE_PATH] = found.settings[BASE_PATH].removesuffix("/")
    _translate_rest(view, found)
    return found


def without_file(given: Mapping[str, str]) -> Translation:
    """What Jaeger v2's one variable comes to when there is no `--config` that refers to it."""
    found = Translation(PEER)
    if given.get("JAEGER_LISTEN_HOST", "0.0.0.0") != "0.0.0.0":
        found.ignore("JAEGER_LISTEN_HOST", "without --config each door's own setting says where it listens")
    return found


def _translate_doors(view: View, found: Translation) -> None:
    for door in DOORS:
        is_open = door.path in view or (door.owner is not None and door.owner in view)
        found.settings[door.variable] = _endpoint(view, door) if is_open else CLOSED
        for part, why in REFUSED_PARTS.items():
            if view.get(f"{door.path}.{part}") is not None:
                found.refused.append(f"{door.path}.{part}: {why}")


def _endpoint(view: View, door: Door) -> str:
    return as_text(view.get(f"{door.path}.endpoint")) or door.default


def _translate_metrics_port(view: View, found: Translation) -> None:
    """8888: the address, else the first reader that Prometheus pulls from, else where the collector has it."""
    metrics = "service.telemetry.metrics"
    address = as_text(view.get(f"{metrics}.address")) or "localhost:8888"
    readers = view.get(f"{metrics}.readers")
    if isinstance(readers, list):
        scraped = [pulled for reader in readers if (pulled := part_at(reader, _PROMETHEUS)) is not None]
        host, port = (as_text(scraped[0].get(name)) for name in ("host", "port")) if scraped else ("", "")
        address = f"{_bracketed(host) or 'localhost'}:{port or '8888'}" if scraped else CLOSED
    if view.get(f"{metrics}.level") == "none":
        address = CLOSED
    found.settings["CLEW_METRICS_HOST_PORT"] = address


def _translate_storage(config: Mapping[str, Node], view: View, found: Translation, given: Collection[str]) -> None:
    written = as_text(view.get(f"{EXPORTER}.trace_storage"))
    read = as_text(view.get("jaeger_query.storage.traces") or view.get("jaeger_query.trace_storage"))
    archive = as_text(view.get("jaeger_query.storage.traces_archive") or view.get("jaeger_query.trace_storage_archive"))
    name = written or read or as_text(view.get("remote_storage.storage"))
    if written and read and written != read:
        found.refused.append(
            f"jaeger_query.storage.traces: expected {written!r}, to which {EXPORTER} writes, got {read!r}; "
            "clew has one store"
        )
        return
    backends = part_at(config, f"extensions.{STORAGE}.backends") or {}
    for other in backends:
        if other not in (name, archive):
            found.ignore(f"{STORAGE}.backends.{other}", "nothing uses it")
    if name and STORE_URL in given:
        found.ignore(f"{STORAGE}.backends.{name}", "where spans are kept is said by a variable or flag")
    elif name:
        settings = _settings_of_backend(name, backends, "storage", view, found)
        lasting = view.get("storage.badger.ephemeral") is False
        found.means(f"{STORAGE}.backends.{name}", settings, UNREAD if lasting else "")
    if archive and ARCHIVE_URL in given:
        found.ignore(f"{STORAGE}.backends.{archive}", "where traces are archived is said by a variable or flag")
    elif archive and archive != name:
        settings = _settings_of_backend(archive, backends, "archive", view, found)
        found.means(
            f"{STORAGE}.backends.{archive}", {ARCHIVE_URL: settings[STORE_URL]} if STORE_URL in settings else {}
        )


def _settings_of_backend(
    name: str, backends: Mapping[str, Node], at: str, view: View, found: Translation
) -> dict[str, str]:
    """Settings of a store that is this backend, whose keys are put into the view at `at`; none when it is refused."""
    backend = as_map(backends.get(name))
    kind = next(iter(backend), "")
    if kind not in ("memory", "badger"):
        variable = STORE_URL if at == "storage" else ARCHIVE_URL
        why = refusal(kind, variable) if name in backends else "the configuration names it, and it is not there"
        found.refused.append(f"{STORAGE}.backends.{name}: {why}")
        return {}
    put(view, at, dict(backend))

    def value(*paths: str) -> str:
        return next((text for path in paths if (text := as_text(view.get(f"{at}.{kind}.{path}")))), "")

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
        if is_true(as_text(view.get(path))):
            found.refused.append(f"{path}: {why}")
    doors = {door.path for door in DOORS} | {f"{door.path}.endpoint" for door in DOORS}
    for leaf in leaves(view):
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


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host
