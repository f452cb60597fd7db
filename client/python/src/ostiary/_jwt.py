"""Form, signature and claims of an access token. Pure: no I/O, no clock.

The order of the reasons is the one of TokenService.Verify, everywhere.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Optional

from ._claims import Claims, Seconds, WrongType, read_claims
from ._keys import KeySet, VerifyingKey, algorithm_called
from ._strict import decode_base64url, parse_json_object
from .errors import TokenError

#: Longer texts are not looked at.
MAX_TOKEN_BYTES = 16 * 1024
#: Revocations are forgotten after that long.
MAX_LIFETIME_SECONDS = 24 * 3600
_TYPES = ("at+jwt", "application/at+jwt")
# No extension is understood here (RFC 7515 section 4.1.11, RFC 8725 3.6).
_EXTENSIONS = frozenset(("crit", "b64", "zip"))


@dataclass(frozen=True)
class UnverifiedToken:
    """A compact JWS taken apart. Nothing in it is verified."""

    algorithm: str
    kid: Optional[str]
    type: Optional[str]
    claims: Claims
    complete: bool
    signing_input: bytes
    signature: bytes


@dataclass(frozen=True)
class CheckedToken:
    """A token whose form, key, signature, type, issuer and required claims are
    good. Time, audience, revocation and authority are not part of it: they
    depend on when and by whom it is asked."""

    claims: Claims
    key: VerifyingKey


@dataclass(frozen=True)
class TokenRules:
    """What tokens one verifier accepts at all."""

    issuer: str
    algorithms: Collection[str]
    maximum_lifetime: Optional[Seconds] = MAX_LIFETIME_SECONDS


def take_apart(token: str) -> UnverifiedToken:
    """TOKEN_MALFORMED unless `token` is three canonical base64url parts over
    strict JSON objects with claims of the right types.

    `jku`, `jwk`, `x5u`, `x5c` and unknown members of the header are ignored,
    never followed: the key comes from the verifier's own set.
    """
    if len(token) > MAX_TOKEN_BYTES or not token.isascii():
        raise TokenError("TOKEN_MALFORMED")
    parts = token.split(".")
    if len(parts) != 3:
        raise TokenError("TOKEN_MALFORMED")
    decoded = [decode_base64url(part) for part in parts]
    header = parse_json_object(decoded[0] or b"")
    payload = parse_json_object(decoded[1] or b"")
    signature = decoded[2]
    if header is None or payload is None or signature is None or _EXTENSIONS & header.keys():
        raise TokenError("TOKEN_MALFORMED")
    algorithm = _header_text(header, "alg")
    if algorithm is None:
        raise TokenError("TOKEN_MALFORMED")
    kid, token_type = _header_text(header, "kid"), _header_text(header, "typ")
    try:
        claims, complete = read_claims(payload)
    except WrongType:
        raise TokenError("TOKEN_MALFORMED") from None
    signing_input = token[: len(parts[0]) + 1 + len(parts[1])].encode("ascii")
    return UnverifiedToken(algorithm, kid, token_type, claims, complete, signing_input, signature)


def _header_text(header: dict[str, Any], name: str) -> Optional[str]:
    value = header.get(name)
    if name in header and not isinstance(value, str):
        raise TokenError("TOKEN_MALFORMED")
    return value


def check_signature(token: UnverifiedToken, rules: TokenRules, keys: KeySet) -> VerifyingKey:
    """ALGORITHM_NOT_ALLOWED, KEY_UNKNOWN, SIGNATURE_INVALID."""
    algorithm = algorithm_called(token.algorithm)
    if algorithm is None or algorithm not in rules.algorithms:
        raise TokenError("ALGORITHM_NOT_ALLOWED")
    key = keys.find(token.kid) if token.kid is not None else None
    if key is None:
        raise TokenError("KEY_UNKNOWN")
    # The key decides how it is used. A header that names another algorithm is
    # the beginning of every key-confusion attack.
    if key.algorithm != algorithm:
        raise TokenError("ALGORITHM_NOT_ALLOWED")
    if not key.verifies(token.signing_input, token.signature):
        raise TokenError("SIGNATURE_INVALID")
    return key


def check_kind(token: UnverifiedToken, rules: TokenRules) -> None:
    """TYPE_MISMATCH, ISSUER_MISMATCH, TOKEN_MALFORMED for missing claims and
    too long a life. The last comes late on purpose: other kinds of token lack
    those claims and are well-formed; their true fault is type or issuer."""
    if token.type is None or not token.type.isascii() or token.type.lower() not in _TYPES:
        raise TokenError("TYPE_MISMATCH")
    if token.claims.issuer != rules.issuer:
        raise TokenError("ISSUER_MISMATCH")
    lifetime = token.claims.expires_at - token.claims.issued_at
    too_long = rules.maximum_lifetime is not None and lifetime > rules.maximum_lifetime
    if not token.complete or too_long:
        raise TokenError("TOKEN_MALFORMED")


def authenticate(text: str, rules: TokenRules, keys: KeySet) -> CheckedToken:
    """The part that depends on nothing but token and keys, so that its result
    may be cached until the key goes away."""
    token = take_apart(text)
    key = check_signature(token, rules, keys)
    check_kind(token, rules)
    return CheckedToken(token.claims, key)


def check_time_and_audience(
    claims: Claims, now: float, leeway: float, audience: Optional[str]
) -> None:
    """TOKEN_NOT_YET_VALID, TOKEN_EXPIRED, AUDIENCE_MISMATCH. An `audience` of
    None accepts any."""
    latest_begin = now + leeway
    if claims.issued_at > latest_begin or (claims.not_before or 0) > latest_begin:
        raise TokenError("TOKEN_NOT_YET_VALID")
    if now >= claims.expires_at + leeway:
        raise TokenError("TOKEN_EXPIRED")
    if audience is not None and (not audience or audience not in claims.audiences):
        raise TokenError("AUDIENCE_MISMATCH")


def check_authority(claims: Claims, scopes: Collection[str], roles: Collection[str]) -> None:
    """SCOPE_MISSING, ROLE_MISSING."""
    if not all(scope in claims.scopes for scope in scopes):
        raise TokenError("SCOPE_MISSING")
    if not all(role in claims.roles for role in roles):
        raise TokenError("ROLE_MISSING")
