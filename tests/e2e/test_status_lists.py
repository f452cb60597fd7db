"""Token Status Lists, seen by verifiers that only speak HTTP: PyJWT, the JWKS
and the list; nothing of Ostiary's own."""

import base64
import json
import signal
import time
import zlib

import httpx
import jwt
import pytest

from house import new_password

TTL = 5
ON = ("--status-lists=on", f"--status-list-ttl={TTL}s")
SLOTS = 1 << 20


@pytest.fixture(scope="module")
def lists_house(programs, contract):
    """One server with status lists for most of the tests."""
    from house import House, Server
    server = Server(programs, *ON).start()
    yield House(server, contract)
    server.remove()


def claims_of(token):
    return jwt.decode(token, options={"verify_signature": False})


def place_of(token):
    """(idx, uri) as the token names them."""
    status_list = claims_of(token)["status"]["status_list"]
    assert set(status_list) == {"idx", "uri"}
    return status_list["idx"], status_list["uri"]


def key_for(house, token):
    jwks = jwt.PyJWKSet.from_dict(
        house.http.client.get("/.well-known/jwks.json").json())
    kid = jwt.get_unverified_header(token)["kid"]
    return next(key for key in jwks.keys if key.key_id == kid)


def fetch(uri, **headers):
    return httpx.get(uri, headers=headers, trust_env=False)


def read_list(house, uri):
    """The list's claims and bytes, checked as a verifier must."""
    answer = fetch(uri, accept="application/statuslist+jwt")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/statuslist+jwt"
    text = answer.text
    header = jwt.get_unverified_header(text)
    assert header["typ"] == "statuslist+jwt"
    claims = jwt.decode(text, key_for(house, text), algorithms=[header["alg"]],
                        options={"require": ["sub", "iat", "exp"]})
    assert claims["sub"] == uri
    lst = claims["status_list"]["lst"]
    assert "=" not in lst
    return claims, zlib.decompress(base64.urlsafe_b64decode(lst + "=" * (-len(lst) % 4)))


def bit(house, token):
    idx, uri = place_of(token)
    _, content = read_list(house, uri)
    assert idx < len(content) * 8
    return content[idx // 8] >> (idx % 8) & 1


def wait_for_bit(house, token, within=TTL):
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if bit(house, token) == 1:
            return True
        time.sleep(0.1)
    return False


def test_tokens_name_no_list_unless_it_is_switched_on(house):
    assert "status" not in claims_of(house.sign_up().sign_in().access_token)


def test_a_list_has_exactly_the_promised_form(lists_house):
    token = lists_house.sign_up().sign_in().access_token
    idx, uri = place_of(token)
    assert uri.startswith(lists_house.server.issuer + "/status-lists/")
    assert 0 <= idx < SLOTS
    claims, content = read_list(lists_house, uri)
    assert set(claims) == {"sub", "iat", "exp", "ttl", "status_list"}
    assert set(claims["status_list"]) == {"bits", "lst"}
    assert claims["status_list"]["bits"] == 1
    assert claims["ttl"] == TTL
    assert claims["exp"] - claims["iat"] >= 3 * TTL
    assert len(content) == SLOTS // 8
    lst = claims["status_list"]["lst"]
    raw = base64.urlsafe_b64decode(lst + "=" * (-len(lst) % 4))
    assert raw[:2] == b"\x78\xda", "zlib, level 9"


def test_http_caches_are_told_what_they_need(lists_house):
    _, uri = place_of(lists_house.sign_up().sign_in().access_token)
    got = fetch(uri)
    assert got.headers["cache-control"] == f"public, max-age={TTL}"
    assert got.headers["access-control-allow-origin"] == "*"
    head = httpx.head(uri, trust_env=False)
    assert head.status_code == 200 and head.content == b""
    assert head.headers["etag"] == got.headers["etag"]
    again = fetch(uri, **{"if-none-match": got.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_list_is_signed_anew_after_half_its_ttl(lists_house):
    _, uri = place_of(lists_house.sign_up().sign_in().access_token)
    first = fetch(uri)
    time.sleep(TTL / 2 + 0.1)
    second = fetch(uri, **{"if-none-match": first.headers["etag"]})
    assert second.status_code == 200
    assert claims_of(second.text)["iat"] > claims_of(first.text)["iat"]


@pytest.mark.parametrize("name", [
    "", "stl_", "stl_00000000000000000000000000", "../stl_x", "%00",
    "stl_" + "z" * 26, "x" * 5000])
def test_a_list_that_is_not_there_is_404(lists_house, name):
    answer = httpx.get(f"{lists_house.server.url}/status-lists/{name}",
                       trust_env=False)
    assert answer.status_code in (404, 400, 414, 431), answer.text
    assert answer.headers.get("content-type") != "application/statuslist+jwt"


def test_a_list_is_no_access_token(lists_house):
    _, uri = place_of(lists_house.sign_up().sign_in().access_token)
    assert lists_house.verdict(fetch(uri).text) == "TYPE_MISMATCH"


def test_indices_are_neither_in_sequence_nor_shared(lists_house):
    person = lists_house.sign_up()
    taken = [place_of(person.sign_in().access_token)[0] for _ in range(12)]
    assert len(set(taken)) == 12
    steps = [abs(b - a) for a, b in zip(taken, taken[1:])]
    assert min(steps) > 1 or max(steps) > 1000
    assert max(taken) - min(taken) > SLOTS // 16


def test_a_sessions_tokens_share_their_index(lists_house):
    tokens = lists_house.sign_up().sign_in()
    again = lists_house.refresh(tokens.refresh_token)
    assert place_of(tokens.access_token) == place_of(again.access_token)
    assert bit(lists_house, tokens.access_token) == 0


def end_by_session(house, person, tokens):
    house.operator.call("SessionService/RevokeSession",
                        {"session_id": tokens.session_id})


def end_by_revoked_session_id(house, person, tokens):
    house.revoke(session_id=tokens.session_id)


def end_by_sign_out(house, person, tokens):
    house.grpc.call("AuthService/SignOut",
                    {"refresh_token": tokens.refresh_token})


def end_by_token(house, person, tokens):
    house.grpc.call("TokenService/Revoke", {"token": tokens.access_token})


def end_by_account(house, person, tokens):
    house.revoke(account_id=person.account_id)


def end_by_all_sessions(house, person, tokens):
    house.operator.call("SessionService/RevokeAllSessions",
                        {"account_id": person.account_id})


def end_by_disabling(house, person, tokens):
    house.operator.call("AccountService/DisableAccount",
                        {"account_id": person.account_id})


def end_by_deleting(house, person, tokens):
    house.operator.call("AccountService/DeleteAccount",
                        {"account_id": person.account_id})


def end_by_setting_a_password(house, person, tokens):
    house.operator.call("AccountService/SetPassword",
                        {"account_id": person.account_id,
                         "password": new_password()})


def end_by_taking_a_role(house, person, tokens):
    house.operator.call("AccountService/RevokeRole",
                        {"account_id": person.account_id, "role": "editor"})


EVENTS = [end_by_session, end_by_revoked_session_id, end_by_sign_out,
          end_by_token, end_by_account, end_by_all_sessions, end_by_disabling,
          end_by_deleting, end_by_setting_a_password, end_by_taking_a_role]


@pytest.mark.parametrize("end", EVENTS)
def test_what_ends_a_token_flips_its_bit_and_no_other(lists_house, end):
    person, bystander = lists_house.sign_up(), lists_house.sign_up()
    lists_house.operator.call("AccountService/GrantRole",
                              {"account_id": person.account_id,
                               "role": "editor"})
    tokens, other = person.sign_in(), bystander.sign_in()
    assert bit(lists_house, tokens.access_token) == 0
    end(lists_house, person, tokens)
    assert lists_house.verdict(tokens.access_token) == "TOKEN_REVOKED"
    assert wait_for_bit(lists_house, tokens.access_token)
    assert bit(lists_house, other.access_token) == 0


def test_a_changed_password_flips_the_old_token_and_the_next_is_valid(lists_house):
    person = lists_house.sign_up()
    tokens, elsewhere = person.sign_in(), person.sign_in()
    lists_house.grpc.call("AuthService/ChangePassword",
                          {"current_password": person.password,
                           "new_password": new_password()},
                          token=tokens.access_token)
    for old in (tokens, elsewhere):
        assert wait_for_bit(lists_house, old.access_token)
    fresh = lists_house.refresh(tokens.refresh_token)
    assert place_of(fresh.access_token) != place_of(tokens.access_token)
    assert bit(lists_house, fresh.access_token) == 0


def test_reusing_a_refresh_token_flips_the_bit(new_house):
    house = new_house(*ON, "--retry-window=0s")
    tokens = house.sign_up().sign_in()
    fresh = house.refresh(tokens.refresh_token)
    time.sleep(0.01)
    with pytest.raises(Exception):
        house.refresh(tokens.refresh_token)
    assert wait_for_bit(house, fresh.access_token)


def test_an_evicted_session_flips_the_bit(new_house):
    house = new_house(*ON, "--max-sessions-per-account=1")
    person = house.sign_up()
    first, second = person.sign_in(), person.sign_in()
    assert wait_for_bit(house, first.access_token)
    assert bit(house, second.access_token) == 0


def test_a_revoked_token_is_followed_by_a_valid_one(lists_house):
    tokens = lists_house.sign_up().sign_in()
    end_by_token(lists_house, None, tokens)
    fresh = lists_house.refresh(tokens.refresh_token)
    assert place_of(fresh.access_token) != place_of(tokens.access_token)
    assert bit(lists_house, fresh.access_token) == 0


def test_a_revoked_client_is_swept_within_the_ttl(new_house):
    house = new_house(*ON)
    tokens = [house.sign_up().sign_in() for _ in range(3)]
    house.revoke(client_id="cli_default")
    for one in tokens:
        assert wait_for_bit(house, one.access_token)
    time.sleep(7)  # issuing for the client pauses
    fresh = house.refresh(tokens[0].refresh_token)
    assert place_of(fresh.access_token) != place_of(tokens[0].access_token)
    time.sleep(2.5)  # the second pass of the sweep is over, too
    assert bit(house, fresh.access_token) == 0


def test_a_sweep_that_was_cut_off_is_finished_by_the_next_process(new_house):
    house = new_house(*ON)
    tokens = house.sign_up().sign_in()
    house.revoke(client_id="cli_default")
    house.server.kill()
    house.server.start()
    assert wait_for_bit(house, tokens.access_token)


def test_a_revoked_key_flips_what_it_signed_and_signs_no_list(new_house):
    house = new_house(*ON)
    tokens = house.sign_up().sign_in()
    kid = jwt.get_unverified_header(tokens.access_token)["kid"]
    idx, uri = place_of(tokens.access_token)
    assert jwt.get_unverified_header(fetch(uri).text)["kid"] == kid
    house.revoke(key_id=kid)
    assert jwt.get_unverified_header(fetch(uri).text)["kid"] != kid
    assert wait_for_bit(house, tokens.access_token)
    fresh = house.refresh(tokens.refresh_token)
    assert place_of(fresh.access_token) != (idx, uri)
    time.sleep(2.5)
    assert bit(house, fresh.access_token) == 0


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_bits_survive_a_restart_and_new_slots_come_from_a_new_list(new_house, how):
    house = new_house(*ON)
    person = house.sign_up()
    revoked, live = person.sign_in(), person.sign_in()
    end_by_session(house, person, revoked)
    house.server.process.send_signal(how)
    house.server.process.wait(30)
    house.server.start()
    house.grpc = type(house.grpc)(house.contract, house.server.grpc)
    assert bit(house, revoked.access_token) == 1
    assert bit(house, live.access_token) == 0
    later = person.sign_in(house.grpc)
    assert place_of(later.access_token)[1] != place_of(live.access_token)[1]
    assert bit(house, later.access_token) == 0


def test_switching_it_off_still_serves_and_flips_what_was_given(new_house):
    house = new_house(*ON)
    person = house.sign_up()
    tokens = person.sign_in()
    house.server.stop()
    house.server.flags = [f"--status-list-ttl={TTL}s"]
    house.server.start()
    house.grpc = type(house.grpc)(house.contract, house.server.grpc)
    assert "status" not in claims_of(person.sign_in(house.grpc).access_token)
    assert bit(house, tokens.access_token) == 0
    house.grpc.call("AuthService/SignOut",
                    {"refresh_token": tokens.refresh_token})
    assert wait_for_bit(house, tokens.access_token)


@pytest.mark.parametrize("sessions", ["end", "keep"])
def test_a_restore_invalidates_every_list_and_opens_new_ones(new_house, sessions):
    house = new_house(*ON)
    person = house.sign_up()
    tokens = person.sign_in()
    house.server.stop()
    restored = house.server.run(
        "restore", f"--sessions={sessions}",
        *[flag for flag in house.server.command()[1:]])
    assert restored.returncode == 0, restored.stderr
    house.server.start()
    house.grpc = type(house.grpc)(house.contract, house.server.grpc)
    assert bit(house, tokens.access_token) == 1
    time.sleep(6)  # what is issued right after a restore is hit by its row
    fresh = (house.refresh(tokens.refresh_token) if sessions == "keep"
             else person.sign_in(house.grpc))
    assert place_of(fresh.access_token)[1] != place_of(tokens.access_token)[1]
    assert bit(house, fresh.access_token) == 0


def test_a_million_slots_cost_a_few_hundred_bytes_when_few_are_revoked(lists_house):
    _, uri = place_of(lists_house.sign_up().sign_in().access_token)
    assert len(fetch(uri).text) < 2500


def test_discovery_names_no_aggregation_endpoint(lists_house):
    metadata = lists_house.http.client.get(
        "/.well-known/oauth-authorization-server").json()
    assert "status_list_aggregation_endpoint" not in json.dumps(metadata)


@pytest.mark.parametrize("flag", ["--status-list-ttl=1s", "--status-list-ttl=2h",
                                  "--status-lists=maybe"])
def test_a_senseless_option_is_refused_by_its_name(new_server, flag):
    answer = new_server().run("--check-config", flag)
    assert answer.returncode == 2
    assert flag.split("=")[0] in answer.stderr
