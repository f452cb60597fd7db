"""Callers who mean well, at a modest pace, in a process of their own.

    good_traffic.py PROTOSET GRPC HTTP_URL < commands

stdin is a person's name and password and then, line by line, `begin` and `end`;
each `end` prints one line of JSON: for every kind of call how many were sent and
answered, and the times of those that were answered. The callers' connections
were open before the flood; `new connection` opens one for each call.
"""

import json
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

from doors import ConnectDoor, Contract, GrpcDoor  # noqa: E402

VERIFY, REFRESH = "TokenService/Verify", "AuthService/Refresh"


class Caller(threading.Thread):
    """Makes one kind of call, so many a second."""

    def __init__(self, name, rate, call):
        super().__init__(daemon=True)
        self.kind, self.rate, self.call = name, rate, call
        self.lock = threading.Lock()
        self.fresh()

    def fresh(self):
        self.sent, self.took, self.errors = 0, [], []

    def run(self):
        due = time.monotonic()
        while True:
            due = max(due + 1 / self.rate, time.monotonic() - 1)
            time.sleep(max(0, due - time.monotonic()))
            began = time.monotonic()
            error = None
            try:
                self.call()
            except Exception as problem:  # whatever it is, it was no answer
                error = f"{type(problem).__name__}: {problem}"
            with self.lock:
                self.sent += 1
                self.took.append(time.monotonic() - began)
                if error:
                    self.took.pop()
                    self.errors.append(error[:300])

    def take(self):
        with self.lock:
            told = {"sent": self.sent, "answered": len(self.took),
                    "took": self.took, "errors": self.errors[:3]}
            self.fresh()
        return told


class Session:
    """A person whose refresh token goes on and on."""

    def __init__(self, door, identifier, password):
        self.door = door
        self.tokens = door.call("AuthService/SignInWithPassword", {
            "identifier": identifier, "password": password}).tokens

    def verify(self):
        answer = self.door.call(VERIFY, {"token": self.tokens.access_token})
        assert answer.valid, answer.reason

    def refresh(self):
        self.tokens = self.door.call(REFRESH, {
            "refresh_token": self.tokens.refresh_token}).tokens


def newcomer(make_door, token):
    def call():
        door = make_door()
        try:
            assert door.call(VERIFY, {"token": token}).valid
        finally:
            door.close()
    return call


def main():
    protoset, grpc_target, url = sys.argv[1:]
    contract = Contract(Path(protoset))
    identifier, password = sys.stdin.readline().split()
    doors = {"grpc": lambda: GrpcDoor(contract, grpc_target),
             "http": lambda: ConnectDoor(contract, url)}
    callers = []
    for name, make in doors.items():
        verifying = Session(make(), identifier, password)
        refreshing = Session(make(), identifier, password)
        callers += [
            Caller(f"verify {name}", 60, verifying.verify),
            Caller(f"refresh {name}", 10, refreshing.refresh),
            Caller(f"new connection {name}", 5,
                   newcomer(make, verifying.tokens.access_token))]
    for caller in callers:
        caller.start()
    print("ready", flush=True)
    for line in sys.stdin:
        told = {caller.kind: caller.take() for caller in callers}
        if line.strip() == "end":
            print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
