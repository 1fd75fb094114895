"""The command `clew`."""

import logging
import os
import sys

import click
import pyarrow
import uvloop

from clew import VERSION
from clew.process import Process
from clew.settings import SettingsError, flag_of, read_settings, settings_fields
from storage.errors import StorageError

log = logging.getLogger("clew")

SWITCH_INTERVAL_S = 0.0005
"""How long a thread that wants the interpreter waits before it is handed over. A commit asks for it several times
while the event loop is busy with posts; Python's 5 ms each time would double the time to an acknowledgement."""


def _options(command: click.Command) -> click.Command:
    for variable, field in settings_fields().items():
        default = field.get_default()
        command.params.append(
            click.Option(
                [flag_of(variable), variable],
                metavar="VALUE",
                help=f"{field.description} [{variable}; default {default!s}]".replace("`", ""),
            )
        )
    return command


class _DottedFlags(click.Command):
    """Takes Jaeger's spelling of a flag too: --query.base-path is --query-base-path."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, [_undotted(arg) for arg in args])


def _undotted(argument: str) -> str:
    name, equals, value = argument.partition("=")
    return name.replace(".", "-") + equals + value if name.startswith("--") else argument


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(VERSION, prog_name="clew")
def main() -> None:
    """clew collects Zipkin and OTLP spans into a SQL store and answers as Zipkin (9411) and as Jaeger (16686)."""


@main.command(cls=_DottedFlags)
def serve(**flags: str | None) -> None:
    """Open every door and serve until SIGTERM or SIGINT, then drain and exit 0.

    Each setting is an environment variable and a flag; a flag wins. Wrong settings: exit 2, all named at once.
    """
    given = dict(os.environ) | {name.upper(): value for name, value in flags.items() if value is not None}
    try:
        settings = read_settings(given)
    except SettingsError as error:
        click.echo(f"clew: wrong settings\n{error}", err=True)
        sys.exit(2)
    logging.basicConfig(
        level=settings.process.log_level.upper(),
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
        stream=sys.stderr,
    )
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    # Arrow's own allocator keeps what it once had: 50 MB after a day's dependency graph.
    pyarrow.set_memory_pool(pyarrow.system_memory_pool())
    try:
        clean = uvloop.run(Process(settings).run())
    except (StorageError, OSError) as error:
        log.error("%s: %s", type(error).__name__, error)
        sys.exit(1)
    sys.exit(0 if clean else 1)


_options(serve)
