"""Killed in the steps that happen once: the first start, a migration, a
rotation of the keys, a restore. The next start finishes the step or does it
anew, and nothing that was there is lost."""

import re
import shutil
import sqlite3
import time
from contextlib import closing, contextmanager

import pytest

from fixtures import REPOSITORY
from doors import Refused
from house import House, refusal
from site_under_load import QuickServer
from test_kill import PLACES

# Where a first start, a migration and a restore are killed: place -> passages.
FIRST_START = {
    "start.kek": (1,), "start.store": (1,), "start.keys": (1,),
    "start.symmetric": (1, 2, 3), "migration.before": (1, 2, 3),
    "migration.between": (1, 2, 3, 9, 16, 17, 18), "migration.commit": (1, 2),
    "migration.after": (1, 2, 3), "key.before": (1, 2), "key.after": (1,),
    "commit.before": (1, 2, 3, 4), "commit.after": (1, 2, 3, 4),
    "commit.announced": (1, 2), "mark.before": (1,), "mark.after": (1,),
}
RESTORE = {
    "restore.sessions": (1,), "restore.epoch": (1,),
    "commit.before": (1, 2), "commit.after": (1, 2),
    "mark.before": (1,), "mark.after": (1,),
}
# The same from a backup; the mark is written before the stores are exchanged.
RESTORE_FROM = {
    "restore.copied": (1,), "commit.before": (1, 2), "commit.after": (1, 2),
    "restore.epoch": (1,), "mark.before": (1,), "mark.after": (1,),
    "restore.aside": (1,), "restore.log-aside": (1,), "restore.placed": (1,),
}
# From here on no server starts on the store that was there.
MARKED = {"mark.after", "restore.aside", "restore.log-aside"}
BACKUP = {"backup.before": (1,), "backup.after": (1,)}
KEK = {"kek.draft": (1, 2), "kek.both": (1,), "kek.sealed": (1,),
       "commit.before": (9,), "commit.after": (9,), "kek.dropped": (1,)}
LEAD = 2 * 24 * 3600  # seconds; --key-prepare-lead as it is


def cases(places):
    return [(place, n) for place, passages in places.items() for n in passages]


def dies_at(server, place, passage=1):
    """Starts it; True if it killed itself, else it is up."""
    server.environment = {"OSTIARY_FAIL_POINT": f"{place}:{passage}"}
    server.launch()
    server.environment = {}
    try:
        server.wait_until_ready()
    except RuntimeError:
        assert server.process.returncode == -9, server.log()[-1500:]
        return True
    return False


@contextmanager
def database(server):
    """To write past the server, which is down: the next start takes the store
    as it is found."""
    with closing(sqlite3.connect(server.data_dir / "ostiary.db")) as db:
        yield db
    (server.data_dir / "ostiary.db-sums").unlink(missing_ok=True)


def rows(server, query):
    # Only to read: otherwise closing it would write the log into the file.
    path = f"file:{server.data_dir / 'ostiary.db'}?mode=ro"
    with closing(sqlite3.connect(path, uri=True)) as db:
        return db.execute(query).fetchall()


@pytest.fixture
def quick(new_server):
    return lambda *flags: new_server(*flags, kind=QuickServer)


# -- names ---------------------------------------------------------------------


def test_every_place_is_killed_at_by_a_test(quick):
    server = quick()
    done = server.run(*server.command()[1:],
                      env={"OSTIARY_FAIL_POINT": "no.such.place"})
    assert done.returncode == 2 and "OSTIARY_FAIL_POINT" in done.stderr
    names = set(re.findall(r"[a-z]+\.[a-z.-]*[a-z]", done.stderr))
    killed_at = set(PLACES).union(
        FIRST_START, RESTORE, RESTORE_FROM, BACKUP, KEK)
    assert names == killed_at
    assert not server.data_dir.exists(), "it began although it refused"


def test_who_arms_a_place_is_told_loudly(quick):
    server = quick()
    assert not dies_at(server, "mark.after", 1_000_000)
    line = next(line for line in server.log().splitlines()
                if "kills itself" in line)
    assert "warning" in line.lower() and "mark.after:1000000" in line
    assert server.stop() == 0


# -- the first start -------------------------------------------------------------


def test_a_first_start_that_is_killed_anywhere_is_finished_by_the_next(
        quick, contract):
    for place, passage in cases(FIRST_START):
        server = quick()
        died = dies_at(server, place, passage)
        assert died, f"{place}:{passage} was not reached"
        house = House(server.start(), contract)
        tokens = house.sign_up().sign_in()
        assert house.verdict(tokens.access_token) == "VALID", place
        assert house.refresh(tokens.refresh_token).session_id, place
        house.close()
        assert server.stop() == 0
        assert rows(server, "SELECT purpose, count(*) FROM keys WHERE state = "
                            "'active' GROUP BY purpose") == [
            ("access", 1), ("decoy", 1), ("identifier-hash", 1),
            ("refresh", 1)], f"{place}:{passage}"
        server.remove()


# -- a migration -----------------------------------------------------------------

_OLD_TABLES = ("accounts", "sessions", "ledger", "ledger_head", "audit",
               "hash_shapes")


@pytest.fixture
def old_store(quick, contract):
    """A house that lived under the first schema: people with sessions, one of
    them ended, one token revoked."""
    server = quick()
    house = House(server.start(), contract)
    people = [house.sign_up() for _ in range(6)]
    kept = [person.sign_in() for person in people]
    ended = people[0].sign_in()
    house.grpc.call("AuthService/SignOut",
                    {"refresh_token": ended.refresh_token})
    revoked = people[1].sign_in()
    house.revoke(token=revoked.access_token)
    house.close()
    assert server.stop() == 0
    with database(server) as db:
        db.executescript("DROP TABLE status_slots; DROP TABLE status_lists;"
                         "ALTER TABLE sessions DROP COLUMN networks;"
                         "DELETE FROM facts WHERE name LIKE 'status%';"
                         "PRAGMA user_version = 1")
    return server, kept, ended, revoked


def columns(server):
    """Table -> its columns."""
    return {table: ", ".join(row[1] for row in
                             rows(server, f"PRAGMA table_info({table})"))
            for table in _OLD_TABLES}


def everything(server, asked):
    """Table -> its rows, of the columns that are asked for."""
    return {table: rows(server, f"SELECT {names} FROM {table} ORDER BY 1")
            for table, names in asked.items()}


def passages_of(server, place, most=50):
    """At which passages of `place` the server dies, each from the old store."""
    saved = server.root / "old"
    shutil.copytree(server.data_dir, saved)
    for passage in range(1, most):
        shutil.rmtree(server.data_dir)
        shutil.copytree(saved, server.data_dir)
        died = dies_at(server, place, passage)
        if not died:
            assert server.stop() == 0
            break
        yield passage
    shutil.rmtree(server.data_dir)
    shutil.copytree(saved, server.data_dir)
    shutil.rmtree(saved)


@pytest.mark.parametrize("place,expected", [
    ("migration.before", 2), ("migration.between", 4), ("migration.commit", 2),
    ("migration.after", 2)])
def test_a_migration_that_is_killed_is_finished_and_keeps_every_row(
        old_store, contract, place, expected):
    server, kept, ended, revoked = old_store
    old = columns(server)
    before, killed = everything(server, old), 0
    for _ in passages_of(server, place):
        killed += 1
        server.start()
        house = House(server, contract)
        for tokens in kept:
            assert house.verdict(tokens.access_token) == "VALID"
        for tokens in (ended, revoked):
            assert house.verdict(tokens.access_token) == "TOKEN_REVOKED"
        assert refusal(house.refresh, ended.refresh_token).reason == (
            "REFRESH_REJECTED")
        house.close()
        assert server.stop() == 0
        after = everything(server, old)
        # A refused refresh leaves an audit row.
        after["audit"] = after["audit"][:len(before["audit"])]
        assert after == before
        assert rows(server, "PRAGMA integrity_check") == [("ok",)]
    assert killed >= expected


# The stores that releases have left behind, and the version of today.
GOLDEN = {int(path.stem): path for path in
          (REPOSITORY / "tests/storage/golden").glob("[0-9]*.sql")}
NEWEST = len(list((REPOSITORY / "storage/sqlite/schema").glob("*.sql")))


def lay(server, dump):
    """A data directory as the release of that schema left it."""
    server.data_dir.mkdir(mode=0o700)
    with database(server) as db:
        db.executescript(dump.read_text())
    kek = server.data_dir / "kek"
    kek.write_text("7" * 64)
    for path in server.data_dir.iterdir():
        path.chmod(0o600)


@pytest.mark.parametrize("place", ["migration.before", "migration.between",
                                   "migration.commit", "migration.after"])
@pytest.mark.parametrize("version", range(1, NEWEST))
def test_the_store_of_an_old_release_survives_a_kill_in_its_migration(
        quick, contract, version, place):
    server = quick()
    lay(server, GOLDEN[version])
    old = columns(server)
    before, killed = everything(server, old), 0
    for _ in passages_of(server, place):
        killed += 1
        house = House(server.start(), contract)
        after = everything(server, old)
        for table in before:  # the start itself may leave an audit row
            assert set(before[table]) <= set(after[table]), table
        house.grpc.call("AuthService/SignInWithPassword", {
            "identifier": "ada.lovelace@example.com",
            "password": "quill anchor 48 meadow"})
        house.close()
        assert server.stop() == 0
    assert killed >= NEWEST - version


# -- a rotation ------------------------------------------------------------------


@pytest.mark.parametrize("place,passage", [
    ("key.before", 1), ("commit.before", 1), ("commit.after", 1),
    ("key.after", 1)])
def test_a_rotation_that_is_killed_happens_once_and_after_its_lead(
        quick, contract, place, passage):
    server = quick()
    house = House(server.start(), contract)
    old = house.sign_up().sign_in()
    house.close()
    assert server.stop() == 0
    states = "SELECT state, key_id FROM keys WHERE purpose = 'access'"
    before = dict(rows(server, states))
    with database(server) as db:  # three months later
        db.execute("UPDATE keys SET create_time = create_time - ?, "
                   "activate_time = activate_time - ? WHERE purpose = 'access'",
                   (100 * 86400 * 1_000_000,) * 2)
        db.commit()
    assert dies_at(server, place, passage)
    house = House(server.start(), contract)
    assert house.verdict(old.access_token) == "VALID"
    published = {key.kid for key in house.grpc.call("KeyService/GetJwks").keys}
    new = house.sign_up().sign_in()
    assert house.verdict(new.access_token) == "VALID"
    house.close()
    assert server.stop() == 0
    now = rows(server, states)
    assert sorted(state for state, _ in now) == ["active", "prepared", "retired"]
    assert dict(now)["active"] == before["prepared"]
    assert dict(now)["retired"] == before["active"]
    assert {key_id for _, key_id in now} == published
    assert rows(server, "SELECT count(*) FROM keys WHERE state = 'active' AND "
                        f"activate_time - create_time < {LEAD * 1_000_000} "
                        "AND purpose = 'access'") == [(0,)]
    assert rows(server, "SELECT action, count(*) FROM audit WHERE action IN "
                        "('key.activate', 'key.retire') GROUP BY action") == [
        ("key.activate", 2), ("key.retire", 1)]


# -- another key-encryption key --------------------------------------------------


@pytest.mark.parametrize("place,passage", cases(KEK))
def test_a_change_of_the_key_encryption_key_that_is_killed_locks_nobody_out(
        quick, contract, place, passage):
    server = quick()
    house = House(server.start(), contract)
    tokens = house.sign_up().sign_in()
    house.close()
    assert server.stop() == 0
    assert not dies_at(server, place, passage)
    house = House(server, contract)
    with pytest.raises(Refused) as cut_off:
        while True:
            house.operator.call("KeyService/RotateKeyEncryptionKey")
    assert cut_off.value.code == "UNAVAILABLE"
    house.close()
    assert server.process.wait(10) == -9
    house = House(server.start(), contract)
    assert house.verdict(tokens.access_token) == "VALID"
    assert house.refresh(tokens.refresh_token).session_id
    house.close()
    assert server.stop() == 0
    assert [p.name for p in server.data_dir.glob("kek*")] == ["kek"]
    assert len((server.data_dir / "kek").read_text().split()) == 1, (
        "the old key-encryption key is still there")


# -- a restore -------------------------------------------------------------------


class Past:
    """A store that was put back by a day's work, as an operator finds it."""

    def __init__(self, server, contract):
        self.server, self.contract = server, contract
        house = House(server.start(), contract)
        people = [house.sign_up() for _ in range(3)]
        self.kept = [person.sign_in() for person in people]
        house.close()
        assert server.stop() == 0
        store = server.data_dir / "ostiary.db"
        shutil.copy2(store, server.root / "backup.db")
        house = House(server.start(), contract)
        self.lost = house.revoke(session_id=self.kept[0].session_id)
        house.close()
        assert server.stop() == 0
        shutil.copy2(server.root / "backup.db", store)
        shutil.copytree(server.data_dir, server.root / "past")

    def put_back(self):
        shutil.rmtree(self.server.data_dir)
        shutil.copytree(self.server.root / "past", self.server.data_dir)

    def restore(self, place=None):
        return self.server.run(
            "restore", "--sessions=end", *self.server.command()[1:],
            env=place and {"OSTIARY_FAIL_POINT": place})


def refused_after_restore(house, tokens):
    """Issuing pauses for a moment; what was ended is refused at once."""
    assert house.verdict(tokens.access_token) == "TOKEN_REVOKED"
    end = time.monotonic() + 10
    while True:
        try:
            house.refresh(tokens.refresh_token)
        except Refused as refused:
            if refused.reason == "REFRESH_REJECTED":
                return
            assert refused.reason == "OVERLOADED" and time.monotonic() < end
            time.sleep(refused.retry_after)
        else:
            raise AssertionError("a session that was ended refreshed")


def test_a_restore_that_is_killed_anywhere_is_not_half_done(quick, contract):
    past = Past(quick(), contract)
    server = past.server
    for place, passage in cases(RESTORE):
        past.put_back()
        done = past.restore(f"{place}:{passage}")
        assert done.returncode == -9, f"{place}:{passage} was not reached"
        finished = place == "mark.after"
        if not finished:
            done = server.run(*server.command()[1:])
            assert done.returncode == 1, f"it serves after {place}:{passage}"
            assert "ostiaryd restore" in done.stderr
            assert past.restore().returncode == 0, place
        house = House(server.start(), contract)
        for tokens in past.kept:
            assert house.verdict(tokens.access_token) == "TOKEN_REVOKED", place
        assert refusal(house.verdict, past.kept[0].access_token,
                       min_revision=past.lost).reason in (
            "REVISION_LOST", "REVISION_NOT_REACHED")
        if finished:
            for tokens in past.kept:
                refused_after_restore(house, tokens)
        house.close()
        assert server.stop() == 0


# -- a backup, and a restore from it ---------------------------------------------


class Lost:
    """A store that was killed with its newest revocation in its log alone, and
    a backup from before."""

    def __init__(self, server, contract):
        self.server = server
        house = House(server.start(), contract)
        person = house.sign_up()
        self.kept, self.ended = person.sign_in(), person.sign_in()
        self.backup = house.operator.call("AdminService/BackUp").backup.path
        house.revoke(session_id=self.ended.session_id)
        server.kill()
        house.close()
    def restore(self, place=None):
        return self.server.run(
            "restore", "--sessions=keep", f"--from={self.backup}",
            *self.server.command()[1:],
            env=place and {"OSTIARY_FAIL_POINT": place})


@pytest.mark.parametrize("place,passage", cases(RESTORE_FROM))
def test_a_restore_from_a_backup_that_is_killed_loses_no_revocation(
        quick, contract, place, passage):
    lost = Lost(quick(), contract)
    server = lost.server
    done = lost.restore(f"{place}:{passage}")
    assert done.returncode == -9, f"not reached: {done.stderr}"
    if place in MARKED:
        done = server.run(*server.command()[1:])
        assert done.returncode == 1, f"it serves after {place}:{passage}"
        assert "ostiaryd restore" in done.stderr
    if place != "restore.placed":
        done = lost.restore()
        assert done.returncode == 0, done.stderr
    assert rows(server, "SELECT count(*), count(revoke_time) FROM sessions") == [
        (2, 1)], "what had ended lives again, or what lived has ended"
    house = House(server.start(), contract)
    for tokens in (lost.kept, lost.ended):
        assert house.verdict(tokens.access_token) == "TOKEN_REVOKED"
    house.close()
    assert server.stop() == 0


@pytest.mark.parametrize("place", list(BACKUP))
def test_a_backup_that_is_killed_is_whole_or_not_there(quick, contract, place):
    server = quick()
    assert not dies_at(server, place)
    house = House(server, contract)
    tokens = house.sign_up().sign_in()
    with pytest.raises(Refused) as cut_off:
        house.operator.call("AdminService/BackUp")
    assert cut_off.value.code == "UNAVAILABLE"
    house.close()
    assert server.process.wait(10) == -9
    folder = server.data_dir / "backups"
    whole = [p for p in folder.iterdir() if not p.name.endswith(".part")]
    assert len(whole) == (place == "backup.after")
    house = House(server.start(), contract)
    assert house.verdict(tokens.access_token) == "VALID"
    made = house.operator.call("AdminService/BackUp").backup.path
    house.close()
    assert server.stop() == 0
    for backup in (made, *map(str, whole)):
        done = server.run("restore", "--sessions=keep", f"--from={backup}",
                          *server.command()[1:])
        assert done.returncode == 0, done.stderr
