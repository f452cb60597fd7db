"""Online backup, and the drill: lose the store, put the backup back, and
nothing that was ended lives again."""

import hashlib
import json
import os
import random
import secrets
import shutil
import signal
import sqlite3
import statistics
import subprocess
import threading
import time

import pytest

from doors import Refused
from followers import Followers
from house import House, Server, clean_environment, free_port, refusal
from trials import trials

TOKEN_REVOKED = {"TOKEN_REVOKED"}


def backup(server, *arguments, **named):
    return server.cli("backup", *arguments, "--output", "json", **named)


def made(done):
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def restore(server, *arguments):
    return server.run("restore", *arguments, *server.command()[1:])


def once_issuing_goes_on(call, *arguments, **named):
    """Retries as told: for 5 s after a restore nothing is issued."""
    end = time.monotonic() + 15
    while True:
        try:
            return call(*arguments, **named)
        except Refused as refused:
            if refused.reason != "OVERLOADED" or time.monotonic() > end:
                raise
            time.sleep(refused.retry_after)


class Traffic:
    """People who come and go while something else happens."""

    def __init__(self, house):
        self.house = house
        self.person = house.sign_up()
        self.tokens = self.person.sign_in()
        self.stopping = False
        self.waits = []  # (what, seconds)
        self.failure = None
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping = True
        self.thread.join(30)
        assert self.failure is None, self.failure

    def _time(self, what, call, *arguments):
        began = time.monotonic()
        answer = call(*arguments)
        self.waits.append((what, time.monotonic() - began))
        return answer

    def _run(self):
        try:
            while not self.stopping:
                self.tokens = self._time("refresh", self.house.refresh,
                                         self.tokens.refresh_token)
                for _ in range(5):
                    verdict = self._time("verify", self.house.verdict,
                                         self.tokens.access_token)
                    assert verdict == "VALID", verdict
        except Exception as failure:  # told by the thread that started us
            self.failure = failure

    def of(self, what):
        return [seconds for of_what, seconds in self.waits if of_what == what]


# -- making one -------------------------------------------------------------


def test_a_backup_says_what_it_is_and_where(house):
    house.sign_up()
    before = house.operator.call("AdminService/GetServerInfo").revision
    told = made(backup(house.server))
    path = house.server.data_dir / "backups"
    assert told["path"].startswith(f"{path}/ostiary-2")
    content = open(told["path"], "rb").read()
    assert int(told["size_bytes"]) == len(content)
    assert told["sha256"] == hashlib.sha256(content).hexdigest()
    assert told["revision"] >= before
    assert (told["epoch"], int(told["sequence"])) >= (1, 0)
    assert oct(os.stat(told["path"]).st_mode & 0o7777) == "0o600"
    assert oct(os.stat(path).st_mode & 0o7777) == "0o700"
    assert [p.name for p in path.iterdir() if p.suffix == ".part"] == []
    kek = (house.server.data_dir / "kek").read_bytes()
    assert kek.strip() not in content
    with sqlite3.connect(f"file:{told['path']}?mode=ro", uri=True) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert copy.execute("SELECT count(*) FROM accounts").fetchone()[0] > 0


def test_a_backup_is_in_the_audit_log_and_for_people_too(house):
    made(backup(house.server))
    left = house.server.data_dir / "backups/left.db.part"
    left.write_bytes(b"of a server that was killed")
    done = house.server.cli("backup")
    assert done.returncode == 0, done.stderr
    assert "path" in done.stdout and "key-encryption key" in done.stderr
    assert not left.exists()
    told = made(backup(house.server))
    with sqlite3.connect(f"file:{told['path']}?mode=ro", uri=True) as copy:
        rows = copy.execute("SELECT actor, outcome FROM audit"
                            " WHERE action = 'store.back_up'").fetchall()
    assert ("operator", "ok") in rows


def test_a_path_is_taken_from_the_socket_alone(house):
    place = house.server.root / "copy.db"
    remote = {"token": house.new_operator_token()}
    for door in (house.grpc, house.http):
        refused = refusal(door.call, "AdminService/BackUp",
                          {"path": str(place)}, **remote)
        assert refused.reason == "ARGUMENT_INVALID"
        assert "path" in refused.fields
        told = door.call("AdminService/BackUp",
                         {"path": f"by-{door.name}.db"}, **remote).backup
        assert told.path == str(
            house.server.data_dir / "backups" / f"by-{door.name}.db")
    assert not place.exists()
    # A relative path means what it means to who types it.
    told = made(backup(house.server, "copy.db"))
    assert told["path"] == str(place) and place.exists()


@pytest.mark.parametrize("path", [
    "../x", "a/b", "/", "/etc", ".hidden", "x.part", "a b", "x\\y", "//",
    "/nowhere/at/all/x.db", "x" * 129, "/" + "x" * 4090])
def test_a_bad_path_is_refused_and_nothing_is_made(house, path):
    files = set(house.server.files())
    refused = refusal(house.operator.call, "AdminService/BackUp",
                      {"path": path})
    assert refused.reason == "ARGUMENT_INVALID", refused
    assert "path" in refused.fields
    assert set(house.server.files()) == files


def test_nothing_is_written_over_and_not_among_our_own_files(house):
    told = made(backup(house.server, "once.db"))
    done = backup(house.server, "once.db")
    assert done.returncode == 2 and "is there already" in done.stderr
    assert os.stat(told["path"]).st_size == int(told["size_bytes"])
    for name in ("ostiary.db", "mark", "revoked-keys", "new"):
        done = backup(house.server, str(house.server.data_dir / name))
        assert done.returncode == 2, name


def test_a_disk_without_room_says_so_and_keeps_nothing(house):
    if os.geteuid() != 0:
        pytest.skip("NEEDS ROOT to mount a small disk")
    small = house.server.root / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none",
                       str(small)], capture_output=True).returncode != 0:
        pytest.skip("CANNOT MOUNT here")
    try:
        small.chmod(0o700)
        done = backup(house.server, str(small / "x.db"))
        assert done.returncode == 3 and "no room" in done.stderr
        assert list(small.iterdir()) == []
    finally:
        subprocess.run(["umount", str(small)], check=True)
    assert house.server.is_ready()


# -- under load -------------------------------------------------------------


def add_accounts(server, count):
    """Accounts without a password, put there while the server is down."""
    store = sqlite3.connect(server.data_dir / "ostiary.db")
    store.executemany(
        "INSERT INTO accounts VALUES (?, ?, ?, '', NULL, 0, ?, '[]', 0,"
        " '{}', 1, 1, 1, '', 1, 1)",
        ((secrets.token_bytes(16), f"n{i}", f"n{i}", "d" * 200)
         for i in range(count)))
    store.commit()
    store.close()
    # Another program has written, and not said so: the next start takes the
    # store as it is found.
    (server.data_dir / "ostiary.db-sums").unlink()


@pytest.fixture(scope="module")
def large(programs, contract):
    """A server with 100,000 accounts; the last to use it stops it."""
    server = Server(programs).start()
    assert server.stop() == 0
    add_accounts(server, 100_000)
    house = House(server.start(), contract)
    yield house
    house.close()
    server.remove()


def test_verify_and_refresh_go_on_while_100000_accounts_are_copied(large):
    with Traffic(large) as alone:
        time.sleep(1.5)
    with Traffic(large) as beside:
        began = time.monotonic()
        told = made(backup(large.server))
        took = time.monotonic() - began
    assert int(told["size_bytes"]) > 25_000_000
    for what in ("verify", "refresh"):
        before, meanwhile = alone.of(what), beside.of(what)
        report = (f"{what}: median {statistics.median(before) * 1e3:.1f} ms "
                  f"alone, {statistics.median(meanwhile) * 1e3:.1f} ms beside;"
                  f" longest {max(before) * 1e3:.0f}, "
                  f"{max(meanwhile) * 1e3:.0f} ms; backup {took:.2f} s")
        print(report)
        # Nobody waits for the copy to end: a fraction of it, on a machine
        # that other work shares.
        assert statistics.median(meanwhile) < max(
            0.05, 5 * statistics.median(before)), report
        assert max(meanwhile) < max(0.5, took / 2, 3 * max(before)), report


def test_a_second_backup_is_refused_and_a_cancelled_one_leaves_nothing(large):
    folder = large.server.data_dir / "backups"
    before = set(folder.glob("*"))
    command = [str(large.server.programs / "ostiary"),
               f"--socket={large.server.socket_path}", "backup"]
    first = subprocess.Popen(command, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, cwd=large.server.root,
                             env=clean_environment())
    while not large.operator.call(
            "AdminService/GetServerInfo").running_backup.path:
        assert first.poll() is None, "it was too fast to be interrupted"
    second = backup(large.server)
    assert second.returncode == 3 and "Another backup" in second.stderr
    first.send_signal(signal.SIGINT)
    _, said = first.communicate(timeout=10)
    assert first.returncode == 1 and b"nothing is left" in said, said
    end = time.monotonic() + 10
    while large.operator.call(
            "AdminService/GetServerInfo").HasField("running_backup"):
        assert time.monotonic() < end
    assert set(folder.glob("*")) == before
    made(backup(large.server))


def test_a_server_stops_although_a_backup_is_being_made(large):
    folder = large.server.data_dir / "backups"
    before = set(folder.glob("*"))
    answers = []

    def back_up():
        try:
            answers.append(large.operator.call("AdminService/BackUp"))
        except Refused as refused:
            answers.append(refused)

    caller = threading.Thread(target=back_up, daemon=True)
    caller.start()
    while not large.operator.call(
            "AdminService/GetServerInfo").running_backup.path:
        pass
    began = time.monotonic()
    assert large.server.stop() == 0
    assert time.monotonic() - began < 5
    caller.join(10)
    assert isinstance(answers[0], Refused), answers
    assert set(folder.glob("*")) == before


# -- the drill --------------------------------------------------------------


class Drill:
    """A house in use, a backup of it, and what was done afterwards."""

    def __init__(self, server, contract, programs):
        self.server, self.contract = server, contract
        self.house = house = House(server.start(), contract)
        self.people = {name: house.sign_up() for name in (
            "stays", "loses a session", "loses a token", "was ended before",
            "is disabled", "changes the password", "is deleted")}
        self.tokens = {name: person.sign_in()
                       for name, person in self.people.items()}
        self.other = self.people["loses a session"].sign_in()
        self.followers = Followers(programs, server)
        house.revoke(session_id=self.tokens["was ended before"].session_id)
        with Traffic(house) as traffic:
            self.backup = made(backup(server))
            self.bystander = traffic
        self.go_on()

    def go_on(self):
        house, people, tokens = self.house, self.people, self.tokens
        operator = house.operator
        house.revoke(session_id=tokens["loses a session"].session_id)
        house.revoke(token=tokens["loses a token"].access_token)
        operator.call("AccountService/DisableAccount",
                      {"account_id": people["is disabled"].account_id})
        self.new_password = "lantern 95 gravel otter " + secrets.token_hex(4)
        house.grpc.call(
            "AuthService/ChangePassword",
            {"current_password": people["changes the password"].password,
             "new_password": self.new_password},
            token=tokens["changes the password"].access_token)
        self.newcomer = house.sign_up()
        self.newcomers = self.newcomer.sign_in()
        self.ended = [tokens[name].access_token for name in (
            "loses a session", "loses a token", "was ended before",
            "is disabled", "is deleted", "changes the password")]
        self.followers.wait_for(operator.call(
            "AccountService/DeleteAccount",
            {"account_id": people["is deleted"].account_id}).revision)
        for token in self.ended:
            assert self.followers.verdicts(token) == TOKEN_REVOKED

    def lose(self):
        """The power goes, and with it whatever was not on the disk."""
        self.house.close()
        self.server.kill()

    def copy_over(self):
        """What one does in a hurry: the file alone, the log left behind."""
        shutil.copy(self.backup["path"], self.server.data_dir / "ostiary.db")

    def restore(self, *arguments):
        return restore(self.server, *arguments)

    def open(self):
        self.house = House(self.server.start(), self.contract)
        for person in self.people.values():
            person.house = self.house
        return self.house

    def close(self):
        self.house.close()
        self.followers.close()


@pytest.fixture
def drill(new_server, contract, programs):
    server = new_server(f"--grpc-listen=127.0.0.1:{free_port()}")
    made_drill = Drill(server, contract, programs)
    yield made_drill
    made_drill.close()


def wait_for_epoch(followers, epoch):
    end = time.monotonic() + 15
    while followers.epochs() != {epoch}:
        assert time.monotonic() < end, followers.epochs()
        time.sleep(0.05)


def test_the_drill(drill):
    server, tokens = drill.server, drill.tokens
    # Not while it runs.
    done = drill.restore("--sessions=end", f"--from={drill.backup['path']}")
    assert done.returncode != 0 and "in use" in done.stderr
    drill.lose()
    drill.copy_over()
    for _ in range(2):
        done = server.run(*server.command()[1:])
        assert done.returncode != 0
        assert "backup" in done.stderr and "ostiaryd restore" in done.stderr

    done = drill.restore("--sessions=end", "--output=json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    house = drill.open()
    wait_for_epoch(drill.followers, told["epoch"])

    everything = drill.ended + [tokens["stays"].access_token,
                                drill.other.access_token,
                                drill.newcomers.access_token]
    for token in everything:
        assert house.verdict(token) == "TOKEN_REVOKED"
        assert drill.followers.verdicts(token) == TOKEN_REVOKED
    # Who had a session in the backup is told, and must sign in again.
    named = {s["session_id"]: s for s in told["sessions"]}
    had_one = {tokens[name].session_id for name in tokens
               if name != "was ended before"}
    had_one |= {drill.other.session_id, drill.bystander.tokens.session_id}
    assert set(named) == had_one
    assert all(s["must_sign_in_again"] and s["fate"] == "ended"
               and s["last_use"] >= s["sign_in_time"]
               for s in named.values())
    assert told["counts"]["must_sign_in_again"] == len(had_one)
    assert named[tokens["stays"].session_id]["username"] == (
        drill.people["stays"].username)
    # Signing in works, also in the verifiers that lived through it.
    fresh = once_issuing_goes_on(drill.people["stays"].sign_in)
    for name in tokens:
        assert refusal(house.refresh, tokens[name].refresh_token).reason == (
            "REFRESH_REJECTED"), name
    assert house.verdict(fresh.access_token) == "VALID"
    assert drill.followers.verdicts(fresh.access_token) == {"VALID"}
    # The restored server is one as any other, and can be restored again.
    house.revoke(session_id=fresh.session_id)
    drill.lose()
    second = drill.restore("--sessions=keep",
                           f"--from={drill.backup['path']}", "--output=json")
    assert second.returncode == 0, second.stderr
    assert json.loads(second.stdout)["epoch"] == told["epoch"] + 1
    house = drill.open()
    wait_for_epoch(drill.followers, told["epoch"] + 1)
    for token in [*everything, fresh.access_token]:
        assert house.verdict(token) == "TOKEN_REVOKED"
        assert drill.followers.verdicts(token) == TOKEN_REVOKED


def test_keeping_sessions_ends_what_the_lost_store_knew_to_be_ended(drill):
    server, tokens = drill.server, drill.tokens
    drill.lose()
    report = server.root / "report.json"
    done = drill.restore("--sessions=keep", f"--from={drill.backup['path']}",
                         f"--report={report}")
    assert done.returncode == 0, done.stderr
    told = json.loads(report.read_text())
    assert oct(report.stat().st_mode & 0o7777) == "0o600"
    assert told["sha256"] == drill.backup["sha256"]
    assert told["asked_the_one_before"]
    assert os.path.exists(told["set_aside"])
    fates = {s["session_id"]: s["fate"] for s in told["sessions"]}
    assert fates[tokens["stays"].session_id] == "kept"
    assert fates[drill.other.session_id] == "kept"
    # Stamped by the change it made; the account's other sessions ended.
    assert fates[tokens["changes the password"].session_id] == "kept"
    for name in ("loses a session", "is disabled"):
        assert fates[tokens[name].session_id] == "ended_before", name
    assert fates[drill.newcomers.session_id] == "not_in_backup"
    assert told["counts"]["must_sign_in_again"] == 1
    assert "1 session of 1 account must sign in again" in done.stdout

    house = drill.open()
    wait_for_epoch(drill.followers, told["epoch"])
    for token in drill.ended:
        assert house.verdict(token) == "TOKEN_REVOKED"
        assert drill.followers.verdicts(token) == TOKEN_REVOKED
    kept = once_issuing_goes_on(house.refresh, tokens["stays"].refresh_token)
    assert house.verdict(kept.access_token) == "VALID"
    assert drill.followers.verdicts(kept.access_token) == {"VALID"}
    for name in ("loses a session", "was ended before", "is disabled"):
        assert refusal(house.refresh, tokens[name].refresh_token).reason == (
            "REFRESH_REJECTED"), name
    assert refusal(house.refresh,
                   drill.newcomers.refresh_token).reason == "REFRESH_REJECTED"


# -- what must be refused -----------------------------------------------------


@pytest.fixture
def stopped(new_server, contract):
    """A server that was stopped, with a backup, and an account since."""
    server = new_server()
    house = House(server.start(), contract)
    house.sign_up()
    told = made(backup(server))
    house.sign_up()
    house.close()
    assert server.stop() == 0
    server.backup = told["path"]
    return server


def test_a_copy_passes_for_no_store_even_where_the_mark_is_lost(stopped):
    shutil.copy(stopped.backup, stopped.data_dir / "ostiary.db")
    (stopped.data_dir / "mark").unlink()
    done = stopped.run(*stopped.command()[1:])
    assert done.returncode != 0 and "ostiaryd restore" in done.stderr
    done = restore(stopped, "--sessions=end", "--output=json")
    assert done.returncode == 0, done.stderr
    # Nobody knows how many epochs there had been.
    assert json.loads(done.stdout)["epoch"] > 1000
    stopped.start()
    assert stopped.stop() == 0


def test_a_store_that_has_lost_its_mark_is_refused(stopped):
    (stopped.data_dir / "mark").unlink()
    done = stopped.run(*stopped.command()[1:])
    assert done.returncode != 0
    assert "missing" in done.stderr and "ostiaryd restore" in done.stderr


def test_a_damaged_mark_does_not_keep_a_restore_from_helping(stopped):
    (stopped.data_dir / "mark").write_bytes(b"nonsense")
    assert stopped.run(*stopped.command()[1:]).returncode != 0
    assert restore(stopped, "--sessions=keep").returncode == 0
    stopped.start()
    assert stopped.stop() == 0


def mark_at(server, seconds):
    """The server's mark, with another time in it."""
    path = server.data_dir / "mark"
    words = path.read_text().split()
    words[4] = str(int((time.time() + seconds) * 1e6))
    body = " ".join(words[:5])
    check = 14695981039346656037
    for byte in body.encode():
        check = ((check ^ byte) * 1099511628211) % 2**64
    path.write_text(f"{body} {check:016x}\n")


def test_a_clock_that_was_ahead_is_set_right_by_a_restore(stopped, contract):
    mark_at(stopped, 86400)
    done = stopped.run(*stopped.command()[1:])
    assert done.returncode != 0 and "clock" in done.stderr
    done = restore(stopped, "--sessions=end")
    assert done.returncode == 0, done.stderr
    assert "had been ahead" in done.stdout
    house = House(stopped.start(), contract)
    tokens = once_issuing_goes_on(house.sign_up().sign_in)
    assert house.verdict(tokens.access_token) == "VALID"
    house.close()


@pytest.mark.parametrize("damage,word", [
    ("text", "no database of Ostiary"), ("short", "damaged"),
    ("flipped", "damaged"), ("missing", "there is no"),
    ("newer", "schema version 99")])
def test_what_cannot_be_put_back_changes_nothing(stopped, damage, word):
    file = stopped.root / "bad.db"
    content = bytearray(open(stopped.backup, "rb").read())
    if damage == "text":
        content = b"x" * 5000
    elif damage == "short":
        content = content[:len(content) // 2]
    elif damage == "flipped":
        for at in range(8 * 4096, len(content), 4096):
            content[at:at + 60] = b"\xff" * 60
    elif damage == "newer":
        content[60:64] = (99).to_bytes(4, "big")
    if damage != "missing":
        file.write_bytes(content)
    before = {p: c for p, c in stopped.files().items() if p.name != "lock"}
    done = restore(stopped, "--sessions=end", f"--from={file}")
    assert done.returncode != 0 and word in done.stderr, done.stderr
    assert {p: c for p, c in stopped.files().items()
            if p.name != "lock"} == before
    stopped.start()
    assert stopped.stop() == 0


def test_a_backup_needs_the_key_it_was_sealed_under(stopped, new_server):
    other = new_server().start()
    assert other.stop() == 0
    before = {p: c for p, c in other.files().items() if p.name != "lock"}
    done = restore(other, "--sessions=end", f"--from={stopped.backup}")
    assert done.returncode != 0 and "key-encryption key" in done.stderr
    assert {p: c for p, c in other.files().items()
            if p.name != "lock"} == before
    (other.data_dir / "kek").unlink()
    done = restore(other, "--sessions=end", f"--from={stopped.backup}")
    assert done.returncode != 0 and "put the file back" in done.stderr


def test_a_backup_comes_back_on_a_new_machine_with_the_key(stopped, new_server,
                                                          contract):
    machine = new_server()
    machine.data_dir.mkdir(mode=0o700)
    shutil.copy(stopped.data_dir / "kek", machine.data_dir / "kek")
    done = restore(machine, "--sessions=keep", f"--from={stopped.backup}")
    assert done.returncode == 0, done.stderr
    house = House(machine.start(), contract)
    assert len(house.operator.call("AccountService/ListAccounts").accounts) == 1
    house.close()


def test_what_an_interrupted_restore_left_is_no_hindrance(stopped):
    for name in ("ostiary.db.restoring", "ostiary.db.restoring-wal",
                 "ostiary.db.restoring.part"):
        (stopped.data_dir / name).write_bytes(b"half")
    done = restore(stopped, "--sessions=keep", f"--from={stopped.backup}")
    assert done.returncode == 0, done.stderr
    assert not list(stopped.data_dir.glob("*.restoring*"))


def test_a_restore_that_is_killed_leaves_the_old_or_the_new_or_a_refusal(
        new_server, contract):
    """Whatever starts afterwards refuses what was revoked after the backup."""
    server = new_server()
    house = House(server.start(), contract)
    person = house.sign_up()
    before = person.sign_in()
    told = made(backup(server))
    revoked = person.sign_in()
    for tokens in (before, revoked):
        house.revoke(session_id=tokens.session_id)
    house.close()
    assert server.stop() == 0
    command = [str(server.programs / "ostiaryd"), "restore", "--sessions=end",
               f"--from={told['path']}", *server.command()[1:]]
    longest = 0.3
    ends = set()
    for seed in trials(8):
        chance = random.Random(seed)
        restoring = subprocess.Popen(command, cwd=server.root,
                                     stdout=subprocess.DEVNULL,
                                     stderr=subprocess.DEVNULL,
                                     env=clean_environment())
        began = time.monotonic()
        try:
            restoring.wait(chance.uniform(0, longest))
            longest = max(0.02, time.monotonic() - began)
        except subprocess.TimeoutExpired:
            restoring.kill()
        restoring.wait(10)
        try:
            house = House(server.start(), contract)
        except RuntimeError as refused:
            assert "ostiaryd restore" in str(refused)
            ends.add("refused")
            done = restore(server, "--sessions=end", f"--from={told['path']}")
            assert done.returncode == 0, done.stderr
            house = House(server.start(), contract)
        else:
            ends.add("started")
        for tokens in (before, revoked):
            assert house.verdict(tokens.access_token) == "TOKEN_REVOKED"
        house.close()
        server.kill()
    print(f"after a restore that was killed: {sorted(ends)}")


@pytest.mark.parametrize("flags", [
    ["--from=x"], ["--report=x"], ["--output=json"], ["--sessions=end"]])
def test_flags_of_restore_are_for_restore(new_server, flags):
    done = new_server().run(*flags)
    assert done.returncode == 2 and "only for ostiaryd restore" in done.stderr


def test_restore_says_what_it_cannot_take(new_server):
    for flag in ("--output=xml", "--output=", "--from=", "--report="):
        done = new_server().run("restore", "--sessions=end", flag)
        assert done.returncode == 2
        assert flag.split("=")[0] in done.stderr, done.stderr
