"""`python -m tests.ui.screenshots FOLDER` takes the README's pictures of a mesh's trace and of one of 50,000 spans."""

import sys
import tempfile
from pathlib import Path

from query.ui.build_hook import build_page
from tests.ui.browser import Theme, a_context, chromium
from tests.ui.scene import GIANT, running_scene


def take(folder: Path) -> None:
    """One PNG a view of a trace."""
    build_page()
    folder.mkdir(parents=True, exist_ok=True)
    light: Theme = "light"
    dark: Theme = "dark"
    with tempfile.TemporaryDirectory() as directory, running_scene(Path(directory)) as scene, chromium() as browser:
        giant = f"/trace/{GIANT}"
        for name, path, there, theme in (
            ("trace-mesh", f"/trace/{scene.chained}?uiFind=compose", ".span-row.matched", light),
            ("trace-giant", giant, ".span-row", dark),
            ("flame-graph", f"{giant}?view=flame", ".flame canvas", light),
            ("statistics", f"{giant}?view=statistics", ".data-rows .data-row", dark),
        ):
            with a_context(browser, theme=theme, reduced_motion="reduce") as context:
                page = context.new_page()
                page.goto(scene.url(path))
                page.locator(there).first.wait_for()
                page.wait_for_load_state("networkidle")
                page.screenshot(path=folder / f"{name}.png")


if __name__ == "__main__":
    take(Path(sys.argv[1]))
