"""What the page at an address will ask for, told in its HTML: the browser asks at once, not when its scripts have run.

The outline of a trace of 50,000 spans takes the server as long as the browser takes to begin, and now both work at the
same time. A view's own scripts and styles come with those of the page.
"""

import re
from collections.abc import Mapping, Sequence
from html import escape

from msgspec import Struct

_VIEWS = {
    "": "search",
    "search": "search",
    "trace": "trace",
    "traces": "trace",
    "dependencies": "graph",
    "dependency": "graph",
    "monitor": "monitor",
    "compare": "compare",
    "file": "file",
    "doors": "doors",
}
"""The view at an address, by the address's first word; Zipkin's words lead to the same views."""
_TRACE = re.compile(r"(traces?)/([0-9a-fA-F]{1,32})")
_COMPARED = "..."
_TOLD_RULES = ("zipkin", "none")
"""Whose rule corrects clocks, where the page says it; Jaeger's is the default."""
_PAGE = "index.html"


class Chunk(Struct, frozen=True):
    """One member of Vite's manifest: what a module of the source became. imports: keys of the manifest."""

    file: str
    imports: Sequence[str] = ()
    css: Sequence[str] = ()


def outline_preload(path: str, clock_rule: str) -> str:
    """The element that asks for the outline of the trace at `path`; "" where the page shows no trace.

    path: of the page, below the mount and without a slash before it; addresses in the element are relative to the
    mount. clock_rule: the page's parameter `clockSkew`, "" when there is none. It asks in the page's own words, letter
    by letter: only then does the browser know that it has asked.
    """
    found = _TRACE.fullmatch(path)
    if not found:
        return ""
    # An address of Zipkin's page is rewritten, and its id in small letters.
    trace_id = found[2].lower() if found[1] == "traces" else found[2]
    rule = f"?clockSkew={clock_rule}" if clock_rule in _TOLD_RULES else ""
    return f'<link rel="preload" as="fetch" crossorigin href="api/clew/v1/traces/{trace_id}/outline{rule}">'


def view_preloads(path: str, manifest: Mapping[str, Chunk]) -> list[str]:
    """The elements that ask for the scripts and styles that the view at `path` has besides the page's own.

    path: as above. manifest: of the build, by the sources' paths.
    """
    word = path.partition("/")[0]
    view = "compare" if word == "trace" and _COMPARED in path else _VIEWS.get(word)
    source = f"src/views/{view}/index.tsx"
    if source not in manifest or _PAGE not in manifest:
        return []
    there = _needed(_PAGE, manifest)
    own = [chunk for key, chunk in _needed(source, manifest).items() if key not in there]
    styled = {css for chunk in there.values() for css in chunk.css}
    styles = dict.fromkeys(css for chunk in own for css in chunk.css if css not in styled)
    return [
        *(f'<link rel="stylesheet" crossorigin href="./{escape(css)}">' for css in styles),
        *(f'<link rel="modulepreload" crossorigin href="./{escape(chunk.file)}">' for chunk in own),
    ]


def _needed(source: str, manifest: Mapping[str, Chunk]) -> dict[str, Chunk]:
    """The chunk of a source and all that it imports, by their keys."""
    found: dict[str, Chunk] = {}
    waiting = [source]
    while waiting:
        key = waiting.pop()
        if key not in found and key in manifest:
            found[key] = manifest[key]
            waiting += manifest[key].imports
    return found
