"""Signing up, in and out, for asyncio."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any, Callable, Optional, TypeVar, cast

import grpc
import grpc.aio

from .._auth import Metadata, bearer, forwarded
from .._calls import call_error
from .._session import ATTEMPTS, Session, Tokens, new_request_id, pause_before, worth_repeating
from .._settings import CHANNEL_OPTIONS, Credentials
from ..errors import CallError, OstiaryError, SignInRequired
from ..v1.account_pb2 import Account
from ..v1.auth_service_pb2 import (
    ChangePasswordRequest,
    GetCurrentAccountRequest,
    RefreshRequest,
    SignInWithPasswordRequest,
    SignOutRequest,
    SignUpRequest,
)
from ..v1.auth_service_pb2_grpc import AuthServiceStub
from ..v1.token_service_pb2 import RevokeRequest
from ..v1.token_service_pb2_grpc import TokenServiceStub

if TYPE_CHECKING:
    from ..v1.auth_service_pb2_grpc import AuthServiceAsyncStub
    from ..v1.token_service_pb2_grpc import TokenServiceAsyncStub

T = TypeVar("T")


class AuthClient:
    """As ostiary.AuthClient. Belongs to the loop in which it is first used."""

    def __init__(
        self, target: str, *, credentials: Optional[Credentials] = None, timeout: float = 10.0
    ) -> None:
        self._target = target
        self._credentials = credentials or Credentials()
        self._timeout = timeout
        self._channel: Optional[grpc.aio.Channel] = None

    def _opened(self) -> grpc.aio.Channel:
        if self._channel is None:
            credentials = self._credentials.channel_credentials()
            if credentials is None:
                self._channel = grpc.aio.insecure_channel(self._target, CHANNEL_OPTIONS)
            else:
                self._channel = grpc.aio.secure_channel(self._target, credentials, CHANNEL_OPTIONS)
        return self._channel

    @property
    def _stub(self) -> AuthServiceAsyncStub:
        return cast("AuthServiceAsyncStub", AuthServiceStub(self._opened()))

    @property
    def _token_stub(self) -> TokenServiceAsyncStub:
        return cast("TokenServiceAsyncStub", TokenServiceStub(self._opened()))

    async def sign_up(
        self,
        *,
        password: str,
        username: str = "",
        email: str = "",
        display_name: str = "",
        forwarded_for: str = "",
    ) -> Account:
        """Makes an account; does not sign in."""
        request = SignUpRequest(
            username=username, email=email, password=password, display_name=display_name
        )
        answer = await self._call(self._stub.SignUp, request, forwarded(forwarded_for))
        return answer.account

    async def sign_in(
        self,
        identifier: str,
        password: str,
        *,
        audience: str = "",
        scope: str = "",
        client_id: str = "",
        forwarded_for: str = "",
    ) -> Tokens:
        """Opens a session. `identifier`: a username or an email."""
        request = SignInWithPasswordRequest(
            identifier=identifier,
            password=password,
            audience=audience,
            scope=scope,
            client_id=client_id,
        )
        metadata = forwarded(forwarded_for)
        answer = await self._call(self._stub.SignInWithPassword, request, metadata)
        return Tokens.of(answer.tokens)

    async def refresh(
        self, refresh_token: str, *, request_id: str = "", scope: str = ""
    ) -> Tokens:
        """Exchanges a refresh token, once: whoever calls decides about retries,
        which must carry the same token and `request_id`."""
        request = RefreshRequest(
            refresh_token=refresh_token, request_id=request_id or new_request_id(), scope=scope
        )
        return Tokens.of((await self._call(self._stub.Refresh, request)).tokens)

    async def sign_out(self, refresh_token: str) -> str:
        """Ends the session; the ticket, empty if nothing had to be revoked."""
        request = SignOutRequest(refresh_token=refresh_token)
        return (await self._call(self._stub.SignOut, request)).revision

    async def end_session(self, access_token: str, session_id: str) -> str:
        """Ends a session of the bearer's own account, by the access token
        alone; the ticket."""
        request = RevokeRequest(session_id=session_id, reason="signed out")
        answer = await self._call(self._token_stub.Revoke, request, bearer(access_token))
        return answer.revision

    async def current_account(self, access_token: str) -> Account:
        """The account as stored now, not as the token says."""
        request = GetCurrentAccountRequest()
        answer = await self._call(self._stub.GetCurrentAccount, request, bearer(access_token))
        return answer.account

    async def change_password(self, access_token: str, current: str, new: str) -> str:
        """All other sessions end, and every access token; the ticket."""
        request = ChangePasswordRequest(current_password=current, new_password=new)
        answer = await self._call(self._stub.ChangePassword, request, bearer(access_token))
        return answer.revision

    async def close(self) -> None:
        channel, self._channel = self._channel, None
        if channel is not None:
            await channel.close()

    async def __aenter__(self) -> AuthClient:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    async def _call(
        self, method: Callable[..., Awaitable[T]], request: Any, metadata: Metadata = ()
    ) -> T:
        own = self._credentials.metadata()
        names = {name for name, _ in metadata}
        joined = (*metadata, *(pair for pair in own if pair[0] not in names))
        try:
            return await method(request, timeout=self._timeout, metadata=joined)
        except grpc.aio.AioRpcError as error:
            raise call_error(error) from None


class TokenClient:
    """As ostiary.TokenClient, for one loop."""

    def __init__(
        self,
        target: str,
        *,
        credentials: Optional[Credentials] = None,
        timeout: float = 10.0,
    ) -> None:
        self._auth = AuthClient(target, credentials=credentials, timeout=timeout)
        self._session = Session()
        self._refreshing: Optional[asyncio.Task[Tokens]] = None

    async def sign_in(
        self,
        identifier: str,
        password: str,
        *,
        audience: str = "",
        scope: str = "",
        client_id: str = "",
    ) -> Tokens:
        """Begins a session. Raises CallError."""
        tokens = await self._auth.sign_in(
            identifier, password, audience=audience, scope=scope, client_id=client_id
        )
        self._session.begin(tokens, time.monotonic())
        return tokens

    def resume(self, refresh_token: str) -> None:
        """Goes on with a session whose refresh token was kept."""
        self._session.resume(refresh_token)

    @property
    def tokens(self) -> Optional[Tokens]:
        """As they were handed out last; None without a session."""
        return self._session.tokens

    async def access_token(self) -> str:
        """A token that is good now. Raises SignInRequired if the session has
        ended, CallError if a new one is needed and Ostiary cannot be reached."""
        token = self._session.current(time.monotonic())
        if token is not None:
            return token
        if self._refreshing is None:
            self._refreshing = asyncio.create_task(self._refresh())
            self._refreshing.add_done_callback(self._refreshed)
        else:
            # Somebody refreshes already; the present token may do meanwhile.
            good = self._session.still_good(time.monotonic())
            if good is not None:
                return good
        try:
            # One who gives up must not take the others' refresh along.
            return (await asyncio.shield(self._refreshing)).access_token
        except SignInRequired:
            raise
        except OstiaryError:
            good = self._session.still_good(time.monotonic())
            if good is None:
                raise
            return good

    async def sign_out(self) -> str:
        """Ends the session here and at Ostiary; the ticket. Without a session:
        nothing, and an empty ticket."""
        if self._refreshing is not None:
            await asyncio.wait([self._refreshing])
        refresh_token = self._session.refresh_token
        self._session.end()
        return await self._auth.sign_out(refresh_token) if refresh_token is not None else ""

    async def close(self) -> None:
        """The session lives on at Ostiary; see `sign_out`."""
        if self._refreshing is not None:
            self._refreshing.cancel()
        await self._auth.close()

    async def __aenter__(self) -> TokenClient:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    def _refreshed(self, task: asyncio.Task[Tokens]) -> None:
        self._refreshing = None
        if not task.cancelled():
            task.exception()  # told to whoever waits; nobody may be left

    async def _refresh(self) -> Tokens:
        attempt = self._session.attempt()
        for retry in range(1, ATTEMPTS + 1):
            sent_at = time.monotonic()
            try:
                tokens = await self._auth.refresh(
                    attempt.refresh_token, request_id=attempt.request_id
                )
            except CallError as error:
                self._session.refused(error)
                if retry == ATTEMPTS or not worth_repeating(error):
                    raise
                await asyncio.sleep(pause_before(retry))
                continue
            self._session.begin(tokens, sent_at)
            return tokens
        raise AssertionError("unreachable")
