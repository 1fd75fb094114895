"""What a process does of clew's work, and which stores allow that it does only a part."""

from enum import StrEnum

from storage.contract import SpanStore
from storage.errors import UnsupportedByStore


class Role(StrEnum):
    """CLEW_ROLE. Collectors and query servers over one store scale apart."""

    ALL = "all"
    COLLECTOR = "collector"
    QUERY = "query"

    @property
    def collects(self) -> bool:
        """Takes spans, and looks after the store."""
        return self is not Role.QUERY

    @property
    def reads(self) -> bool:
        """Answers questions."""
        return self is not Role.COLLECTOR


def refuse_split(role: Role, store: SpanStore, variable: str) -> None:
    """Raise UnsupportedByStore when this role needs other processes beside it and the store allows none.

    store: need not be open. variable: the setting that names it.
    """
    if role is Role.ALL or store.capabilities.split_roles:
        return
    raise UnsupportedByStore(
        f"CLEW_ROLE={role}: {store.name} ({variable}) serves one process, so collectors and query servers cannot share "
        "it; use CLEW_ROLE=all, or a store for several: postgresql://... or clickhouse://..."
    )
