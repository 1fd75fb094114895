"""The command `clew migrate`: the schema of the store, and of the archive, apart from serving."""

import sys
import time
from collections.abc import Callable

import click

from clew.flags import SettingsCommand
from clew.settings import Settings
from storage.durations import parse_duration_ns
from storage.errors import StorageError, StoreUnavailable
from storage.factory import schemas_of
from storage.revisions import SchemaState, StoreSchema
from storage.settings import StorageSettings

BEHIND = 3
"""Exit code of `status` when a store is older than this clew."""
_RETRY_INTERVAL_S = 0.5
_STORAGE = {str(field.alias) for field in StorageSettings.model_fields.values()}


class _StoreCommand(SettingsCommand):
    """Takes every setting, so that it may stand in the place of `serve`, and lists those of the store."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, shown=_STORAGE.__contains__, **kwargs)


@click.group()
def migrate() -> None:
    """See and change the schema of the store (CLEW_STORAGE_URL) and of the archive (CLEW_ARCHIVE_URL).

    `clew serve` does `up` by itself unless CLEW_MIGRATE=false. Each command prints a line a store:
    its revision, and the newest that this clew knows. Exit codes: 0 done, 1 failed or refused, 2 wrong settings.
    """


def _wait(_context: click.Context, _parameter: click.Parameter, text: str) -> float:
    try:
        return parse_duration_ns(text) / 1e9
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


_waiting = click.option(
    "--wait",
    "wait_s",
    default="10s",
    show_default=True,
    metavar="DURATION",
    callback=_wait,
    help="How long to wait for a store that does not answer, or that another process holds.",
)


@migrate.command(cls=_StoreCommand)
@_waiting
def up(settings: Settings, wait_s: float) -> None:
    """Bring each store to the newest revision. Any number of processes may do it at once."""
    _each(settings, wait_s, lambda schema: schema.upgrade())


@migrate.command(cls=_StoreCommand)
@_waiting
def status(settings: Settings, wait_s: float) -> None:
    """Say which revision each store holds; changes nothing. Exit code 3: a store is behind, run `clew migrate up`."""
    if not all(state.is_current for state in _each(settings, wait_s, lambda schema: schema.state())):
        sys.exit(BEHIND)


@migrate.command(cls=_StoreCommand)
@click.argument("revision")
@_waiting
def down(settings: Settings, revision: str, wait_s: float) -> None:
    """Bring the store (not the archive) back to an older REVISION, for an older clew; refused if data would be lost."""
    without_archive = settings.storage.model_copy(update={"archive_url": ""})
    _each_of(without_archive, wait_s, lambda schema: schema.downgrade(revision))


def _each(settings: Settings, wait_s: float, change: Callable[[StoreSchema], SchemaState]) -> list[SchemaState]:
    return _each_of(settings.storage, wait_s, change)


def _each_of(
    settings: StorageSettings, wait_s: float, change: Callable[[StoreSchema], SchemaState]
) -> list[SchemaState]:
    """What each store holds after `change`, printed. Ends the command, exit code 1, at what StorageError says."""
    states = []
    deadline_s = time.monotonic() + wait_s
    try:
        schemas = schemas_of(settings)
        if not schemas:
            click.echo(f"{settings.url} has no schema: it begins empty each time")
        for schema in schemas:
            state = _patiently(schema, change, deadline_s)
            states.append(state)
            click.echo(f"{state.where}: holds {state.held or 'nothing'}, known {state.known}")
    except StorageError as error:
        click.echo(f"clew: {error}", err=True)
        sys.exit(1)
    return states


def _patiently(schema: StoreSchema, change: Callable[[StoreSchema], SchemaState], deadline_s: float) -> SchemaState:
    while True:
        try:
            return change(schema)
        except StoreUnavailable:
            if time.monotonic() >= deadline_s:
                raise
            time.sleep(_RETRY_INTERVAL_S)
