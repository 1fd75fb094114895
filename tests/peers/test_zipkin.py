"""Zipkin's environment (zipkin.md 6)."""

import pytest

from clew.settings import SettingsError, read_settings
from tests.peers.istio import ZIPKIN_ENVIRONMENT


def test_istios_zipkin_manifest_changes_nothing() -> None:
    assert read_settings(ZIPKIN_ENVIRONMENT) == read_settings({})


def test_mem_means_the_memory_store_with_zipkins_bound() -> None:
    storage = read_settings({"STORAGE_TYPE": "mem", "MEM_MAX_SPANS": "1000"}).storage

    assert (storage.url, storage.memory_max_spans, storage.memory_max_traces) == ("memory:", 1000, 0)


def test_an_empty_storage_type_means_clews_own_store() -> None:
    assert read_settings({"STORAGE_TYPE": ""}) == read_settings({})


@pytest.mark.parametrize("storage", ["mysql", "cassandra3", "elasticsearch", "typo"])
def test_a_storage_that_is_not_clews_is_refused_with_what_to_do(storage: str) -> None:
    with pytest.raises(SettingsError, match=f"STORAGE_TYPE: '{storage}' is .*; unset it for clew's own store"):
        read_settings({"STORAGE_TYPE": storage})


def test_clews_own_word_wins_over_zipkins() -> None:
    settings = read_settings({"STORAGE_TYPE": "mysql", "CLEW_STORAGE_URL": "memory:"})

    assert settings.storage.url == "memory:"
    assert settings.notes == ("Zipkin configuration: without effect: STORAGE_TYPE (CLEW_STORAGE_URL is given)",)


def test_what_means_the_same_is_a_setting_of_clew() -> None:
    settings = read_settings(
        {
            "QUERY_PORT": "9999",
            "QUERY_TIMEOUT": "11s",
            "QUERY_LOOKBACK": "3600000",
            "STRICT_TRACE_ID": "false",
            "SEARCH_ENABLED": "false",
            "AUTOCOMPLETE_KEYS": "environment",
            "COLLECTOR_SAMPLE_RATE": "0.5",
            "HTTP_COLLECTOR_ENABLED": "false",
            "ZIPKIN_QUERY_ALLOWED_ORIGINS": "http://foo.bar.com",
        }
    )

    assert settings.collector.zipkin_host_port == "9999"
    assert (settings.collector.sample_rate, settings.collector.http_enabled) == (0.5, False)
    assert settings.query.allowed_origins == ("http://foo.bar.com",)
    assert settings.notes == ()


def test_the_rest_is_told_of_in_one_line_without_values() -> None:
    given = {
        "SELF_TRACING_ENABLED": "true",
        "STORAGE_THROTTLE_ENABLED": "true",
        "KAFKA_BOOTSTRAP_SERVERS": "kafka:9092",
        "ES_PASSWORD": "secret",
        "JAVA_OPTS": "-Xmx1g",
    }

    assert read_settings(given).notes == (
        "Zipkin configuration: without effect: "
        "JAVA_OPTS (there is no Java; CLEW_STORAGE_MEMORY_LIMIT bounds the store's memory); "
        "SELF_TRACING_ENABLED (clew does not trace itself); "
        "STORAGE_THROTTLE_ENABLED (the queue is always bounded: CLEW_QUEUE_BYTES); "
        "KAFKA_BOOTSTRAP_SERVERS (clew does not read from Kafka; have the senders post to a port of clew); "
        "ES_PASSWORD (clew has a store of its own)",
    )


def test_two_peers_that_name_two_stores_are_refused() -> None:
    with pytest.raises(SettingsError, match="SPAN_STORAGE_TYPE and STORAGE_TYPE: "):
        read_settings({"SPAN_STORAGE_TYPE": "badger", "STORAGE_TYPE": "mem"})

    assert read_settings({"SPAN_STORAGE_TYPE": "memory", "STORAGE_TYPE": "mem"}).storage.url == "memory:"
