"""What the page offers while a tag is typed: GET /api/clew/v1/tags."""

from storage.span import Resource
from tests.builders import a_span
from tests.query.jaeger.conftest import Door

PATH = "/api/clew/v1/tags"


async def test_keys_and_values_come_by_how_often_they_are_seen(door: Door) -> None:
    door.write(
        a_span(1, 1, attributes={"http.method": "GET", "retry": True}),
        a_span(1, 2, attributes={"http.method": "POST"}),
        a_span(2, 3, attributes={"http.method": "POST"}, resource=Resource({"k8s.pod.name": "a-1"})),
    )

    assert (await door.json(PATH))["tags"] == [
        {"key": "http.method", "spans": 3, "values": [{"text": "POST", "spans": 2}, {"text": "GET", "spans": 1}]},
        {"key": "k8s.pod.name", "spans": 1, "values": [{"text": "a-1", "spans": 1}]},
        {"key": "retry", "spans": 1, "values": [{"text": "true", "spans": 1}]},
    ]


async def test_only_traces_that_satisfy_the_search_are_looked_at(door: Door) -> None:
    door.write(a_span(1, 1, attributes={"a": "1"}), a_span(2, 2, service="other", attributes={"b": "2"}))

    assert [tag["key"] for tag in (await door.json(PATH, service="other"))["tags"]] == ["b"]


async def test_a_value_that_nobody_would_pick_from_a_list_is_left_out(door: Door) -> None:
    door.write(a_span(1, 1, attributes={"stack": "x" * 201}))

    assert (await door.json(PATH))["tags"] == [{"key": "stack", "spans": 1, "values": []}]


async def test_a_wrong_parameter_is_refused_as_jaeger_does(door: Door) -> None:
    response = await door.get(PATH, minDuration="x")

    assert response.status_code == 400
    assert "minDuration" in response.json()["errors"][0]["msg"]
