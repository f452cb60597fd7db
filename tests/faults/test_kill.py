"""kill -9 under mixed load, at random moments and at named places: what was
acknowledged stays, what was revoked does not come back, what was cut off
happened as a whole or not at all.

Each seed is one house, killed KILLS times. OSTIARY_SEED=n replays one.
"""

import subprocess
import time

import pytest

from site_under_load import FLAGS, LISTS, QuickServer, Site
from trials import times, trials

HOUSES, KILLS = 4, 50
# Places that load, a start or a stop comes by, and at which passage to die.
PLACES = {
    "commit.before": (1, 80), "commit.after": (1, 80),
    "commit.announced": (1, 80), "reply.before": (1, 150),
    "key.before": (1, 4), "key.after": (1, 4),
    "key.revoked-file.before": (1, 1), "key.revoked-file.after": (1, 1),
    "checkpoint.before": (1, 1), "checkpoint.after": (1, 1),
    "mark.before": (1, 1), "mark.after": (1, 1),
    "start.kek": (1, 1), "start.store": (1, 1), "start.keys": (1, 1),
}
# Places that other tests kill at.
ELSEWHERE = {"start.symmetric", "migration.before", "migration.between",
             "migration.commit", "migration.after", "restore.sessions",
             "restore.epoch"}


def lives(site):
    """How each of the kills of a house goes: every place twice, the rest at
    random moments."""
    ways = list(PLACES) * 2
    ways += [None] * max(0, KILLS - len(ways))
    site.chance.shuffle(ways)
    return ways


def die(site, way):
    """Expects a server that is down, leaves it down."""
    if way is None:
        if site.chance.random() < 0.15:
            site.kill_while_starting()
        elif site.up():
            site.kill_at_random()
        return
    site.keys.urgent = way.startswith("key.revoked-file")
    site.keys.pause = 0.005 if way.startswith("key.") else 0.1
    site.kill_at(way, site.chance.randint(*PLACES[way]),
                 by_signal=way.startswith("checkpoint"))


@pytest.mark.timeout(120 * times(HOUSES))
def test_nothing_acknowledged_is_lost_and_nothing_revoked_comes_back(
        new_server, contract, tmp_path, capsys):
    for seed in trials(HOUSES):
        began = time.monotonic()
        flags = FLAGS + (LISTS if seed % 2 else ())
        site = Site(new_server(*flags, kind=QuickServer), contract, seed)
        site.kill_at_random()
        for way in lives(site)[1:]:
            try:
                die(site, way)
            except BaseException:
                with capsys.disabled():
                    print(f"\nOSTIARY_SEED={seed} kill {site.kills} at {way}:"
                          f"\n{site.server.log()[-1500:]}")
                raise
        site.finish(tmp_path / "history.jsonl")
        done = sum(site.journal.acknowledged.values())
        with capsys.disabled():
            print(f"\n  seed {seed}: {site.kills} ends, {done} acknowledged, "
                  f"{site.head[1]} ledger rows, "
                  f"{time.monotonic() - began:.0f} s", end="", flush=True)
        assert done > 10 * KILLS, "too little load to prove anything"
        site.server.remove()
