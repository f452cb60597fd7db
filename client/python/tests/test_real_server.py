"""Against a real ostiaryd. Needs OSTIARY_BIN_DIR."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from house import House, programs

import ostiary

if programs() is None:
    pytest.skip("OSTIARY_BIN_DIR names no ostiaryd", allow_module_level=True)


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    bin_dir = programs()
    assert bin_dir is not None
    running = House(bin_dir)
    yield running
    running.close()


@pytest.fixture
def verifier(house: House) -> Iterator[ostiary.Verifier]:
    with ostiary.Verifier(house.target, issuer=house.issuer) as opened:
        opened.wait_ready(10)
        yield opened


def refusal(verifier: ostiary.Verifier, token: str) -> str:
    with pytest.raises(ostiary.TokenError) as caught:
        verifier.verify(token)
    return caught.value.reason


def test_sign_out_is_seen_within_a_fraction_of_a_second(
    house: House, verifier: ostiary.Verifier
) -> None:
    tokens = house.newcomer()
    claims = verifier.verify(tokens.access_token)
    assert claims.session_id == tokens.session_id
    revision = house.revoke(session_id=tokens.session_id)
    begun = time.monotonic()
    verifier.wait_for(revision, 5)
    assert time.monotonic() - begun < 1
    assert refusal(verifier, tokens.access_token) == "TOKEN_REVOKED"
    assert verifier.stats().asked == 0


@pytest.mark.parametrize("target", ["token", "session_id", "account_id"])
def test_each_kind_of_revocation(house: House, verifier: ostiary.Verifier, target: str) -> None:
    tokens, bystander = house.newcomer(), house.newcomer()
    claims = verifier.verify(tokens.access_token)
    names = {
        "token": tokens.access_token,
        "session_id": claims.session_id,
        "account_id": claims.subject,
    }
    verifier.wait_for(house.revoke(**{target: names[target]}), 5)
    assert refusal(verifier, tokens.access_token) == "TOKEN_REVOKED"
    verifier.verify(bystander.access_token)


def test_a_newcomer_learns_what_was_revoked_before(house: House) -> None:
    tokens = house.newcomer()
    revision = house.revoke(session_id=tokens.session_id)
    with ostiary.Verifier(house.target, issuer=house.issuer, policy="refuse") as late:
        late.wait_for(revision, 10)
        assert refusal(late, tokens.access_token) == "TOKEN_REVOKED"


def test_a_killed_server_is_found_again_and_nothing_is_forgotten(tmp_path: Path) -> None:
    bin_dir = programs()
    assert bin_dir is not None
    house = House(bin_dir)
    try:
        gone, good = house.newcomer(), house.newcomer()
        state = tmp_path / "state"
        with ostiary.Verifier(house.target, issuer=house.issuer, state_file=state) as verifier:
            verifier.wait_for(house.revoke(session_id=gone.session_id), 10)
            house.kill()
            assert refusal(verifier, gone.access_token) == "TOKEN_REVOKED"
            verifier.verify(good.access_token)
            house.start()
            late = house.newcomer()
            verifier.wait_for(house.revoke(session_id=late.session_id), 10)
            assert refusal(verifier, late.access_token) == "TOKEN_REVOKED"
            assert refusal(verifier, gone.access_token) == "TOKEN_REVOKED"
            verifier.verify(good.access_token)
            assert verifier.stats().reconnects >= 1
        house.stop()
        # Without any server: the state file knows.
        with ostiary.Verifier(
            house.target, issuer=house.issuer, state_file=state, policy="accept"
        ) as warm:
            assert refusal(warm, gone.access_token) == "TOKEN_REVOKED"
            verified = warm.verify(good.access_token)
            assert verified.session_id == good.session_id
    finally:
        house.close()
