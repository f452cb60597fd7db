"""Two things at once about one account: the stricter one wins."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from doors import Refused
from house import new_name, new_password


def outcome(call, *arguments, **named):
    try:
        return call(*arguments, **named)
    except Refused as refused:
        return refused


@pytest.fixture(scope="module")
def slow(programs, contract):
    """Hashes take long enough for something to happen meanwhile."""
    from house import House, Server
    server = Server(programs, "--hash-memory-kib=262144", "--hash-iterations=3",
                    "--hash-threads=2").start()
    house = House(server, contract)
    yield house
    house.close()
    server.remove()


def while_signing_in(person, meanwhile):
    """What a sign-in answers when `meanwhile` is done during its hash."""
    answers = []
    caller = threading.Thread(
        target=lambda: answers.append(outcome(person.sign_in)))
    caller.start()
    time.sleep(0.1)
    meanwhile()
    assert caller.is_alive(), "the hash was over before: nothing is proved"
    caller.join(30)
    return answers[0]


@pytest.mark.parametrize("method", ["DisableAccount", "DeleteAccount"])
def test_a_sign_in_overtaken_by_the_accounts_end_is_refused(slow, method):
    person = slow.sign_up()
    answer = while_signing_in(person, lambda: slow.operator.call(
        f"AccountService/{method}", {"account_id": person.account_id}))
    assert isinstance(answer, Refused), "signed in to what had ended"
    assert answer.reason == "CREDENTIALS_REJECTED"


def test_a_sign_in_overtaken_by_a_new_password_is_refused(slow):
    import bcrypt
    person, new = slow.sign_up(), new_password()
    # An imported hash is stored without hashing: it overtakes for certain.
    imported = bcrypt.hashpw(new.encode(), bcrypt.gensalt(4)).decode()
    answer = while_signing_in(person, lambda: slow.operator.call(
        "AccountService/SetPassword",
        {"account_id": person.account_id, "password_hash": imported}))
    assert isinstance(answer, Refused), "the old password opened a session"
    assert answer.reason == "CREDENTIALS_REJECTED"
    assert person.sign_in(password=new).access_token


def test_a_sign_in_overtaken_by_a_revocation_mints_under_the_new_floor(slow):
    """Its session begins after the revocation, so it may live."""
    person = slow.sign_up()
    tokens = while_signing_in(person, lambda: slow.revoke(
        account_id=person.account_id))
    assert slow.verdict(tokens.access_token) == "VALID"
    assert slow.refresh(tokens.refresh_token).access_token


def test_a_sign_in_overtaken_by_a_lost_role_does_not_carry_it(slow):
    person = slow.sign_up()
    role = {"account_id": person.account_id, "role": "boss"}
    slow.operator.call("AccountService/GrantRole", role)
    tokens = while_signing_in(person, lambda: slow.operator.call(
        "AccountService/RevokeRole", role))
    assert slow.verdict(tokens.access_token,
                        required_roles=["boss"]) == "ROLE_MISSING"


@pytest.mark.parametrize("key", ["username", "email"])
def test_one_of_many_who_want_the_same_name_gets_it(house, key):
    name = new_name() + ("@example.com" if key == "email" else "")

    def sign_up(number):
        door = house.grpc if number % 2 else house.http
        return outcome(door.call, "AuthService/SignUp",
                       {key: name.upper() if number % 3 else name,
                        "password": new_password()})

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(sign_up, range(16)))
    refused = [a for a in answers if isinstance(a, Refused)]
    assert len(refused) == 15
    assert {r.reason for r in refused} == {"IDENTIFIER_TAKEN"}


def test_of_many_password_changes_with_one_old_password_one_happens(house):
    person = house.sign_up()
    sessions = [person.sign_in() for _ in range(8)]
    wanted = [new_password() for _ in sessions]

    def change(number):
        return outcome(house.grpc.call, "AuthService/ChangePassword",
                       {"current_password": person.password,
                        "new_password": wanted[number]},
                       token=sessions[number].access_token)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(change, range(8)))
    changed = [n for n, a in enumerate(answers) if not isinstance(a, Refused)]
    assert len(changed) == 1, answers
    works = [n for n, password in enumerate(wanted) if not isinstance(
        outcome(person.sign_in, password=password), Refused)]
    assert works == changed
    for number, tokens in enumerate(sessions):
        assert house.verdict(tokens.access_token) == "TOKEN_REVOKED"
        answer = outcome(house.refresh, tokens.refresh_token)
        assert isinstance(answer, Refused) == (number not in changed)


def test_the_cap_of_sessions_holds_under_many_sign_ins_at_once(new_house):
    house = new_house("--max-sessions-per-account=5",
                      "--sign-in-limit-identifier-prefix=off")
    person = house.sign_up()
    with ThreadPoolExecutor(20) as pool:
        tokens = list(pool.map(lambda _: person.sign_in(), range(20)))
    live = house.operator.call("SessionService/ListSessions",
                               {"account_id": person.account_id}).sessions
    assert len(live) == 5
    verdicts = [house.verdict(t.access_token) for t in tokens]
    assert verdicts.count("VALID") == 5
    assert verdicts.count("TOKEN_REVOKED") == 15


def test_revocations_at_once_are_each_in_force_when_acknowledged(house):
    tokens = [house.sign_up().sign_in().access_token for _ in range(4)]
    tokens += [p.sign_in().access_token for p in [house.sign_up()]
               for _ in range(20)]

    def revoke(token):
        revision = house.grpc.call("TokenService/Revoke",
                                   {"token": token}).revision
        return revision, house.verdict(token, min_revision=revision)

    with ThreadPoolExecutor(12) as pool:
        told = list(pool.map(revoke, tokens))
    assert {verdict for _, verdict in told} == {"TOKEN_REVOKED"}
    assert len({revision for revision, _ in told}) == len(tokens)


def test_every_jti_is_its_own(house):
    person = house.sign_up()
    with ThreadPoolExecutor(8) as pool:
        all_tokens = list(pool.map(lambda _: person.sign_in(), range(30)))
    claims = [house.claims(t.access_token) for t in all_tokens]
    assert len({c.token_id for c in claims}) == 30
    assert len({c.session_id for c in claims}) == 30
