"""The public keys of an issuer, and what makes a key good enough to trust."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Optional, Union

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from ._strict import decode_base64url

#: Every signature algorithm there is, here. `none`, HMAC and encryption have
#: no name, so no code path can choose them.
ALGORITHMS = ("ES256", "RS256", "EdDSA")

_PublicKey = Union[ec.EllipticCurvePublicKey, rsa.RSAPublicKey, ed25519.Ed25519PublicKey]
_PUBLIC_MEMBERS = ("kty", "use", "alg", "kid", "crv", "x", "y", "n", "e")
_PRIVATE_MEMBERS = frozenset(("d", "p", "q", "dp", "dq", "qi", "oth", "k"))
_MAX_KEYS = 256
_MAX_KID_BYTES = 256


def algorithm_called(name: str) -> Optional[str]:
    """Case-sensitive. For the one curve there is, RFC 9864's name is the same."""
    if name == "Ed25519":
        return "EdDSA"
    return name if name in ALGORITHMS else None


@dataclass(frozen=True)
class VerifyingKey:
    """A public key that was found good, for its one algorithm."""

    kid: str
    algorithm: str
    #: The key as RFC 7517 publishes it.
    jwk: Mapping[str, str]
    _public: _PublicKey
    _signature_bytes: int

    def verifies(self, message: bytes, signature: bytes) -> bool:
        """Any length and content of `signature` is safe to pass."""
        if len(signature) != self._signature_bytes:
            return False
        try:
            if isinstance(self._public, ec.EllipticCurvePublicKey):
                r = int.from_bytes(signature[:32], "big")
                s = int.from_bytes(signature[32:], "big")
                self._public.verify(encode_dss_signature(r, s), message, ec.ECDSA(SHA256()))
            elif isinstance(self._public, rsa.RSAPublicKey):
                self._public.verify(signature, message, padding.PKCS1v15(), SHA256())
            else:
                self._public.verify(signature, message)
        except InvalidSignature:
            return False
        return True


class KeySet:
    """The keys by kid. Immutable."""

    def __init__(self, keys: Iterable[VerifyingKey] = ()) -> None:
        self._by_kid = {key.kid: key for key in keys}

    @classmethod
    def from_jwks(
        cls, jwks: Iterable[Mapping[str, Any]], known: Optional[KeySet] = None
    ) -> KeySet:
        """Reads published keys. Those that cannot be used are left out.

        A key that is in `known` already stays the same object. ValueError if
        two have one kid: which one a token means must not be a guess.
        """
        all_keys = list(jwks)
        if len(all_keys) > _MAX_KEYS:
            raise ValueError("too many keys")
        kids = [jwk["kid"] for jwk in all_keys if isinstance(jwk.get("kid"), str) and jwk["kid"]]
        if len(set(kids)) != len(kids):
            raise ValueError("two keys have one kid")
        good = (read_key(jwk) for jwk in all_keys)
        return cls(_same(key, known) for key in good if key is not None)

    def find(self, kid: str) -> Optional[VerifyingKey]:
        return self._by_kid.get(kid)

    def __len__(self) -> int:
        return len(self._by_kid)

    @property
    def keys(self) -> list[VerifyingKey]:
        return list(self._by_kid.values())


def _same(key: VerifyingKey, known: Optional[KeySet]) -> VerifyingKey:
    before = known.find(key.kid) if known is not None else None
    return before if before is not None and before.jwk == key.jwk else key


def read_key(jwk: Mapping[str, Any]) -> Optional[VerifyingKey]:
    """The key, or None: another kty or alg, no alg, no kid, not for signing, a
    private or symmetric one, or numbers that are no key to trust."""
    if _PRIVATE_MEMBERS & jwk.keys() or not _is_for_verifying(jwk):
        return None
    members = {name: jwk[name] for name in _PUBLIC_MEMBERS if isinstance(jwk.get(name), str)}
    kid = members.get("kid", "")
    algorithm = algorithm_called(members.get("alg", ""))
    if not kid or len(kid.encode("utf-8", "replace")) > _MAX_KID_BYTES or algorithm is None:
        return None
    try:
        public, signature_bytes = _MAKERS[algorithm](members)
    except (ValueError, UnsupportedAlgorithm):
        return None
    return VerifyingKey(kid, algorithm, members, public, signature_bytes)


def _is_for_verifying(jwk: Mapping[str, Any]) -> bool:
    if jwk.get("use", "sig") != "sig":
        return False
    operations = jwk.get("key_ops", ["verify"])
    return isinstance(operations, list) and "verify" in operations


def _number(members: Mapping[str, str], name: str) -> bytes:
    data = decode_base64url(members.get(name, ""))
    if not data:
        raise ValueError(f"{name} is missing or not base64url")
    return data


def _require(good: bool, why: str) -> None:
    if not good:
        raise ValueError(why)


def _make_es256(members: Mapping[str, str]) -> tuple[_PublicKey, int]:
    _require(members.get("kty") == "EC" and members.get("crv") == "P-256", "not P-256")
    x, y = _number(members, "x"), _number(members, "y")
    _require(len(x) == 32 and len(y) == 32, "a P-256 coordinate must have 32 bytes")
    numbers = ec.EllipticCurvePublicNumbers(
        int.from_bytes(x, "big"), int.from_bytes(y, "big"), ec.SECP256R1()
    )
    return numbers.public_key(), 64  # raises for a point off the curve


def _make_rs256(members: Mapping[str, str]) -> tuple[_PublicKey, int]:
    _require(members.get("kty") == "RSA", "not RSA")
    n_bytes, e_bytes = _number(members, "n"), _number(members, "e")
    _require(n_bytes[0] != 0 and e_bytes[0] != 0, "an RSA number has a leading zero byte")
    n, e = int.from_bytes(n_bytes, "big"), int.from_bytes(e_bytes, "big")
    # Above 8192 bits one check takes milliseconds.
    _require(2048 <= n.bit_length() <= 8192, "an RSA modulus must have 2048 to 8192 bits")
    _require(n % 2 == 1, "the RSA modulus is even")
    _require(e % 2 == 1 and 1 < e < 1 << 32, "the RSA exponent must be odd, 3 to 2^32")
    _require(not _looks_like_roca(n), "the RSA modulus is of the ROCA family")
    return rsa.RSAPublicNumbers(e, n).public_key(), len(n_bytes)


_ROCA_PRIMES = (11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157)


def _looks_like_roca(n: int) -> bool:
    """Keys of one smart-card library (CVE-2017-15361) can be factored: their
    moduli are powers of 65537 modulo every small prime."""
    return all(n % p in {pow(65537, k, p) for k in range(p - 1)} for p in _ROCA_PRIMES)


# Points of order 1, 2, 4 or 8, in every encoding, the sign bit apart: under
# such a key a signature made without the private key passes easily. An
# all-zero key, the commonest mistake, is among them.
_SMALL_ORDER = frozenset(
    (
        b"\x00" * 32,
        b"\x01" + b"\x00" * 31,
        b"\xec" + b"\xff" * 30 + b"\x7f",
        b"\xed" + b"\xff" * 30 + b"\x7f",
        b"\xee" + b"\xff" * 30 + b"\x7f",
        bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
        bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
    )
)


def _make_eddsa(members: Mapping[str, str]) -> tuple[_PublicKey, int]:
    _require(members.get("kty") == "OKP" and members.get("crv") == "Ed25519", "not Ed25519")
    x = _number(members, "x")
    _require(len(x) == 32, "an Ed25519 key must have 32 bytes")
    _require(x[:31] + bytes((x[31] & 0x7F,)) not in _SMALL_ORDER, "a key of small order")
    return ed25519.Ed25519PublicKey.from_public_bytes(x), 64


_MAKERS = {"ES256": _make_es256, "RS256": _make_rs256, "EdDSA": _make_eddsa}
