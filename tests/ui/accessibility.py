"""What axe-core finds wrong with a page."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from query.ui.build_hook import WEB

_AXE = Path(WEB) / "node_modules" / "axe-core" / "axe.min.js"
_SERIOUS = ("serious", "critical")


def serious_findings(page: Page) -> list[str]:
    """Each finding that keeps somebody from using the page: the rule, and where. Colours and all rules included."""
    page.evaluate(_AXE.read_text())
    result: dict[str, Any] = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{violation['id']}: {violation['help']} at {node['target']} ({node['html'][:120]}) {node['failureSummary']}"
        for violation in result["violations"]
        if violation["impact"] in _SERIOUS
        for node in violation["nodes"]
    ]
