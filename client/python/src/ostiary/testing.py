"""An issuer for tests: makes tokens that a verifier accepts, without a server.

issuer = ostiary.testing.TestIssuer()
verifier = issuer.verifier()
claims = verifier.verify(issuer.token(subject="acct_ada", roles=["admin"]))
"""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Optional, Union

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from ._decision import Decider
from ._jwt import take_apart
from ._keys import ALGORITHMS, KeySet
from ._knowledge import Knowledge, Position
from ._settings import Audience, Policy, Settings
from ._strict import encode_base64url
from ._verifier import Verifier
from .v1.revocation_service_pb2 import RevocationEntry

if TYPE_CHECKING:
    from . import aio

__all__ = ["TestIssuer"]

_PrivateKey = Union[ec.EllipticCurvePrivateKey, rsa.RSAPrivateKey, ed25519.Ed25519PrivateKey]


class _SigningKey:
    def __init__(self, algorithm: str) -> None:
        self._private: _PrivateKey
        if algorithm == "ES256":
            self._private = ec.generate_private_key(ec.SECP256R1())
            point = self._private.public_key().public_numbers()
            members = {
                "crv": "P-256",
                "kty": "EC",
                "x": encode_base64url(point.x.to_bytes(32, "big")),
                "y": encode_base64url(point.y.to_bytes(32, "big")),
            }
        elif algorithm == "RS256":
            self._private = rsa.generate_private_key(65537, 2048)
            numbers = self._private.public_key().public_numbers()
            members = {
                "e": encode_base64url(b"\x01\x00\x01"),
                "kty": "RSA",
                "n": encode_base64url(numbers.n.to_bytes(256, "big")),
            }
        elif algorithm == "EdDSA":
            self._private = ed25519.Ed25519PrivateKey.generate()
            public = self._private.public_key().public_bytes_raw()
            members = {"crv": "Ed25519", "kty": "OKP", "x": encode_base64url(public)}
        else:
            raise ValueError(f"algorithm is one of {', '.join(ALGORITHMS)}")
        # RFC 7638: the required members in lexicographic order.
        canonical = json.dumps(members, separators=(",", ":"), sort_keys=True)
        self.algorithm = algorithm
        self.kid = encode_base64url(hashlib.sha256(canonical.encode()).digest())
        self.jwk = {**members, "alg": algorithm, "use": "sig", "kid": self.kid}

    def sign(self, message: bytes) -> bytes:
        if isinstance(self._private, ec.EllipticCurvePrivateKey):
            r, s = decode_dss_signature(self._private.sign(message, ec.ECDSA(SHA256())))
            return r.to_bytes(32, "big") + s.to_bytes(32, "big")
        if isinstance(self._private, rsa.RSAPrivateKey):
            return self._private.sign(message, padding.PKCS1v15(), SHA256())
        return self._private.sign(message)


class _AlwaysFresh(Knowledge):
    def staleness(self) -> float:
        return 0.0


class TestIssuer:
    """Makes keys, signs access tokens, publishes its key set and can revoke.

    Every verifier made from it knows its keys and revocations and is always
    fresh.
    """

    __test__ = False  # for pytest: this is no test

    def __init__(
        self,
        issuer: str = "http://issuer.test",
        *,
        audience: str = "api",
        algorithm: str = "ES256",
    ) -> None:
        self.issuer = issuer
        self.audience = audience
        self._keys: list[_SigningKey] = []
        self._knowledge = _AlwaysFresh()
        self._knowledge._move(Position(1, 0), "")
        self.rotate_key(algorithm)

    def token(
        self,
        subject: str = "acct_test",
        *,
        audience: Optional[Union[str, Sequence[str]]] = None,
        scopes: Sequence[str] = (),
        roles: Sequence[str] = (),
        session_id: str = "sess_test",
        client_id: str = "cli_test",
        token_id: Optional[str] = None,
        generation: Optional[int] = 1,
        lifetime: float = 900,
        issued_at: Optional[float] = None,
        claims: Optional[Mapping[str, Any]] = None,
        header: Optional[Mapping[str, Any]] = None,
    ) -> str:
        """A signed access token.

        `lifetime`: seconds; negative: expired already. `claims` and `header`
        are set beside and over the others; None as a value removes a member.
        """
        issued = time.time() if issued_at is None else issued_at
        if issued_at is None and lifetime <= 0:
            issued += lifetime - 60
        key = self._keys[-1]
        payload: dict[str, Any] = {
            "iss": self.issuer,
            "sub": subject,
            "aud": self.audience if audience is None else audience,
            "client_id": client_id,
            "iat": int(issued),
            "exp": int(issued) + (60 if issued_at is None and lifetime <= 0 else int(lifetime)),
            "jti": "jti_" + secrets.token_hex(10) if token_id is None else token_id,
            "sid": session_id or None,
            "scope": " ".join(scopes) or None,
            "roles": list(roles) or None,
            "gen": generation,
            **(claims or {}),
        }
        head = {"alg": key.algorithm, "typ": "at+jwt", "kid": key.kid, **(header or {})}
        signing_input = f"{_part(head)}.{_part(payload)}"
        return f"{signing_input}.{encode_base64url(key.sign(signing_input.encode()))}"

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """The public keys as a JWK Set (RFC 7517)."""
        return {"keys": [dict(key.jwk) for key in self._keys]}

    def rotate_key(self, algorithm: Optional[str] = None) -> str:
        """Signs with a new key from now on; tokens of the old ones stay good.
        The new key's id."""
        self._keys.append(_SigningKey(algorithm or self._keys[-1].algorithm))
        self._publish()
        return self._keys[-1].kid

    def withdraw_key(self, key_id: str) -> None:
        """Publishes the key no more: its tokens are KEY_UNKNOWN."""
        self._keys = [key for key in self._keys if key.kid != key_id]
        if not self._keys:
            raise ValueError("an issuer needs a key; rotate first")
        self._publish()

    def revoke(
        self,
        *,
        token: Optional[str] = None,
        session_id: Optional[str] = None,
        account_id: Optional[str] = None,
        client_id: Optional[str] = None,
        key_id: Optional[str] = None,
        everything: bool = False,
    ) -> str:
        """Ends one of them, as TokenService.Revoke does; the ticket."""
        entry = RevocationEntry()
        now = int(time.time())
        if token is not None:
            entry.token_id = take_apart(token).claims.token_id
        elif session_id is not None:
            entry.session_id = session_id
        elif account_id is not None:
            known = self._knowledge.revoked.accounts.get(account_id)
            generation = 2 if known is None else int(known.limit) + 1
            entry.account.account_id = account_id
            entry.account.min_generation = generation
        elif client_id is not None:
            entry.client.client_id = client_id
            entry.client.issued_before.seconds = now
        elif key_id is not None:
            entry.key_id = key_id
        elif everything:
            entry.all.issued_before.seconds = now
        else:
            raise ValueError("name what to revoke")
        return self._publish_revocation(entry)

    def verifier(
        self,
        *,
        audience: Optional[Audience] = None,
        leeway: float = 0.0,
        policy: Union[Policy, str] = Policy.REFUSE,
    ) -> Verifier:
        """A verifier for threads."""
        return Verifier._without_feed(self._decider(audience, leeway, policy))

    def aio_verifier(
        self,
        *,
        audience: Optional[Audience] = None,
        leeway: float = 0.0,
        policy: Union[Policy, str] = Policy.REFUSE,
    ) -> aio.Verifier:
        """A verifier for asyncio."""
        from . import aio

        return aio.Verifier._without_feed(self._decider(audience, leeway, policy))

    def _decider(
        self, audience: Optional[Audience], leeway: float, policy: Union[Policy, str]
    ) -> Decider:
        settings = Settings(
            target="none.invalid:0",
            issuer=self.issuer,
            audience=self.audience if audience is None else audience,
            leeway=leeway,
            policy=Policy(policy),
        )
        return Decider(settings, self._knowledge)

    def _publish(self) -> None:
        with self._knowledge.lock:
            known = self._knowledge.keys
            self._knowledge.keys = KeySet.from_jwks([key.jwk for key in self._keys], known=known)
            self._knowledge.has_keys = True
        self._knowledge.tell_listeners()

    def _publish_revocation(self, entry: RevocationEntry) -> str:
        knowledge = self._knowledge
        with knowledge.lock:
            here = knowledge.position or Position(1, 0)
            knowledge.revoked.merge([entry])
            there = Position(here.epoch, here.sequence + 1)
            knowledge._move(there, "")
        knowledge.tell_listeners()
        return there.to_revision()


def _part(members: Mapping[str, Any]) -> str:
    kept = {name: value for name, value in members.items() if value is not None}
    return encode_base64url(json.dumps(kept, separators=(",", ":")).encode())
