"""What Jaeger's SDKs are told: reference section 6."""

import gzip
import json

import grpc
import pytest

from clew.grpc_ports import GrpcServer
from collector.receivers.sampling import SamplingGrpc, SamplingHttp
from collector.sampling_strategies import OperationStrategies, Strategies, Strategy
from tests.collector.asgi import Answer, Request
from wire.jaeger_sampling_pb2 import RATE_LIMITING, SamplingStrategyParameters, SamplingStrategyResponse

STRATEGIES = Strategies(
    Strategy(0.001),
    {
        "all": Strategy(1.0),
        "few": Strategy(max_traces_per_second=5),
        "each": Strategy(0.5, operations=OperationStrategies(0.5, {"get": 1.0, "health": 0.0})),
    },
)
ALL = {"strategyType": "PROBABILISTIC", "probabilisticSampling": {"samplingRate": 1}}
FEW = {"strategyType": "RATE_LIMITING", "rateLimitingSampling": {"maxTracesPerSecond": 5}}
DEFAULT = {"strategyType": "PROBABILISTIC", "probabilisticSampling": {"samplingRate": 0.001}}
EACH = {
    "strategyType": "PROBABILISTIC",
    "probabilisticSampling": {"samplingRate": 0.5},
    "operationSampling": {
        "defaultSamplingProbability": 0.5,
        "defaultLowerBoundTracesPerSecond": 0,
        "perOperationStrategies": [
            {"operation": "get", "probabilisticSampling": {"samplingRate": 1}},
            {"operation": "health", "probabilisticSampling": {"samplingRate": 0}},
        ],
        "defaultUpperBoundTracesPerSecond": 0,
    },
}


async def get(path: str, query: str, method: str = "GET") -> Answer:
    return await Request(path, method=method, query=query).to(SamplingHttp(lambda: STRATEGIES))


@pytest.mark.parametrize("path", ["/sampling", "/api/sampling", "/any/path"])
@pytest.mark.parametrize(
    ("service", "body"), [("all", ALL), ("few", FEW), ("each", EACH), ("unknown", DEFAULT), ("", DEFAULT)]
)
async def test_the_strategy_of_a_service_is_jaegers_json(path: str, service: str, body: object) -> None:
    answer = await get(path, f"service={service}")
    assert (answer.status, answer.headers["content-type"], json.loads(answer.body)) == (200, "application/json", body)


@pytest.mark.parametrize(("service", "number"), [("all", 0), ("few", 1)])
async def test_the_root_has_the_strategys_type_as_a_number_as_the_agent_had(service: str, number: int) -> None:
    assert json.loads((await get("/", f"service={service}")).body)["strategyType"] == number


async def test_whole_rates_are_written_without_a_point() -> None:
    assert (await get("/sampling", "service=all")).body == (
        b'{"strategyType":"PROBABILISTIC","probabilisticSampling":{"samplingRate":1}}'
    )


async def test_a_service_name_may_be_escaped() -> None:
    strategies = Strategies(Strategy(0.0), {"a b/ü": Strategy(1.0)})
    answer = await Request("/sampling", method="GET", query="service=a+b%2F%C3%BC").to(SamplingHttp(lambda: strategies))
    assert json.loads(answer.body) == ALL


@pytest.mark.parametrize("query", ["", "service=a&service=b", "services=a"])
async def test_a_service_that_is_not_given_once_is_400(query: str) -> None:
    answer = await get("/sampling", query)
    assert (answer.status, answer.body) == (400, b"'service' parameter must be provided once\n")


async def test_baggage_restrictions_are_not_implemented_and_not_empty() -> None:
    assert (await get("/baggageRestrictions", "service=a")).status == 501


async def test_another_method_is_405() -> None:
    assert (await get("/sampling", "service=all", method="POST")).status == 405


async def asked_with(message: bytes, compression: grpc.Compression | None = None) -> SamplingStrategyResponse:
    server = GrpcServer(SamplingGrpc(lambda: STRATEGIES).handlers(), 2**20, inflate=False)
    port = await server.start("127.0.0.1:0")
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            method: grpc.aio.UnaryUnaryMultiCallable[bytes, SamplingStrategyResponse] = channel.unary_unary(
                "/jaeger.api_v2.SamplingManager/GetSamplingStrategy",
                response_deserializer=SamplingStrategyResponse.FromString,
            )
            return await method(message, compression=compression)
    finally:
        await server.stop(grace_s=30)


async def asked(service: str) -> SamplingStrategyResponse:
    return await asked_with(SamplingStrategyParameters(serviceName=service).SerializeToString())


async def test_grpc_tells_a_probability() -> None:
    assert (await asked("unknown")).probabilisticSampling.samplingRate == 0.001


async def test_grpc_tells_a_rate_limit() -> None:
    response = await asked("few")
    assert (response.strategyType, response.rateLimitingSampling.maxTracesPerSecond) == (RATE_LIMITING, 5)
    assert not response.HasField("probabilisticSampling")


async def test_grpc_tells_the_probability_of_each_operation() -> None:
    operations = (await asked("each")).operationSampling
    assert operations.defaultSamplingProbability == 0.5
    assert [(one.operation, one.probabilisticSampling.samplingRate) for one in operations.perOperationStrategies] == [
        ("get", 1.0),
        ("health", 0.0),
    ]


@pytest.mark.parametrize("compression", [grpc.Compression.Gzip, grpc.Compression.Deflate])
async def test_a_compressed_question_is_understood_where_grpc_leaves_it_so(compression: grpc.Compression) -> None:
    unknown_fields = b"\x92\x01\x7f" + b"x" * 127  # gRPC compresses nothing that would not become smaller
    question = SamplingStrategyParameters(serviceName="few").SerializeToString() + unknown_fields
    assert (await asked_with(question, compression)).rateLimitingSampling.maxTracesPerSecond == 5


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (b"\xff\xff", grpc.StatusCode.INVALID_ARGUMENT),
        (b"\x1f\x8b no gzip", grpc.StatusCode.INVALID_ARGUMENT),
        (b"\x0a\xff\xff\x03" + b"x" * 65_535, grpc.StatusCode.RESOURCE_EXHAUSTED),
        (gzip.compress(b"x" * 2**22), grpc.StatusCode.RESOURCE_EXHAUSTED),
    ],
)
async def test_a_wrong_question_is_refused_as_the_clients_fault(message: bytes, code: grpc.StatusCode) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await asked_with(message)
    assert caught.value.code() is code
