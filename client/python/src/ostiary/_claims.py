"""What an access token says."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Optional, Union

# 9999-12-31T23:59:59Z. Beyond it a date is a mistake or an attempt to overflow
# somebody's arithmetic.
_LAST_SECOND = 253402300799
_NAMED = frozenset(
    "iss sub aud client_id sid jti iat exp nbf auth_time scope roles amr gen".split()
)

Seconds = Union[int, float]


@dataclass(frozen=True)
class Claims:
    """The claims of a good token (RFC 9068 and Ostiary's own)."""

    issuer: str
    #: The account's id, or the client's for service tokens.
    subject: str
    audiences: tuple[str, ...]
    client_id: str
    #: Empty for service tokens.
    session_id: str
    token_id: str
    #: Seconds since 1970.
    issued_at: Seconds
    #: Seconds since 1970: the first moment at which the token is no longer good.
    expires_at: Seconds
    scopes: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    not_before: Optional[Seconds] = None
    auth_time: Optional[Seconds] = None
    #: How the user proved who they are (RFC 8176).
    amr: tuple[str, ...] = ()
    #: The account's generation when the token was made.
    generation: Optional[int] = None
    #: Every other claim.
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def issue_time(self) -> datetime:
        return datetime.fromtimestamp(self.issued_at, timezone.utc)

    @property
    def expire_time(self) -> datetime:
        return datetime.fromtimestamp(self.expires_at, timezone.utc)


class WrongType(ValueError):
    """A registered claim has another type than its standard gives it."""


def read_claims(payload: Mapping[str, Any]) -> tuple[Claims, bool]:
    """The claims, and whether all that RFC 9068 section 2.2 requires are there.

    What is absent is empty. Raises WrongType.
    """
    issued, expires = _time(payload, "iat"), _time(payload, "exp")
    claims = Claims(
        issuer=_text(payload, "iss"),
        subject=_text(payload, "sub"),
        audiences=_audiences(payload),
        client_id=_text(payload, "client_id"),
        session_id=_text(payload, "sid"),
        token_id=_text(payload, "jti"),
        issued_at=math.inf if issued is None else issued,
        expires_at=-math.inf if expires is None else expires,
        scopes=tuple(word for word in _text(payload, "scope").split(" ") if word),
        roles=_texts(payload, "roles"),
        not_before=_time(payload, "nbf"),
        auth_time=_time(payload, "auth_time"),
        amr=_texts(payload, "amr"),
        generation=_generation(payload),
        extra={name: value for name, value in payload.items() if name not in _NAMED},
    )
    complete = (
        issued is not None
        and expires is not None
        and bool(claims.issuer and claims.subject and claims.audiences)
        and bool(claims.client_id and claims.token_id)
    )
    return claims, complete


def _text(payload: Mapping[str, Any], name: str) -> str:
    value = payload.get(name, "")
    if not isinstance(value, str):
        raise WrongType(name)
    return value


def _texts(payload: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = payload.get(name, [])
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise WrongType(name)
    return tuple(value)


def _audiences(payload: Mapping[str, Any]) -> tuple[str, ...]:
    """RFC 7519 section 4.1.3: one text or a list."""
    if isinstance(payload.get("aud"), str):
        audiences: tuple[str, ...] = (payload["aud"],)
    else:
        audiences = _texts(payload, "aud")
    if "" in audiences:
        raise WrongType("aud")
    return audiences


def _time(payload: Mapping[str, Any], name: str) -> Optional[Seconds]:
    """RFC 7519 section 2, NumericDate."""
    if name not in payload:
        return None
    value = payload[name]
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise WrongType(name)
    if not 0 <= value <= _LAST_SECOND or math.copysign(1, value) < 0:
        raise WrongType(name)
    seconds: Seconds = value
    return seconds


def _generation(payload: Mapping[str, Any]) -> Optional[int]:
    if "gen" not in payload:
        return None
    value = payload["gen"]
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 64:
        raise WrongType("gen")
    generation: int = value
    return generation
