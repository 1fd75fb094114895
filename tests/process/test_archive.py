"""An archived trace outlives the store it came from."""

from pathlib import Path

import httpx

from tests.process.clew_process import Clew

TRACE = "5af7183fb1d4cf5f"
SPAN = {"traceId": TRACE, "id": "6b221d5bc9e6496c", "name": "get", "timestamp": 1_714_867_200_000_000, "duration": 2000}


def test_an_archived_trace_is_read_by_every_window_when_the_store_is_gone(tmp_path: Path) -> None:
    archive = f"duckdb:///{tmp_path}/archive.duckdb"
    with Clew(tmp_path, CLEW_ARCHIVE_URL=archive) as clew:
        httpx.post(f"{clew.url('zipkin')}/api/v2/spans", json=[SPAN]).raise_for_status()
        httpx.post(f"{clew.url('jaeger')}/api/archive/{TRACE}").raise_for_status()

    with Clew(tmp_path, CLEW_STORAGE_URL="memory:", CLEW_ARCHIVE_URL=archive) as clew:
        (trace,) = httpx.get(f"{clew.url('jaeger')}/api/traces/{TRACE}").json()["data"]
        assert [span["operationName"] for span in trace["spans"]] == ["get"]
        assert httpx.get(f"{clew.url('zipkin')}/api/v2/trace/{TRACE}").json() == [SPAN]
