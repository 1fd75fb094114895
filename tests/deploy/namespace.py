"""Runs clew on its standard ports, in a network of its own, with Istio's samples' environment or arguments.

    unshare --map-root-user --net python -m tests.deploy.namespace ARGUMENTS OF clew ... -- PORT ...

Prints one line of JSON: which of the ports takes a connection, and what a GET of the probes' addresses answers.
"""

import fcntl
import json
import signal
import socket
import struct
import subprocess
import sys
from http.client import HTTPConnection

_SIOCSIFFLAGS = 0x8914
_IFF_UP_RUNNING = 0x1 | 0x40
PROBES = ((14269, "/"), (13133, "/status"), (9411, "/health"), (8888, "/metrics"), (16686, "/jaeger/api/services"))


def main(arguments: list[str]) -> None:
    """Bring up the loopback, start clew, ask, stop it, and report."""
    split = arguments.index("--")
    bring_up_loopback()
    command = [sys.executable, "-m", "clew", *arguments[:split]]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as clew:
        assert clew.stdout is not None
        line = clew.stdout.readline()
        report: dict[str, object] = {"ready": json.loads(line) if line else None}
        if line:
            report["open"] = {port: _takes_connections(int(port)) for port in arguments[split + 1 :]}
            report["probes"] = {f"{port}{path}": _status(port, path) for port, path in PROBES}
        clew.send_signal(signal.SIGTERM)
        report["exit"] = clew.wait(60)
    sys.stdout.write(json.dumps(report) + "\n")


def bring_up_loopback() -> None:
    """Let 127.0.0.1 be reached in a network namespace of one's own."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", _IFF_UP_RUNNING))


def _takes_connections(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=10).close()
    except OSError:
        return False
    return True


def _status(port: int, path: str) -> int | None:
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except OSError:
        return None
    finally:
        connection.close()


if __name__ == "__main__":
    main(sys.argv[1:])
