"""clew's own page on Jaeger's port.

Kiali reads the version of its tracing backend from this page: it looks for the line `const JAEGER_VERSION = {...};`,
and a page without one makes its handler fail.
"""

import json
from collections.abc import Mapping

from query.api.pages import STYLE, doors_html

EMULATED_JAEGER_VERSION = {"gitCommit": "", "gitVersion": "v1.76.0", "buildDate": ""}
"""Of the Jaeger whose API clew answers, not of clew."""

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>clew</title>
<!-- The version below is that of the Jaeger JSON API that clew answers here, not of clew; Kiali looks for it. -->
<script>
const JAEGER_VERSION = {version};
</script>
{style}
</head>
<body>
<h1>clew</h1>
<p>clew collects traces, keeps them in SQL, and answers as Zipkin and as Jaeger do. This is the port of Jaeger's
HTTP API, for Grafana, Kiali and scripts. A page that shows traces is not part of clew yet; it serves an unmodified
build of Jaeger's UI here when it is started with <code>--ui-assets DIR</code>.</p>
<ul>
<li><a href="{prefix}/docs">Documentation of the API</a> (<a href="{prefix}/docs/openapi.json">OpenAPI</a>)</li>
<li><a href="{prefix}/api/services">Services</a> that reported spans</li>
<li><a href="{prefix}/api/dependencies">Dependencies</a>: which services call which</li>
</ul>
{doors}</body>
</html>
"""


def page(prefix: str, doors: Mapping[str, str]) -> str:
    """The HTML, with links below `prefix` ("" or the base path), and the doors that are open."""
    version = json.dumps(EMULATED_JAEGER_VERSION, separators=(",", ":"))
    return _PAGE.format(prefix=prefix, version=version, style=STYLE, doors=doors_html(doors))
