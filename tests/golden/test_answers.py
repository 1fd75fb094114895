"""The answers of the real command over each store, compared to the letter with the committed ones."""

from collections.abc import Iterator

import pytest

from tests.golden.questions import ANSWERS, GRPC, HTTP, SETTINGS, grpc_answer, http_answer, send_spans
from tests.process.clew_process import Clew


@pytest.fixture(scope="module", params=["duckdb", "memory"])
def clew(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clew]:
    store = {"CLEW_STORAGE_URL": "memory:"} if request.param == "memory" else {}
    with Clew(tmp_path_factory.mktemp("golden"), **SETTINGS, **store) as running:
        send_spans(running)
        yield running


@pytest.mark.parametrize("name", HTTP)
def test_an_http_answer_is_what_its_file_says(clew: Clew, name: str) -> None:
    assert http_answer(clew, name) == (ANSWERS / f"{name}.json").read_text()


@pytest.mark.parametrize("name", GRPC)
def test_a_grpc_answer_is_what_its_file_says(clew: Clew, name: str) -> None:
    assert grpc_answer(clew, name) == (ANSWERS / f"{name}.json").read_text()


def test_every_file_answers_a_question() -> None:
    assert {path.stem for path in ANSWERS.glob("*.json")} == {*HTTP, *GRPC}
