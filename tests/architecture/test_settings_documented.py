"""The README's settings table is complete and true."""

from pathlib import Path

from pydantic.fields import FieldInfo

from clew.settings import flag_of, names_of, settings_fields

README = Path(__file__).parents[2] / "README.md"


def row_of(variable: str, field: FieldInfo) -> str:
    """The table row that the README must hold for a setting."""
    default = field.get_default()
    if variable in {
        "CLEW_RETENTION",
        "QUERY_TIMEOUT",
        "CLEW_COMMIT_INTERVAL",
        "CLEW_DRAIN_TIMEOUT",
        "SAMPLING_STRATEGIES_RELOAD_INTERVAL",
    }:
        default = _duration(default)
    if isinstance(default, tuple):
        default = ",".join(default)
    names = ", ".join(f"`{name}`" for name in names_of(variable, field))
    shown = f"`{default}`" if default != "" else "(empty)"
    return f"| {names} | `{flag_of(variable)}` | {shown} | {field.description} |"


def _duration(nanoseconds: int) -> str:
    for unit, size_ns in (("d", 86400 * 10**9), ("s", 10**9), ("ms", 10**6)):
        if nanoseconds % size_ns == 0:
            return f"{nanoseconds // size_ns}{unit}"
    return f"{nanoseconds}ns"


def test_readme_has_a_row_for_every_setting_with_its_names_flag_default_and_meaning() -> None:
    lines = set(README.read_text().splitlines())

    missing = [row_of(variable, field) for variable, field in settings_fields().items()]

    assert [row for row in missing if row not in lines] == []


def test_every_setting_says_what_it_means() -> None:
    assert [variable for variable, field in settings_fields().items() if not field.description] == []
