"""An OpenAPI document as a plain page: the documentation can be read without the internet and without scripts."""

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from query.api.pages import STYLE

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
{style}
</head>
<body>
<h1>{title}</h1>
<p>{description}</p>
<p>For machines: <a href="{openapi_url}">OpenAPI</a>.</p>
{operations}
</body>
</html>
"""


def docs_page(document: Mapping[str, Any], openapi_url: str) -> str:
    """The HTML: every path with its parameters, in the document's order. openapi_url: where the document itself is."""
    about = document["info"]
    return _PAGE.format(
        title=escape(about["title"]),
        description=escape(about.get("description", "")),
        style=STYLE,
        openapi_url=escape(openapi_url),
        operations="\n".join(_operations(document["paths"])),
    )


def _operations(paths: Mapping[str, Mapping[str, Any]]) -> Iterable[str]:
    for path, methods in paths.items():
        for method, operation in methods.items():
            yield f"<h2><code>{method.upper()} {escape(path)}</code></h2>"
            yield f"<p>{escape(operation.get('description', ''))}</p>"
            if operation.get("parameters"):
                yield f"<table>{''.join(map(_row, operation['parameters']))}</table>"


def _row(parameter: Mapping[str, Any]) -> str:
    name, text = escape(parameter["name"]), escape(parameter.get("description", ""))
    return f"<tr><td><code>{name}</code></td><td>{text}</td></tr>"
