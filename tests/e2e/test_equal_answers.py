"""Nobody learns from an answer whether an account exists; guesses are counted."""

import time

import pytest

from doors import Refused
from house import new_name, new_password, refusal

SIGN_IN = "AuthService/SignInWithPassword"


def kinds_of_failure(house):
    """Five ways to fail that must look alike."""
    person, disabled = house.sign_up(), house.sign_up()
    house.operator.call("AccountService/DisableAccount",
                        {"account_id": disabled.account_id})
    bare = new_name()
    house.operator.call("AccountService/CreateAccount", {"username": bare})
    return {
        "unknown account": (new_name(), new_password()),
        "unknown email": (new_name() + "@example.com", new_password()),
        "a text that names nobody": ("no body here", new_password()),
        "wrong password": (person.username, new_password()),
        "wrong password by email": (person.email, new_password()),
        "password beyond all bounds": (person.username, "x" * 2000),
        "disabled, right password": (disabled.username, disabled.password),
        "disabled, wrong password": (disabled.username, new_password()),
        "no password": (bare, new_password()),
    }


def test_every_failed_sign_in_has_the_same_answer_over_http(house):
    answers = {}
    for kind, (identifier, password) in kinds_of_failure(house).items():
        response = house.http.client.post(
            f"/ostiary.v1.{SIGN_IN}",
            json={"identifier": identifier, "password": password})
        headers = {name: value for name, value in response.headers.items()
                   if name != "date"}
        answers[kind] = (response.status_code, headers, response.content)
    first = answers["unknown account"]
    assert first[0] == 401
    for kind, answer in answers.items():
        assert answer == first, kind


def test_every_failed_sign_in_has_the_same_answer_over_grpc(house):
    answers = {}
    for kind, (identifier, password) in kinds_of_failure(house).items():
        refused = refusal(house.grpc.call, SIGN_IN,
                          {"identifier": identifier, "password": password})
        answers[kind] = vars(refused)
    for kind, answer in answers.items():
        assert answer == answers["unknown account"], kind


def test_an_unknown_account_costs_the_work_of_a_hash(new_house):
    """Medians, not single times: the machine may be busy."""
    house = new_house("--hash-memory-kib=65536", "--hash-iterations=2")
    person = house.sign_up()
    took = {"known": [], "unknown": []}
    for _ in range(7):
        for kind, name in (("known", person.username), ("unknown", new_name())):
            began = time.monotonic()
            refusal(house.grpc.call, SIGN_IN,
                    {"identifier": name, "password": new_password()})
            took[kind].append(time.monotonic() - began)
    known, unknown = (sorted(times)[3] for times in took.values())
    assert 0.4 < unknown / known < 2.5, took


def sign_in_from(house, door, address, identifier, password):
    return door.call(SIGN_IN, {"identifier": identifier, "password": password},
                     headers={"x-forwarded-for": address})


@pytest.fixture
def limited(new_house):
    """Few guesses, and a proxy on loopback that tells who calls."""
    return new_house("--trusted-proxies=127.0.0.1/32",
                     "--sign-in-limit-identifier-prefix=3/1h",
                     "--sign-in-limit-identifier=6/1h",
                     "--sign-in-limit-prefix=8/1h")


def guess(house, door, address, identifier, password=None):
    """The reason a guess is refused with."""
    refused = refusal(sign_in_from, house, door, address, identifier,
                      password or new_password())
    return refused


@pytest.mark.parametrize("door_name", ["grpc", "connect"])
def test_too_many_guesses_are_told_when_to_come_back(limited, door_name):
    door, person = limited.door(door_name), limited.sign_up()
    for _ in range(3):
        assert guess(limited, door, "192.0.2.1", person.username).reason == (
            "CREDENTIALS_REJECTED")
    refused = guess(limited, door, "192.0.2.1", person.username)
    assert (refused.code, refused.reason) == ("RESOURCE_EXHAUSTED",
                                              "RATE_LIMITED")
    assert 0 < refused.retry_after <= 3600
    if door_name == "connect":
        assert refused.http_status == 429
        assert int(refused.headers["retry-after"]) >= refused.retry_after
    # Not even the right password is looked at: no oracle beyond the limit.
    assert guess(limited, door, "192.0.2.1", person.username,
                 person.password).reason == "RATE_LIMITED"
    # However the name is written.
    assert guess(limited, door, "192.0.2.1", person.username.upper()).reason == (
        "RATE_LIMITED")


def test_another_network_is_not_shut_out_by_a_guesser(limited):
    person = limited.sign_up()
    for _ in range(4):
        guess(limited, limited.grpc, "192.0.2.1", person.username)
    tokens = sign_in_from(limited, limited.grpc, "198.51.100.1",
                          person.username, person.password)
    assert tokens.tokens.access_token


def test_names_that_exist_and_names_that_do_not_are_limited_alike(limited):
    person = limited.sign_up()
    told = []
    for identifier, address in ((person.username, "192.0.2.1"),
                                (new_name(), "198.51.100.1")):
        told.append([guess(limited, limited.grpc, address, identifier).reason
                     for _ in range(5)])
    assert told[0] == told[1]
    assert told[0] == ["CREDENTIALS_REJECTED"] * 3 + ["RATE_LIMITED"] * 2


def test_a_network_that_tries_many_names_is_limited(limited):
    told = [guess(limited, limited.grpc, "203.0.113.7", new_name()).reason
            for _ in range(10)]
    assert told == ["CREDENTIALS_REJECTED"] * 8 + ["RATE_LIMITED"] * 2


def test_a_right_password_costs_no_budget(limited):
    person = limited.sign_up()
    for _ in range(12):
        assert sign_in_from(limited, limited.grpc, "192.0.2.9",
                            person.username, person.password)


def test_where_it_signed_in_before_it_may_when_others_spend_its_budget(limited):
    person = limited.sign_up()
    home = "192.0.2.77"
    sign_in_from(limited, limited.grpc, home, person.username, person.password)
    for number in range(4):  # different networks spend the name's own budget
        for _ in range(2):
            guess(limited, limited.grpc, f"198.51.{number}.1", person.username)
    assert guess(limited, limited.grpc, "203.0.113.200", person.username,
                 person.password).reason == "RATE_LIMITED"
    assert sign_in_from(limited, limited.grpc, home, person.username,
                        person.password)


def test_a_forwarded_address_is_not_believed_from_a_stranger(new_house):
    """No trusted proxy: changing the header gives no new budget."""
    house = new_house("--sign-in-limit-identifier=3/1h")
    person = house.sign_up()
    told = [guess(house, house.grpc, f"192.0.2.{n}", person.username).reason
            for n in range(5)]
    assert told[3:] == ["RATE_LIMITED"] * 2


def test_sign_ups_of_one_network_are_limited(new_house):
    house = new_house("--trusted-proxies=127.0.0.1/32", "--sign-up-limit=2/1h")

    def sign_up(address):
        return house.grpc.call("AuthService/SignUp",
                               {"username": new_name(),
                                "password": new_password()},
                               headers={"x-forwarded-for": address})
    for _ in range(2):
        assert sign_up("192.0.2.1").account.account_id
    with pytest.raises(Refused) as refused:
        sign_up("192.0.2.1")
    assert refused.value.reason == "RATE_LIMITED"
    assert refused.value.retry_after > 0
    assert sign_up("198.51.100.1").account.account_id


def test_where_a_session_was_opened_is_kept_with_it(limited):
    person = limited.sign_up()
    tokens = limited.grpc.call(
        SIGN_IN, {"identifier": person.username, "password": person.password},
        headers={"x-forwarded-for": "203.0.113.5"}).tokens
    sessions = limited.grpc.call("SessionService/ListSessions",
                                 token=tokens.access_token).sessions
    assert [s.address for s in sessions] == ["203.0.113.5"]
    assert "grpc-python" in sessions[0].user_agent
