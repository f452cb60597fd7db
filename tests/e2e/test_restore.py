"""A store that went back in time is refused until an operator takes it over."""

import glob
import json
import shutil
import time

import pytest

from doors import Refused
from house import House, refusal


def copy_store(server, to):
    """The database alone, as a backup holds it; the server is down."""
    to.mkdir(exist_ok=True)
    for path in server.data_dir.glob("ostiary.db*"):
        shutil.copy2(path, to / path.name)


def put_back(server, backup):
    for path in server.data_dir.glob("ostiary.db*"):
        path.unlink()
    for path in backup.iterdir():
        shutil.copy2(path, server.data_dir / path.name)


def once_issuing_goes_on(call, *arguments, **named):
    """Retries as told: for 5 s after the row *all issued before now*, whatever
    would be minted could be hit by it."""
    end = time.monotonic() + 10
    while True:
        try:
            return call(*arguments, **named)
        except Refused as refused:
            if refused.reason != "OVERLOADED" or time.monotonic() > end:
                raise
            assert 0 < refused.retry_after <= 6
            time.sleep(refused.retry_after)


class Story:
    """An old backup, and what happened since it was made."""

    def __init__(self, server, contract):
        self.server, self.contract = server, contract
        house = House(server.start(), contract)
        self.person = house.sign_up()
        self.kept = self.person.sign_in()
        self.revoked_later = self.person.sign_in()
        assert server.stop() == 0
        house.close()
        backup = server.root / "backup"
        copy_store(server, backup)

        house = House(server.start(), contract)
        self.revision = house.revoke(session_id=self.revoked_later.session_id)
        self.advanced = house.refresh(self.kept.refresh_token)
        self.lost = house.sign_up()
        assert server.stop() == 0
        house.close()
        put_back(server, backup)

    def restore(self, sessions):
        return self.server.run("restore", f"--sessions={sessions}",
                               *self.server.command()[1:])

    def open(self):
        house = House(self.server.start(), self.contract)
        self.person.house = house
        return house


@pytest.fixture
def story(new_server, contract):
    return Story(new_server(), contract)


def test_a_store_that_went_back_is_refused_and_restore_is_named(story):
    for _ in range(2):
        done = story.server.run(*story.server.command()[1:])
        assert done.returncode != 0
        assert "back in time" in done.stderr
        assert "ostiaryd restore" in done.stderr


def test_restore_says_what_it_needs(story):
    done = story.server.run("restore", *story.server.command()[1:])
    assert done.returncode != 0
    for word in ("--sessions", "end", "keep"):
        assert word in done.stderr


def test_restore_help_is_help(new_server):
    done = new_server().run("restore", "--help")
    assert done.returncode == 0
    assert "--sessions" in done.stdout


def test_restore_ending_sessions_refuses_all_that_was_issued_before(story):
    done = story.restore("end")
    assert done.returncode == 0, done.stderr
    house = story.open()
    for tokens in (story.kept, story.revoked_later, story.advanced):
        assert house.verdict(tokens.access_token) == "TOKEN_REVOKED"
    assert house.verdict(once_issuing_goes_on(
        story.person.sign_in).access_token) == "VALID"
    for tokens in (story.kept, story.revoked_later, story.advanced):
        assert refusal(house.refresh, tokens.refresh_token).reason == (
            "REFRESH_REJECTED")
    assert refusal(house.grpc.call,
                   "AuthService/SignInWithPassword",
                   {"identifier": story.lost.username,
                    "password": story.lost.password}).reason == (
        "CREDENTIALS_REJECTED")
    house.close()


def test_restore_keeping_sessions_refuses_tokens_and_lets_sessions_refresh(
        story):
    done = story.restore("keep")
    assert done.returncode == 0, done.stderr
    house = story.open()
    for tokens in (story.kept, story.revoked_later, story.advanced):
        assert house.verdict(tokens.access_token) == "TOKEN_REVOKED"
    # The token that the lost future had given out is authentic and newer.
    fresh = once_issuing_goes_on(house.refresh,
                                 story.advanced.refresh_token)
    assert fresh.session_id == story.kept.session_id
    assert house.verdict(fresh.access_token) == "VALID"
    assert "STATE_REGRESSION" in story.server.log()
    house.close()


def test_a_revision_of_the_lost_future_is_not_taken_for_granted(story):
    assert story.restore("keep").returncode == 0
    house = story.open()
    refused = refusal(house.verdict, story.kept.access_token,
                      min_revision=story.revision)
    assert refused.reason in ("REVISION_LOST", "REVISION_NOT_REACHED")
    house.close()


def test_a_restored_server_restarts_as_any_other(story):
    assert story.restore("end").returncode == 0
    for _ in range(2):
        house = story.open()
        assert house.verdict(story.kept.access_token) == "TOKEN_REVOKED"
        assert story.server.stop() == 0
        house.close()


def test_a_revoked_key_stays_revoked_through_a_restore(new_server, contract):
    server = new_server()
    house = House(server.start(), contract)
    token = house.sign_up().sign_in().access_token
    key = house.operator.call("AdminService/GetServerInfo").active_key_id
    assert server.stop() == 0
    house.close()
    backup = server.root / "backup"
    copy_store(server, backup)
    house = House(server.start(), contract)
    house.revoke(key_id=key)
    assert server.stop() == 0
    house.close()
    put_back(server, backup)
    done = server.run("restore", "--sessions=keep", *server.command()[1:])
    assert done.returncode == 0, done.stderr
    house = House(server.start(), contract)
    assert key not in house.http.client.get("/.well-known/jwks.json").text
    assert house.verdict(token) in ("KEY_UNKNOWN", "TOKEN_REVOKED")
    active = house.operator.call("AdminService/GetServerInfo").active_key_id
    assert active not in ("", key)
    house.close()


def with_a_clock(ahead):
    """The environment of a process whose wall clock is wrong."""
    library, = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
    return {"LD_PRELOAD": library, "FAKETIME": ahead,
            "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


@pytest.mark.parametrize("from_file", [False, True])
def test_tokens_of_a_clock_that_was_ahead_never_come_to_life(
        new_server, contract, from_file):
    """Their iat lies beyond the row *all issued before now*."""
    server = new_server()
    server.environment = with_a_clock("+86400")
    house = House(server.start(), contract)
    tokens = house.sign_up().sign_in()
    published = house.http.client.get("/.well-known/jwks.json").json()["keys"]
    backup = server.root / "backup.db"
    if from_file:
        assert server.cli("backup", str(backup)).returncode == 0
    assert server.stop() == 0
    house.close()
    refused = server.run(*server.command()[1:])
    assert refused.returncode != 0 and "clock" in refused.stderr

    source = [f"--from={backup}"] if from_file else []
    done = server.run("restore", "--sessions=keep", "--output=json", *source,
                      *server.command()[1:])
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["clock_was_at"] > time.strftime("%Y-%m-%dT%H:%M:%SZ",
                                                  time.gmtime())
    assert report["revoked_keys"] == len(published)
    refresh_token = tokens.refresh_token
    # Now, and when the time has come.
    for ahead in ("+0", "+86460"):
        server.environment = with_a_clock(ahead)
        house = House(server.start(), contract)
        assert house.verdict(tokens.access_token) == "KEY_UNKNOWN"
        keys = house.http.client.get("/.well-known/jwks.json").json()["keys"]
        assert not ({key["kid"] for key in keys} &
                    {key["kid"] for key in published})
        # The session was to be kept.
        fresh = once_issuing_goes_on(house.refresh, refresh_token)
        assert house.verdict(fresh.access_token) == "VALID"
        refresh_token = fresh.refresh_token
        assert server.stop() == 0
        house.close()


def test_a_damaged_mark_is_refused_with_what_to_do(new_server):
    server = new_server().start()
    assert server.stop() == 0
    mark = server.data_dir / "mark"
    marks = [mark] if mark.exists() else [
        p for p in server.data_dir.iterdir() if "mark" in p.name]
    assert marks
    marks[0].write_bytes(b"nonsense")
    done = server.run(*server.command()[1:])
    assert done.returncode != 0
    assert "damaged" in done.stderr and "restore" in done.stderr
