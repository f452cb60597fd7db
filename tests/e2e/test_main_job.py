"""Sign up, sign in, verify, refresh, revoke: behind both doors."""

import time

import jwt
import pytest

from house import new_name, new_password, refusal


def unverified(token):
    return jwt.decode(token, options={"verify_signature": False})


def test_sign_up_then_sign_in_gives_tokens_that_verify(house, door):
    person = house.sign_up(door, display_name="Ada Lovelace")
    tokens = person.sign_in(door)
    assert tokens.token_type == "Bearer"
    # What is left of them when the answer is written.
    assert 15 * 60 - 5 <= tokens.expires_in.seconds <= 15 * 60
    assert tokens.refresh_token.startswith("ort_")
    assert tokens.session_id.startswith("sess_")
    claims = house.claims(tokens.access_token)
    assert claims.subject == person.account_id
    assert claims.session_id == tokens.session_id
    assert claims.issuer == house.server.issuer
    assert list(claims.audiences) == ["api"]


def test_access_token_has_the_shape_of_rfc_9068(house):
    token = house.sign_up().sign_in().access_token
    header = jwt.get_unverified_header(token)
    assert header["typ"] == "at+jwt"
    assert header["alg"] == "ES256"
    claims = unverified(token)
    assert {"iss", "sub", "aud", "client_id", "iat", "exp", "jti", "sid",
            "auth_time", "amr", "gen"} <= set(claims)
    assert claims["exp"] - claims["iat"] == 900
    assert len(token) < 1024


def test_current_account_is_the_bearers(house, door):
    person = house.sign_up(display_name="Grace")
    token = person.sign_in().access_token
    account = door.call("AuthService/GetCurrentAccount", token=token).account
    assert account.account_id == person.account_id
    assert account.email == person.email
    assert account.display_name == "Grace"
    assert not account.disabled


def test_names_are_found_however_they_are_written_and_shown_as_written(house,
                                                                       door):
    name = new_name("Name")
    person = house.sign_up(door, username=name, email=f"{name}@Example.COM")
    assert person.username == name
    for written in (name.upper(), name.lower(), f"{name}@example.com".upper()):
        assert person.sign_in(door, identifier=written).access_token


@pytest.mark.parametrize("taken", ["username", "email"])
def test_a_taken_identifier_is_refused_without_saying_which(house, door, taken):
    person = house.sign_up()
    name = new_name()
    fields = {"username": name, "email": f"{name}@example.com"}
    fields[taken] = getattr(person, taken).upper()
    refused = refusal(house.sign_up, door, **fields)
    assert (refused.code, refused.reason) == ("ALREADY_EXISTS",
                                              "IDENTIFIER_TAKEN")
    assert refused.fields == {}
    assert refused.message == "The username or the email is already in use."


def test_refresh_gives_a_new_pair_and_keeps_the_session(house, door):
    first = house.sign_up().sign_in()
    second = house.refresh(first.refresh_token, door)
    assert second.session_id == first.session_id
    assert second.refresh_token != first.refresh_token
    assert second.access_token != first.access_token
    assert house.verdict(second.access_token) == "VALID"
    # A rotation ends no access token: it runs out by itself.
    assert house.verdict(first.access_token) == "VALID"


def test_a_retried_refresh_gives_the_same_successor_and_the_same_jti(house,
                                                                     door):
    first = house.sign_up().sign_in()
    answers = [house.refresh(first.refresh_token, door) for _ in range(3)]
    assert len({answer.refresh_token for answer in answers}) == 1
    assert len({unverified(a.access_token)["jti"] for a in answers}) == 1
    assert len({unverified(a.access_token)["exp"] for a in answers}) == 1


def test_an_older_refresh_token_ends_the_session(house, door):
    first = house.sign_up().sign_in()
    second = house.refresh(first.refresh_token)
    third = house.refresh(second.refresh_token)
    refused = refusal(house.refresh, first.refresh_token, door)
    assert (refused.code, refused.reason) == ("UNAUTHENTICATED",
                                              "REFRESH_REJECTED")
    assert refusal(house.refresh, third.refresh_token).reason == (
        "REFRESH_REJECTED")
    for tokens in (first, second, third):
        assert house.verdict(tokens.access_token) == "TOKEN_REVOKED"


def test_a_refresh_token_outside_its_retry_window_ends_the_session(new_house):
    house = new_house("--retry-window=1s")
    first = house.sign_up().sign_in()
    second = house.refresh(first.refresh_token)
    time.sleep(1.2)
    assert refusal(house.refresh, first.refresh_token).reason == (
        "REFRESH_REJECTED")
    assert refusal(house.refresh, second.refresh_token).reason == (
        "REFRESH_REJECTED")


def test_a_retry_under_another_request_id_is_told_to_wait(house, door):
    first = house.sign_up().sign_in()
    ours, other = "a" * 20, "b" * 20
    second = house.refresh(first.refresh_token, door, request_id=ours)
    again = house.refresh(first.refresh_token, door, request_id=ours)
    assert again.refresh_token == second.refresh_token
    for request_id in (other, ""):
        refused = refusal(house.refresh, first.refresh_token, door,
                          request_id=request_id)
        assert (refused.code, refused.reason) == ("ABORTED",
                                                  "REFRESH_IN_PROGRESS")
    assert house.refresh(second.refresh_token, door).access_token


@pytest.mark.parametrize("token", ["", "ort_", "ort_AAAA", "x", "ort_" + "A" * 90,
                                   "eyJhbGciOiJub25lIn0.e30."])
def test_a_forged_refresh_token_is_refused(house, door, token):
    refused = refusal(house.refresh, token, door)
    assert (refused.code, refused.reason) == ("UNAUTHENTICATED",
                                              "REFRESH_REJECTED")


def test_a_changed_character_makes_a_refresh_token_worthless(house):
    tokens = house.sign_up().sign_in()
    for place in (10, 25, len(tokens.refresh_token) - 5):
        letter = "A" if tokens.refresh_token[place] != "A" else "B"
        forged = (tokens.refresh_token[:place] + letter +
                  tokens.refresh_token[place + 1:])
        assert refusal(house.refresh, forged).reason == "REFRESH_REJECTED"
    assert house.refresh(tokens.refresh_token).access_token


def test_sign_out_ends_the_session_and_may_be_repeated(house, door):
    first = house.sign_up().sign_in()
    second = house.refresh(first.refresh_token)
    for token in (first.refresh_token, second.refresh_token,
                  second.refresh_token):
        door.call("AuthService/SignOut", {"refresh_token": token})
    assert house.verdict(second.access_token) == "TOKEN_REVOKED"
    assert refusal(house.refresh, second.refresh_token).reason == (
        "REFRESH_REJECTED")


def test_sign_out_leaves_other_sessions_alone(house):
    person = house.sign_up()
    gone, stays = person.sign_in(), person.sign_in()
    house.grpc.call("AuthService/SignOut",
                    {"refresh_token": gone.refresh_token})
    assert house.verdict(gone.access_token) == "TOKEN_REVOKED"
    assert house.verdict(stays.access_token) == "VALID"


@pytest.mark.parametrize("signing_in", ["right", "wrong"])
def test_an_unnamed_scope_or_audience_is_not_granted(house, door, signing_in):
    person = house.sign_up()
    password = person.password if signing_in == "right" else new_password()
    refused = refusal(person.sign_in, door, password=password,
                      audience="elsewhere")
    assert refused.reason == "AUDIENCE_NOT_ALLOWED"
    refused = refusal(person.sign_in, door, password=password, scope="write")
    assert refused.reason == "SCOPE_NOT_ALLOWED"
    refused = refusal(person.sign_in, door, password=password,
                      client_id="cli_unknown")
    assert refused.reason == "CLIENT_UNKNOWN"


def test_scopes_are_granted_and_narrowed_but_never_widened(new_house):
    house = new_house("--scopes=read,write", "--audiences=api,shop")
    tokens = house.sign_up().sign_in(scope="read write", audience="shop")
    assert set(tokens.scope.split()) == {"read", "write"}
    claims = house.claims(tokens.access_token, audience="shop")
    assert set(claims.scopes) == {"read", "write"}
    assert house.verdict(tokens.access_token) == "AUDIENCE_MISMATCH"
    narrow = house.refresh(tokens.refresh_token, scope="read")
    assert house.claims(narrow.access_token, any_audience=True).scopes == (
        ["read"])
    assert house.verdict(narrow.access_token, audience="shop",
                         required_scopes=["write"]) == "SCOPE_MISSING"
    reader = house.sign_up().sign_in(scope="read")
    refused = refusal(house.refresh, reader.refresh_token, scope="read write")
    assert refused.reason == "SCOPE_NOT_ALLOWED"
