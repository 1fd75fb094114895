"""Why a read fails.

QueryError
├── BadRequest      a parameter is missing or wrong; HTTP 400 with the text
├── NotFound        HTTP 404 with the text
├── UploadRefused   the body of a request could not be taken; it says with which HTTP status
├── NotConfigured   a setting would have to be given first; HTTP 500 with the text, as Jaeger answers
└── QueryTimeout    the store did not answer within QUERY_TIMEOUT; HTTP 500 with the text
"""

from collections.abc import Mapping


class QueryError(Exception):
    """The root of what the query side raises on purpose. `str()` is fit to be sent to the client."""


class BadRequest(QueryError):
    """A parameter is missing or wrong."""


class NotFound(QueryError):
    """What was asked for by name does not exist."""


class UploadRefused(QueryError):
    """A body is too large, too slow, or there is no room for it now. headers: what the answer says besides."""

    def __init__(self, message: str, status: int, headers: Mapping[str, str]) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers


class NotConfigured(QueryError):
    """What was asked for needs a setting that was not given."""


class QueryTimeout(QueryError):
    """The store did not answer in time."""
