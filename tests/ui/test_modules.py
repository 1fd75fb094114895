"""The page's own modules: their tests, types and style, by the Node that comes as a wheel."""

from pathlib import Path

import pytest

from query.ui.build_hook import WEB, install_packages
from tests.ui.node import node


@pytest.fixture(autouse=True, scope="module")
def _packages() -> None:
    install_packages()


def test_every_module_passes_its_tests() -> None:
    tests = sorted(str(path.relative_to(WEB)) for path in (Path(WEB) / "src").rglob("*.test.ts"))

    assert len(tests) > 10
    node("--test", *tests)


def test_the_types_agree_so_that_no_text_is_missing_in_any_language() -> None:
    node("node_modules/typescript/bin/tsc", "--noEmit")


def test_the_style_is_biomes() -> None:
    node("node_modules/@biomejs/biome/bin/biome", "check", "--error-on-warnings", ".")
