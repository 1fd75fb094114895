"""clew: the command, the settings' sources, and the composition root.

`clew serve` opens the store, builds the collector and the query side over it and opens the doors; on SIGTERM it closes
them in the mirrored order: doors first, then the queue is drained, then the readers stop, then the store closes.
"""

import asyncio
import contextlib
import json
import logging
import os
import re
import signal
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import click
import uvicorn
import uvloop
from pydantic import Field, ValidationError
from pydantic.fields import FieldInfo
from starlette.types import ASGIApp

from collector.settings import CollectorSettings
from query.settings import QuerySettings
from storage.errors import StorageError
from storage.settings import HostPort, SettingsModel, StorageSettings, host_and_port

VERSION = version("clew")
log = logging.getLogger("clew")


class ProcessSettings(SettingsModel):
    """What belongs to the process and to neither river."""

    admin_host_port: HostPort = Field(
        ":14269",
        alias="ADMIN_HTTP_HOST_PORT",
        description="Health at `/` (Jaeger's answer: 503 until ready) and Prometheus metrics at `/metrics`.",
    )
    log_level: str = Field(
        "info",
        alias="LOG_LEVEL",
        pattern="^(debug|info|warning|error)$",
        description="Least severity that is logged: debug, info, warning or error.",
    )


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting of the process, in the groups of the code they configure."""

    process: ProcessSettings
    storage: StorageSettings
    collector: CollectorSettings
    query: QuerySettings


GROUPS: dict[str, type[SettingsModel]] = {
    "process": ProcessSettings,
    "collector": CollectorSettings,
    "storage": StorageSettings,
    "query": QuerySettings,
}


_FROM_KUBERNETES = re.compile(r"CLEW(_\w+)?_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_\w+)?)")
"""Variables that Kubernetes puts into every pod when a Service is named clew; no setting is spelt so."""


class SettingsError(Exception):
    """One line for each wrong setting."""


def settings_fields() -> dict[str, FieldInfo]:
    """Every setting by its environment variable, in the order of the README's table."""
    return {
        str(field.alias): field for group in GROUPS.values() for field in group.model_fields.values()
    }


def names_of(variable: str, field: FieldInfo) -> list[str]:
    """The environment variables that set a field, the first that is set wins."""
    extra = field.json_schema_extra
    also = extra.get("also", []) if isinstance(extra, Mapping) else []
    return [variable, *(str(name) for name in also)] if isinstance(also, list) else [variable]


def read_settings(given: Mapping[str, str]) -> Settings:
    """Settings from variables (environment and flags merged). SettingsError names every wrong one at once."""
    problems = [
        f"{name}: unknown setting"
        for name in sorted(given)
        if name.startswith("CLEW_") and name not in settings_fields() and not _FROM_KUBERNETES.fullmatch(name)
    ]
    groups: dict[str, Any] = {}
    for group_name, group in GROUPS.items():
        values = {}
        for field in group.model_fields.values():
            for name in reversed(names_of(str(field.alias), field)):
                if given.get(name, "") != "":
                    values[str(field.alias)] = given[name]
        try:
            groups[group_name] = group.model_validate(values)
        except ValidationError as error:
            problems += [
                f"{detail['loc'][0]}: {_with_input(detail['msg'].removeprefix('Value error, '), detail['input'])}"
                for detail in error.errors()
            ]
    if problems:
        raise SettingsError("\n".join(dict.fromkeys(problems)))
    return Settings(**groups)


def _with_input(message: str, value: object) -> str:
    return message if ", got " in message else f"{message}, got {value!r}"


def flag_of(variable: str) -> str:
    """`--query-base-path` of QUERY_BASE_PATH."""
    return "--" + variable.lower().replace("_", "-")


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
        level=settings.process.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr
    )
    try:
        uvloop.run(None.run())
    except (StorageError, OSError) as error:
        log.error("%s: %s", type(error).__name__, error)
        sys.exit(1)


_options(serve)
