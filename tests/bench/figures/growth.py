"""What a call costs when the store is a thousand times as large, and what an
account and a session take on disk.

Two servers, one on a small and one on a large store, asked in turn for accounts
and sessions picked at random.
"""

import base64
import hashlib
import random
import statistics
import tempfile
from pathlib import Path

from figures.bench import (Row, Server, field, interleave, judged, program, say,
                           verify_request)
from figures.start import SIGN_IN, seeded

TARGETS = ["ostiaryd", "seed", "rpc_load", "refresh_load", "find_account"]
SMALL, LARGE, LARGE_QUICK = 10_000, 10_000_000, 200_000
MOST_SESSION_BYTES = 300
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
CLIENT = "grpc-c++/1.51.1 grpc-c/29.0.0 (linux; chttp2)"
TOKENS_VERIFIED = 200


def cheap_hash():
    """Of a kind that is read but not made, so that a sign-in is all but the hash."""
    salt = b"of salt!"
    digest = hashlib.sha1(b"of many a round" + salt).digest()
    return "{SSHA}" + base64.b64encode(digest + salt).decode()


class Store:
    """A store of so many accounts and as many sessions, and its server."""

    def __init__(self, folder, name, rows):
        self.rows = rows
        self.tokens = Path(folder) / f"{name}.tokens"
        hash_of = ["--password-hash", cheap_hash()]
        self.data = Path(folder) / name
        program("seed", "--data-dir", self.data, "--accounts", rows, "--sessions", rows,
                "--order", "sequential", *hash_of, "--tokens", 100_000,
                "--tokens-file", self.tokens)
        self.random = random.Random(5)
        self.server = Server(data=self.data)

    def __enter__(self):
        self.server.__enter__()
        lines = self.tokens.read_text().splitlines()
        mine, rest = lines[:TOKENS_VERIFIED], lines[TOKENS_VERIFIED:]
        self.tokens.write_text("\n".join(rest) + "\n")
        self.access = [self.server.call("AuthService/Refresh", refreshToken=token)
                       ["tokens"]["accessToken"] for token in mine]
        return self

    def __exit__(self, *_):
        self.server.__exit__()

    def find_account(self, count):
        return program("find_account", "--data-dir", self.data, "--accounts", self.rows,
                       "--count", count)

    def sign_in(self, seconds):
        """Refused ones: everything is looked up, checked and written down."""
        requests = [field(1, f"user{self.random.randrange(self.rows):09}".encode())
                    + field(2, b"not the password") for _ in range(20_000)]
        found = self.load(SIGN_IN, requests, seconds)
        if found["errors"] != found["calls"]:
            raise SystemExit("sign-in: a wrong password was accepted")
        return found

    def refresh(self, seconds):
        found = program("refresh_load", "--target", self.server.grpc, "--server-pid",
                        self.server.pid, "--tokens", self.tokens, "--seconds", seconds)
        if found["errors"]:
            raise SystemExit(f"Refresh: {found['errors']} errors: {found['first_error']}")
        return found

    def verify(self, seconds):
        found = self.load("ostiary.v1.TokenService/Verify",
                          [verify_request(token) for token in self.access], seconds)
        if found["errors"]:
            raise SystemExit(f"Verify: {found['errors']} errors: {found['first_error']}")
        return found

    def load(self, method, requests, seconds):
        return program("rpc_load", "--target", self.server.grpc, "--method", method,
                       "--server-pid", self.server.pid, "--seconds", seconds,
                       stdin="".join(request.hex() + "\n" for request in requests))


def sizes(rows, user_agent):
    """Bytes of an account and of a session with their indexes, met in no order."""
    with tempfile.TemporaryDirectory(prefix="ost-bench-") as folder:
        found = program("seed", "--data-dir", Path(folder) / "data", "--accounts", rows,
                        "--sessions", rows, "--user-agent", user_agent, "--sizes")
    def each(prefix):
        return sum(size for name, size in found.items() if name.startswith(prefix)) / rows
    return each("accounts"), each("sessions")


def size_rows(quick):
    rows = 50_000 if quick else 1_000_000
    account, of_client = sizes(rows, CLIENT)
    _, of_browser = sizes(rows, BROWSER)
    return [
        Row("bytes on disk, an account with its indexes", f"{account:.0f}"),
        Row("bytes on disk, a session of a gRPC client", f"{of_client:.0f}", "",
            f"{MOST_SESSION_BYTES}",
            "met" if of_client <= MOST_SESSION_BYTES else "MISSED"),
        Row("bytes on disk, a session of a browser", f"{of_browser:.0f}", "",
            f"{MOST_SESSION_BYTES}",
            "met" if of_browser <= MOST_SESSION_BYTES else "MISSED"),
    ], {"account": account, "session_client": of_client, "session_browser": of_browser}


def run(quick):
    large = LARGE_QUICK if quick else LARGE
    rounds, seconds = (3, 1) if quick else (7, 3)
    if quick:
        say(f"growth: LEFT OUT by --quick: {LARGE:,} accounts and sessions ({large:,} instead)")
    say("growth: bytes a row")
    rows, results = size_rows(quick)
    say(f"growth: filling a store with {large:,} accounts and as many sessions")
    with tempfile.TemporaryDirectory(prefix="ost-bench-") as folder:
        few, many = Store(folder, "small", SMALL), Store(folder, "large", large)
        # Before the servers have the stores.
        found = interleave(rounds, {
            f"{name} find": lambda store=store: store.find_account(20_000 if quick else 200_000)
            for name, store in (("small", few), ("large", many))})
        with few as small, many as big:
            say("growth: sign-in look-up, refresh, verify")
            for store in (small, big):  # pages into memory, as in a server that has run
                store.sign_in(seconds)
                store.refresh(seconds)
            found |= interleave(rounds, {
                f"{name} {what}": lambda store=store, what=what: getattr(store, what)(seconds)
                for what in ("sign_in", "refresh", "verify")
                for name, store in (("small", small), ("large", big))})
    rows.append(judged(f"sign-in look-up: CPU at {large:,} / at {SMALL:,}",
                       [one["cpu_us"] for one in found["large find"]],
                       [one["cpu_us"] for one in found["small find"]], 1.5))
    for what, title in (("sign_in", "sign-in, all but its hash"), ("refresh", "Refresh"),
                        ("verify", "Verify")):
        few, many = found[f"small {what}"], found[f"large {what}"]
        rows.append(judged(f"{title}: CPU at {large:,} / at {SMALL:,}",
                           [one["cpu_us"] for one in many], [one["cpu_us"] for one in few], 1.5))
        rows.append(Row("  64 in flight, p50 and p99", "; ".join(
            f"{statistics.median(one['p50_us'] for one in series) / 1000:.1f} and "
            f"{statistics.median(one['p99_us'] for one in series) / 1000:.1f} ms"
            for series in (many, few)).replace("; ", " against ")))
    return rows, {**results, **found}
