"""/services, /spans, /remoteServices and the autocomplete routes (reference 1.2, 1.3, 1.8, 3.6)."""

import httpx
import pytest

from storage.span import Endpoint, Protocol, SpanKind
from tests.builders import a_span, a_zipkin_span
from tests.query.zipkin.conftest import Door, OpenDoor


def cache_of(response: httpx.Response) -> str | None:
    return dict(response.headers).get("cache-control")


async def test_services_is_an_empty_array_when_nothing_is_stored(door: Door) -> None:
    response = await door.get("/api/v2/services")

    assert (response.status_code, response.content) == (200, b"[]")
    assert response.headers["content-type"] == "application/json"


async def test_services_are_local_names_only_and_sorted(door: Door) -> None:
    door.write(a_zipkin_span(service="web", remote="db"), a_zipkin_span(service="app"), a_zipkin_span(service=None))

    assert await door.json("/api/v2/services") == ["app", "web"]


async def test_services_are_lower_case_and_listed_once_when_otlp_and_zipkin_write_them_differently(door: Door) -> None:
    door.write(a_span(service="Checkout"), a_zipkin_span(service="checkout"))

    assert await door.json("/api/v2/services") == ["checkout"]


async def test_services_escapes_a_tab_in_a_name(door: Door) -> None:
    door.write(a_zipkin_span(service="foo\tbar"))

    assert (await door.get("/api/v2/services")).content == rb'["foo\tbar"]'


@pytest.mark.parametrize(("count", "cached"), [(3, None), (4, "max-age=300, must-revalidate")])
async def test_services_may_be_cached_only_when_there_are_more_than_three(
    door: Door, count: int, cached: str | None
) -> None:
    door.write(*(a_zipkin_span(service=f"s{number}") for number in range(count)))

    assert cache_of(await door.get("/api/v2/services")) == cached


async def test_names_are_cached_for_as_long_as_the_setting_says(open_door: OpenDoor) -> None:
    door = open_door(names_max_age_s=7)
    door.write(*(a_zipkin_span(service=f"s{number}") for number in range(4)))

    assert cache_of(await door.get("/api/v2/services")) == "max-age=7, must-revalidate"


async def test_spans_are_the_names_of_that_service_once_and_sorted(door: Door) -> None:
    door.write(
        a_zipkin_span(name="put"),
        a_zipkin_span(name="get", kind=SpanKind.CLIENT),
        a_zipkin_span(name="get", kind=SpanKind.SERVER),
        a_zipkin_span(name=None),
        a_zipkin_span(name="other", service="backend", remote="frontend"),
    )

    assert await door.json("/api/v2/spans", serviceName="frontend") == ["get", "put"]


async def test_spans_of_an_otlp_service_are_lower_case_and_found_in_any_case(door: Door) -> None:
    door.write(a_span(service="Checkout", name="GET /Cart"))

    assert await door.json("/api/v2/spans", serviceName="CHECKOUT") == ["get /cart"]


async def test_remote_services_are_those_of_that_service_once_and_sorted(door: Door) -> None:
    door.write(
        a_zipkin_span(remote="db"),
        a_zipkin_span(remote="cache"),
        a_zipkin_span(remote="db"),
        a_zipkin_span(),
        a_zipkin_span(service="backend", remote="other"),
    )

    assert await door.json("/api/v2/remoteServices", serviceName="FrontEnd") == ["cache", "db"]


async def test_remote_services_of_otlp_spans_are_lower_case(door: Door) -> None:
    door.write(a_span(protocol=Protocol.OTLP, remote=Endpoint("Postgres")))

    assert await door.json("/api/v2/remoteServices", serviceName="frontend") == ["postgres"]


@pytest.mark.parametrize("route", ["spans", "remoteServices"])
@pytest.mark.parametrize("service", ["", "unknown", "私のサービス"])
async def test_names_of_a_service_are_empty_when_it_is_unknown(door: Door, route: str, service: str) -> None:
    door.write(a_zipkin_span(remote="db"))

    assert await door.json(f"/api/v2/{route}", serviceName=service) == []


@pytest.mark.parametrize("route", ["spans", "remoteServices"])
async def test_names_of_a_service_are_refused_when_none_is_named(door: Door, route: str) -> None:
    assert await door.refusal(f"/api/v2/{route}") == "Mandatory parameter/header/attribute is missing: serviceName"


@pytest.mark.parametrize(("count", "cached"), [(3, None), (4, "max-age=300, must-revalidate")])
async def test_span_names_may_be_cached_only_when_there_are_more_than_three(
    door: Door, count: int, cached: str | None
) -> None:
    door.write(*(a_zipkin_span(name=f"n{number}") for number in range(count)))

    assert cache_of(await door.get("/api/v2/spans", serviceName="frontend")) == cached


@pytest.mark.parametrize("keys", [(), ("http.method", "clnt/finagle.version", "http.method")])
async def test_autocomplete_keys_are_the_configured_ones_sorted_and_always_cached(
    open_door: OpenDoor, keys: tuple[str, ...]
) -> None:
    response = await open_door(autocomplete_keys=keys).get("/api/v2/autocompleteKeys")

    assert response.json() == sorted(set(keys))
    assert cache_of(response) == "max-age=300, must-revalidate"


async def test_autocomplete_values_are_those_of_the_key_in_their_own_case_and_sorted(open_door: OpenDoor) -> None:
    door = open_door(autocomplete_keys=("http.method",))
    door.write(*(a_zipkin_span(tags={"http.method": method, "x": "y"}) for method in ("POST", "GET", "POST")))

    assert await door.json("/api/v2/autocompleteValues", key="http.method") == ["GET", "POST"]


async def test_autocomplete_key_may_hold_a_slash(open_door: OpenDoor) -> None:
    door = open_door(autocomplete_keys=("clnt/finagle.version",))
    door.write(a_zipkin_span(tags={"clnt/finagle.version": "6.45.0"}))

    assert await door.json("/api/v2/autocompleteValues?key=clnt/finagle.version") == ["6.45.0"]


async def test_autocomplete_values_are_empty_when_the_key_is_not_configured(open_door: OpenDoor) -> None:
    door = open_door(autocomplete_keys=("http.method",))
    door.write(a_zipkin_span(tags={"http.host": "h"}))

    assert await door.json("/api/v2/autocompleteValues", key="http.host") == []


@pytest.mark.parametrize(("count", "cached"), [(3, None), (4, "max-age=300, must-revalidate")])
async def test_autocomplete_values_may_be_cached_only_when_there_are_more_than_three(
    open_door: OpenDoor, count: int, cached: str | None
) -> None:
    door = open_door(autocomplete_keys=("env",))
    door.write(*(a_zipkin_span(tags={"env": str(number)}) for number in range(count)))

    assert cache_of(await door.get("/api/v2/autocompleteValues", key="env")) == cached


async def test_autocomplete_values_are_refused_when_the_key_is_missing(door: Door) -> None:
    assert await door.refusal("/api/v2/autocompleteValues") == "Mandatory parameter/header/attribute is missing: key"


async def test_autocomplete_values_are_refused_when_the_key_is_empty(door: Door) -> None:
    assert await door.refusal("/api/v2/autocompleteValues?key=") == "key was empty"
