"""Client scripts as processes of their own: a job as JSON on standard input, what was sent on standard output."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.clients.packages import HERE, NODE, node_packages, python_packages
from tests.clients.workload import START_LAG_NS, workload_json


@dataclass(frozen=True, slots=True)
class Sent:
    """One trace that a client has sent: its ids as lower-case hex, span ids by the names of the workload's spans.

    base_ns: the time that the workload's offsets count from. posted: the body, when the script tells it.
    """

    service: str
    trace_id: str
    span_ids: Mapping[str, str]
    base_ns: int
    posted: tuple[dict[str, Any], ...] = ()


def send_by_node(script: str, packages: str, targets: Mapping[str, object]) -> dict[str, Sent]:
    """Run tests/clients/node/`script`.cjs with the packages of tests/clients/node/`packages`.

    targets: what the script needs to reach clew, by variant; each variant sends the workload as a service of its own.
    """
    environment = os.environ | {"NODE_PATH": str(node_packages(packages))}
    command = [str(NODE), "--no-deprecation", str(HERE / "node" / f"{script}.cjs")]
    return _send(command, environment, f"node-{packages}-{script}", targets)


def send_by_python(script: str, targets: Mapping[str, object], packages: str | None = None) -> dict[str, Sent]:
    """Run tests/clients/python/`script`.py among clew's own dependencies or, when named, among `packages` alone."""
    path = [str(HERE.parents[1])] if packages is None else [str(python_packages(packages)), str(HERE.parents[1])]
    command = [sys.executable, *([] if packages is None else ["-S"]), "-m", f"tests.clients.python.{script}"]
    return _send(command, os.environ | {"PYTHONPATH": os.pathsep.join(path)}, f"python-{script}", targets)


def _send(
    command: list[str], environment: Mapping[str, str], client: str, targets: Mapping[str, object]
) -> dict[str, Sent]:
    base_ns = (time.time_ns() - START_LAG_NS) // 1_000_000_000 * 1_000_000_000
    variants = {variant: {"target": target, "service": f"{client}-{variant}"} for variant, target in targets.items()}
    job = json.dumps({"base_ns": str(base_ns), "spans": workload_json(), "variants": variants})
    result = subprocess.run(
        command, env=environment, input=job, capture_output=True, text=True, timeout=100, check=False
    )
    assert result.returncode == 0, f"{client} ended with {result.returncode}:\n{result.stdout}{result.stderr}"
    answer = json.loads(result.stdout.splitlines()[-1])
    return {
        variant: Sent(
            str(variants[variant]["service"]),
            # Some clients leave leading zeros out.
            sent["trace_id"].rjust(32, "0"),
            {name: span_id.rjust(16, "0") for name, span_id in sent["span_ids"].items()},
            base_ns,
            tuple(sent.get("posted", ())),
        )
        for variant, sent in answer.items()
    }
