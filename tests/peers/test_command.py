"""Arguments as the peers' images are given them. A wrong retention stops the command before it opens anything."""

import pytest
from click.testing import CliRunner, Result

from clew.command import main
from tests.peers.istio import V2_CONFIG

STOP = "--clew-retention=never"


def run(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(main, [*arguments, STOP], env=environment)


def problems(result: Result) -> list[str]:
    """What is wrong besides STOP."""
    assert result.exit_code == 2, result.output
    first, *rest = result.stderr.splitlines()
    assert first == "clew: wrong settings"
    return [line for line in rest if not line.startswith("CLEW_RETENTION")]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--config", str(V2_CONFIG)],
        [f"--config={V2_CONFIG}", "--set=extensions.jaeger_query.base_path=/other"],
        ["serve", "--config", str(V2_CONFIG), "--config", "yaml:service::telemetry::logs::level: debug"],
        ["--feature-gates=-some.gate", "--config", str(V2_CONFIG)],
        ["--memory.max-traces=50000", "--span-storage.type=memory", "--query.base-path=/jaeger"],
        ["--badger.ephemeral=false", "--badger.directory-key=/k", "--badger.directory-value", "/v"],
        ["--badger.ephemeral", "--collector.otlp.enabled", "--query.ui-config=/ui.json"],
        ["--collector.num-workers=50", "--collector.queue-size=2000", "--collector.zipkin.host-port=:9411"],
        ["--log-level=warn", "--admin.http.host-port=:14269", "--processor.jaeger-compact.server-queue-size=10"],
    ],
)
def test_jaegers_arguments_are_taken_with_and_without_the_command(arguments: list[str]) -> None:
    assert problems(run(*arguments)) == []


def test_a_switch_without_a_value_is_on() -> None:
    assert problems(run("--query.http.tls.enabled"))[0].startswith("QUERY_HTTP_TLS_ENABLED: clew serves plain text")


def test_a_flag_wins_over_the_environment() -> None:
    result = run("--span-storage.type=memory", SPAN_STORAGE_TYPE="elasticsearch")

    assert problems(result) == []


def test_a_flag_that_nobody_knows_is_an_error() -> None:
    result = CliRunner().invoke(main, ["--memory.max-tarces=1"])

    assert result.exit_code == 2
    assert "--memory-max-tarces" in result.stderr


def test_everything_wrong_in_variables_flags_and_file_is_told_at_once() -> None:
    result = run("--config", "yaml:service: 1", "--collector.sample-rate=2", STORAGE_TYPE="mysql")

    assert [problem.partition(":")[0] for problem in problems(result)] == [
        "STORAGE_TYPE",
        "--config",
        "COLLECTOR_SAMPLE_RATE",
    ]


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["serve", "--help"], ["-h"]])
def test_help_and_version_are_still_the_commands_own(arguments: list[str]) -> None:
    assert CliRunner().invoke(main, arguments).exit_code == 0
