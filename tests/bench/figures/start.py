"""How soon a server with a full store answers, and the memory it takes.

From just before the fork to the first answered Verify, beside a gRPC server
that does nothing. Memory is what is resident (RSS) and, of it, what is the
process's own (RssAnon): the rest are pages of libraries and of the database
that the system may drop and other processes share.
"""

import socket
import statistics
import tempfile
import urllib.request
from pathlib import Path

from figures.bench import BUILD, FLAGS, Row, Server, field, interleave, judged, program, say

TARGETS = ["ostiaryd", "noop_server", "ready", "seed", "rpc_load"]
MOST_MIB = 25
SIGN_IN = "ostiary.v1.AuthService/SignInWithPassword"
# Of FLAGS.
HASH_MIB = 8
HASH_THREADS = 2


def seeded(folder, name, **counts):
    """A data directory with so many rows; its path."""
    data = Path(folder) / name
    program("seed", "--data-dir", data,
            *(f"--{what}={count}" for what, count in counts.items()))
    return data


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def ready(kind, settle=0):
    """Starts it once: "noop", or the server on the data directory `kind`."""
    target = f"127.0.0.1:{free_port()}"
    command = [BUILD / "bench/noop_server", "async", target] if kind == "noop" else [
        BUILD / "bin/ostiaryd", f"--data-dir={kind}", f"--grpc-listen={target}",
        "--http-listen=127.0.0.1:0", "--ops-listen=127.0.0.1:0",
        "--issuer=https://bench.example", *FLAGS]
    return program("ready", "--target", target, "--settle", settle, "--", *command)


def remembered(data):
    """How many revocations a server on this data directory has in force."""
    with Server(data=data) as server:
        with urllib.request.urlopen(f"http://{server.ops}/metrics", timeout=30) as answer:
            for line in answer.read().decode().splitlines():
                if line.startswith("ostiary_live_revocations "):
                    return int(float(line.split()[1]))
    raise SystemExit("start: no metric of live revocations")


def sign_ins(data, count, most_seconds):
    """Memory before, halfway and after so many sign-ins of many accounts."""
    requests = [field(1, f"user{i}".encode()) + field(2, b"of many a round")
                for i in range(min(count, 20000))]
    lines = "".join(request.hex() + "\n" for request in requests)

    def memory(pid):
        status = Path(f"/proc/{pid}/status").read_text()
        kib = {line.split(":")[0]: int(line.split()[1]) for line in status.splitlines()
               if line.startswith(("VmRSS", "RssAnon"))}
        return kib["VmRSS"] / 1024, kib["RssAnon"] / 1024

    with Server(f"--hash-threads={HASH_THREADS}", data=data) as server:
        seen, done, spent = [memory(server.pid)], 0, 0
        while done < count and spent < most_seconds:
            part = min(20, most_seconds - spent)
            found = program("rpc_load", "--target", server.grpc, "--method", SIGN_IN,
                            "--server-pid", server.pid, "--seconds", part,
                            "--in-flight", 8, stdin=lines)
            if found["errors"]:
                raise SystemExit(f"sign-in: {found['errors']} errors: {found['first_error']}")
            done += found["calls"]
            spent += part
            seen.append(memory(server.pid))
    return done, seen


def run(quick):
    scale = {"accounts": 20_000, "sessions": 20_000, "ledger": 100_000} if quick else {
        "accounts": 1_000_000, "sessions": 1_000_000, "ledger": 100_000}
    rounds = 5 if quick else 15
    if quick:
        say("start: LEFT OUT by --quick: 1,000,000 accounts and sessions (20,000 instead), "
            "1,000,000 slots, 100,000 sign-ins (a few seconds instead)")
    say("start: filling the stores")
    with tempfile.TemporaryDirectory(prefix="ost-bench-") as folder:
        full = seeded(folder, "full", **scale)
        empty = seeded(folder, "empty", accounts=1)
        stores = {"empty": empty, "full": full}
        if not quick:
            stores["slots"] = seeded(folder, "slots", accounts=1000, sessions=1000,
                                     slots=1_000_000)
        for data in stores.values():  # makes the keys
            ready(data)
        if remembered(full) != scale["ledger"]:
            raise SystemExit("start: the ledger is not in force after the start")
        say("start: until the first answer")
        found = interleave(rounds, {
            "noop": lambda: ready("noop"),
            **{name: lambda data=data: ready(data) for name, data in stores.items()}})
        idle = {name: ready(data, settle=2) for name, data in stores.items()}
        idle["noop"] = ready("noop", settle=2)
        say("start: memory under sign-ins")
        done, seen = sign_ins(full, *((300, 4) if quick else (100_000, 600)))

    def judge(what, name):
        return judged(f"ready: {what} / no-op", [one["ready_ms"] for one in found[name]],
                      [one["ready_ms"] for one in found["noop"]], 3, "ms")

    def cpu(name):
        return statistics.median(one["cpu_ms"] for one in found[name])

    counts = f"{scale['accounts']:,} accounts and sessions, {scale['ledger']:,} ledger entries"
    rows = [judge(counts, "full"), judge("an empty store", "empty")]
    if "slots" in stores:
        rows.append(judge("1,000,000 status-list slots", "slots"))
    rows.append(Row("  CPU until then", f"{cpu('full'):.0f} ms, empty {cpu('empty'):.0f}, "
                    f"no-op {cpu('noop'):.0f}"))
    own, resident = idle["full"]["own_mib"], idle["full"]["rss_mib"]
    rows.append(Row("memory idle, its own", f"{own:.1f} MiB", "", f"{MOST_MIB} MiB",
                    "met" if own <= MOST_MIB else "MISSED"))
    rows.append(Row("  with libraries and file pages (RSS)",
                    f"{resident:.1f} MiB, no-op {idle['noop']['rss_mib']:.1f}", "",
                    f"{MOST_MIB} MiB", "met" if resident <= MOST_MIB else "MISSED"))
    # What idle did not touch yet: hash memory, and the budgets of caches
    # (SQLite 2 MiB for each of 5 connections, limiters 6 MiB; sign-ins put
    # nothing into the cache of verified tokens).
    bound = own + HASH_THREADS * HASH_MIB + 5 * 2 + 6
    after = seen[-1][1]
    rows.append(Row(f"memory after {done:,} sign-ins, its own",
                    f"{seen[0][1]:.1f} -> {seen[len(seen) // 2][1]:.1f} -> {after:.1f} MiB "
                    f"(RSS {seen[-1][0]:.1f})", "",
                    f"idle + hash slots + caches = {bound:.0f} MiB",
                    "met" if after <= bound else "MISSED"))
    return rows, {"rounds": found, "idle": idle, "sign_ins": done, "memory": seen}
