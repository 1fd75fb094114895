"""The schema of a store's file: Alembic's revisions, run on the store's own instance."""

import duckdb
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from duckdb_sqlalchemy import ConnectionWrapper
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import StaticPool

from storage.errors import SchemaVersionError, StoreConfigurationError

_SCRIPTS = "migrations:duckdb"
"""Package and folder: found where the package is installed, whatever the working directory."""


def migrate(cursor: duckdb.DuckDBPyConnection, where: str) -> None:
    """Bring the file to the newest revision; nothing happens when it is there. `where` names the store in errors.

    Raises SchemaVersionError, with nothing changed, when the file's revision is not one of this clew's.
    """
    engine = sa.create_engine("duckdb://", creator=lambda: ConnectionWrapper(cursor), poolclass=StaticPool)
    config = Config()
    config.set_main_option("script_location", _SCRIPTS)
    scripts = ScriptDirectory.from_config(config)
    try:
        with engine.connect() as connection:
            held = MigrationContext.configure(connection).get_current_heads()
            if held == tuple(scripts.get_heads()):
                return
            _require_known(held, scripts, where)
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()
    except SQLAlchemyError as error:
        raise StoreConfigurationError(f"cannot set up the schema of {where}: {error}") from error
    # Log that defines tables is the kind whose replay has failed in DuckDB; so it does not stay in the log.
    cursor.execute("CHECKPOINT")


def _require_known(held: tuple[str, ...], scripts: ScriptDirectory, where: str) -> None:
    known = {script.revision for script in scripts.walk_revisions()}
    unknown = sorted(set(held) - known)
    if unknown:
        raise SchemaVersionError(
            f"{where} has schema revision {', '.join(unknown)}, this clew knows up to {scripts.get_current_head()}; "
            "it was left untouched: use the clew that wrote it, or a newer one"
        )
