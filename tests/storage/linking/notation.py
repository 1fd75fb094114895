"""A trace in a few characters, so that a test's table reads like the reference's.

    trace   = span {"," span}
    span    = id ["<" parent] kind [local] ["->" remote] ["sh"] ["!"] ["t" start]
    kind    = "S" server | "C" client | "P" producer | "N" consumer | "-" none
    local   = [service] ["@" last part of the IPv4 address] [":" port]

"b<a S app sh !" is a shared server span b of app, child of a, with an error. Links are written
"web>app 2/1": two calls, one in error.
"""

import re
from collections.abc import Iterable

from storage.ids import SpanId
from storage.linking.link_span import LinkSpan, LocalEndpoint
from storage.linking.tree import Node
from storage.requests import DependencyLink
from storage.span import SpanKind

KINDS = {
    "S": SpanKind.SERVER,
    "C": SpanKind.CLIENT,
    "P": SpanKind.PRODUCER,
    "N": SpanKind.CONSUMER,
    "-": SpanKind.UNSPECIFIED,
}
_SPAN = re.compile(
    r"(?P<id>\w)(<(?P<parent>\w))? (?P<kind>[SCPN-])"
    r"( (?!sh\b)(?!t\d)(?P<service>[\w-]+?)?(@(?P<ip>\d+))?(:(?P<port>\d+))?(->(?P<remote>[\w-]+))?)?"
    r"(?P<shared> sh)?(?P<error> !)?( t(?P<start>\d+))?"
)


def trace(text: str) -> list[LinkSpan]:
    """The spans of a trace in this notation."""
    return [_span(part.strip()) for part in text.split(",") if part.strip()]


def links(found: Iterable[DependencyLink]) -> str:
    """Links in this notation, in their order."""
    return ", ".join(
        f"{link.parent}>{link.child} {link.call_count}" + (f"/{link.error_count}" if link.error_count else "")
        for link in found
    )


def outline(node: Node) -> str:
    """A tree as `a(b(c) d')`: a shared span has a prime, the stand-in root is `*`."""
    name = "*" if node.span is None else _letter(node.span) + ("'" if node.span.shared else "")
    below = " ".join(outline(child) for child in node.children)
    return f"{name}({below})" if below else name


def written(span: LinkSpan) -> str:
    """One span in this notation, the inverse of `trace`."""
    local = span.local.service or ""
    local += f"@{span.local.ipv4.rpartition('.')[2]}" if span.local.ipv4 else ""
    local += f":{span.local.port}" if span.local.port else ""
    local += f"->{span.remote_service}" if span.remote_service else ""
    parent = f"<{span.parent_span_id.decode().strip()}" if span.parent_span_id else ""
    kind = next(letter for letter, kind in KINDS.items() if kind is span.kind)
    start = "" if span.start_ns is None else f"t{span.start_ns}"
    flags = ("sh" if span.shared else "", "!" if span.error else "", start)
    return " ".join(part for part in (f"{_letter(span)}{parent}", kind, local, *flags) if part)


def _span(text: str) -> LinkSpan:
    found = _SPAN.fullmatch(text)
    if found is None:
        raise ValueError(f"expected a span such as 'b<a C web->app sh !', got {text!r}")
    port, start, ip = found["port"], found["start"], found["ip"]
    return LinkSpan(
        span_id=_id(found["id"]),
        parent_span_id=_id(found["parent"]) if found["parent"] else None,
        kind=KINDS[found["kind"]],
        shared=found["shared"] is not None,
        local=LocalEndpoint(found["service"], f"10.0.0.{ip}" if ip else None, None, int(port) if port else None),
        remote_service=found["remote"],
        start_ns=int(start) if start else None,
        error=found["error"] is not None,
    )


def _id(letter: str) -> SpanId:
    return SpanId(letter.rjust(8).encode())


def _letter(span: LinkSpan) -> str:
    return span.span_id.decode().strip()
