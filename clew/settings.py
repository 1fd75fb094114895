"""Every setting of the process: read from the environment and the flags, all wrong ones reported at once."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, get_args

from pydantic import BeforeValidator, Field, ValidationError
from pydantic.fields import FieldInfo

from clew.peers.merging import with_peers
from clew.roles import Role
from collector.settings import CollectorSettings
from query.settings import QuerySettings
from storage.settings import HostPort, SettingsModel, StorageSettings


def _as_zap_says(level: object) -> object:
    """Jaeger's levels are zap's."""
    names = {"warn": "warning", "dpanic": "error", "panic": "error", "fatal": "error"}
    return names.get(level.lower(), level.lower()) if isinstance(level, str) else level


def _as_role(name: object) -> object:
    if isinstance(name, str) and name not in list(Role):
        raise ValueError(f"expected {', '.join(Role)}, got {name!r}")
    return name


class ProcessSettings(SettingsModel):
    """What belongs to the process and to neither river."""

    role: Annotated[Role, BeforeValidator(_as_role)] = Field(
        Role.ALL,
        alias="CLEW_ROLE",
        json_schema_extra={"flag": "--role"},
        description="What this process does (`--role` for short): `all`, or `collector` (spans in) or `query` (reads) "
        "beside others over one PostgreSQL or ClickHouse store.",
    )
    admin_host_port: HostPort = Field(
        ":14269",
        alias="ADMIN_HTTP_HOST_PORT",
        description="Health at `/` (Jaeger v1's answer: 503 until ready), `/metrics` for Prometheus, `/version`.",
    )
    status_host_port: HostPort = Field(
        ":13133",
        alias="CLEW_STATUS_HOST_PORT",
        description="Health at `/status`, as Jaeger v2 answers it.",
    )
    metrics_host_port: HostPort = Field(
        ":8888",
        alias="CLEW_METRICS_HOST_PORT",
        description="`/metrics` for Prometheus, where Jaeger v2 has it: the same as on the admin port.",
    )
    log_level: Annotated[str, BeforeValidator(_as_zap_says)] = Field(
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
    notes: tuple[str, ...] = ()
    """What peers' configurations came to: a line of the log each."""

    def variables_of(self, address: str) -> list[str]:
        """The variables of the doors that are to listen on exactly this address."""
        groups = (self.process, self.collector, self.storage, self.query)
        values = {
            field.alias: getattr(group, name) for group in groups for name, field in type(group).model_fields.items()
        }
        return [door for door in doors() if values[door] == address]


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
    return {str(field.alias): field for group in GROUPS.values() for field in group.model_fields.values()}


def doors() -> list[str]:
    """The variables that hold a door's address."""
    _, *checks = get_args(HostPort)
    return [name for name, field in settings_fields().items() if any(check in checks for check in field.metadata)]


def names_of(variable: str, field: FieldInfo) -> list[str]:
    """The environment variables that set a field, the first that is set wins."""
    extra = field.json_schema_extra
    also = extra.get("also", []) if isinstance(extra, Mapping) else []
    return [variable, *(str(name) for name in also)] if isinstance(also, list) else [variable]


def read_settings(given: Mapping[str, str], config: Sequence[str] = ()) -> Settings:
    """Settings from variables (environment and flags merged) and from configuration files of Jaeger v2 below them.

    SettingsError names every wrong one at once.
    """
    merged = with_peers(given, config, {name: names_of(name, field) for name, field in settings_fields().items()})
    problems = [
        f"{name}: unknown setting"
        for name in sorted(given)
        if name.startswith("CLEW_") and name not in settings_fields() and not _FROM_KUBERNETES.fullmatch(name)
    ]
    problems += merged.problems
    groups: dict[str, Any] = {}
    for group_name, group in GROUPS.items():
        values = {}
        for field in group.model_fields.values():
            for name in reversed(names_of(str(field.alias), field)):
                if name in merged.values:
                    values[str(field.alias)] = merged.values[name]
        try:
            groups[group_name] = group.model_validate(values)
        except ValidationError as error:
            problems += [
                f"{detail['loc'][0]}: {_with_input(detail['msg'].removeprefix('Value error, '), detail['input'])}"
                for detail in error.errors()
            ]
    if problems:
        raise SettingsError("\n".join(dict.fromkeys(problems)))
    return Settings(**groups, notes=merged.notes)


def _with_input(message: str, value: object) -> str:
    return message if ", got " in message else f"{message}, got {value!r}"


def flags_of(variable: str, field: FieldInfo) -> list[str]:
    """The flags that set a field: one for each of its variables, and the short one of some."""
    extra = field.json_schema_extra
    short = [str(extra["flag"])] if isinstance(extra, Mapping) and "flag" in extra else []
    return [*map(flag_of, names_of(variable, field)), *short]


def flag_of(variable: str) -> str:
    """`--query-base-path` of QUERY_BASE_PATH."""
    return "--" + variable.lower().replace("_", "-")
