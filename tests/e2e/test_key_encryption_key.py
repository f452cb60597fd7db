"""The key that seals all others: changed, interrupted, missing, supplied again."""

import json
import random
import sqlite3
import threading
import time

import pytest

from doors import Refused
from house import House, refusal
from test_restore import copy_store, once_issuing_goes_on, put_back
from trials import trials

ROTATE = ("key", "rotate-encryption-key", "--yes")


def state(server):
    """Id -> (state, how many keys of the store it seals)."""
    done = server.cli("key", "encryption", "--output", "json")
    assert done.returncode == 0, done.stderr
    keys = [json.loads(line) for line in done.stdout.splitlines()]
    return {key["key_encryption_key_id"]:
            (key["state"].removeprefix("KEY_ENCRYPTION_KEY_STATE_").lower(),
             key["sealed_count"]) for key in keys}


def kek(server):
    return server.data_dir / "kek"


def lines(path):
    return path.read_text().split()


def put(path, content):
    """As an operator does it."""
    draft = path.with_suffix(".mine")
    draft.write_text("".join(f"{line}\n" for line in content))
    draft.chmod(0o600)
    draft.rename(path)


def new_key():
    return random.SystemRandom().randbytes(32).hex()


@pytest.fixture
def own(new_house):
    return new_house()


def test_rotation_keeps_every_token_and_session_and_survives_a_restart(
        own, contract):
    server, person = own.server, own.sign_up()
    tokens = person.sign_in()
    before = state(server)
    assert [s for s, _ in before.values()] == ["sealing"]
    old = kek(server).read_bytes()

    done = server.cli(*ROTATE)
    assert done.returncode == 0, done.stderr
    after = state(server)
    assert len(after) == 1 and not after.keys() & before.keys()
    assert list(after.values()) == list(before.values())
    assert len(lines(kek(server))) == 1 and kek(server).read_bytes() != old
    assert kek(server).stat().st_mode & 0o777 == 0o600
    assert own.verdict(tokens.access_token) == "VALID"
    tokens = own.refresh(tokens.refresh_token)

    assert server.stop() == 0
    again = House(server.start(), contract)
    assert again.verdict(tokens.access_token) == "VALID"
    assert again.refresh(tokens.refresh_token)
    assert state(server) == after
    again.close()
    with sqlite3.connect(f"file:{server.data_dir / 'ostiary.db'}?mode=ro",
                         uri=True) as db:
        rows = db.execute("SELECT actor, outcome, detail FROM audit WHERE "
                          "action = 'key_encryption_key.rotate'").fetchall()
    assert [(actor, outcome) for actor, outcome, _ in rows] == [
        ("operator", "ok")]
    detail = json.loads(rows[0][2])
    assert [detail["sealed_under"]] == list(after)
    assert list(detail["before"]) == list(before)


def test_who_is_no_operator_neither_sees_nor_changes_it(own):
    token = own.sign_up().sign_in().access_token
    for method in ("ListKeyEncryptionKeys", "RotateKeyEncryptionKey"):
        for door in (own.grpc, own.http):
            refused = refusal(door.call, f"KeyService/{method}", token=token)
            assert refused.code == "PERMISSION_DENIED"


def test_it_is_asked_whether_backups_can_still_be_opened(own):
    before = state(own.server)
    done = own.server.cli("key", "rotate-encryption-key")
    assert done.returncode == 2 and "--yes" in done.stderr
    assert state(own.server) == before


def test_killed_at_any_moment_every_key_still_opens(new_server, contract):
    """kill -9 while rotations and changes of signing keys are under way."""
    server = new_server()
    house = House(server.start(), contract)
    person = house.sign_up()
    tokens = person.sign_in()
    house.close()
    for seed in trials(12):
        chance = random.Random(seed)

        def rotate():
            try:
                while True:
                    house.operator.call("KeyService/RotateKeyEncryptionKey")
            except Refused:
                pass  # killed

        house = House(server, contract)
        worker = threading.Thread(target=rotate)
        worker.start()
        time.sleep(chance.uniform(0, 0.06))
        server.kill()
        worker.join()
        house.close()
        house = House(server.start(), contract)
        person.house = house
        now = state(server)
        assert [s for s, _ in now.values()] == ["sealing"], "not finished"
        assert len(lines(kek(server))) == 1
        assert not list(server.data_dir.glob("kek.*")), "a draft was left"
        assert person.sign_in().access_token
        tokens = house.refresh(tokens.refresh_token)
        assert house.verdict(tokens.access_token) == "VALID"
        house.close()


def test_a_backup_from_before_names_the_key_it_needs_and_takes_it(
        new_server, contract):
    server = new_server()
    house = House(server.start(), contract)
    person = house.sign_up()
    tokens = person.sign_in()
    (old_id,) = state(server)
    old = lines(kek(server))
    assert server.stop() == 0
    house.close()
    copy_store(server, server.root / "backup")
    house = House(server.start(), contract)
    assert server.cli(*ROTATE).returncode == 0
    assert server.stop() == 0
    house.close()
    new = lines(kek(server))
    put_back(server, server.root / "backup")

    # Both ways to start say the same, and change nothing.
    restore = ("restore", "--sessions=keep", *server.command()[1:])
    for arguments in (restore, server.command()[1:]):
        done = server.run(*arguments)
        assert done.returncode != 0
        assert old_id in done.stderr or "ostiaryd restore" in done.stderr
    assert old_id in server.run(*restore).stderr

    put(kek(server), new + old)
    done = server.run(*restore)
    assert done.returncode == 0, done.stderr
    house = House(server.start(), contract)
    assert lines(kek(server)) == new
    assert once_issuing_goes_on(house.refresh, tokens.refresh_token)
    house.close()


def test_a_file_that_is_not_the_servers_to_write_is_changed_by_its_owner(
        new_server, contract):
    """A credential of systemd, a mounted secret: here a link."""
    server = new_server()
    server.data_dir.mkdir(mode=0o700)
    secret = server.root / "secret"
    first, second = new_key(), new_key()
    put(secret, [first])
    kek(server).symlink_to(secret)
    house = House(server.start(), contract)
    tokens = house.sign_up().sign_in()
    done = server.cli(*ROTATE)
    assert done.returncode == 1 and "put a new key in front" in done.stderr
    assert lines(secret) == [first]

    put(secret, [second])  # forgotten the old one
    (first_id,) = state(server)
    done = server.cli(*ROTATE)
    assert done.returncode == 1 and first_id in done.stderr

    put(secret, [second, first])
    done = server.cli(*ROTATE)
    assert done.returncode == 0, done.stderr
    assert "may be taken out of the file" in done.stdout
    assert sorted(state(server).values())[0] == ("opening", 0)
    put(secret, [second])
    assert server.stop() == 0
    house.close()
    house = House(server.start(), contract)
    assert house.verdict(tokens.access_token) == "VALID"

    # Or with a restart in place of the command.
    third = new_key()
    put(secret, [third, second])
    assert server.stop() == 0
    house.close()
    house = House(server.start(), contract)
    assert ("opening", 0) in state(server).values()
    assert "may be taken out of the file" in server.log()
    put(secret, [third])
    assert server.stop() == 0
    house.close()
    house = House(server.start(), contract)
    assert house.refresh(tokens.refresh_token)
    house.close()
