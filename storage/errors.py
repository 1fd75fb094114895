"""What can go wrong between clew and its store.

StorageError
├── StoreConfigurationError   the URL or a setting cannot work; nothing was opened
├── SchemaVersionError        the store's revision is not the one this clew needs; it was left untouched
├── DowngradeRefused          going back to that revision would lose data, or it is none; nothing was changed
├── StoreUnavailable          the store cannot answer now; the same call may succeed later
│   └── StoreFull             no room to write; reads work, and writes work again when space returns
└── UnsupportedByStore        the store's Capabilities say no; raised by the query service, never by a store
"""


class StorageError(Exception):
    """The root of every error that storage raises on purpose; a driver's exception is its `__cause__`."""


class StoreConfigurationError(StorageError):
    """The store cannot be opened as configured."""


class SchemaVersionError(StorageError):
    """The store holds a schema revision this clew does not know, or an older one that it may not change."""


class DowngradeRefused(StorageError):
    """A store is not brought back to that revision."""


class StoreUnavailable(StorageError):
    """The store failed for a reason that may pass. A write that raised this is NOT stored."""


class StoreFull(StoreUnavailable):
    """The disk (or quota) has no room for the write. Nothing acknowledged is lost; free space and retry."""


class UnsupportedByStore(StorageError):
    """A request needs a capability that the configured store does not have."""
