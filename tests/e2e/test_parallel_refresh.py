"""Many presentations of one refresh token at once: one successor."""

import threading
from concurrent.futures import ThreadPoolExecutor

import jwt
import pytest

from doors import ConnectDoor, GrpcDoor, Refused
from house import refusal

CALLERS = 64
# What a caller that lost a race may be told, by the contract.
DOCUMENTED = {"REFRESH_IN_PROGRESS", "OVERLOADED"}


@pytest.fixture(scope="module")
def many_doors(house):
    """Real connections of their own, half of them for each protocol."""
    doors = [GrpcDoor(house.contract, house.server.grpc)
             for _ in range(CALLERS // 2)]
    doors += [ConnectDoor(house.contract, house.server.url)
              for _ in range(CALLERS // 2)]
    for door in doors:  # connected before the race begins
        door.call("KeyService/GetJwks")
    yield doors
    for door in doors:
        door.close()


def all_at_once(house, doors, refresh_token, **fields):
    """What each was answered: tokens or a refusal."""
    start = threading.Barrier(len(doors))

    def present(door):
        start.wait(20)
        try:
            return house.refresh(refresh_token, door, **fields)
        except Refused as refused:
            return refused

    with ThreadPoolExecutor(len(doors)) as pool:
        return list(pool.map(present, doors))


def test_64_presentations_of_one_token_have_one_successor(house, many_doors):
    tokens = house.sign_up().sign_in()
    for _ in range(3):
        answers = all_at_once(house, many_doors, tokens.refresh_token)
        refused = [a for a in answers if isinstance(a, Refused)]
        given = [a for a in answers if not isinstance(a, Refused)]
        assert {r.reason for r in refused} <= DOCUMENTED, refused
        assert given, "somebody must have won"
        assert len({g.refresh_token for g in given}) == 1
        ids = {jwt.decode(g.access_token, options={"verify_signature": False}
                          )["jti"] for g in given}
        assert len(ids) == 1, "N retries make one access token"
        assert house.verdict(given[0].access_token) == "VALID"
        tokens = given[0]
    assert house.refresh(tokens.refresh_token).session_id == tokens.session_id


def test_64_presentations_under_one_request_id_all_succeed_alike(house,
                                                                 many_doors):
    tokens = house.sign_up().sign_in()
    answers = all_at_once(house, many_doors, tokens.refresh_token,
                          request_id="r" * 20)
    given = {a.refresh_token for a in answers if not isinstance(a, Refused)}
    refused = {a.reason for a in answers if isinstance(a, Refused)}
    assert len(given) == 1
    assert refused <= {"OVERLOADED"}


def test_64_presentations_of_a_stolen_token_all_fail_and_end_the_session(
        house, many_doors):
    first = house.sign_up().sign_in()
    second = house.refresh(first.refresh_token)
    third = house.refresh(second.refresh_token)
    answers = all_at_once(house, many_doors, first.refresh_token)
    assert {getattr(a, "reason", "accepted") for a in answers} == {
        "REFRESH_REJECTED"}
    assert refusal(house.refresh, third.refresh_token).reason == (
        "REFRESH_REJECTED")
    assert house.verdict(third.access_token) == "TOKEN_REVOKED"


def test_a_race_of_refresh_and_revocation_leaves_nothing_valid(house,
                                                               many_doors):
    """Whatever a racing refresh mints is refused after the answer to Revoke."""
    for _ in range(5):
        person = house.sign_up()
        tokens = person.sign_in()
        minted, stop = [tokens], threading.Event()

        def keep_refreshing():
            door = many_doors[0]
            while not stop.is_set():
                try:
                    minted.append(house.refresh(minted[-1].refresh_token, door))
                except Refused:
                    return

        racer = threading.Thread(target=keep_refreshing)
        racer.start()
        house.revoke(account_id=person.account_id)
        stop.set()
        racer.join(20)
        for each in minted:
            assert house.verdict(each.access_token) == "TOKEN_REVOKED"
        assert refusal(house.refresh, minted[-1].refresh_token).reason == (
            "REFRESH_REJECTED")
