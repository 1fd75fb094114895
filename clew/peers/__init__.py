"""The configurations of the peers clew replaces, read as they stand: Jaeger v1, Jaeger v2 and Zipkin.

Each module holds tables: what has a meaning here, what has none and why, and what clew must not start with, because
it would do something else than it was told. A variable that clew has itself, under the peer's own name, is in no
table: `collector.settings`, `query.settings` and `storage.settings` have it.
"""
