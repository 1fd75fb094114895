"""The parameters of a search: reference section 2, /api/traces search."""

import pytest
from starlette.datastructures import QueryParams

from query.api.jaeger_parameters import dependency_window_ns, pretty, trace_search
from query.api.jaeger_search import LARGEST_LIMIT
from query.errors import BadRequest
from storage.requests import TagFilter
from tests.builders import DAY, HOUR, MS, SECOND, TODAY_NS, a_short_trace_id, a_trace_id

NOW_NS = TODAY_NS + 123_456_789


def search(text: str) -> object:
    return trace_search(QueryParams(text), NOW_NS).query


def refusal(text: str) -> str:
    with pytest.raises(BadRequest) as refused:
        trace_search(QueryParams(text), NOW_NS)
    return str(refused.value)


def test_a_search_of_a_service_takes_the_newest_hundred_of_48_hours() -> None:
    query = trace_search(QueryParams("service=front"), NOW_NS).query

    assert (query.service, query.operation, query.tags) == ("front", None, ())
    assert (query.start_min_ns, query.start_max_ns, query.limit) == (NOW_NS - 2 * DAY, NOW_NS, 100)
    assert (query.duration_min_ns, query.duration_max_ns, query.ignore_case) == (None, None, False)


def test_the_window_is_in_microseconds_and_the_end_holds_its_last() -> None:
    query = trace_search(QueryParams("service=s&start=5&end=7"), NOW_NS).query

    assert (query.start_min_ns, query.start_max_ns) == (5_000, 7_999)


def test_a_window_beyond_int64_nanoseconds_ends_there() -> None:
    query = trace_search(QueryParams(f"service=s&start=-{2**62}&end={2**62}"), NOW_NS).query

    assert (query.start_min_ns, query.start_max_ns) == (-(2**63), 2**63 - 1)


def test_durations_have_units_and_zero_is_no_condition() -> None:
    query = trace_search(QueryParams("service=s&minDuration=0s&maxDuration=1.5s"), NOW_NS).query

    assert (query.duration_min_ns, query.duration_max_ns) == (None, 1500 * MS)


def test_tags_of_both_forms_add_up_and_the_last_of_a_key_counts() -> None:
    text = 'service=s&tag=a:1&tag=url:http://x:80/&tag=a:2&tags={"b":"true","url":"u"}&tags={"c":""}&tags=null'

    assert trace_search(QueryParams(text), NOW_NS).query.tags == (
        TagFilter("a", "2"),
        TagFilter("url", "u"),
        TagFilter("b", "true"),
        TagFilter("c", ""),
    )


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("20", 20),
        ("1500", 1500),
        ("1501", LARGEST_LIMIT),
        ("2147483647", LARGEST_LIMIT),
        ("0", LARGEST_LIMIT),
        ("-1", LARGEST_LIMIT),
        ("", 100),
    ],
)
def test_the_limit_is_bounded_and_what_asks_for_everything_gets_the_bound(text: str, limit: int) -> None:
    assert trace_search(QueryParams(f"service=s&limit={text}"), NOW_NS).query.limit == limit


def test_the_first_of_a_repeated_parameter_counts() -> None:
    query = trace_search(QueryParams("service=a&service=b&operation=x&operation=y"), NOW_NS).query

    assert (query.service, query.operation) == ("a", "x")


def test_empty_parameters_are_absent() -> None:
    assert search("service=s&operation=&start=&end=&limit=&minDuration=&maxDuration=&raw=") == search("service=s")


def test_unknown_parameters_are_ignored() -> None:
    assert search("service=s&lookback=custom&foo=1") == search("service=s")


def test_trace_ids_add_up_and_need_no_service() -> None:
    asked = trace_search(QueryParams(f"traceID=aa&traceID={a_trace_id(1).hex()}&traceID=00aa&raw=true"), NOW_NS)

    assert asked.trace_ids == (a_short_trace_id(0xAA), a_trace_id(1))
    assert asked.raw


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "parameter 'service' is required"),
        ("service=", "parameter 'service' is required"),
        ("service=s&start=x", "unable to parse param 'start': strconv.ParseInt: parsing \"x\": invalid syntax"),
        ("start=x", "unable to parse param 'start': strconv.ParseInt: parsing \"x\": invalid syntax"),
        ("service=s&end=1.5", "unable to parse param 'end': strconv.ParseInt: parsing \"1.5\": invalid syntax"),
        ("service=s&limit=x", 'strconv.ParseInt: parsing "x": invalid syntax'),
        ("service=s&limit=2147483648", 'strconv.ParseInt: parsing "2147483648": value out of range'),
        ("service=s&minDuration=20", "unable to parse param 'minDuration': time: missing unit in duration \"20\""),
        ("service=s&maxDuration=x", "unable to parse param 'maxDuration': time: invalid duration \"x\""),
        ("service=s&minDuration=2s&maxDuration=1s", "'maxDuration' should be greater than 'minDuration'"),
        ("service=s&tag=k", "malformed 'tag' parameter, expecting key:value, received: k"),
        ("service=s&tag=", "malformed 'tag' parameter, expecting key:value, received: "),
        (
            'service=s&tags={"k":1}',
            "malformed 'tags' parameter, cannot unmarshal JSON: "
            "json: cannot unmarshal number into Go value of type string",
        ),
        (
            'service=s&tags={"k":true}',
            "malformed 'tags' parameter, cannot unmarshal JSON: "
            "json: cannot unmarshal bool into Go value of type string",
        ),
        (
            'service=s&tags=["k"]',
            "malformed 'tags' parameter, cannot unmarshal JSON: "
            "json: cannot unmarshal array into Go value of type map[string]string",
        ),
        ("service=s&tags=", "malformed 'tags' parameter, cannot unmarshal JSON: unexpected end of JSON input"),
        ("service=s&raw=x", "unable to parse param 'raw': strconv.ParseBool: parsing \"x\": invalid syntax"),
        ("traceID=xyz", 'cannot parse traceID param: strconv.ParseUint: parsing "xyz": invalid syntax'),
        (
            f"traceID={'1' * 33}",
            f"cannot parse traceID param: TraceID cannot be longer than 32 hex characters: {'1' * 33}",
        ),
    ],
)
def test_what_jaeger_refuses_is_refused_with_its_message(text: str, message: str) -> None:
    assert refusal(text) == message


@pytest.mark.parametrize("tags", ["{", "{'a':'b'}", "[" * 100_000])
def test_tags_that_are_no_json_are_refused(tags: str) -> None:
    assert refusal(f"service=s&tags={tags}").startswith("malformed 'tags' parameter, cannot unmarshal JSON: ")


def test_equal_duration_bounds_are_allowed() -> None:
    query = trace_search(QueryParams("service=s&minDuration=1s&maxDuration=1s"), NOW_NS).query

    assert (query.duration_min_ns, query.duration_max_ns) == (SECOND, SECOND)


@pytest.mark.parametrize(
    ("text", "window"),
    [
        ("", (NOW_NS - DAY, NOW_NS)),
        (f"endTs={TODAY_NS // MS}", (TODAY_NS - DAY, TODAY_NS + MS - 1)),
        (f"endTs={TODAY_NS // MS}&lookback=3600000", (TODAY_NS - HOUR, TODAY_NS + MS - 1)),
        ("lookback=1", (NOW_NS - MS, NOW_NS)),
    ],
)
def test_the_window_of_dependencies_is_in_milliseconds_and_defaults_to_a_day(
    text: str, window: tuple[int, int]
) -> None:
    assert dependency_window_ns(QueryParams(text), NOW_NS) == window


@pytest.mark.parametrize(
    ("text", "indented"),
    [
        ("", False),
        ("prettyPrint=", False),
        ("prettyPrint=false", False),
        ("prettyPrint=true", True),
        ("prettyPrint=0", True),
        ("prettyPrint=False", True),
    ],
)
def test_anything_but_false_asks_for_indentation(text: str, indented: bool) -> None:
    assert pretty(QueryParams(text)) is indented
