"""How a gRPC read window fails: the status of every error that a question can raise.

BadRequest          INVALID_ARGUMENT
NotFound            NOT_FOUND
QueryTimeout        DEADLINE_EXCEEDED: clients keep what a stream has brought them until then, as Kiali does
UnsupportedByStore  UNIMPLEMENTED
StoreUnavailable    UNAVAILABLE
StorageError        INTERNAL
others              INTERNAL, logged with their traceback; what went wrong inside is not told
"""

import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

import grpc

from query.errors import BadRequest, NotFound, QueryError, QueryTimeout
from storage.errors import StorageError, StoreUnavailable, UnsupportedByStore

log = logging.getLogger("clew.query")

_Request = TypeVar("_Request")
_Answer = TypeVar("_Answer")
Context = grpc.aio.ServicerContext[_Request, _Answer]

_CODES: tuple[tuple[type[QueryError | StorageError], grpc.StatusCode], ...] = (
    (BadRequest, grpc.StatusCode.INVALID_ARGUMENT),
    (NotFound, grpc.StatusCode.NOT_FOUND),
    (QueryTimeout, grpc.StatusCode.DEADLINE_EXCEEDED),
    (UnsupportedByStore, grpc.StatusCode.UNIMPLEMENTED),
    (StoreUnavailable, grpc.StatusCode.UNAVAILABLE),
)


def answering(
    answer: Callable[[_Request], Awaitable[_Answer]],
) -> Callable[[_Request, Context[_Request, _Answer]], Awaitable[_Answer]]:
    """The behaviour of a unary call that is answered so."""

    async def behave(request: _Request, context: Context[_Request, _Answer]) -> _Answer:
        async with _refusing(context):
            return await answer(request)
        raise AssertionError("unreachable: a refusal ends the call")

    return behave


def streaming(
    answers: Callable[[_Request], AsyncIterator[_Answer]],
) -> Callable[[_Request, Context[_Request, _Answer]], AsyncIterator[_Answer]]:
    """The behaviour of a call that is answered by a stream. What was sent before an error stays sent."""

    async def behave(request: _Request, context: Context[_Request, _Answer]) -> AsyncIterator[_Answer]:
        async with _refusing(context):
            async for answer in answers(request):
                yield answer

    return behave


@contextlib.asynccontextmanager
async def _refusing(context: Context[_Request, _Answer]) -> AsyncIterator[None]:
    try:
        yield
    except (QueryError, StorageError) as error:
        code = next((code for kind, code in _CODES if isinstance(error, kind)), grpc.StatusCode.INTERNAL)
        await context.abort(code, str(error))
    except Exception:
        log.exception("a gRPC read failed")
        await context.abort(grpc.StatusCode.INTERNAL, "internal error")
