"""Zipkin: the environment of its server.

Source: zipkin-server's configuration (2.23 to 3.5) and its README. A variable that is in no table here and is no
setting of clew is one that Zipkin does not know either; like Zipkin, clew takes no notice of it.
"""

from collections.abc import Mapping

from clew.peers.stores import STORE_URL, memory_settings
from clew.peers.translation import Translation

PEER = "Zipkin"

DATABASES: Mapping[str, str] = {
    "mysql": "a MySQL that clew does not write to",
    "cassandra3": "a Cassandra that clew does not write to",
    "cassandra": "a Cassandra that clew does not write to",
    "elasticsearch": "an Elasticsearch that clew does not write to",
}
"""Values of STORAGE_TYPE that clew is no substitute for."""

_READS_NO = "clew does not read from {}; have the senders post to a port of clew"
_OWN_STORE = "clew has a store of its own"

_WHY: tuple[tuple[str, str], ...] = (
    ("AUTOCOMPLETE_TTL", "values are read from the spans"),
    ("QUERY_LOG_LEVEL", "say LOG_LEVEL"),
    ("QUERY_NAMES_MAX_AGE", "say ZIPKIN_QUERY_NAMES_MAX_AGE, as to Zipkin"),
    ("JAVA_OPTS", "there is no Java; CLEW_STORAGE_MEMORY_LIMIT bounds the store's memory"),
    (
        "SELF_TRACING_ENABLED SELF_TRACING_SAMPLE_RATE SELF_TRACING_TRACES_PER_SECOND SELF_TRACING_FLUSH_INTERVAL",
        "clew does not trace itself",
    ),
    (
        "STORAGE_THROTTLE_ENABLED STORAGE_THROTTLE_MIN_CONCURRENCY STORAGE_THROTTLE_MAX_CONCURRENCY "
        "STORAGE_THROTTLE_MAX_QUEUE_SIZE",
        "the queue is always bounded: CLEW_QUEUE_BYTES",
    ),
    (
        "DISCOVERY_EUREKA_ENABLED EUREKA_SERVICE_URL EUREKA_APP_NAME EUREKA_INSTANCE_ID EUREKA_HOSTNAME",
        "clew does not register with Eureka",
    ),
    (
        "COLLECTOR_KAFKA_ENABLED KAFKA_BOOTSTRAP_SERVERS KAFKA_TOPIC KAFKA_GROUP_ID KAFKA_STREAMS",
        _READS_NO.format("Kafka"),
    ),
    (
        "COLLECTOR_RABBITMQ_ENABLED RABBIT_ADDRESSES RABBIT_URI RABBIT_QUEUE RABBIT_CONCURRENCY "
        "RABBIT_CONNECTION_TIMEOUT RABBIT_USER RABBIT_PASSWORD RABBIT_VIRTUAL_HOST RABBIT_USE_SSL",
        _READS_NO.format("RabbitMQ"),
    ),
    (
        "COLLECTOR_ACTIVEMQ_ENABLED ACTIVEMQ_URL ACTIVEMQ_QUEUE ACTIVEMQ_CONCURRENCY ACTIVEMQ_USERNAME "
        "ACTIVEMQ_PASSWORD",
        _READS_NO.format("ActiveMQ"),
    ),
    (
        "COLLECTOR_PULSAR_ENABLED PULSAR_SERVICE_URL PULSAR_TOPIC PULSAR_SUBSCRIPTION_NAME PULSAR_CONCURRENCY",
        _READS_NO.format("Pulsar"),
    ),
    ("COLLECTOR_SCRIBE_ENABLED SCRIBE_ENABLED COLLECTOR_PORT SCRIBE_CATEGORY", _READS_NO.format("Scribe")),
    (
        "MYSQL_JDBC_URL MYSQL_HOST MYSQL_TCP_PORT MYSQL_USER MYSQL_PASS MYSQL_DB MYSQL_MAX_CONNECTIONS MYSQL_USE_SSL",
        _OWN_STORE,
    ),
    (
        "CASSANDRA_CONTACT_POINTS CASSANDRA_LOCAL_DC CASSANDRA_KEYSPACE CASSANDRA_USERNAME CASSANDRA_PASSWORD "
        "CASSANDRA_MAX_CONNECTIONS CASSANDRA_ENSURE_SCHEMA CASSANDRA_INDEX_FETCH_MULTIPLIER "
        "CASSANDRA_INDEX_CACHE_MAX CASSANDRA_INDEX_CACHE_TTL CASSANDRA_USE_SSL CASSANDRA_SSL_HOSTNAME_VALIDATION",
        _OWN_STORE,
    ),
    (
        "ES_HOSTS ES_PIPELINE ES_TIMEOUT ES_INDEX ES_DATE_SEPARATOR ES_INDEX_SHARDS ES_INDEX_REPLICAS "
        "ES_ENSURE_TEMPLATES ES_USERNAME ES_PASSWORD ES_CREDENTIALS_FILE ES_CREDENTIALS_REFRESH_INTERVAL "
        "ES_HTTP_LOGGING ES_SSL_NO_VERIFY ES_HEALTH_CHECK_ENABLED ES_HEALTH_CHECK_INTERVAL ES_TEMPLATE_PRIORITY",
        _OWN_STORE,
    ),
)
IGNORED: Mapping[str, str] = {name: why for names, why in _WHY for name in names.split()}
"""Variables that change nothing here, and why."""


def translate(given: Mapping[str, str]) -> Translation:
    """What Zipkin's variables among these come to. Empty values are taken for absent."""
    found = Translation(PEER)
    storage = given.get("STORAGE_TYPE", "").strip()
    if storage and STORE_URL in given:
        found.ignore("STORAGE_TYPE", f"{STORE_URL} is given")
    elif storage == "mem":
        found.means("STORAGE_TYPE=mem", memory_settings(""))
    elif storage:
        found.refused.append(f"STORAGE_TYPE: {_refusal(storage)}")
    for name, why in IGNORED.items():
        if name in given:
            found.ignore(name, why)
    return found


def _refusal(storage: str) -> str:
    what = DATABASES.get(storage, "no storage of Zipkin's")
    return f"{storage!r} is {what}; unset it for clew's own store (on disk, {STORE_URL} says where), or say mem"
