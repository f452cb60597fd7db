"""Callers who mean well, at a modest pace, in a process of their own.

    good_traffic.py PROTOSET GRPC HTTP_URL < commands

stdin is a person's name and password and then, line by line, `begin` and `end`;
each `end` prints one line of JSON: for every kind of call the times of those that
were answered and what became of the others. The callers' connections were open
before the flood; a newcomer opens one for each call.
"""

import http.client
import json
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

from doors import ConnectDoor, Contract, GrpcDoor  # noqa: E402

VERIFY, REFRESH = "TokenService/Verify", "AuthService/Refresh"


# An answer that takes longer is none.
PATIENCE_SECONDS = 2


class Caller(threading.Thread):
    """Makes one kind of call, so many a second."""

    def __init__(self, name, rate, call):
        super().__init__(daemon=True)
        self.kind, self.rate, self.call = name, rate, call
        self.lock = threading.Lock()
        self.fresh()

    def fresh(self):
        self.took, self.errors = [], []

    def run(self):
        due = time.monotonic()
        while True:
            due = max(due + 1 / self.rate, time.monotonic())
            time.sleep(max(0, due - time.monotonic()))
            began = time.monotonic()
            error = None
            try:
                self.call()
            except Exception as problem:  # whatever it is, it was no answer
                error = f"{type(problem).__name__}: {problem}"[:300]
            took = time.monotonic() - began
            with self.lock:
                if error:
                    self.errors.append(error)
                else:
                    self.took.append(took)

    def take(self):
        with self.lock:
            told = {"took": self.took, "errors": self.errors}
            self.fresh()
        return told


class Session:
    """A person whose refresh token goes on and on."""

    def __init__(self, door, identifier, password):
        self.door = door
        self.tokens = door.call("AuthService/SignInWithPassword", {
            "identifier": identifier, "password": password}).tokens

    def verify(self):
        answer = self.door.call(VERIFY, {"token": self.tokens.access_token},
                                timeout=PATIENCE_SECONDS)
        assert answer.valid, answer.reason

    def refresh(self):
        self.tokens = self.door.call(
            REFRESH, {"refresh_token": self.tokens.refresh_token},
            timeout=PATIENCE_SECONDS).tokens


def http_newcomer(url, token):
    """Without a library: httpx takes 25 ms to be made."""
    host, port = url.removeprefix("http://").split(":")

    def call():
        wire = http.client.HTTPConnection(host, int(port),
                                          timeout=PATIENCE_SECONDS)
        try:
            wire.request("POST", f"/ostiary.v1.{VERIFY}",
                         json.dumps({"token": token}),
                         {"content-type": "application/json"})
            assert json.load(wire.getresponse())["valid"]
        finally:
            wire.close()
    return call


def grpc_newcomer(contract, target, token):
    def call():
        door = GrpcDoor(contract, target)
        try:
            assert door.call(VERIFY, {"token": token},
                             timeout=PATIENCE_SECONDS).valid
        finally:
            door.close()
    return call


def main():
    protoset, target, url = sys.argv[1:]
    contract = Contract(Path(protoset))
    identifier, password = sys.stdin.readline().split()

    def signed_in(door):
        return Session(door, identifier, password)

    def through(name, make, newcomer):
        verifying, refreshing = signed_in(make()), signed_in(make())
        token = verifying.tokens.access_token
        return [Caller(f"verify {name}", 100, verifying.verify),
                Caller(f"refresh {name}", 10, refreshing.refresh),
                Caller(f"newcomer {name}", 10, newcomer(token))]

    def connect_door():
        door = ConnectDoor(contract, url)
        door.client.timeout = PATIENCE_SECONDS
        return door

    callers = through("grpc", lambda: GrpcDoor(contract, target),
                      lambda token: grpc_newcomer(contract, target, token)
                      ) + through("http", connect_door,
                                  lambda token: http_newcomer(url, token))
    for caller in callers:
        caller.start()
    print("ready", flush=True)
    for line in sys.stdin:
        told = {caller.kind: caller.take() for caller in callers}
        if line.strip() == "end":
            print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
