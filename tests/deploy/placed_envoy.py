"""A configuration of deploy/ on loopback: its hosts and ports exchanged, everything else as it is deployed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

Places = Mapping[str, list[tuple[str, int]]]


def placed(path: Path, admin_port: int, listeners: Mapping[int, int], upstreams: Places) -> dict[str, Any]:
    """The configuration with an admin port.

    listeners: deployed port -> the port here. upstreams: `host:port` as deployed -> where it is here, each with the
    port that health checks ask.
    """
    config: dict[str, Any] = yaml.safe_load(path.read_text())
    config["admin"] = {"address": _address(admin_port)}
    for listener in config["static_resources"]["listeners"]:
        listener["address"] = _address(listeners[listener["address"]["socket_address"]["port_value"]])
    for cluster in config["static_resources"]["clusters"]:
        [locality] = cluster["load_assignment"]["endpoints"]
        [deployed] = locality["lb_endpoints"]
        socket = deployed["endpoint"]["address"]["socket_address"]
        locality["lb_endpoints"] = [
            {"endpoint": _endpoint(address, health_port, checked="health_check_config" in deployed["endpoint"])}
            for address, health_port in upstreams[f"{socket['address']}:{socket['port_value']}"]
        ]
    return config


def _endpoint(address: str, health_port: int, *, checked: bool) -> dict[str, Any]:
    endpoint: dict[str, Any] = {"address": _address(int(address.rpartition(":")[2]))}
    if checked:
        endpoint["health_check_config"] = {"port_value": health_port}
    return endpoint


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}
