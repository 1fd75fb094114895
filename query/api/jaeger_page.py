"""The page that every path outside of the API answers on Jaeger's port.

Kiali reads the version of its tracing backend from this page: it looks for the line `const JAEGER_VERSION = {...};`,
and a page without one makes its handler fail.
"""

EMULATED_JAEGER_VERSION = "v1.76.0"

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>clew</title>
<!-- The version below is that of the Jaeger JSON API that clew answers here, not of clew; Kiali looks for it. -->
<script>
const JAEGER_VERSION = {{"gitCommit":"","gitVersion":"{version}","buildDate":""}};
</script>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 42rem; margin: 3rem auto; padding: 0 1rem; }}
code {{ background: #8882; padding: .1em .3em; border-radius: .2em; }}
:root {{ color-scheme: light dark; }}
</style>
</head>
<body>
<h1>clew</h1>
<p>clew collects traces, keeps them in SQL, and answers as Zipkin and as Jaeger do. This is the port of Jaeger's
JSON API, for Grafana, Kiali and scripts. There is no user interface on it.</p>
<ul>
<li><a href="{prefix}/api/services"><code>{prefix}/api/services</code></a>: services that reported spans</li>
<li><a href="{prefix}/api/dependencies"><code>{prefix}/api/dependencies</code></a>: which services call which</li>
<li><code>{prefix}/api/services/&lt;service&gt;/operations</code>, <code>{prefix}/api/operations?service=</code></li>
<li><code>{prefix}/api/traces?service=</code>, <code>{prefix}/api/traces/&lt;traceID&gt;</code></li>
</ul>
<p>The API is described in <a href="{prefix}/docs">{prefix}/docs</a> (the page loads its viewer from a public CDN)
and, for machines, in <a href="{prefix}/docs/openapi.json">{prefix}/docs/openapi.json</a>.</p>
</body>
</html>
"""


def page(prefix: str) -> str:
    """The HTML, with links below `prefix` ("" or the base path)."""
    return _PAGE.format(prefix=prefix, version=EMULATED_JAEGER_VERSION)
