"""Empty DuckDB stores, for tests that only want one: a file that was made once in this session, copied.

Migrating an empty file takes a tenth of a second of a core, which a thousand tests need not repeat.
"""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from storage.duckdb.schema import DuckDBSchema

_MEMORY_LIMIT_BYTES = 64 * 2**20


def empty_duckdb(path: Path) -> Path:
    """`path`, where there now is a store of the newest revision that was never opened."""
    shutil.copyfile(_migrated(), path)
    return path


@cache
def _migrated() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="clew-duckdb-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    DuckDBSchema(folder / "empty.duckdb", _MEMORY_LIMIT_BYTES).upgrade()
    return folder / "empty.duckdb"
