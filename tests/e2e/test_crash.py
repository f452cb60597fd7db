"""kill -9 at random moments under mixed load: what was acknowledged stays.

    OSTIARY_CRASH_KILLS=50   how often
    OSTIARY_CRASH_SEED=...   the same moments and choices again
"""

import os
import random
import shutil
import sqlite3
import threading
import time

import pytest

from house import House
from witness import CutOff, Witness

KILLS = int(os.environ.get("OSTIARY_CRASH_KILLS", "50"))
PEOPLE = 4
LONGEST_LOAD = 0.9  # seconds between a start and its kill


def run_until_cut_off(witness, faults):
    """Mixed load; whatever else goes wrong is told to the main thread."""
    try:
        while True:
            witness.step()
    except CutOff:
        pass
    except BaseException as fault:  # noqa: BLE001 - told, not swallowed
        faults.append(fault)


def crash(server, witnesses, chance):
    """One life of the server: load on it, and a sudden end."""
    faults = []
    threads = [threading.Thread(target=run_until_cut_off, args=(w, faults))
               for w in witnesses]
    for thread in threads:
        thread.start()
    time.sleep(chance.uniform(0.01, LONGEST_LOAD))
    assert server.process.poll() is None, "it ended by itself"
    server.kill()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive(), "a call hangs"
    if faults:
        raise faults[0]


def crash_while_starting(server, chance):
    server.launch()
    time.sleep(chance.uniform(0, 0.2))
    server.kill()


def check_disk(server, scratch):
    """Looks at a copy, so that the server itself recovers its own files."""
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    for path in server.data_dir.glob("ostiary.db*"):
        if not path.name.endswith("-shm"):
            shutil.copy2(path, scratch / path.name)
    with sqlite3.connect(scratch / "ostiary.db") as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        rows = [r[0] for r in db.execute(
            "SELECT sequence FROM ledger ORDER BY sequence")]
        head = db.execute("SELECT sequence FROM ledger_head").fetchone()[0]
    assert rows == list(range(1, head + 1)), "the ledger has a gap"
    return head


@pytest.mark.crash
@pytest.mark.timeout(600)
def test_nothing_acknowledged_is_lost_and_nothing_revoked_comes_back(
        new_server, contract, tmp_path, capsys):
    seed = int(os.environ.get("OSTIARY_CRASH_SEED", time.time_ns() % 10**9))
    chance = random.Random(seed)
    server = new_server("--retry-window=60s",
                        "--sign-in-limit-identifier-prefix=off",
                        "--sign-in-limit-identifier=off",
                        "--max-sessions-per-account=10000")
    house = House(server.start(), contract)
    witnesses = [Witness(house.sign_up(), random.Random(f"{seed} {number}"))
                 for number in range(PEOPLE)]
    began, head = time.monotonic(), 0
    with capsys.disabled():
        print(f"\ncrash: {KILLS} kills, OSTIARY_CRASH_SEED={seed} ", end="",
              flush=True)
    try:
        for number in range(1, KILLS + 1):
            crash(server, witnesses, chance)
            house.close()
            if number % 8 == 0:
                crash_while_starting(server, chance)
            if number % 10 == 0:
                now = check_disk(server, tmp_path / "copy")
                assert now >= head, "the ledger went back"
                head = now
                with capsys.disabled():
                    print(f"{number}..", end="", flush=True)
            house = House(server.start(), contract)
            for witness in witnesses:
                witness.person.house = house
                witness.settle()
    except BaseException:
        with capsys.disabled():
            print(f"\nfailed at kill {number} of seed {seed}; log:\n"
                  f"{server.log()[-1500:]}")
        raise
    finally:
        house.close()
    done = sum(witness.acknowledged for witness in witnesses)
    with capsys.disabled():
        print(f" {done} acknowledged writes, {head} ledger rows, "
              f"{time.monotonic() - began:.0f} s", flush=True)
    assert done > KILLS * PEOPLE, "too little load to prove anything"
    assert server.stop() == 0
