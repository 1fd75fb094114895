"""The command `clew`."""

import logging
import os
import sys

import click
import pyarrow
import uvloop

from clew import VERSION
from clew.peers import jaeger_v1
from clew.peers.config_file import yaml_of
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
        help_text = f"{field.description} [{variable}; default {default!s}]".replace("`", "")
        command.params.append(_option(variable, is_switch=field.annotation is bool, help_text=help_text))
    for variable in jaeger_v1.VARIABLES:
        command.params.append(_option(variable, is_switch=variable in jaeger_v1.SWITCHES))
    return command


def _option(variable: str, *, is_switch: bool, help_text: str | None = None) -> click.Option:
    """A switch may be given without a value, as Go's flags are; without help it is taken but not shown."""
    return click.Option(
        [flag_of(variable), variable],
        metavar="VALUE",
        is_flag=False,
        flag_value="true" if is_switch else None,
        help=help_text,
        hidden=help_text is None,
    )


class _DottedFlags(click.Command):
    """Takes Jaeger's spelling of a flag too: --query.base-path is --query-base-path."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, [_undotted(arg) for arg in args])


def _undotted(argument: str) -> str:
    name, equals, value = argument.partition("=")
    return name.replace(".", "-") + equals + value if name.startswith("--") else argument


class _ServeByDefault(click.Group):
    """Takes arguments as Jaeger's images do: without a command, `clew --config FILE` is `clew serve --config FILE`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        own = {name for parameter in self.get_params(ctx) for name in parameter.opts}
        begins_with_flag = bool(args) and args[0].startswith("-") and args[0] not in own
        return super().parse_args(ctx, ["serve", *args] if begins_with_flag else args)


@click.group(cls=_ServeByDefault, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(VERSION, prog_name="clew")
def main() -> None:
    """clew collects Zipkin and OTLP spans into a SQL store and answers as Zipkin (9411) and as Jaeger (16686)."""


@main.command(cls=_DottedFlags)
@click.option(
    "--config",
    multiple=True,
    metavar="FILE",
    help="Configuration of Jaeger v2 (YAML); flags and variables win over it. May be given several times.",
)
@click.option("--set", "set_keys", multiple=True, metavar="KEY=VALUE", help="One key of that configuration, dotted.")
@click.option("--feature-gates", hidden=True)
def serve(config: tuple[str, ...], set_keys: tuple[str, ...], feature_gates: str | None, **flags: str | None) -> None:
    """Open every door and serve until SIGTERM or SIGINT, then drain and exit 0.

    Each setting is an environment variable and a flag; a flag wins. Wrong settings: exit 2, all named at once.
    The environment of Jaeger v1 and of Zipkin and the configuration of Jaeger v2 are taken as they stand.
    """
    given = dict(os.environ) | {name.upper(): value for name, value in flags.items() if value is not None}
    try:
        settings = read_settings(given, (*config, *(yaml_of(assignment) for assignment in set_keys)))
    except SettingsError as error:
        click.echo(f"clew: wrong settings\n{error}", err=True)
        sys.exit(2)
    logging.basicConfig(
        level=settings.process.log_level.upper(),
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
        stream=sys.stderr,
    )
    for note in settings.notes:
        log.warning(note)
    if feature_gates is not None:
        log.warning("--feature-gates: clew has none")
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
