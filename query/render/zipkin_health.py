"""The bodies of Zipkin's /health and /info, to the byte: probes and scripts compare them as text."""

import json
from collections.abc import Mapping

_TIMED_OUT = "Timed out computing health status. This often means your storage backend is unreachable."


def health_json(components: Mapping[str, str | None]) -> tuple[int, str]:
    """(HTTP status, body) for these components, in their order: name -> what is wrong, or None when it is up.

    200 when all are up, else 503. Names are shown to anyone who asks: short, and without secrets.
    """
    up = all(error is None for error in components.values())
    return _health(up, {name: _component(error) for name, error in components.items()})


def health_timeout_json() -> tuple[int, str]:
    """(503, body) for when the components did not answer in time."""
    return _health(False, {"error": _TIMED_OUT})


def info_json(version: str, commit: str) -> str:
    """The body of /info."""
    return json.dumps({"zipkin": {"version": version, "commit": commit}}, separators=(",", ":")) + "\n"


def pretty(document: Mapping[str, object]) -> str:
    """JSON indented by two spaces with ` : ` between key and value, as Jackson's default pretty printer writes it."""
    return json.dumps(document, indent=2, separators=(",", " : "), ensure_ascii=False)


def _component(error: str | None) -> dict[str, object]:
    return {"status": "UP"} if error is None else {"status": "DOWN", "details": {"error": error}}


def _health(up: bool, details: Mapping[str, object]) -> tuple[int, str]:
    status = "UP" if up else "DOWN"
    return (200 if up else 503), pretty({"status": status, "zipkin": {"status": status, "details": details}})
