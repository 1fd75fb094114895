"""The command `clew`."""

import logging
import sys

import click
import uvloop

from clew import VERSION
from clew.allocator import keep_memory_small
from clew.flags import SettingsCommand
from clew.migrate import migrate
from clew.process import Process
from clew.settings import Settings
from query.errors import UiUnusable
from storage.errors import StorageError

log = logging.getLogger("clew")

SWITCH_INTERVAL_S = 0.0005
"""How long a thread that wants the interpreter waits before it is handed over. A commit asks for it several times
while the event loop is busy with posts; Python's 5 ms each time would double the time to an acknowledgement."""


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


@main.command(cls=SettingsCommand)
@click.option("--feature-gates", hidden=True)
def serve(settings: Settings, feature_gates: str | None) -> None:
    """Open every door of the role and serve until SIGTERM or SIGINT, then drain and exit 0.

    Each setting is an environment variable and a flag; a flag wins. Wrong settings: exit 2, all named at once.
    The environment of Jaeger v1 and of Zipkin and the configuration of Jaeger v2 are taken as they stand.
    """
    logging.basicConfig(
        level=settings.process.log_level.upper(),
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
        stream=sys.stderr,
    )
    logging.getLogger("alembic").setLevel(logging.WARNING)  # at each start it tells what it is
    for note in settings.notes:
        log.warning(note)
    if feature_gates is not None:
        log.warning("--feature-gates: clew has none")
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    keep_memory_small()
    try:
        clean = uvloop.run(Process(settings).run())
    except (StorageError, UiUnusable, OSError) as error:
        log.error("%s: %s", type(error).__name__, error)
        sys.exit(1)
    sys.exit(0 if clean else 1)


main.add_command(migrate)
