"""The settings as flags of a command, beside the environment: how click is told of them, and how they are read."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

from clew.peers import jaeger_v1
from clew.peers.config_file import yaml_of
from clew.settings import Settings, SettingsError, flag_of, flags_of, read_settings, settings_fields


class SettingsCommand(click.Command):
    """A command with a flag for every setting, hidden ones for Jaeger's, and `--config`. Jaeger's spelling of a flag
    is taken too: --query.base-path is --query-base-path.

    The function behind it is given the settings. Wrong ones end the command with exit code 2, all named at once.
    shown: the variables whose flags `--help` lists; all when not given.
    """

    def __init__(self, *args: Any, shown: Callable[[str], bool] = lambda variable: True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params += [
            click.Option(
                ["--config"],
                multiple=True,
                metavar="FILE",
                help="Configuration of Jaeger v2 (YAML); flags and variables win over it. May be given several times.",
            ),
            click.Option(
                ["--set", "set_keys"],
                multiple=True,
                metavar="KEY=VALUE",
                help="One key of that configuration, dotted.",
            ),
        ]
        self._flags: list[str] = []
        for variable, field in settings_fields().items():
            default = field.get_default()
            help_text = f"{field.description} [{variable}; default {default!s}]".replace("`", "")
            self._add(
                variable,
                flags_of(variable, field),
                is_switch=field.annotation is bool,
                help_text=help_text if shown(variable) else None,
            )
        for variable in jaeger_v1.VARIABLES:
            self._add(variable, [flag_of(variable)], is_switch=variable in jaeger_v1.SWITCHES)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click.Command, and then the settings in the place of their flags."""
        rest = super().parse_args(ctx, [_undotted(arg) for arg in args])
        given = {variable: ctx.params.pop(variable) for variable in self._flags}
        config, set_keys = ctx.params.pop("config"), ctx.params.pop("set_keys")
        if not ctx.resilient_parsing:
            ctx.params["settings"] = _settings(given, (*config, *map(yaml_of, set_keys)))
        return rest

    def _add(self, variable: str, flags: Sequence[str], *, is_switch: bool, help_text: str | None = None) -> None:
        """A switch may be given without a value, as Go's flags are; without help it is taken but not shown."""
        self._flags.append(variable)
        self.params.append(
            click.Option(
                [*flags, variable],
                metavar="VALUE",
                is_flag=False,
                flag_value="true" if is_switch else None,
                help=help_text,
                hidden=help_text is None,
            )
        )


def _settings(flags: Mapping[str, str | None], config: tuple[str, ...]) -> Settings:
    given = dict(os.environ) | {name: value for name, value in flags.items() if value is not None}
    try:
        return read_settings(given, config)
    except SettingsError as error:
        click.echo(f"clew: wrong settings\n{error}", err=True)
        sys.exit(2)


def _undotted(argument: str) -> str:
    name, equals, value = argument.partition("=")
    return name.replace(".", "-") + equals + value if name.startswith("--") else argument
