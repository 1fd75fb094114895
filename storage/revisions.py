"""The schema of a store by its revisions: which one the store holds, which this clew knows, and the way between.

Every kind of store has a line of Alembic revisions of its own in `migrations/`. How a connection is had and what keeps
several processes from migrating at once is each store's business; what a revision is, and what is refused, is here.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import Script, ScriptDirectory

from storage.errors import DowngradeRefused, SchemaVersionError

NOTHING = "base"
"""Alembic's name for a store without a schema."""
LOSSES = "lost_on_downgrade"
"""A revision whose downgrade would lose data says in a variable of this name what would be lost."""


@dataclass(frozen=True, slots=True)
class SchemaState:
    """Revisions by their identifiers. held: the store's, None when it is empty. known: the newest of this clew."""

    where: str
    held: str | None
    known: str

    @property
    def is_current(self) -> bool:
        """Whether this clew can use the store as it is."""
        return self.held == self.known


class StoreSchema(Protocol):
    """The schema of a store that this process has not opened: each call opens what it needs, and closes it again.

    All raise StoreUnavailable when the store does not answer (or another process holds an embedded one),
    StoreConfigurationError, and SchemaVersionError when the store's revision is not known here.
    """

    def state(self) -> SchemaState:
        """What is there. Changes nothing, and makes nothing that is not there."""
        ...

    def upgrade(self) -> SchemaState:
        """Bring the store to the newest revision, made if absent; what is there afterwards.

        Several processes may do it at once: one migrates, the others wait for it and find nothing left to do.
        """
        ...

    def downgrade(self, revision: str) -> SchemaState:
        """Bring the store back to an older revision, for an older clew; what is there afterwards.

        Raises DowngradeRefused, with nothing changed, when data would be lost on the way, and for a revision that is
        not older.
        """
        ...


class Revisions:
    """The revisions of one kind of store, over SQLAlchemy connections that stay the caller's, transaction included.

    scripts: package and folder as Alembic writes them (`migrations:duckdb`), found whatever the working directory.
    where: names the store in messages, without secrets.
    deployment: what the revisions are told besides, as plain values.
    """

    def __init__(self, scripts: str, where: str, deployment: Mapping[str, object] | None = None) -> None:
        self._config = Config()
        self._config.attributes["deployment"] = dict(deployment or {})
        self._config.set_main_option("script_location", scripts)
        self._scripts = ScriptDirectory.from_config(self._config)
        self._where = where

    @property
    def known(self) -> str:
        """The newest revision of this clew."""
        head = self._scripts.get_current_head()
        assert head is not None
        return head

    def older_of(self, held: Collection[str]) -> list[str]:
        """Those of these revisions that another one of them follows upon."""
        line = [script.revision for script in self._scripts.walk_revisions()]
        return [revision for revision in line if revision in held][1:]

    def state_of(self, held: str | None) -> SchemaState:
        """The state of a store that holds this revision."""
        return SchemaState(self._where, held, self.known)

    def state(self, connection: sa.Connection) -> SchemaState:
        """What the store holds. SchemaVersionError: a revision that is not known here."""
        held = MigrationContext.configure(connection).get_current_heads()
        unknown = sorted(set(held) - {script.revision for script in self._scripts.walk_revisions()})
        if unknown:
            raise SchemaVersionError(
                f"{self._where} has schema revision {', '.join(unknown)}, this clew knows up to {self.known}; "
                "it was left untouched: use the clew that wrote it, or a newer one"
            )
        return self.state_of(", ".join(held) or None)

    def upgrade(self, connection: sa.Connection) -> bool:
        """Run what the store lacks; False when that is nothing. SchemaVersionError as `state`."""
        if self.state(connection).is_current:
            return False
        self._config.attributes["connection"] = connection
        command.upgrade(self._config, "head")
        return True

    def downgrade(self, connection: sa.Connection, revision: str) -> None:
        """As StoreSchema.downgrade."""
        state = self.state(connection)
        for script in self._undone(state, revision):
            if lost := getattr(script.module, LOSSES, None):
                raise DowngradeRefused(
                    f"{self._where} holds revision {state.held}; going back below {script.revision} would lose {lost}. "
                    "Nothing was changed: restore a backup, or let an older clew write to a store of its own"
                )
        self._config.attributes["connection"] = connection
        command.downgrade(self._config, revision)

    def _undone(self, state: SchemaState, revision: str) -> list[Script]:
        """The scripts whose downgrades lie between the store's revision and an older one, the newest first."""
        held = list(self._scripts.walk_revisions("base", state.held)) if state.held else []
        older = [*(script.revision for script in held[1:]), NOTHING]
        if not held or revision not in older:
            raise DowngradeRefused(
                f"{self._where} holds revision {state.held or 'none'}; "
                f"expected an older one ({', '.join(older) if held else 'there is none'}), got {revision!r}"
            )
        return held[: older.index(revision) + 1]


def require_current(state: SchemaState) -> None:
    """Raise SchemaVersionError, with the command to run, unless this clew can use the store as it is."""
    if not state.is_current:
        raise SchemaVersionError(
            f"{state.where} has schema revision {state.held or 'none'}, this clew needs {state.known}, and "
            "CLEW_MIGRATE=false leaves it as it is; run `clew migrate up` with the same settings"
        )
