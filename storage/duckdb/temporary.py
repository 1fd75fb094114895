"""The embedded store for a process that wants nothing kept: a DuckDB file in a folder that goes when it closes."""

import shutil
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import uuid4

from storage.contract import Capabilities
from storage.duckdb.store import DuckDBStore
from storage.errors import StoreConfigurationError


class TemporaryDuckDBStore(DuckDBStore):
    """A DuckDBStore in a folder of its own below the system's temporary folder, readable by this user only.

    Closing removes the folder with all spans; a process that is killed leaves it behind.
    """

    capabilities = Capabilities(durable=False, split_roles=False)

    def __init__(self, memory_limit_bytes: int, min_free_bytes: int, autocomplete_keys: tuple[str, ...]) -> None:
        path = Path(tempfile.gettempdir()) / f"clew-{uuid4().hex}" / "clew.duckdb"
        super().__init__(path, memory_limit_bytes, min_free_bytes, autocomplete_keys)

    def __enter__(self) -> Self:
        """Make the folder and open the file in it. StoreConfigurationError when it cannot be made."""
        try:
            self.path.parent.mkdir(mode=0o700)
        except OSError as error:
            raise StoreConfigurationError(f"cannot make the temporary store {self.path.parent}: {error}") from error
        return super().__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file and remove it."""
        super().__exit__(kind, error, trace)
        shutil.rmtree(self.path.parent)
