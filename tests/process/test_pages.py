"""The pages of the real command: clew's own with its doors, and a build of Jaeger's UI."""

import subprocess
import sys
from pathlib import Path

import httpx

from clew.settings import doors
from tests.process.clew_process import Clew
from tests.query.ui_builds import a_build


def test_both_pages_list_every_door_of_the_ready_line(tmp_path: Path) -> None:
    with Clew(tmp_path, CLEW_STORAGE_URL="memory:") as clew:
        pages = [httpx.get(f"{clew.url('jaeger')}/").text, httpx.get(f"{clew.url('zipkin')}/zipkin/").text]

        for page in pages:
            assert [address for address in clew.doors.values() if address not in page] == []


def test_a_build_of_jaegers_ui_is_served_with_what_the_settings_say(tmp_path: Path) -> None:
    a_build(tmp_path / "ui")
    (tmp_path / "ui.json").write_text('{"monitor": {"menuEnabled": true}}')
    settings = {
        "QUERY_STATIC_FILES": str(tmp_path / "ui"),
        "QUERY_UI_CONFIG": str(tmp_path / "ui.json"),
        "QUERY_BASE_PATH": "/jaeger",
        "CLEW_ARCHIVE_URL": "memory:",
        "CLEW_STORAGE_URL": "memory:",
    }
    with Clew(tmp_path, **settings) as clew:
        page = httpx.get(f"{clew.url('jaeger')}/jaeger/trace/1").text

        assert 'JAEGER_CONFIG = {"monitor":{"menuEnabled":true}};' in page
        assert '"archiveStorage":true' in page
        assert httpx.get(f"{clew.url('jaeger')}/jaeger/static/logo.svg").text == "<svg/>"


def test_serve_names_a_build_that_is_not_there_by_its_setting(tmp_path: Path) -> None:
    """--query.static-files is Jaeger's spelling of the flag, --ui-assets clew's."""
    for flag in ("--query.static-files", "--ui-assets"):
        result = subprocess.run(
            [sys.executable, "-m", "clew", "serve", flag, f"{tmp_path}/gone"],
            env=dict.fromkeys(doors(), "off") | {"CLEW_STORAGE_URL": "memory:"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

        assert result.returncode == 1
        assert f"UI_ASSETS: cannot read {tmp_path}/gone/index.html" in result.stderr
