"""RevocationService.Watch: everything that ends a token reaches who watches."""

import json
import subprocess
import time

import jwt
import pytest

from doors import GrpcDoor, Refused
from house import House, new_password, refusal
from test_keys import kid_of
from test_restore import copy_store, put_back
from test_tls import authority, secured, trusting  # noqa: F401 (fixtures)
from watching import METHOD, Watcher

# From the answer to the arrival of the entry. A stream that waits for the next
# heartbeat takes up to a second.
AT_ONCE = 0.2


@pytest.fixture
def watch():
    """Opens watchers; fails if the feed broke a promise to one of them."""
    made = []

    def start(door, *arguments, **named):
        made.append(Watcher(door, *arguments, **named))
        return made[-1]

    yield start
    for watcher in made:
        watcher.close()


# --- Every RPC that ends or narrows access -> the entry it makes.

def said(token):
    return jwt.decode(token, options={"verify_signature": False})


def account(person):
    return {"account_id": person.account_id}


def revoke_token(house, person, tokens):
    token_id = house.claims(tokens.access_token).token_id
    return ("token_id", token_id,
            lambda: house.grpc.call("TokenService/Revoke",
                                    {"token": tokens.access_token}))


def revoke_session(house, person, tokens):
    return ("session_id", tokens.session_id,
            lambda: house.revoke(session_id=tokens.session_id))


def revoke_account(house, person, tokens):
    return ("account", person.account_id,
            lambda: house.revoke(account_id=person.account_id))


def sign_out(house, person, tokens):
    return ("session_id", tokens.session_id,
            lambda: house.grpc.call("AuthService/SignOut",
                                    {"refresh_token": tokens.refresh_token}))


def session_service_revoke(house, person, tokens):
    return ("session_id", tokens.session_id,
            lambda: house.grpc.call("SessionService/RevokeSession",
                                    {"session_id": tokens.session_id},
                                    token=tokens.access_token))


def revoke_all_sessions(house, person, tokens):
    return ("account", person.account_id,
            lambda: house.grpc.call("SessionService/RevokeAllSessions",
                                    token=tokens.access_token))


def revoke_role(house, person, tokens):
    role = {**account(person), "role": "editor"}
    house.operator.call("AccountService/GrantRole", role)
    return ("account", person.account_id,
            lambda: house.operator.call("AccountService/RevokeRole", role))


def set_password(house, person, tokens):
    return ("account", person.account_id,
            lambda: house.operator.call(
                "AccountService/SetPassword",
                {**account(person), "password": new_password()}))


def change_password(house, person, tokens):
    return ("account", person.account_id,
            lambda: house.http.call(
                "AuthService/ChangePassword",
                {"current_password": person.password,
                 "new_password": new_password()}, token=tokens.access_token))


def disable(house, person, tokens):
    return ("account", person.account_id,
            lambda: house.operator.call("AccountService/DisableAccount",
                                        account(person)))


def delete(house, person, tokens):
    return ("account", person.account_id,
            lambda: house.operator.call("AccountService/DeleteAccount",
                                        account(person)))


def refresh_reuse(house, person, tokens):
    second = house.refresh(tokens.refresh_token)
    house.refresh(second.refresh_token)

    def present_a_stolen_token():
        assert refusal(house.refresh, tokens.refresh_token).reason == (
            "REFRESH_REJECTED")
    return "session_id", tokens.session_id, present_a_stolen_token


EVENTS = [revoke_token, revoke_session, revoke_account, sign_out,
          session_service_revoke, revoke_all_sessions, revoke_role,
          set_password, change_password, disable, delete, refresh_reuse]


def arrives(watcher, kind, name, act):
    """Seconds from the answer to the entry's arrival; below 0: before."""
    assert not watcher.find(kind, name)
    act()
    answered = time.monotonic()
    assert watcher.has(kind, name), (kind, name, watcher.ended)
    return watcher.find(kind, name)[0][0] - answered


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__)
def test_what_ends_access_reaches_who_watches_at_once(house, watch, event):
    watcher = watch(house.grpc).settled()
    took = []
    for _ in range(3):  # the machine may be busy
        person = house.sign_up()
        tokens = person.sign_in()
        generation = said(tokens.access_token)["gen"]
        kind, name, act = event(house, person, tokens)
        took.append(arrives(watcher, kind, name, act))
        _, entry = watcher.find(kind, name)[0]
        if kind == "account":
            assert entry.account.min_generation > generation
        assert entry.forget_time.ToDatetime().timestamp() > time.time()
        if took[-1] < AT_ONCE:
            return
    pytest.fail(f"took {took} seconds")


def test_a_revoked_client_reaches_who_watches_at_once(new_house, watch):
    house = new_house()
    watcher = watch(house.grpc).settled()
    claims = house.claims(house.sign_up().sign_in().access_token)
    took = arrives(watcher, "client", claims.client_id,
                   lambda: house.revoke(client_id=claims.client_id))
    _, entry = watcher.find("client", claims.client_id)[0]
    assert (entry.client.issued_before.ToDatetime() >=
            claims.issue_time.ToDatetime())
    assert took < AT_ONCE


@pytest.mark.parametrize("rpc", ["Revoke", "RevokeSigningKey"])
def test_a_revoked_key_reaches_who_watches_and_leaves_the_key_set(
        new_house, watch, rpc):
    house = new_house()
    watcher = watch(house.grpc).settled()
    person = house.sign_up()
    key = kid_of(person.sign_in().access_token)
    assert key in watcher.keys
    took = arrives(watcher, "key_id", key, (
        lambda: house.revoke(key_id=key)) if rpc == "Revoke" else (
        lambda: house.operator.call("KeyService/RevokeSigningKey",
                                    {"key_id": key})))
    _, entry = watcher.find("key_id", key)[0]
    assert not entry.HasField("forget_time")  # never
    assert took < AT_ONCE
    assert watcher.wait(lambda: key not in watcher.keys)
    assert kid_of(person.sign_in().access_token) in watcher.keys


def test_a_prepared_key_is_told_before_it_signs(new_house, watch):
    house = new_house()
    watcher = watch(house.grpc).settled()
    key = house.operator.call(
        "KeyService/PrepareSigningKey", {"algorithm": "RS256"}).signing_key
    assert watcher.wait(lambda: key.key_id in watcher.keys)


# --- The stream itself.

@pytest.mark.parametrize("compact", [False, True])
def test_a_newcomer_is_told_what_was_revoked_before(new_house, watch, compact):
    house = new_house()
    person = house.sign_up()
    tokens = person.sign_in()
    house.revoke(session_id=tokens.session_id)
    house.revoke(account_id=person.account_id)
    watcher = watch(house.grpc, compact=compact).settled()
    assert watcher.frames[:3] == ["key_set", "snapshot", "heartbeat"]
    assert watcher.find("account", person.account_id)
    # A session is one of the fingerprints then.
    assert bool(watcher.find("session_id", tokens.session_id)) != compact
    assert watcher.fingerprints == (1 if compact else 0)


def test_a_heartbeat_every_second_says_how_fresh_it_is(house, watch):
    watcher = watch(house.grpc).settled()
    began, beats = time.monotonic(), watcher.frames.count("heartbeat")
    before = watcher.as_of
    assert watcher.wait(
        lambda: watcher.frames.count("heartbeat") >= beats + 3)
    assert 1.5 < time.monotonic() - began < 6
    assert watcher.as_of - before > 1.5
    assert abs(watcher.as_of - time.time()) < 2


def test_a_ticket_of_revoke_is_reached_by_the_stream(house, watch):
    watcher = watch(house.grpc).settled()
    tokens = house.sign_up().sign_in()
    revision = house.revoke(session_id=tokens.session_id)
    ticket = (int(revision[4:12], 16), int(revision[12:], 16))
    assert watcher.wait(lambda: watcher.position >= ticket)
    assert watcher.find("session_id", tokens.session_id)


def test_a_cursor_continues_without_a_snapshot(house, watch):
    tokens = house.sign_up().sign_in()
    house.revoke(session_id=tokens.session_id)  # not at the very beginning
    first = watch(house.grpc).settled()
    # A snapshot may be of a little earlier; the rest comes after it.
    assert first.has("session_id", tokens.session_id)
    cursor = first.cursor
    missed = house.sign_up().sign_in()
    house.revoke(session_id=missed.session_id)
    again = watch(house.grpc, cursor).settled()
    assert again.has("session_id", missed.session_id)
    assert "snapshot" not in again.frames
    assert not again.find("session_id", tokens.session_id)


def test_a_cursor_continues_after_a_restart(new_server, contract, watch):
    server = new_server()
    house = House(server.start(), contract)
    seen, missed = (house.sign_up().sign_in() for _ in range(2))
    house.revoke(session_id=seen.session_id)
    watcher = watch(house.grpc).settled()
    assert watcher.has("session_id", seen.session_id)
    cursor, position = watcher.cursor, watcher.position
    watcher.close()
    house.revoke(session_id=missed.session_id)
    house.close()
    for stop in (server.stop, server.kill):
        stop()
        house = House(server.start(), contract)
        again = watch(house.grpc, cursor).settled()
        assert again.has("session_id", missed.session_id)
        assert "snapshot" not in again.frames
        assert again.position[0] == position[0]
        assert again.position[1] > position[1]
        again.close()
        house.close()


def test_a_young_server_that_revoked_nothing_continues_too(new_house, watch):
    house = new_house()
    first = watch(house.grpc).settled()
    cursor = first.cursor
    session = house.sign_up().sign_in().session_id
    house.revoke(session_id=session)
    again = watch(house.grpc, cursor).settled()
    assert again.has("session_id", session)
    assert "snapshot" not in again.frames


@pytest.mark.parametrize("compact", [False, True])
def test_a_restore_arrives_as_a_new_epoch_that_ends_all_tokens(
        new_server, contract, watch, compact):
    server = new_server()
    house = House(server.start(), contract)
    tokens = house.sign_up().sign_in()
    house.revoke(session_id=house.sign_up().sign_in().session_id)
    assert server.stop() == 0
    house.close()
    copy_store(server, server.root / "backup")
    house = House(server.start(), contract)
    house.revoke(session_id=house.sign_up().sign_in().session_id)
    watcher = watch(house.grpc, compact=compact).settled()
    cursor, position = watcher.cursor, watcher.position
    issued = house.claims(tokens.access_token).issue_time.ToDatetime()
    assert server.stop() == 0
    house.close()
    put_back(server, server.root / "backup")
    done = server.run("restore", "--sessions=keep", *server.command()[1:])
    assert done.returncode == 0, done.stderr
    house = House(server.start(), contract)
    again = watch(house.grpc, cursor, compact).settled()
    assert again.frames[:2] == ["key_set", "snapshot"]
    assert again.position[0] == position[0] + 1
    assert again.position[1] > position[1]
    (_, entry), = again.find("all")
    assert entry.all.issued_before.ToDatetime() >= issued
    # Nobody was told more than there is: the epoch says why.
    assert "STATE_REGRESSION" not in server.log()
    house.close()


def test_draining_ends_the_stream_and_says_why(new_house, watch):
    house = new_house()
    watchers = [watch(house.grpc).settled() for _ in range(5)]
    began = time.monotonic()
    assert house.server.stop() == 0
    assert time.monotonic() - began < 5
    for watcher in watchers:
        assert watcher.wait(lambda w=watcher: w.ended is not None)
        assert (watcher.ended.code, watcher.ended.reason) == ("UNAVAILABLE",
                                                              "NOT_READY")


def test_grpcurl_can_watch_and_it_reads_well(new_house, tool):
    house = new_house()
    gone = house.sign_up().sign_in().session_id
    house.revoke(session_id=gone)
    process = subprocess.Popen(
        [tool("grpcurl"), "-plaintext", "-max-time", "20", house.server.grpc,
         f"ostiary.v1.{METHOD}"], stdout=subprocess.PIPE, text=True)
    try:
        frames = frames_of(process.stdout)
        assert next(frames)["key_set"]["keys"][0]["use"] == "sig"
        told = next(frames)["snapshot"]
        assert [e["session_id"] for e in told["entries"]] == [gone]
        assert told["cursor"].startswith("cur_")
        token = house.sign_up().sign_in().access_token
        house.revoke(token=token)
        delta = next(f["delta"] for f in frames if "delta" in f)
        assert delta["entries"][0]["token_id"] == said(token)["jti"]
        assert delta["from"] == told["sequence"]
        beat = next(f["heartbeat"] for f in frames if "heartbeat" in f)
        assert beat["sequence"] == delta["to"]
    finally:
        process.kill()
        process.wait(10)


def frames_of(lines):
    """The JSON objects that grpcurl writes one after another."""
    text = ""
    for line in lines:
        text += line
        if line.startswith("}"):
            yield json.loads(text)
            text = ""


def test_200_watchers_are_told_everything(new_house, contract, watch):
    house = new_house()
    doors = [GrpcDoor(contract, house.server.grpc) for _ in range(10)]
    watchers = [watch(doors[i % 10], compact=i % 2 == 0) for i in range(200)]
    sessions = [house.sign_up().sign_in().session_id for _ in range(3)]
    token = house.sign_up().sign_in()
    for session in sessions[:1]:  # while some are still being let in
        house.revoke(session_id=session)
    for watcher in watchers:
        watcher.settled()
    for session in sessions[1:]:
        house.revoke(session_id=session)
    revision = house.revoke(token=token.access_token)
    ticket = (int(revision[4:12], 16), int(revision[12:], 16))
    for watcher in watchers:
        assert watcher.wait(lambda w=watcher: w.position >= ticket, 20)
        for session in sessions[1:]:
            assert watcher.find("session_id", session)
    metrics = house.server.metrics()
    assert "ostiary_watchers 200" in metrics
    # Made once, not once for each.
    made = [line for line in metrics.splitlines()
            if line.startswith("ostiary_feed_snapshots_total")]
    assert made and float(made[0].split()[-1]) <= 6
    for door in doors:
        door.close()


def test_one_watcher_too_many_is_told_to_come_back(new_house, watch):
    house = new_house("--max-watchers=2")
    for _ in range(2):
        watch(house.grpc).settled()
    refused = refusal(house.grpc.call, METHOD)
    assert (refused.code, refused.reason) == ("RESOURCE_EXHAUSTED",
                                              "OVERLOADED")
    assert refused.retry_after > 0


# --- Bad input.

@pytest.mark.parametrize("cursor", [
    "x", "cur_", "cur_" + "0" * 39, "cur_" + "0" * 41, "cur_" + "G" * 40,
    "CUR_" + "0" * 40, "\u202etxt", "' OR 1=1 --", "a" * 900])
def test_a_cursor_that_is_none_is_refused_by_name(house, cursor):
    refused = refusal(house.grpc.call, METHOD, {"cursor": cursor})
    assert (refused.code, refused.reason) == ("INVALID_ARGUMENT",
                                              "ARGUMENT_INVALID")
    assert "cursor" in refused.fields
    assert house.server.is_ready()


def test_a_cursor_of_another_history_gets_a_snapshot_and_an_alarm(new_house,
                                                                  watch):
    house = new_house()
    house.revoke(session_id=house.sign_up().sign_in().session_id)
    cursor = watch(house.grpc).settled().cursor
    other = cursor[:-1] + ("0" if cursor[-1] != "0" else "1")
    watcher = watch(house.grpc, other).settled()
    assert "snapshot" in watcher.frames
    assert "STATE_REGRESSION" in house.server.log()
    assert "ostiary_state_regressions_total 1" in house.server.metrics()


@pytest.mark.parametrize("body,reason", [
    (b"\x0a\xff", "ARGUMENT_INVALID"), (b"\xff" * 20, "ARGUMENT_INVALID"),
    (b"\x0a\x02\xff\xfe", "ARGUMENT_INVALID"),  # not UTF-8
    (bytes([15 << 3 | 2, 0xff, 0xff, 0x03]) + b"a" * 0xffff,
     "REQUEST_TOO_LARGE")])
def test_bytes_that_are_no_request_are_refused(house, body, reason):
    for door in (house.grpc, house.operator):
        refused = refusal(door.raw, METHOD, body)
        assert refused.reason == reason
    assert house.server.is_ready()


@pytest.mark.parametrize("content_type", [
    "application/json", "application/proto", "application/connect+json",
    "application/connect+proto"])
def test_over_http_the_stream_is_not_served_and_says_so(house, content_type):
    response = house.http.post(METHOD, b"{}", content_type=content_type)
    assert response.status_code in (404, 415, 501)
    assert response.json()["code"] in ("unimplemented", "invalid_argument")


# --- Who may watch.

@pytest.mark.parametrize("trust", ["authenticated", "open"])
def test_service_access_decides_who_may_watch(new_house, trust):
    house = new_house(f"--service-access={trust}")
    callers = {
        "nobody": (None, "UNAUTHENTICATED"),
        "bad token": ("eyJhbGciOiJFUzI1NiJ9.e30.AAAA", "ACCESS_TOKEN_REJECTED"),
        "account": (house.sign_up().sign_in().access_token,
                    "PERMISSION_DENIED"),
        "operator": (house.new_operator_token(), "passes")}
    for caller, (token, expected) in callers.items():
        try:
            assert house.grpc.call(METHOD, token=token).key_set.keys
            answer = "passes"
        except Refused as refused:
            answer = refused.reason
        assert answer == (expected if trust == "authenticated" else
                          "passes"), caller
    assert house.operator.call(METHOD).key_set.keys


def test_who_is_revoked_is_told_nothing_more(new_house, watch):
    """Not even of their own revocation: the stream ends with it."""
    house = new_house("--service-access=authenticated")
    token = house.new_operator_token()
    theirs = watch(house.grpc, token=token).settled()
    others = watch(house.grpc, token=house.new_operator_token()).settled()
    told = len(theirs.entries)
    house.revoke(token=token)
    assert theirs.wait(lambda: theirs.closed, AT_ONCE)
    assert theirs.wait(lambda: theirs.closed)
    assert theirs.ended.reason == "ACCESS_TOKEN_REJECTED"
    assert len(theirs.entries) == told
    assert others.wait(lambda: len(others.entries) > told)
    assert not others.closed
    refused = refusal(house.grpc.call, METHOD, token=token)
    assert refused.reason == "ACCESS_TOKEN_REJECTED"


def test_a_client_certificate_may_watch(secured, authority, contract):  # noqa: F811
    server = secured(f"--tls-client-ca={authority.cert}",
                     "--service-access=authenticated")
    nobody = GrpcDoor(contract, server.grpc, trusting(authority))
    assert refusal(nobody.call, METHOD).reason == "UNAUTHENTICATED"
    pair = authority.issue("client", "service-a")
    service = GrpcDoor(contract, server.grpc, trusting(authority, pair))
    assert service.call(METHOD).key_set.keys
    # And is no operator for it.
    assert refusal(service.call, "AdminService/GetServerInfo").reason == (
        "UNAUTHENTICATED")
