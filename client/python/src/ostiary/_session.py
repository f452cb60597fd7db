"""Keeping one session alive: when to refresh, and with what. No I/O.

docs/verifiers.md, "Keeping a session alive".
"""

from __future__ import annotations

import random
import secrets
from dataclasses import dataclass, field
from typing import Callable, Optional

from .errors import CallError, SignInRequired
from .v1.token_set_pb2 import TokenSet

#: An answer may have been lost: the same attempt is made again this often.
ATTEMPTS = 4
_FIRST_PAUSE_SECONDS = 0.1
# As much before the end as a request may be under way.
_SPARE_SECONDS = 5.0


@dataclass(frozen=True)
class Tokens:
    """The tokens of a session. Keep the refresh token like a password."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    #: Seconds, counted from when they arrived.
    expires_in: float
    refresh_expires_in: float
    scope: str
    session_id: str
    token_type: str = "Bearer"

    @classmethod
    def of(cls, message: TokenSet) -> Tokens:
        return cls(
            access_token=message.access_token,
            refresh_token=message.refresh_token,
            expires_in=message.expires_in.seconds + message.expires_in.nanos / 1e9,
            refresh_expires_in=message.refresh_expires_in.seconds
            + message.refresh_expires_in.nanos / 1e9,
            scope=message.scope,
            session_id=message.session_id,
            token_type=message.token_type or "Bearer",
        )


def new_request_id() -> str:
    return secrets.token_urlsafe(24)


@dataclass(frozen=True)
class RefreshAttempt:
    """One exchange. A retry is the same attempt: same token, same id."""

    refresh_token: str
    request_id: str = field(default_factory=new_request_id)


class Session:
    """The tokens and when they are due. Whoever holds it serialises calls."""

    def __init__(self, uniform: Callable[[float, float], float] = random.uniform) -> None:
        self._uniform = uniform
        self._tokens: Optional[Tokens] = None
        self._attempt: Optional[RefreshAttempt] = None
        self._refresh_at = 0.0
        self._expires_at = 0.0

    @property
    def tokens(self) -> Optional[Tokens]:
        return self._tokens

    @property
    def refresh_token(self) -> Optional[str]:
        """What ends the session at sign-out: the last that is known."""
        if self._tokens is not None:
            return self._tokens.refresh_token
        return self._attempt.refresh_token if self._attempt is not None else None

    def begin(self, tokens: Tokens, now: float) -> None:
        """Takes both tokens over, of a sign-in or a refresh.

        The moment of the next refresh is random: with a fixed schedule a thief
        of the refresh token could stay in step.
        """
        self._tokens, self._attempt = tokens, None
        self._refresh_at = now + tokens.expires_in * self._uniform(0.60, 0.85)
        self._expires_at = now + tokens.expires_in

    def resume(self, refresh_token: str) -> None:
        """Goes on from a refresh token that was kept: the first use refreshes."""
        self.end()
        self._attempt = RefreshAttempt(refresh_token)

    def end(self) -> None:
        self._tokens = self._attempt = None

    def current(self, now: float) -> Optional[str]:
        """The access token, if no refresh is due."""
        if self._tokens is None or now >= self._refresh_at:
            return None
        return self._tokens.access_token

    def still_good(self, now: float) -> Optional[str]:
        """The access token, if it will be accepted for a while yet."""
        if self._tokens is None or now >= self._expires_at - _SPARE_SECONDS:
            return None
        return self._tokens.access_token

    def attempt(self) -> RefreshAttempt:
        """What to send now: an attempt that was not answered yet, or a new one.
        Raises SignInRequired without a session."""
        if self._attempt is None:
            if self._tokens is None:
                raise SignInRequired("there is no session; sign in")
            self._attempt = RefreshAttempt(self._tokens.refresh_token)
        return self._attempt

    def refused(self, error: CallError) -> None:
        """An attempt failed. Raises SignInRequired if that ends the session;
        else the attempt is kept and may be made again."""
        if error.reason == "REFRESH_REJECTED":
            self.end()
            raise SignInRequired("the session has ended; sign in again") from error


def worth_repeating(error: CallError) -> bool:
    """True if the answer may have been lost, or the first try is under way."""
    return error.unavailable or error.code == "ABORTED"


def pause_before(retry: int) -> float:
    """Seconds before the `retry`-th repetition, from 1 on."""
    return random.uniform(0.5, 1.0) * _FIRST_PAUSE_SECONDS * 4.0 ** (retry - 1)
