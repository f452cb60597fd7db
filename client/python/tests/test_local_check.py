"""One token, everything there is to say about it, with a test issuer."""

from __future__ import annotations

import random
import threading
import time
from typing import Any

import pytest

import ostiary
from ostiary import ANY_AUDIENCE, TokenError, Verifier
from ostiary.testing import TestIssuer

issuer = TestIssuer()


def refusal(token: str, verifier: Verifier | None = None, **demand: Any) -> str:
    with pytest.raises(TokenError) as caught:
        (verifier or issuer.verifier()).verify(token, **demand)
    return caught.value.reason


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "EdDSA"])
def test_every_algorithm(algorithm: str) -> None:
    own = TestIssuer(algorithm=algorithm)
    claims = own.verifier().verify(own.token("acct_ada", scopes=["a", "b"], roles=["r"]))
    assert (claims.subject, claims.scopes, claims.roles) == ("acct_ada", ("a", "b"), ("r",))
    assert claims.issue_time.tzinfo is not None
    assert (claims.expire_time - claims.issue_time).total_seconds() == 900


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"claims": {"sub": 7}}, "TOKEN_MALFORMED"),
        ({"header": {"crit": ["x"]}}, "TOKEN_MALFORMED"),
        ({"header": {"b64": True}}, "TOKEN_MALFORMED"),
        ({"header": {"zip": "DEF"}}, "TOKEN_MALFORMED"),
        ({"header": {"alg": "none"}}, "ALGORITHM_NOT_ALLOWED"),
        ({"header": {"alg": "HS256"}}, "ALGORITHM_NOT_ALLOWED"),
        ({"header": {"alg": "RS256"}}, "ALGORITHM_NOT_ALLOWED"),
        ({"header": {"kid": "other"}}, "KEY_UNKNOWN"),
        ({"header": {"kid": None}}, "KEY_UNKNOWN"),
        ({"header": {"typ": "JWT"}}, "TYPE_MISMATCH"),
        ({"header": {"typ": None}}, "TYPE_MISMATCH"),
        ({"claims": {"iss": "http://issuer.test/"}}, "ISSUER_MISMATCH"),
        ({"claims": {"jti": ""}}, "TOKEN_MALFORMED"),
        ({"claims": {"client_id": None}}, "TOKEN_MALFORMED"),
        ({"lifetime": 24 * 3600 + 1}, "TOKEN_MALFORMED"),
        ({"claims": {"nbf": 9_999_999_999}}, "TOKEN_NOT_YET_VALID"),
        ({"issued_at": time.time() + 60}, "TOKEN_NOT_YET_VALID"),
        ({"lifetime": -1}, "TOKEN_EXPIRED"),
        ({"audience": "other"}, "AUDIENCE_MISMATCH"),
        ({"audience": ["other", "API"]}, "AUDIENCE_MISMATCH"),
    ],
)
def test_every_reason(wrong: dict[str, Any], reason: str) -> None:
    assert refusal(issuer.token(**wrong)) == reason


def test_the_first_reason_is_the_one_given() -> None:
    token = issuer.token(lifetime=-1, audience="other", session_id="sess_order")
    issuer.revoke(session_id="sess_order")
    assert refusal(token) == "TOKEN_EXPIRED"
    token = issuer.token(audience="other", session_id="sess_order")
    assert refusal(token, scopes=["s"]) == "AUDIENCE_MISMATCH"
    token = issuer.token(session_id="sess_order")
    assert refusal(token, scopes=["s"]) == "TOKEN_REVOKED"
    assert refusal(issuer.token(), scopes=["s"], roles=["r"]) == "SCOPE_MISSING"
    assert refusal(issuer.token(scopes=["s"]), scopes=["s"], roles=["r"]) == "ROLE_MISSING"


def test_a_day_is_not_too_long() -> None:
    issuer.verifier().verify(issuer.token(lifetime=24 * 3600))


def test_leeway_is_for_both_ends() -> None:
    patient = issuer.verifier(leeway=30)
    patient.verify(issuer.token(issued_at=time.time() - 900, lifetime=880))
    patient.verify(issuer.token(issued_at=time.time() + 20))
    late = issuer.token(issued_at=time.time() - 900, lifetime=860)
    assert refusal(late, patient) == "TOKEN_EXPIRED"


def test_any_audience_is_an_explicit_choice() -> None:
    token = issuer.token(audience="other")
    verifier = issuer.verifier()
    assert refusal(token, verifier) == "AUDIENCE_MISMATCH"
    verifier.verify(token, audience="other")
    verifier.verify(token, audience=ANY_AUDIENCE)
    issuer.verifier(audience=ANY_AUDIENCE).verify(token)
    with pytest.raises(ValueError):
        verifier.verify(token, audience="")


@pytest.mark.parametrize(
    "settings",
    [
        {"issuer": ""},
        {"target": ""},
        {"audience": ""},
        {"leeway": -1},
        {"leeway": 301},
        {"algorithms": []},
        {"algorithms": ["HS256"]},
        {"algorithms": ["none"]},
        {"staleness_bound": 0},
        {"policy": "perhaps"},
        {"ask_timeout": 0},
    ],
)
def test_settings_that_mean_nothing_are_refused_when_built(settings: dict[str, Any]) -> None:
    good: dict[str, Any] = {"target": "127.0.0.1:1", "issuer": "http://i"}
    with pytest.raises(ValueError):
        Verifier(**{**good, **settings})


def test_one_word_is_no_list() -> None:
    with pytest.raises(ValueError):
        issuer.verifier().verify(issuer.token(), roles="admin")


@pytest.mark.parametrize(
    "target", ["token", "session_id", "account_id", "client_id", "key_id", "everything"]
)
def test_a_test_issuer_revokes_everything_there_is(target: str) -> None:
    own = TestIssuer()
    verifier = own.verifier()
    token = own.token("acct_ada", session_id="sess_ada", client_id="cli_ada")
    verifier.verify(token)
    named: dict[str, Any] = {
        "token": token,
        "session_id": "sess_ada",
        "account_id": "acct_ada",
        "client_id": "cli_ada",
        "key_id": own.jwks()["keys"][0]["kid"],
        "everything": True,
    }
    verifier.wait_for(own.revoke(**{target: named[target]}), 1)
    assert refusal(token, verifier) == "TOKEN_REVOKED"
    own.rotate_key()
    if target not in ("client_id", "everything"):
        fresh = own.token("acct_ada", session_id="sess_2", generation=2)
        verifier.verify(fresh)


def test_a_withdrawn_key_is_unknown_even_for_a_token_seen_before() -> None:
    own = TestIssuer()
    verifier = own.verifier()
    token = own.token()
    verifier.verify(token)
    old = own.jwks()["keys"][0]["kid"]
    own.rotate_key()
    verifier.verify(token)
    own.withdraw_key(old)
    assert refusal(token, verifier) == "KEY_UNKNOWN"


def test_the_cache_is_bounded() -> None:
    verifier = issuer.verifier()
    cache = verifier._decider.cache
    cache._size = 10
    for _ in range(25):
        verifier.verify(issuer.token())
    assert len(cache._tokens) == 10


def test_checks_are_counted() -> None:
    verifier = issuer.verifier()
    token = issuer.token()
    verifier.verify(token)
    verifier.verify(token)
    refusal("nonsense", verifier)
    stats = verifier.stats()
    assert stats.checks == {"OK": 2, "TOKEN_MALFORMED": 1}
    assert (stats.cache_hits, stats.connected, stats.staleness_seconds) == (1, True, 0)


def test_no_text_breaks_it() -> None:
    verifier = issuer.verifier()
    token = issuer.token()
    chance = random.Random(7)
    alphabet = 'ABCxyz012-_.=+/ \u00e9\u212a\n{}[]"\\'
    for _ in range(3000):
        text = list(token)
        for _ in range(chance.randrange(1, 4)):
            at = chance.randrange(len(text))
            text[at : at + chance.randrange(3)] = chance.choice(alphabet)
        changed = "".join(text)
        if changed != token:
            refusal(changed, verifier)
    for odd in ("", ".", "..", "...", "a" * 20_000, "\ud800.a.b", "\0"):
        refusal(odd, verifier)


@pytest.mark.parametrize("depth", [31, 32, 5000])
def test_deep_json_is_refused(depth: int) -> None:
    nested: Any = 1
    for _ in range(min(depth, 900) - 1):
        nested = [nested]
    token = issuer.token(claims={"deep": nested})
    if depth == 31:
        issuer.verifier().verify(token)
    elif depth == 32:
        issuer.verifier().verify(token)
    else:
        assert refusal(token) == "TOKEN_MALFORMED"


def test_many_threads_and_a_revocation_between() -> None:
    own = TestIssuer()
    verifier = own.verifier()
    token = own.token(session_id="sess_busy")
    revoked = threading.Event()
    wrong: list[str] = []

    def check() -> None:
        for _ in range(2000):
            was_revoked = revoked.is_set()
            try:
                verifier.verify(token)
                if was_revoked:
                    wrong.append("accepted")
            except TokenError as error:
                if error.reason != "TOKEN_REVOKED":
                    wrong.append(error.reason)

    threads = [threading.Thread(target=check) for _ in range(4)]
    for thread in threads:
        thread.start()
    own.revoke(session_id="sess_busy")
    revoked.set()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_check_unavailable_is_a_token_error() -> None:
    assert issubclass(ostiary.CheckUnavailable, TokenError)
    assert ostiary.CheckUnavailable().reason == "CHECK_UNAVAILABLE"


def test_credentials_do_not_show() -> None:
    assert "secret" not in repr(ostiary.Credentials(bearer_token="secret"))
    with pytest.raises(ValueError):
        ostiary.Credentials(private_key=b"x")
