"""A house under load that is killed again and again, and the life of each
start: settle what the last kill left open, then load, then a sudden end."""

import random
import subprocess
import threading
import time

from disk import Disk, check_revoked_keys, check_secrets
from doors import ConnectDoor, GrpcDoor
from house import House, Server
from journal import CutOff, Journal
from key_keeper import KeyKeeper
from status_lists import check_status_lists
from watching import Watcher
from witness import Witness

FLAGS = ("--retry-window=60s", "--sign-in-limit-identifier-prefix=off",
         "--sign-in-limit-identifier=off", "--max-sessions-per-account=10000",
         "--log-level=debug")
LISTS = ("--status-lists=on", "--status-list-ttl=5s")
_PATIENCE = 15  # seconds until something must have happened


class QuickServer(Server):
    """Its greeting is believed: the door is open then."""

    def is_ready(self):
        return True


class QuickHouse(House):
    def __init__(self, server, contract):
        self.server, self.contract = server, contract
        self.grpc = GrpcDoor(contract, server.grpc)
        self.operator = GrpcDoor(contract, f"unix:{server.socket_path}")
        # No certificates to load: it speaks plain HTTP.
        self.http = ConnectDoor(contract, server.url, verify=False)


def judge(programs, history):
    """tests/checker over a whole history."""
    program = programs / "check_history"
    assert program.exists(), f"{program} is not built"
    done = subprocess.run(
        [program, "--retry-window=60s", "--prepare-lead=0s", history],
        capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout[:4000] + done.stderr


class Unreached(AssertionError):
    """The server went on; the place where it was to die was not reached."""


class Site:
    def __init__(self, server, contract, seed, people=4):
        self.server, self.contract, self.seed = server, contract, seed
        self.chance = random.Random(seed)
        self.journal = Journal()
        self.kills = 0
        self.head = (0, 0)
        self.feed, self.cursor, self.watcher = [], "", None
        self.faults = []
        self.house = QuickHouse(server.start(), contract)
        self.keys = KeyKeeper(self, random.Random(f"{seed} keys"))
        self.keys.look()
        self.witnesses = [Witness(self, f"person{n}", random.Random(
            f"{seed} {n}")) for n in range(people)]
        self.watch()

    # -- one life --------------------------------------------------------------

    def watch(self):
        """Follows the feed from where it stood before the kill."""
        self.watcher = Watcher(self.house.grpc, self.cursor)

    def unwatch(self):
        watcher, self.watcher = self.watcher, None
        if watcher is None:
            return
        watcher.close()
        if self.cursor:
            assert "snapshot" not in watcher.frames, (
                "it does not know a place that it had told: it went back")
        self.feed += [entry for _, entry in watcher.entries]
        self.cursor = watcher.cursor or self.cursor

    def run(self, work):
        """A thread's life: settled, then one step after the other, until the
        server goes away."""
        try:
            work.settle()
            self.settled.wait()
            while True:
                work.step()
        except (CutOff, threading.BrokenBarrierError):
            pass
        except BaseException as fault:  # noqa: BLE001 - told to the main thread
            self.faults.append(fault)
        self.settled.abort()

    def begin_load(self):
        works = [*self.witnesses, self.keys]
        self.settled = threading.Barrier(len(works) + 1)
        self.threads = [threading.Thread(target=self.run, args=(work,))
                        for work in works]
        for thread in self.threads:
            thread.start()
        try:
            self.settled.wait(_PATIENCE)
        except threading.BrokenBarrierError:
            return  # it died, or somebody found a fault

    def end_load(self):
        for thread in self.threads:
            thread.join(_PATIENCE)
            assert not thread.is_alive(), "a call hangs"
        self.unwatch()
        self.house.close()
        if self.faults:
            raise self.faults[0]

    def died(self):
        """After each end: what lies on the disk, before anything else runs."""
        self.kills += 1
        disk = Disk(self.server, self.server.root / "copy")
        disk.check_whole()
        head = disk.head()
        assert head >= self.head, f"the ledger went back to {head}"
        self.head = head
        self.journal.settle_audit(disk.audit())
        check_revoked_keys(self.server, self.keys.revoked)
        if self.kills % 10 == 0:
            disk.check_pages()
        return disk

    # -- ways to die -------------------------------------------------------------

    def kill_at_random(self, longest=0.25):
        """Expects a running server; leaves it down."""
        self.begin_load()
        time.sleep(self.chance.uniform(0.005, longest))
        assert self.server.process.poll() is None, "it ended by itself"
        assert self.faults or all(t.is_alive() for t in self.threads), (
            "a call was cut off, and the server lives")
        self.down_since = self.journal.began()
        self.server.kill()
        self.end_load()
        self.died()

    def kill_while_starting(self):
        """Expects a server that is down; leaves it so."""
        self.server.launch()
        time.sleep(self.chance.uniform(0, 0.1))
        self.server.kill()
        self.died()

    def kill_at(self, point, passage, by_signal=False):
        """Expects a server that is down; leaves it so, dead by itself."""
        self.server.environment = {"OSTIARY_FAIL_POINT": f"{point}:{passage}"}
        try:
            if self.up():
                self.begin_load()
                if by_signal:
                    self.server.process.terminate()
                self.await_death(point)
                self.end_load()
        finally:
            self.server.environment = {}
        assert self.server.process.returncode == -9, (
            f"it ended with {self.server.process.returncode}")
        self.died()

    def await_death(self, point):
        end = time.monotonic() + _PATIENCE
        while self.server.process.poll() is None:
            if time.monotonic() > end or self.faults:
                self.server.kill()
                self.end_load()
                raise Unreached(point)
            time.sleep(0.002)

    def up(self):
        """Starts it; False if it died on the way."""
        down_since = self.down_since
        self.server.launch()
        try:
            self.server.wait_until_ready()
        except RuntimeError:
            if self.server.process.returncode != -9:
                raise
            return False
        self.journal.restarted(down_since)
        self.down_since = self.journal.began()
        self.house = QuickHouse(self.server, self.contract)
        self.watch()
        return True

    # -- at the end --------------------------------------------------------------

    def finish(self, history):
        """Expects a server that is down. Settles, checks all there is, and
        has the history of it all judged."""
        assert self.up()
        for work in (self.keys, *self.witnesses):
            work.settle()
            getattr(work, "check_everything", lambda: None)()
        self.journal.keep_quiet(self.server.metrics())
        listed = check_status_lists(self)
        assert (listed > 0) == (LISTS[0] in self.server.flags)
        assert self.watcher.wait(lambda: (self.watcher.position or (0, 0))
                                 >= self.head), "the feed stands still"
        assert self.server.stop() == 0
        self.unwatch()
        self.house.close()
        self.check_feed(self.died())
        check_secrets(self.server, self.secrets())
        log = self.server.log()
        assert "STATE_REGRESSION" not in log, "the store went back"
        self.journal.write_to(history)
        judge(self.server.programs, history)

    def secrets(self):
        return [secret for witness in self.witnesses
                for chain in witness.live + witness.ended[-20:]
                for secret in (chain.refresh[-1], chain.token.text)]

    def check_feed(self, disk):
        """The feed has told of all that was ever committed, and of no more."""
        names = {"token_id": "token", "session_id": "session",
                 "account": "account", "key_id": "key"}
        told = set()
        for entry in self.feed:
            kind = entry.WhichOneof("target")
            value = getattr(entry, kind)
            told.add((names[kind],
                      value.account_id if kind == "account" else value))
        committed = disk.ledger()
        assert {row[1:] for row in committed} == told, "the feed left something out"
        epoch, _ = disk.head()
        for sequence, kind, key in committed:
            self.journal.saw("store", "ledger_row", epoch=epoch,
                             sequence=sequence, entry=kind, key=key)
        for action, account, session, token_id in disk.audit_rows():
            self.journal.saw("store", "audit_row", action=action,
                             account=account, session=session,
                             token_id=token_id)
