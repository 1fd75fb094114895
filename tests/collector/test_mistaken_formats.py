import logging

import pytest
from prometheus_client import CollectorRegistry

from collector.decode.zipkin_formats import ZipkinFormat
from collector.mistaken_formats import INTERVAL_NS, MistakenFormats


class Clock:
    now_ns = 0

    def __call__(self) -> int:
        return self.now_ns


def note(mistaken: MistakenFormats, declared: ZipkinFormat, actual: ZipkinFormat) -> None:
    mistaken.note(declared, actual, "/zipkin/api/v1/spans", "10.1.2.3")


def test_every_mistaken_body_is_counted_by_what_it_said_and_was() -> None:
    registry = CollectorRegistry()
    mistaken = MistakenFormats(registry)
    for _ in range(3):
        note(mistaken, ZipkinFormat.JSON_V1, ZipkinFormat.JSON_V2)
    labels = {"declared": "JSON_V1", "actual": "JSON_V2"}
    assert registry.get_sample_value("clew_zipkin_mistaken_formats_total", labels) == 3


def test_a_mistake_is_told_with_sender_path_and_formats(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        note(MistakenFormats(CollectorRegistry()), ZipkinFormat.JSON_V1, ZipkinFormat.JSON_V2)
    (text,) = caplog.messages
    for said in ("10.1.2.3", "/zipkin/api/v1/spans", "JSON_V1", "JSON_V2"):
        assert said in text


def test_a_mistake_is_told_once_an_interval_for_each_pair_of_formats(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    mistaken = MistakenFormats(CollectorRegistry(), clock)
    with caplog.at_level(logging.WARNING):
        note(mistaken, ZipkinFormat.JSON_V1, ZipkinFormat.JSON_V2)
        note(mistaken, ZipkinFormat.JSON_V1, ZipkinFormat.JSON_V2)
        note(mistaken, ZipkinFormat.JSON_V2, ZipkinFormat.JSON_V1)
        clock.now_ns = INTERVAL_NS
        note(mistaken, ZipkinFormat.JSON_V1, ZipkinFormat.JSON_V2)
    assert len(caplog.messages) == 3
