"""What ends access ends it at once, and says so in one word."""

import time

import pytest

from house import new_password, refusal


def test_a_revoked_token_is_refused_and_its_session_goes_on(house, door):
    person = house.sign_up()
    tokens = person.sign_in()
    revision = door.call("TokenService/Revoke",
                         {"token": tokens.access_token}).revision
    assert revision
    assert house.verdict(tokens.access_token, door,
                         min_revision=revision) == "TOKEN_REVOKED"
    fresh = house.refresh(tokens.refresh_token)
    assert house.verdict(fresh.access_token) == "VALID"


def test_revoking_a_token_again_writes_nothing_new(house, door):
    token = house.sign_up().sign_in().access_token
    revisions = {door.call("TokenService/Revoke", {"token": token}).revision
                 for _ in range(3)}
    assert len(revisions) == 1


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "e30.e30.AAAA"])
def test_revoking_what_is_no_token_is_ok_and_writes_nothing(house, door, token):
    before = house.operator.call("AdminService/GetServerInfo").revision
    assert door.call("TokenService/Revoke", {"token": token}).revision == ""
    after = house.operator.call("AdminService/GetServerInfo").revision
    assert after == before


def test_a_revoked_token_does_not_open_its_bearers_own_doors(house, door):
    token = house.sign_up().sign_in().access_token
    house.revoke(token=token)
    refused = refusal(door.call, "AuthService/GetCurrentAccount", token=token)
    assert (refused.code, refused.reason) == ("UNAUTHENTICATED",
                                              "ACCESS_TOKEN_REJECTED")


def test_revoking_a_session_ends_its_tokens_and_its_refresh(house):
    person = house.sign_up()
    gone, stays = person.sign_in(), person.sign_in()
    house.revoke(session_id=gone.session_id, reason="lost laptop")
    assert house.verdict(gone.access_token) == "TOKEN_REVOKED"
    assert refusal(house.refresh, gone.refresh_token).reason == (
        "REFRESH_REJECTED")
    assert house.verdict(stays.access_token) == "VALID"
    assert house.refresh(stays.refresh_token).access_token


def test_revoking_an_account_ends_all_its_sessions_and_lets_it_come_back(house):
    person, other = house.sign_up(), house.sign_up()
    all_tokens = [person.sign_in(), person.sign_in()]
    bystander = other.sign_in()
    house.revoke(account_id=person.account_id)
    for tokens in all_tokens:
        assert house.verdict(tokens.access_token) == "TOKEN_REVOKED"
        assert refusal(house.refresh, tokens.refresh_token).reason == (
            "REFRESH_REJECTED")
    assert house.verdict(bystander.access_token) == "VALID"
    assert house.verdict(person.sign_in().access_token) == "VALID"


def test_revoking_a_client_ends_the_tokens_it_was_given(new_house):
    house = new_house()
    person = house.sign_up()
    tokens = person.sign_in()
    client_id = house.claims(tokens.access_token).client_id
    assert client_id == "cli_default"
    house.revoke(client_id="cli_other")
    assert house.verdict(tokens.access_token) == "VALID"
    revision = house.revoke(client_id=client_id)
    assert house.verdict(tokens.access_token,
                         min_revision=revision) == "TOKEN_REVOKED"
    # What is minted in the next seconds would be hit too: the caller is told
    # to come back instead.
    refused = refusal(person.sign_in)
    assert (refused.code, refused.reason) == ("RESOURCE_EXHAUSTED",
                                              "OVERLOADED")
    assert 0 < refused.retry_after <= 6
    time.sleep(refused.retry_after)
    assert house.verdict(person.sign_in().access_token) == "VALID"


def test_revoking_a_key_ends_what_it_signed_and_the_next_key_signs(new_house):
    house = new_house()
    person = house.sign_up()
    old = person.sign_in()
    active = house.operator.call("AdminService/GetServerInfo").active_key_id
    revision = house.revoke(key_id=active)
    assert house.verdict(old.access_token, min_revision=revision) in (
        "KEY_UNKNOWN", "TOKEN_REVOKED")
    assert active not in house.http.client.get("/.well-known/jwks.json").text
    fresh = person.sign_in()
    assert house.verdict(fresh.access_token) == "VALID"
    # The session was not signed by the key: it goes on under the next one.
    assert house.verdict(house.refresh(old.refresh_token).access_token) == (
        "VALID")


def test_min_revision_of_the_future_is_refused_and_never_waited_for(house, door):
    token = house.sign_up().sign_in().access_token
    revision = house.revoke(token=token)
    assert house.verdict(token, door, min_revision=revision) == "TOKEN_REVOKED"
    future = revision[:-16] + f"{int(revision[-16:], 16) + 1000:016x}"
    refused = refusal(house.verdict, token, door, min_revision=future)
    assert (refused.code, refused.reason) == ("UNAVAILABLE",
                                              "REVISION_NOT_REACHED")


@pytest.mark.parametrize("text", ["nonsense", "rev_", "rev_zz", "0", "x" * 300])
def test_a_min_revision_that_is_none_is_refused_by_name(house, door, text):
    refused = refusal(house.verdict, "x", door, min_revision=text)
    assert (refused.code, refused.reason) == ("INVALID_ARGUMENT",
                                              "ARGUMENT_INVALID")
    assert "min_revision" in refused.fields


def test_verify_judges_audience_scope_and_role(house, door):
    person = house.sign_up()
    house.operator.call("AccountService/GrantRole",
                        {"account_id": person.account_id, "role": "editor"})
    token = person.sign_in().access_token
    assert house.verdict(token, door, audience="api") == "VALID"
    assert house.verdict(token, door, audience="shop") == "AUDIENCE_MISMATCH"
    assert house.verdict(token, door, any_audience=True) == "VALID"
    assert house.verdict(token, door, required_roles=["editor"]) == "VALID"
    assert house.verdict(token, door, required_roles=["editor", "boss"]) == (
        "ROLE_MISSING")
    assert house.verdict(token, door, required_scopes=["read"]) == (
        "SCOPE_MISSING")
    # All of them wrong: the order of the reasons is part of the contract.
    assert house.verdict(token, door, audience="shop", required_scopes=["read"],
                         required_roles=["boss"]) == "AUDIENCE_MISMATCH"
    refused = refusal(house.verdict, token, door, audience="api",
                      any_audience=True)
    assert refused.code == "INVALID_ARGUMENT"


def test_batch_verify_answers_each_in_its_place(house, door):
    good = house.sign_up().sign_in().access_token
    bad = house.sign_up().sign_in().access_token
    house.revoke(token=bad)
    asked = [{"token": t} for t in (good, bad, "x", good)] * 5
    answers = door.call("TokenService/BatchVerify", {"requests": asked})
    assert [a.reason for a in answers.responses] == (
        ["", "TOKEN_REVOKED", "TOKEN_MALFORMED", ""] * 5)
    for size in (0, 101):
        refused = refusal(door.call, "TokenService/BatchVerify",
                          {"requests": [{"token": "x"}] * size})
        assert "requests" in refused.fields


def test_a_role_reaches_the_next_token_and_taking_it_ends_the_last(house):
    person = house.sign_up()
    role = {"account_id": person.account_id, "role": "editor"}
    house.operator.call("AccountService/GrantRole", role)
    first = person.sign_in()
    assert list(house.claims(first.access_token).roles) == ["editor"]
    house.operator.call("AccountService/RevokeRole", role)
    assert house.verdict(first.access_token) == "TOKEN_REVOKED"
    second = house.refresh(first.refresh_token)
    assert second.session_id == first.session_id
    assert list(house.claims(second.access_token).roles) == []


def test_granting_a_role_ends_nothing(house):
    person = house.sign_up()
    tokens = person.sign_in()
    house.operator.call("AccountService/GrantRole",
                        {"account_id": person.account_id, "role": "editor"})
    assert house.verdict(tokens.access_token) == "VALID"
    later = house.refresh(tokens.refresh_token)
    assert list(house.claims(later.access_token).roles) == ["editor"]


def test_disabling_ends_everything_and_enabling_brings_nothing_back(house):
    person = house.sign_up()
    tokens = person.sign_in()
    account = {"account_id": person.account_id}
    assert house.operator.call("AccountService/DisableAccount",
                               account).account.disabled
    assert house.verdict(tokens.access_token) == "TOKEN_REVOKED"
    assert refusal(house.refresh, tokens.refresh_token).reason == (
        "REFRESH_REJECTED")
    assert refusal(person.sign_in).reason == "CREDENTIALS_REJECTED"
    assert not house.operator.call("AccountService/EnableAccount",
                                   account).account.disabled
    assert house.verdict(tokens.access_token) == "TOKEN_REVOKED"
    assert refusal(house.refresh, tokens.refresh_token).reason == (
        "REFRESH_REJECTED")
    assert house.verdict(person.sign_in().access_token) == "VALID"


def test_deleting_ends_everything_and_frees_the_name_for_another_id(house):
    person = house.sign_up()
    tokens = person.sign_in()
    account = {"account_id": person.account_id}
    house.operator.call("AccountService/DeleteAccount", account)
    assert house.verdict(tokens.access_token) == "TOKEN_REVOKED"
    assert refusal(house.refresh, tokens.refresh_token).reason == (
        "REFRESH_REJECTED")
    assert refusal(person.sign_in).reason == "CREDENTIALS_REJECTED"
    assert refusal(house.operator.call, "AccountService/GetAccount",
                   account).reason == "NOT_FOUND"
    again = house.sign_up(username=person.username, email=person.email)
    assert again.account_id != person.account_id
    assert house.verdict(tokens.access_token) == "TOKEN_REVOKED"


def test_changing_the_password_ends_the_other_sessions_only(house, door):
    person = house.sign_up()
    ours, other = person.sign_in(), person.sign_in()
    new = new_password()
    door.call("AuthService/ChangePassword",
              {"current_password": person.password, "new_password": new},
              token=ours.access_token)
    for tokens in (ours, other):
        assert house.verdict(tokens.access_token) == "TOKEN_REVOKED"
    assert refusal(house.refresh, other.refresh_token).reason == (
        "REFRESH_REJECTED")
    assert house.verdict(house.refresh(ours.refresh_token).access_token) == (
        "VALID")
    assert refusal(person.sign_in).reason == "CREDENTIALS_REJECTED"
    assert person.sign_in(password=new).access_token


def test_a_wrong_current_password_changes_nothing(house, door):
    person = house.sign_up()
    tokens = person.sign_in()
    refused = refusal(door.call, "AuthService/ChangePassword",
                      {"current_password": new_password(),
                       "new_password": new_password()},
                      token=tokens.access_token)
    assert refused.reason == "CREDENTIALS_REJECTED"
    assert house.verdict(tokens.access_token) == "VALID"
    assert person.sign_in().access_token


def test_setting_a_password_ends_every_session(house):
    person = house.sign_up()
    tokens, new = person.sign_in(), new_password()
    house.operator.call("AccountService/SetPassword",
                        {"account_id": person.account_id, "password": new})
    assert house.verdict(tokens.access_token) == "TOKEN_REVOKED"
    assert refusal(house.refresh, tokens.refresh_token).reason == (
        "REFRESH_REJECTED")
    assert refusal(person.sign_in).reason == "CREDENTIALS_REJECTED"
    assert person.sign_in(password=new).access_token


def test_people_see_and_end_their_own_sessions(house, door):
    person = house.sign_up()
    here, there = person.sign_in(), person.sign_in()
    sessions = door.call("SessionService/ListSessions",
                         token=here.access_token).sessions
    assert {s.session_id for s in sessions} == {here.session_id,
                                                there.session_id}
    assert [s.session_id for s in sessions if s.current] == [here.session_id]
    assert all(s.account_id == person.account_id for s in sessions)
    door.call("SessionService/RevokeSession", {"session_id": there.session_id},
              token=here.access_token)
    assert house.verdict(there.access_token) == "TOKEN_REVOKED"
    assert house.verdict(here.access_token) == "VALID"
    door.call("SessionService/RevokeAllSessions", token=here.access_token)
    assert house.verdict(here.access_token) == "TOKEN_REVOKED"


def test_the_oldest_session_makes_room_at_the_cap(new_house):
    house = new_house("--max-sessions-per-account=2")
    person = house.sign_up()
    first, second, third = (person.sign_in() for _ in range(3))
    assert house.verdict(first.access_token) == "TOKEN_REVOKED"
    assert refusal(house.refresh, first.refresh_token).reason == (
        "REFRESH_REJECTED")
    for tokens in (second, third):
        assert house.verdict(tokens.access_token) == "VALID"


def test_an_access_token_ends_with_its_lifetime(new_house):
    house = new_house("--access-token-lifetime=1s")
    tokens = house.sign_up().sign_in()
    time.sleep(1.3)
    assert house.verdict(tokens.access_token) == "TOKEN_EXPIRED"
    fresh = house.refresh(tokens.refresh_token)
    assert house.claims(fresh.access_token).session_id == tokens.session_id
