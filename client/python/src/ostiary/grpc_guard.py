"""A guard for gRPC servers in Python.

    verifier = ostiary.Verifier("127.0.0.1:50051", issuer="http://127.0.0.1:8080")
    server = grpc.server(pool, interceptors=[Guard(verifier)])

Every call needs ``authorization: Bearer ...`` in its metadata; handlers read
who calls with `current_claims`. UNAUTHENTICATED for a token that is not
accepted, PERMISSION_DENIED for a missing scope or role, UNAVAILABLE if nobody
knows now.
"""

from __future__ import annotations

import contextvars
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Callable, Optional

import grpc
import grpc.aio

from . import aio
from ._claims import Claims
from ._settings import Policy
from ._verifier import Verifier
from .errors import CheckUnavailable, TokenError

__all__ = ["OPEN", "AioGuard", "Guard", "Needs", "current_claims"]

_claims: contextvars.ContextVar[Optional[Claims]] = contextvars.ContextVar(
    "ostiary_claims", default=None
)


@dataclass(frozen=True)
class Needs:
    """What a caller must bring to one method."""

    scopes: Collection[str] = ()
    roles: Collection[str] = ()
    #: True: anyone may call it, without a token.
    open: bool = False


#: For methods that need no token, as in ``{"/grpc.health.v1.Health/Check": OPEN}``.
OPEN = Needs(open=True)
_SIGNED_IN = Needs()


def current_claims() -> Claims:
    """Who calls; only within a guarded handler."""
    claims = _claims.get()
    if claims is None:
        raise LookupError("no guarded call is being handled")
    return claims


def _presented(details: grpc.HandlerCallDetails) -> str:
    """The token. Raises TokenError if there is none, or more than one: which
    one was meant must not be a guess."""
    values = [value for key, value in details.invocation_metadata or () if key == "authorization"]
    if len(values) != 1 or not isinstance(values[0], str):
        raise TokenError("TOKEN_MALFORMED", "no bearer token")
    scheme, _, token = values[0].partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise TokenError("TOKEN_MALFORMED", "no bearer token")
    return token


def _answer(error: TokenError) -> tuple[grpc.StatusCode, str]:
    if isinstance(error, CheckUnavailable):
        return grpc.StatusCode.UNAVAILABLE, "The access token cannot be checked now."
    if error.reason in ("SCOPE_MISSING", "ROLE_MISSING"):
        return grpc.StatusCode.PERMISSION_DENIED, "The caller may not call this method."
    return grpc.StatusCode.UNAUTHENTICATED, "The access token was not accepted."


def _with_behavior(handler: Any, behavior: Callable[..., Any]) -> grpc.RpcMethodHandler[Any, Any]:
    """The same kind of handler around another function."""
    kinds: dict[tuple[bool, bool], Any] = {
        (False, False): grpc.unary_unary_rpc_method_handler,
        (False, True): grpc.unary_stream_rpc_method_handler,
        (True, False): grpc.stream_unary_rpc_method_handler,
        (True, True): grpc.stream_stream_rpc_method_handler,
    }
    make = kinds[(handler.request_streaming, handler.response_streaming)]
    made: grpc.RpcMethodHandler[Any, Any] = make(
        behavior, handler.request_deserializer, handler.response_serializer
    )
    return made


def _behavior_of(handler: Any) -> Callable[..., Any]:
    behavior: Callable[..., Any] = (
        handler.unary_unary
        or handler.unary_stream
        or handler.stream_unary
        or handler.stream_stream
    )
    return behavior


class Guard(grpc.ServerInterceptor):
    """For `grpc.server`. What can be decided here is, before the request is read."""

    def __init__(self, verifier: Verifier, needs: Optional[Mapping[str, Needs]] = None) -> None:
        """`needs`: by full method name, "/package.Service/Method". Methods that
        are not named need a good token and no more."""
        self._verifier = verifier
        self._needs = dict(needs or {})

    def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        needs = self._needs.get(handler_call_details.method, _SIGNED_IN)
        handler = continuation(handler_call_details)
        if needs.open or handler is None:
            return handler
        try:
            token = _presented(handler_call_details)
        except TokenError as error:
            return _with_behavior(handler, _guarded(handler, _raising(error)))
        return _with_behavior(handler, _guarded(handler, self._check(token, needs)))

    def _check(self, token: str, needs: Needs) -> Callable[[], Claims]:
        """Checks now without waiting for anybody: one thread calls this for all
        that comes in. Only if the server must be asked is that left to the
        thread that handles the call."""

        def check(policy: Optional[Policy] = None) -> Claims:
            return self._verifier.verify(
                token, scopes=needs.scopes, roles=needs.roles, policy=policy
            )

        try:
            claims = check(Policy.REFUSE)
        except CheckUnavailable:
            return check
        except TokenError as error:
            return _raising(error)
        return lambda: claims


def _raising(error: TokenError) -> Callable[[], Claims]:
    def refuse() -> Claims:
        raise error

    return refuse


def _guarded(handler: Any, check: Callable[[], Claims]) -> Callable[..., Any]:
    behavior = _behavior_of(handler)

    def admit(context: grpc.ServicerContext) -> contextvars.Context:
        try:
            return _context_of(check())
        except TokenError as error:
            context.abort(*_answer(error))
            raise  # not reached: abort raises

    def guarded(request: Any, context: grpc.ServicerContext) -> Any:
        return admit(context).run(behavior, request, context)

    def guarded_stream(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        # The handler goes on whenever the next answer is wanted, so it needs
        # its context again each time.
        own = admit(context)
        answers = iter(own.run(behavior, request, context))
        while True:
            try:
                answer = own.run(next, answers)
            except StopIteration:
                return
            yield answer

    return guarded_stream if handler.response_streaming else guarded


def _context_of(claims: Claims) -> contextvars.Context:
    context = contextvars.copy_context()
    context.run(_claims.set, claims)
    return context


class AioGuard(grpc.aio.ServerInterceptor):
    """For `grpc.aio.server`."""

    def __init__(
        self, verifier: aio.Verifier, needs: Optional[Mapping[str, Needs]] = None
    ) -> None:
        """As for Guard."""
        self._verifier = verifier
        self._needs = dict(needs or {})

    async def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        needs = self._needs.get(handler_call_details.method, _SIGNED_IN)
        handler = await continuation(handler_call_details)
        if needs.open or handler is None:
            return handler
        try:
            token = _presented(handler_call_details)
            claims = await self._verifier.verify(token, scopes=needs.scopes, roles=needs.roles)
        except TokenError as error:
            return _with_behavior(handler, _aio_refusal(handler, *_answer(error)))
        # A handler runs in a task of its own; so does what is set in it.
        return _with_behavior(handler, _aio_guarded(handler, _behavior_of(handler), claims))


def _aio_refusal(handler: Any, code: grpc.StatusCode, message: str) -> Callable[..., Any]:
    async def refuse(request: Any, context: Any) -> None:
        await context.abort(code, message)

    async def refuse_stream(request: Any, context: Any) -> Any:
        await context.abort(code, message)
        yield

    return refuse_stream if handler.response_streaming else refuse


def _aio_guarded(handler: Any, behavior: Callable[..., Any], claims: Claims) -> Callable[..., Any]:
    async def guarded(request: Any, context: Any) -> Any:
        _claims.set(claims)
        return await behavior(request, context)

    async def guarded_stream(request: Any, context: Any) -> Any:
        _claims.set(claims)
        async for answer in behavior(request, context):
            yield answer

    return guarded_stream if handler.response_streaming else guarded
