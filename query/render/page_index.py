"""The index.html of clew's own page, with what the server tells it: where it is mounted, and facts.

Nothing of it is a script, so that the page's Content-Security-Policy can forbid every script in the text. Kiali reads
the version of its tracing backend from this page: it looks for `const JAEGER_VERSION = {...};`, and a page without
these words makes its handler fail.
"""

import json
from collections.abc import Mapping, Sequence
from html import escape

EMULATED_JAEGER_VERSION = {"gitCommit": "", "gitVersion": "v1.76.0", "buildDate": ""}
"""Of the Jaeger whose API clew answers, not of clew."""

_BASE = "<!-- clew:base -->"
_FACTS = "<!-- clew:facts -->"
_VIEW = "<!-- clew:view -->"


def page_index(template: str, base: str, facts: Mapping[str, object], first: str = "", view: Sequence[str] = ()) -> str:
    """The page. ValueError without its marks.

    base: what relative addresses in it start from, ends with a slash. first: an element that stands before all others
    that ask for something; view: elements that stand after those.
    """
    if any(template.count(mark) != 1 for mark in (_BASE, _FACTS, _VIEW)):
        raise ValueError(f"expected {_BASE}, {_FACTS} and {_VIEW} once each")
    version = f"const JAEGER_VERSION = {_in_script(EMULATED_JAEGER_VERSION)};"
    told = (
        f'<script type="text/plain">{version}</script>\n    '
        f'<script type="application/json" id="clew-facts">{_in_script(facts)}</script>'
    )
    based = f'<base href="{escape(base)}">{first}'
    return template.replace(_BASE, based).replace(_FACTS, told).replace(_VIEW, "\n    ".join(view))


def relative_base(raw_path: str, prefix: str) -> str:
    """From the page at `raw_path` to the folder at `prefix` ("" or such as "/jaeger"), ending with a slash.

    As the browser sees neither a prefix that a proxy took away nor one that it added, a base relative to the page's own
    address is right below any of them. raw_path: as it was sent, so that an encoded slash is none.
    """
    below = raw_path.count("/") - prefix.count("/") - 1
    if below < 0:
        return f"{prefix.rpartition('/')[2]}/"
    return "../" * below or "./"


def _in_script(value: object) -> str:
    """JSON that cannot end the script it stands in."""
    text = json.dumps(value, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
