"""clew's own web page: its sources in web/, what the build makes of them in dist/ (`query.ui.build_hook`)."""

from pathlib import Path

DIST = Path(__file__).parent / "dist"
