"""The attack vectors of this repository, judged exactly as they expect."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ostiary import TokenError
from ostiary._jwt import TokenRules, authenticate, check_time_and_audience
from ostiary._keys import KeySet, read_key

VECTORS = Path(__file__).resolve().parents[3] / "tests" / "vectors" / "jose"
FILE: dict[str, Any] = json.loads((VECTORS / "jwt-attacks.json").read_text())
KEYS = KeySet.from_jwks(FILE["jwks"]["keys"])
# The vectors' tokens live for decades.
RULES = TokenRules(FILE["issuer"], FILE["allowed_algs"], maximum_lifetime=None)


def verdict(token: str) -> str:
    try:
        checked = authenticate(token, RULES, KEYS)
        check_time_and_audience(checked.claims, FILE["now"], FILE["leeway_s"], FILE["audience"])
    except TokenError as error:
        return error.reason
    return "accept"


@pytest.mark.parametrize("case", FILE["cases"], ids=lambda case: case["id"])
def test_every_token_is_judged_right(case: dict[str, Any]) -> None:
    assert (verdict(case["token"]) == "accept") == (case["expect"] == "accept"), case["why"]


def test_the_table_is_whole() -> None:
    accepted = [case for case in FILE["cases"] if case["expect"] == "accept"]
    assert (len(FILE["cases"]), len(accepted)) == (129, 12)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("alg-none", "ALGORITHM_NOT_ALLOWED"),
        ("alg-confusion", "ALGORITHM_NOT_ALLOWED"),
        ("crit", "TOKEN_MALFORMED"),
        ("json", "TOKEN_MALFORMED"),
        ("b64", "TOKEN_MALFORMED"),
        ("form", "TOKEN_MALFORMED"),
        ("nest", "TOKEN_MALFORMED"),
        ("claim", "TOKEN_MALFORMED"),
    ],
)
def test_every_refusal_names_its_class(kind: str, reason: str) -> None:
    # Their signatures are empty and too long: well-formed, and wrong.
    odd = ("v-158", "v-146")
    cases = [c for c in FILE["cases"] if c["cls"] == kind and c["id"] not in odd]
    assert cases
    assert {verdict(case["token"]) for case in cases} == {reason}


@pytest.mark.parametrize("header", ["jku", "jwk", "x5u", "x5c"])
def test_keys_named_in_the_header_are_never_followed(header: str) -> None:
    from ostiary.testing import TestIssuer

    ours, theirs = TestIssuer(), TestIssuer()
    forged = theirs.token(header={header: theirs.jwks()["keys"][0]})
    with pytest.raises(TokenError) as caught:
        ours.verifier().verify(forged)
    assert caught.value.reason == "KEY_UNKNOWN"


RSA = FILE["jwks"]["keys"][2]
EC = FILE["jwks"]["keys"][1]
ED = FILE["jwks"]["keys"][0]


@pytest.mark.parametrize(
    "jwk",
    [
        {**EC, "d": "AAAA"},
        {**EC, "alg": "RS256"},
        {**EC, "kid": ""},
        {**EC, "use": "enc"},
        {**EC, "key_ops": ["sign"]},
        {**EC, "x": EC["y"]},
        {**EC, "x": EC["x"][:-4]},
        {**RSA, "e": "AQ"},
        {**RSA, "e": "AgAB"[::-1] + "AAAA"},
        {**RSA, "n": RSA["n"][:100]},
        {**RSA, "n": "AA" + RSA["n"][2:]},
        {**ED, "x": "A" * 43},
        {**ED, "x": "AQ" + "A" * 41},
        {"kty": "oct", "k": "AAAA", "alg": "HS256", "kid": "h"},
        {name: value for name, value in RSA.items() if name != "alg"},
    ],
)
def test_keys_that_are_not_to_be_trusted_are_left_out(jwk: dict[str, Any]) -> None:
    assert read_key(jwk) is None


def test_two_keys_of_one_kid_are_refused() -> None:
    with pytest.raises(ValueError, match="one kid"):
        KeySet.from_jwks([EC, {**ED, "kid": EC["kid"]}])


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "EdDSA"])
def test_a_signature_has_one_length_and_one_spelling(algorithm: str) -> None:
    from ostiary._keys import read_key as read
    from ostiary._strict import decode_base64url
    from ostiary.testing import TestIssuer

    issuer = TestIssuer(algorithm=algorithm)
    key = read(issuer.jwks()["keys"][0])
    head, payload, text = issuer.token().split(".")
    message, signature = f"{head}.{payload}".encode(), decode_base64url(text)
    assert key is not None and signature is not None
    assert key.verifies(message, signature)
    for other in (
        signature[:32] + b"\0" + signature[32:],
        b"\0" + signature,
        signature + b"\0",
        signature[:-1],
        b"",
        bytes(len(signature)),
        b"\xff" * len(signature),
    ):
        assert not key.verifies(message, other)
