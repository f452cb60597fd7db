"""The feed under faults, with verifiers of every library under load.

Wires are cut, stalled, slowed and refused, the server is killed, stopped and
at last restored from an old backup. A ledger kept here knows what was revoked
and when that was acknowledged. What must hold all the time:

- no verifier that refuses when stale accepts a revoked token once the bound has
  passed since the acknowledgement;
- what a verifier has refused as revoked it never accepts again;
- a good token is never called anything worse than "cannot tell now".

A failure prints the seed; OSTIARY_FAULT_SEED runs it again.
"""

import os
import random
import threading
import time
from dataclasses import dataclass

import grpc
import pytest

from conftest import Site
from doors import Refused
from driver import PREPARE
from house import Server
from test_restore import copy_store, put_back

BOUND = 2.0  # seconds
SECONDS = float(os.environ.get("OSTIARY_FAULT_SECONDS", "40"))
# For what the clocks and the pipe to the driver add.
SLACK = 0.25


@dataclass
class Token:
    text: str
    revoked_at: float = None  # monotonic, when the answer was there


class Ledger:
    """What was done to which token."""

    def __init__(self):
        self.lock = threading.Lock()
        self.tokens = []
        self.broken = []

    def add(self, text):
        with self.lock:
            self.tokens.append(Token(text))

    def pick(self, rng):
        with self.lock:
            # The newest ones are those that change.
            some = self.tokens[-20:] if rng.random() < 0.5 else self.tokens
            return rng.choice(some) if some else None

    def judge(self, who, policy, token, began, verdict, refused_before):
        with self.lock:
            if verdict == "VALID":
                if token.text in refused_before:
                    self.broken.append(f"{who}: accepted what it had refused")
                due = token.revoked_at is not None and (
                    began > token.revoked_at + BOUND + SLACK)
                if due and policy != "accept":
                    self.broken.append(
                        f"{who}: accepted {began - token.revoked_at:.2f} s "
                        "after the revocation was acknowledged")
            elif verdict == "TOKEN_REVOKED":
                refused_before.add(token.text)
            elif verdict != "CHECK_UNAVAILABLE":
                self.broken.append(f"{who}: {verdict}")


class Load(threading.Thread):
    """Asks one verifier about one token after the other."""

    def __init__(self, ledger, driver, who, policy, seed, stop):
        super().__init__(daemon=True)
        self.ledger, self.driver, self.who = ledger, driver, who
        self.policy, self.stop = policy, stop
        self.rng = random.Random(seed)
        self.verdicts = {}
        self.refused = set()
        self.failure = None

    def run(self):
        try:
            while not self.stop.is_set():
                token = self.ledger.pick(self.rng)
                if token is None:
                    time.sleep(0.01)
                    continue
                self.check(token)
        except Exception as failure:  # told by the test, not lost in a thread
            self.failure = failure

    def check(self, token):
        revoked = token.revoked_at  # before the question
        began = time.monotonic()
        verdict = self.driver.verdict(token.text)
        self.verdicts[verdict] = self.verdicts.get(verdict, 0) + 1
        self.ledger.judge(self.who, self.policy,
                          Token(token.text, revoked), began, verdict,
                          self.refused)


def try_to(call, *arguments, **named):
    """None if the server cannot be reached just now."""
    try:
        return call(*arguments, **named)
    except (Refused, grpc.RpcError, ValueError, AttributeError):
        return None


class Life(threading.Thread):
    """Signs people in and revokes what they got."""

    def __init__(self, site, ledger, rng, stop):
        super().__init__(daemon=True)
        self.site, self.ledger, self.rng, self.stop = site, ledger, rng, stop
        self.failure = None

    def run(self):
        person = None
        try:
            while not self.stop.is_set():
                house = self.site.house
                if house is None:
                    time.sleep(0.02)
                    continue
                if person is None or self.rng.random() < 0.1:
                    person = try_to(house.sign_up) or person
                if person is None:
                    continue
                tokens = try_to(person.sign_in, house.grpc)
                if tokens is not None:
                    self.ledger.add(tokens.access_token)
                if self.rng.random() < 0.5:
                    self.revoke_one(house)
                time.sleep(0.03)
        except Exception as failure:
            self.failure = failure

    def revoke_one(self, house):
        token = self.ledger.pick(self.rng)
        if token is None or token.revoked_at is not None:
            return
        if try_to(house.grpc.call, "TokenService/Revoke",
                  {"token": token.text}, timeout=5) is not None:
            token.revoked_at = time.monotonic()


def fault(site, rng):
    kind = rng.choice(["cut", "refuse", "stall", "slow", "kill", "stop"])
    wire = site.wire
    if kind == "cut":
        wire.cut()
    elif kind == "refuse":
        wire.refusing = True
        wire.cut()
        time.sleep(rng.uniform(0.5, 6))
        wire.refusing = False
    elif kind == "stall":
        wire.stalled = True
        time.sleep(rng.uniform(1, 6))
        wire.stalled = False
    elif kind == "slow":
        wire.delay = rng.uniform(0.02, 0.4)
        time.sleep(rng.uniform(0.5, 2))
        wire.delay = 0
    else:
        site.stop(kill=kind == "kill")
        time.sleep(rng.uniform(0, 1))
        site.start()
    return kind


@pytest.mark.timeout(400)
def test_verifiers_keep_their_word_under_faults(programs, contract, commands,
                                                request):
    chosen = request.config.getoption("--library") or list(PREPARE)
    seed = int(os.environ.get("OSTIARY_FAULT_SEED", time.time_ns() % 10**6))
    rng = random.Random(seed)
    server = Server(programs, "--sign-in-limit-identifier-prefix=off",
                    "--sign-in-limit-identifier=off")
    site = Site(server, contract, None)
    site.start()
    person = site.house.sign_up()
    site.stop()
    backup = server.root / "backup"
    copy_store(server, backup)
    site.start()
    ledger, stop, loads = Ledger(), threading.Event(), []
    for library in chosen:
        for policy in ("refuse", "ask-server"):
            site.command = commands(library)
            driver = site.open(policy=policy, staleness_ms=int(BOUND * 1000),
                               ask_timeout_ms=500)
            loads.append(Load(ledger, driver, f"{library}/{policy}", policy,
                              rng.random(), stop))
    life = Life(site, ledger, random.Random(rng.random()), stop)
    faults = {}
    try:
        for thread in (life, *loads):
            thread.start()
        time.sleep(2)
        end = time.monotonic() + SECONDS
        while time.monotonic() < end and not ledger.broken:
            kind = fault(site, rng)
            faults[kind] = faults.get(kind, 0) + 1
            time.sleep(rng.uniform(0.2, 2.5))
        stop.set()
        for thread in (life, *loads):
            thread.join(60)
            assert thread.failure is None, (seed, thread.failure)
        said = {load.who: load.verdicts for load in loads}
        print(f"seed {seed}, faults {faults}, {len(ledger.tokens)} tokens")
        print("\n".join(f"{who}: {told}" for who, told in said.items()))
        assert not ledger.broken, (seed, ledger.broken[:5], faults)
        for load in loads:
            recovers(load, ledger, seed)
        restored(site, backup, person, loads, ledger, seed)
    finally:
        stop.set()
        site.close()


def recovers(load, ledger, seed):
    """When the faults are over, the verifier knows everything again."""
    assert load.driver.do("wait_ready", timeout_ms=30000)["ready"], (
        seed, load.who)
    for token in ledger.tokens[-100:]:
        began, verdict = time.monotonic(), load.driver.verdict(token.text)
        # What was revoked just now may still be on its way, within the bound.
        while verdict == "VALID" and token.revoked_at is not None and (
                began <= token.revoked_at + BOUND + SLACK):
            time.sleep(0.05)
            began, verdict = time.monotonic(), load.driver.verdict(token.text)
        if token.revoked_at is None:
            assert verdict in ("VALID", "TOKEN_REVOKED"), (seed, load.who)
            # Revoked without an answer may be either; most were never touched.
        else:
            assert verdict == "TOKEN_REVOKED", (seed, load.who, verdict)
    assert load.verdicts.get("VALID", 0) > 50, (seed, load.who, load.verdicts)


def restored(site, backup, person, loads, ledger, seed):
    """An old backup is put in its place: a new epoch, and nothing comes back."""
    site.stop()
    put_back(site.server, backup)
    done = site.server.run("restore", "--sessions=keep",
                           *site.server.command()[1:])
    assert done.returncode == 0, (seed, done.stderr)
    site.start()
    for load in loads:
        end = time.monotonic() + 30
        while load.driver.do("status")["epoch"] != 2:
            assert time.monotonic() < end, (seed, load.who, "no new epoch")
            time.sleep(0.1)
        for token in ledger.tokens[-100:]:
            assert load.driver.verdict(token.text) == "TOKEN_REVOKED", (
                seed, load.who)
