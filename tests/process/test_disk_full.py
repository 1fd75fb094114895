"""A full disk: refused with a clear error, nothing acknowledged lost, and it goes on by itself when space returns.

clew runs in its own mount namespace over a small tmpfs; the test reaches it through /proc/<pid>/root.
"""

import secrets
from pathlib import Path

import grpc
import httpx
import pytest

from tests.process.clew_process import Clew
from tests.process.senders import SPANS_PER_POST, exporting, spans_held, zipkin_spans
from tests.waiting import wait_until

MOUNT = 'mount -t tmpfs -o size={size} tmpfs {directory} && exec "$@"'


def on_small_disk(directory: Path, size: str, **settings: str) -> Clew:
    directory.mkdir()
    script = MOUNT.format(size=size, directory=directory)
    under = ["unshare", "--map-root-user", "--mount", "sh", "-c", script, "sh"]
    log_directory = directory.parent / "log"
    url = f"duckdb:///{directory}/clew.duckdb"
    return Clew(log_directory, under=under, CLEW_STORAGE_URL=url, **settings)


def post(clew: Clew, trace_id: str, tag_bytes: int = 100) -> httpx.Response:
    spans = zipkin_spans(trace_id)
    for span in spans:
        span["tags"]["filler"] = secrets.token_hex(tag_bytes // 2)
    return httpx.post(f"{clew.url('zipkin')}/api/v2/spans", json=spans, timeout=30)


def fill_until_refused(clew: Clew, acknowledged: dict[str, int]) -> httpx.Response:
    while True:
        trace_id = secrets.token_hex(16)
        answer = post(clew, trace_id, tag_bytes=200_000)
        if answer.status_code != 202:
            return answer
        acknowledged[trace_id] = SPANS_PER_POST


def export_until_refused(clew: Clew, acknowledged: dict[str, int]) -> grpc.StatusCode:
    with exporting(clew.doors["otlp_grpc"]) as export:
        while True:
            trace_id = secrets.token_hex(16)
            try:
                acknowledged[trace_id] = export(trace_id)
            except grpc.RpcError as error:
                return error.code()


@pytest.mark.parametrize("free", ["0", "16MiB"], ids=["no guard: the disk itself is full", "free-space guard"])
def test_a_full_disk_refuses_with_a_reason_keeps_what_was_acknowledged_and_heals(tmp_path: Path, free: str) -> None:
    disk = tmp_path / "disk"
    acknowledged: dict[str, int] = {}
    with on_small_disk(disk, "96m", CLEW_MIN_FREE_DISK=free) as clew:
        outside = Path(f"/proc/{clew.process.pid}/root") / disk.relative_to("/")
        ballast = outside / "ballast"
        ballast.write_bytes(bytes(20 * 2**20))

        refusal = fill_until_refused(clew, acknowledged)

        assert refusal.status_code == 503
        assert int(refusal.headers["retry-after"]) >= 1
        assert "disk" in refusal.text or "space" in refusal.text, refusal.text
        assert export_until_refused(clew, acknowledged) is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert spans_held(clew.url("zipkin"), list(acknowledged)) == acknowledged

        ballast.unlink()
        last = secrets.token_hex(16)
        wait_until(lambda: post(clew, last).status_code == 202, "writes go on by themselves")
        assert spans_held(clew.url("zipkin"), [last])[last] >= SPANS_PER_POST
        assert spans_held(clew.url("zipkin"), list(acknowledged)) == acknowledged
