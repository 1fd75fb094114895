"""The README's question in SQL is one that the store answers."""

import re
import time
from pathlib import Path

import duckdb

from storage.batch import SpanBatch
from storage.duckdb.store import DuckDBStore
from storage.ids import span_id_of, trace_id_of
from storage.span import Span

README = Path(__file__).parents[2] / "README.md"


def test_the_readmes_sql_answers_calls_and_latency_of_a_store_that_is_closed(tmp_path: Path) -> None:
    question = re.search(r"    SELECT service.*?;", README.read_text(), re.DOTALL)
    assert question is not None
    span = Span(
        trace_id_of("1"),
        span_id_of("2"),
        name="get /",
        service="shop",
        start_ns=time.time_ns(),
        duration_ns=2_000_000,
        attributes={"http.method": "GET"},
    )
    with DuckDBStore(tmp_path / "clew.duckdb", 64 * 2**20, 0, ()) as store:
        store.write(SpanBatch.of([span], received_ns=time.time_ns()))

    with duckdb.connect(str(tmp_path / "clew.duckdb"), read_only=True) as connection:
        assert connection.execute(question[0]).fetchall() == [("shop", "get /", 1, 2.0)]
