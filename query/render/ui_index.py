"""What a server of jaeger-ui puts into the index.html of an unmodified build, by replacing text.

The marked texts differ from release to release; all are tried, and those that are not there do no harm. Source: the
index.html of jaeger-ui 1.x to 2.20, and the settings its documentation promises.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

_BASE = re.compile(r'<base href="/"')
_CONFIG = re.compile(r"JAEGER_CONFIG *= *DEFAULT_CONFIG;")
_CONFIG_JS = re.compile(r"^[^\S\n]*//[^\S\n]*JAEGER_CONFIG_JS[^\n]*\n[^\n]*", re.IGNORECASE | re.MULTILINE)
_UI_CONFIG_FUNCTION = re.compile(r"function\s+UIConfig\s*\(\s*\)\s*\{")


@dataclass(frozen=True, slots=True)
class UiConfig:
    """What a configuration file becomes: `text` in the place of `pattern`."""

    pattern: re.Pattern[str]
    text: str


@dataclass(frozen=True, slots=True)
class UiFacts:
    """What the UI is told of its server. base_path: "" or such as "/jaeger"."""

    base_path: str
    version: Mapping[str, str]
    archive: bool


def ui_config(name: str, text: str) -> UiConfig:
    """A configuration by its file's name: a JSON object, or JavaScript that defines `function UIConfig()`.

    ValueError when it is neither.
    """
    kind = name.rpartition(".")[2].lower()
    if kind == "js":
        if not _UI_CONFIG_FUNCTION.search(text):
            raise ValueError("expected JavaScript that defines function UIConfig()")
        return UiConfig(_CONFIG_JS, text.strip())
    if kind != "json":
        raise ValueError("expected a file name that ends in .json or .js")
    found = json.loads(text, parse_constant=_refuse_constant)
    if not isinstance(found, dict):
        raise ValueError(f"expected a JSON object, got {text.strip()[:20]}")
    return UiConfig(_CONFIG, f"JAEGER_CONFIG = {_in_script(found)};")


def ui_index(html: str, facts: UiFacts, config: UiConfig | None) -> str:
    """The page as a browser gets it."""
    storage = {"archiveStorage": facts.archive, "metricsStorage": True}
    backend = {**storage, "searchWithoutServiceName": True, "aiAssistant": False}
    if config:
        html = _replaced(html, config.pattern, config.text)
    html = _replaced(html, _BASE, f'<base href="{escape(facts.base_path)}/"')
    for name, value in (
        ("VERSION", facts.version),
        ("STORAGE_CAPABILITIES", storage),
        ("BACKEND_CAPABILITIES", backend),
    ):
        marked = re.compile(f"JAEGER_{name} *= *DEFAULT_{name};")
        html = _replaced(html, marked, f"JAEGER_{name} = {_in_script(value)};")
    return html


def _replaced(html: str, pattern: re.Pattern[str], text: str) -> str:
    # A function, so that no backslash in the text is taken for a reference.
    return pattern.sub(lambda _: text, html)


def _in_script(value: object) -> str:
    """JSON that cannot end the script it stands in."""
    text = json.dumps(value, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")
