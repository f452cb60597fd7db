"""Signing up, in and out, for threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any, Callable, Optional, TypeVar

import grpc

from ._calls import call_error
from ._session import ATTEMPTS, Session, Tokens, new_request_id, pause_before, worth_repeating
from ._settings import CHANNEL_OPTIONS, Credentials
from .errors import CallError, OstiaryError, SignInRequired
from .v1.account_pb2 import Account
from .v1.auth_service_pb2 import (
    ChangePasswordRequest,
    GetCurrentAccountRequest,
    RefreshRequest,
    SignInWithPasswordRequest,
    SignOutRequest,
    SignUpRequest,
)
from .v1.auth_service_pb2_grpc import AuthServiceStub
from .v1.token_service_pb2 import RevokeRequest
from .v1.token_service_pb2_grpc import TokenServiceStub

T = TypeVar("T")
Metadata = Sequence[tuple[str, str]]


def forwarded(forwarded_for: str) -> Metadata:
    """Who the caller acts for. Believed only from a trusted proxy."""
    return (("x-forwarded-for", forwarded_for),) if forwarded_for else ()


def bearer(access_token: str) -> Metadata:
    return (("authorization", f"Bearer {access_token}"),)


class AuthClient:
    """AuthService, for an application that signs its users in.

    Holds no session. Thread-safe. Every call raises CallError if it is refused
    or does not arrive: CREDENTIALS_REJECTED, IDENTIFIER_TAKEN,
    PASSWORD_REJECTED, RATE_LIMITED, REFRESH_REJECTED, UNAVAILABLE...
    """

    def __init__(
        self, target: str, *, credentials: Optional[Credentials] = None, timeout: float = 10.0
    ) -> None:
        self._credentials = credentials or Credentials()
        self._timeout = timeout
        channel_credentials = self._credentials.channel_credentials()
        if channel_credentials is None:
            self._channel = grpc.insecure_channel(target, CHANNEL_OPTIONS)
        else:
            self._channel = grpc.secure_channel(target, channel_credentials, CHANNEL_OPTIONS)
        self._stub = AuthServiceStub(self._channel)
        self._token_stub = TokenServiceStub(self._channel)

    def sign_up(
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
        return self._call(self._stub.SignUp, request, forwarded(forwarded_for)).account

    def sign_in(
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
        return Tokens.of(self._call(self._stub.SignInWithPassword, request, metadata).tokens)

    def refresh(self, refresh_token: str, *, request_id: str = "", scope: str = "") -> Tokens:
        """Exchanges a refresh token, once: whoever calls decides about retries,
        which must carry the same token and `request_id`."""
        request = RefreshRequest(
            refresh_token=refresh_token, request_id=request_id or new_request_id(), scope=scope
        )
        return Tokens.of(self._call(self._stub.Refresh, request).tokens)

    def sign_out(self, refresh_token: str) -> str:
        """Ends the session; the ticket, empty if nothing had to be revoked."""
        return self._call(self._stub.SignOut, SignOutRequest(refresh_token=refresh_token)).revision

    def end_session(self, access_token: str, session_id: str) -> str:
        """Ends a session of the bearer's own account, by the access token
        alone; the ticket."""
        request = RevokeRequest(session_id=session_id, reason="signed out")
        return self._call(self._token_stub.Revoke, request, bearer(access_token)).revision

    def current_account(self, access_token: str) -> Account:
        """The account as stored now, not as the token says."""
        metadata = bearer(access_token)
        request = GetCurrentAccountRequest()
        return self._call(self._stub.GetCurrentAccount, request, metadata).account

    def change_password(self, access_token: str, current: str, new: str) -> str:
        """All other sessions end, and every access token; the ticket."""
        request = ChangePasswordRequest(current_password=current, new_password=new)
        return self._call(self._stub.ChangePassword, request, bearer(access_token)).revision

    def close(self) -> None:
        self._channel.close()

    def __enter__(self) -> AuthClient:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _call(self, method: Callable[..., T], request: Any, metadata: Metadata = ()) -> T:
        own = self._credentials.metadata()
        names = {name for name, _ in metadata}
        joined = (*metadata, *(pair for pair in own if pair[0] not in names))
        try:
            return method(request, timeout=self._timeout, metadata=joined)
        except grpc.RpcError as error:
            raise call_error(error) from None


class TokenClient:
    """One session that stays alive as long as it is used. Thread-safe.

    `access_token` gives a token that is good now and refreshes when it is due,
    one refresh at a time whoever asks.
    """

    def __init__(
        self,
        target: str,
        *,
        credentials: Optional[Credentials] = None,
        timeout: float = 10.0,
    ) -> None:
        self._auth = AuthClient(target, credentials=credentials, timeout=timeout)
        self._session = Session()
        self._lock = threading.Lock()
        self._refreshing = threading.Lock()

    def sign_in(
        self,
        identifier: str,
        password: str,
        *,
        audience: str = "",
        scope: str = "",
        client_id: str = "",
    ) -> Tokens:
        """Begins a session. Raises CallError."""
        tokens = self._auth.sign_in(
            identifier, password, audience=audience, scope=scope, client_id=client_id
        )
        with self._lock:
            self._session.begin(tokens, time.monotonic())
        return tokens

    def resume(self, refresh_token: str) -> None:
        """Goes on with a session whose refresh token was kept."""
        with self._lock:
            self._session.resume(refresh_token)

    @property
    def tokens(self) -> Optional[Tokens]:
        """As they were handed out last; None without a session."""
        return self._session.tokens

    def access_token(self) -> str:
        """A token that is good now. Raises SignInRequired if the session has
        ended, CallError if a new one is needed and Ostiary cannot be reached."""
        token = self._current()
        if token is not None:
            return token
        if not self._refreshing.acquire(blocking=False):
            # Somebody refreshes already; the present token may do meanwhile.
            with self._lock:
                good = self._session.still_good(time.monotonic())
            if good is not None:
                return good
            self._refreshing.acquire()
        try:
            return self._current() or self._refresh_or_keep()
        finally:
            self._refreshing.release()

    def sign_out(self) -> str:
        """Ends the session here and at Ostiary; the ticket. Without a session:
        nothing, and an empty ticket."""
        with self._refreshing:
            with self._lock:
                refresh_token = self._session.refresh_token
                self._session.end()
            return self._auth.sign_out(refresh_token) if refresh_token is not None else ""

    def close(self) -> None:
        """The session lives on at Ostiary; see `sign_out`."""
        self._auth.close()

    def __enter__(self) -> TokenClient:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _current(self) -> Optional[str]:
        with self._lock:
            return self._session.current(time.monotonic())

    def _refresh_or_keep(self) -> str:
        try:
            return self._refresh().access_token
        except SignInRequired:
            raise
        except OstiaryError:
            with self._lock:
                good = self._session.still_good(time.monotonic())
            if good is None:
                raise
            return good

    def _refresh(self) -> Tokens:
        with self._lock:
            attempt = self._session.attempt()
        for retry in range(1, ATTEMPTS + 1):
            sent_at = time.monotonic()
            try:
                tokens = self._auth.refresh(attempt.refresh_token, request_id=attempt.request_id)
            except CallError as error:
                with self._lock:
                    self._session.refused(error)
                if retry == ATTEMPTS or not worth_repeating(error):
                    raise
                time.sleep(pause_before(retry))
                continue
            with self._lock:
                self._session.begin(tokens, sent_at)
            return tokens
        raise AssertionError("unreachable")
