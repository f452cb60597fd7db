"""What goes wrong, and by which name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Optional


class OstiaryError(Exception):
    """Everything that this package raises by itself."""

    def __init__(self, reason: str, message: str = "") -> None:
        super().__init__(message or reason)
        #: One of Ostiary's reasons, the same words in every language.
        self.reason = reason


class TokenError(OstiaryError):
    """A token is not accepted.

    ``reason`` is the first failure in the order of ``TokenService.Verify``:
    TOKEN_MALFORMED, ALGORITHM_NOT_ALLOWED, KEY_UNKNOWN, SIGNATURE_INVALID,
    TYPE_MISMATCH, ISSUER_MISMATCH, TOKEN_NOT_YET_VALID, TOKEN_EXPIRED,
    AUDIENCE_MISMATCH, TOKEN_REVOKED, SCOPE_MISSING, ROLE_MISSING.
    """


class CheckUnavailable(TokenError):
    """Nobody knows now whether the token is good: CHECK_UNAVAILABLE.

    Not the user's fault: answer 503 or UNAVAILABLE, never 401.
    """

    def __init__(self, message: str = "") -> None:
        super().__init__("CHECK_UNAVAILABLE", message)


class RevisionLost(OstiaryError):
    """A ticket is of an epoch that ended before this verifier reached it.

    Only the server can say whether it survived.
    """

    def __init__(self) -> None:
        super().__init__("REVISION_LOST")


class CallError(OstiaryError):
    """A call that Ostiary refused, or that did not reach it."""

    def __init__(
        self,
        reason: str,
        message: str = "",
        *,
        code: str = "UNKNOWN",
        retry_after: Optional[float] = None,
        fields: Optional[Mapping[str, str]] = None,
    ) -> None:
        super().__init__(reason, message)
        #: The gRPC code, as in "ALREADY_EXISTS".
        self.code = code
        #: Seconds to wait before the next attempt, if the server said so.
        self.retry_after = retry_after
        #: What is wrong with which field of the request.
        self.fields: Mapping[str, str] = dict(fields or {})

    @property
    def unavailable(self) -> bool:
        """True if the same call may well work later."""
        return self.code in (
            "UNAVAILABLE",
            "DEADLINE_EXCEEDED",
            "CANCELLED",
            "INTERNAL",
            "UNKNOWN",
        )


class SignInRequired(OstiaryError):
    """The session has ended, or there is none: the user must sign in."""

    def __init__(self, message: str = "") -> None:
        super().__init__("SIGN_IN_REQUIRED", message)
