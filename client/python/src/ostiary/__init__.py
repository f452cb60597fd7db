"""Checks Ostiary's access tokens in your own process, and refuses revoked
ones a fraction of a second after the revocation.

    verifier = ostiary.Verifier("127.0.0.1:50051", issuer="http://127.0.0.1:8080")
    claims = verifier.verify(token)
"""

from ._auth import AuthClient, TokenClient
from ._claims import Claims
from ._session import Tokens
from ._settings import ANY_AUDIENCE, AnyAudience, Credentials, Policy
from ._stats import Stats
from ._verifier import Verifier
from .errors import (
    CallError,
    CheckUnavailable,
    OstiaryError,
    RevisionLost,
    SignInRequired,
    TokenError,
)

__all__ = [
    "ANY_AUDIENCE",
    "AnyAudience",
    "AuthClient",
    "CallError",
    "CheckUnavailable",
    "Claims",
    "Credentials",
    "OstiaryError",
    "Policy",
    "RevisionLost",
    "SignInRequired",
    "Stats",
    "TokenClient",
    "TokenError",
    "Tokens",
    "Verifier",
]
