"""What is put into the index.html of a jaeger-ui build (jaeger.md 7)."""

import json
import re
from typing import Any

import pytest

from query.render.ui_index import UiFacts, ui_config, ui_index
from tests.query.ui_builds import CURRENT_INDEX, OLD_INDEX, STORAGE_INDEX

VERSION = {"gitCommit": "", "gitVersion": "v1.76.0", "buildDate": ""}
EVERY_INDEX = pytest.mark.parametrize("index", [OLD_INDEX, STORAGE_INDEX, CURRENT_INDEX], ids=["old", "storage", "now"])


def facts(base_path: str = "", *, archive: bool = False) -> UiFacts:
    return UiFacts(base_path, VERSION, archive)


def constant(page: str, name: str) -> Any:
    """The JSON value of a constant of the page's script."""
    (text,) = re.findall(rf"const JAEGER_{name} = (\{{.*\}});", page)
    return json.loads(text)


@EVERY_INDEX
def test_the_version_stands_where_kiali_looks_for_it(index: str) -> None:
    assert constant(ui_index(index, facts(), None), "VERSION") == VERSION


@EVERY_INDEX
@pytest.mark.parametrize(("base_path", "base"), [("", "/"), ("/jaeger", "/jaeger/"), ("/a/b", "/a/b/")])
def test_the_base_of_older_pages_is_the_base_path(index: str, base_path: str, base: str) -> None:
    page = ui_index(index, facts(base_path), None)

    assert ('<base href="/' not in index) or f'<base href="{base}" data-inject-target' in page


def test_a_page_that_finds_its_base_by_itself_is_left_to_it() -> None:
    assert """'<base href="' + base""" in ui_index(CURRENT_INDEX, facts("/jaeger"), None)


@pytest.mark.parametrize("archive", [False, True])
def test_capabilities_say_whether_there_is_an_archive_and_that_there_are_metrics(archive: bool) -> None:
    page = ui_index(CURRENT_INDEX, facts(archive=archive), None)

    assert constant(page, "STORAGE_CAPABILITIES") == {"archiveStorage": archive, "metricsStorage": True}
    assert constant(page, "BACKEND_CAPABILITIES") == {
        "archiveStorage": archive,
        "metricsStorage": True,
        "searchWithoutServiceName": True,
        "aiAssistant": False,
    }


@EVERY_INDEX
def test_a_json_configuration_takes_the_place_of_the_default(index: str) -> None:
    page = ui_index(index, facts(), ui_config("ui.json", '{"menu": [{"label": "a\\\\1 $1"}]}'))

    assert constant(page, "CONFIG") == {"menu": [{"label": "a\\1 $1"}]}


@EVERY_INDEX
def test_a_script_takes_the_place_of_the_marked_line_and_the_next(index: str) -> None:
    script = 'function UIConfig() { return {"a": "\\1 $1"}; }'

    page = ui_index(index, facts(), ui_config("ui.js", f"\n{script}\n"))

    assert script in page
    assert "this line goes with the one above" not in page
    assert "JAEGER_CONFIG_JS" not in page
    assert "const JAEGER_CONFIG = DEFAULT_CONFIG;" in page


def test_a_json_configuration_cannot_end_the_script_it_stands_in() -> None:
    page = ui_index(CURRENT_INDEX, facts(), ui_config("ui.json", '{"x": "</script><script>alert(1)//"}'))

    assert page.count("</script>") == CURRENT_INDEX.count("</script>")
    assert constant(page, "CONFIG") == {"x": "</script><script>alert(1)//"}


def test_spaces_around_the_marks_do_not_matter() -> None:
    index = "JAEGER_VERSION=DEFAULT_VERSION; JAEGER_CONFIG  =  DEFAULT_CONFIG;"

    assert "DEFAULT" not in ui_index(index, facts(), ui_config("x.JSON", "{}"))


def test_a_page_without_any_mark_is_left_as_it_is() -> None:
    assert ui_index("<html></html>", facts("/jaeger"), ui_config("x.json", "{}")) == "<html></html>"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("ui.json", "{", "Expecting property name"),
        ("ui.json", "[1]", "expected a JSON object, got \\[1\\]"),
        ("ui.json", '{"a": NaN}', "NaN is no JSON"),
        ("ui.js", "const x = 1;", "expected JavaScript that defines function UIConfig\\(\\)"),
        ("ui.yaml", "a: 1", "expected a file name that ends in .json or .js"),
        ("ui", "{}", "expected a file name that ends in .json or .js"),
    ],
)
def test_a_configuration_that_is_none_is_refused(name: str, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ui_config(name, text)
