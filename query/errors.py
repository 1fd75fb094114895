"""Why a read fails.

QueryError
├── BadRequest      a parameter is missing or wrong; HTTP 400 with the text
├── NotFound        HTTP 404 with the text
├── NotConfigured   a setting would have to be given first; HTTP 500 with the text, as Jaeger answers
└── QueryTimeout    the store did not answer within QUERY_TIMEOUT; HTTP 500 with the text
"""


class QueryError(Exception):
    """The root of what the query side raises on purpose. `str()` is fit to be sent to the client."""


class BadRequest(QueryError):
    """A parameter is missing or wrong."""


class NotFound(QueryError):
    """What was asked for by name does not exist."""


class NotConfigured(QueryError):
    """What was asked for needs a setting that was not given."""


class QueryTimeout(QueryError):
    """The store did not answer in time."""
