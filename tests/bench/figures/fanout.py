"""What telling everybody who watches costs, and how soon they have been told.

A row of the ledger is revoked through the RPC while N streams, each on a
connection of its own, wait for it (`watch_load`: bare sockets, so that the
cores are left to the server). The server's CPU a delivery is that of a round
with N streams less that of a round without any, by the messages sent: beside
a gRPC server that does nothing else than send the same bytes to all streams.
"""

import statistics
import subprocess

from figures.bench import BUILD, Row, Server, interleave, judged, program, say

TARGETS = ["ostiaryd", "watch_load", "noop_fanout"]
# Streams -> the most that the 99th percentile may be, in ms.
MOST_MS = {100: 10, 1000: 70}
MOST_KIB = 40
BURST = 64


class NoopFanout:
    """A server that answers Revoke and sends a message to all streams."""

    def __init__(self, message):
        self.message = message

    def __enter__(self):
        self.process = subprocess.Popen([str(BUILD / "bench/noop_fanout"), self.message],
                                        stdout=subprocess.PIPE, text=True)
        self.pid = self.process.pid
        self.grpc = f"127.0.0.1:{self.process.stdout.readline().split()[1]}"
        self.socket = self.grpc
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def load(server, streams, rounds, burst=1):
    # Nothing is on its way from a server that does nothing.
    settle = 50 if isinstance(server, NoopFanout) else 1200
    return program("watch_load", "--port", server.grpc.rsplit(":", 1)[1], "--revoke-target",
                   server.socket, "--server-pid", server.pid, "--streams", streams, "--rounds",
                   rounds, "--burst", burst, "--settle-ms", settle)


def deliveries(found, idle, loaded):
    """CPU a message, of each round, with what a Revoke costs taken off."""
    return [(one["cpu_us_a_round"] - other["cpu_us_a_round"]) * one["rounds"] / one["messages"]
            for one, other in zip(found[loaded], found[idle])]


def verdict(value, most):
    return "met" if value <= most else "MISSED"


def delivery_rows(found):
    rows = []
    for streams, most_ms in MOST_MS.items():
        runs = found[f"server {streams}"]
        rows.append(judged(f"feed, {streams:,} streams: CPU a delivery / no-op fan-out",
                           deliveries(found, "server 0", f"server {streams}"),
                           deliveries(found, "noop 0", f"noop {streams}"), 1.1))
        p50, p99 = (statistics.median(run[name] for run in runs) for name in ("p50_ms", "p99_ms"))
        rows.append(Row("  Revoke answered -> on the stream's socket",
                        f"p50 {p50:.1f} ms, p99 {p99:.1f} ms", "", f"p99 {most_ms} ms",
                        verdict(p99, most_ms)))
    # The first of all runs finds the server fresh; the others, memory in use.
    kib = found["server 1000"][0]["kib_a_stream"]
    return rows + [Row("  memory of the server a stream", f"{kib:.0f} KiB", "",
                       f"{MOST_KIB} KiB", verdict(kib, MOST_KIB))]


def run(quick):
    rounds, some, few = (2, 40, 10) if quick else (7, 100, 30)
    say("fanout: 100 and 1,000 streams, one revocation and 64 at once")
    with Server() as server:
        message = load(server, 1, 1)["last_delta"]
        with NoopFanout(message) as noop:
            # The largest number of streams first: they find the server fresh.
            found = interleave(rounds, {
                "server 1000": lambda: load(server, 1000, few),
                "noop 1000": lambda: load(noop, 1000, few),
                "server 100": lambda: load(server, 100, some),
                "noop 100": lambda: load(noop, 100, some),
                "server 0": lambda: load(server, 0, some),
                "noop 0": lambda: load(noop, 0, some),
                "server 0, burst": lambda: load(server, 0, few, BURST),
                "server 100, burst": lambda: load(server, 100, few, BURST),
            })
    for runs in found.values():
        for one in runs:
            del one["last_delta"]
    rows = delivery_rows(found)
    frames = statistics.median(one["deltas"] / one["rounds"] / one["streams"]
                               for one in found["server 100, burst"])
    rows.append(judged(f"feed, {BURST} revocations at once: CPU a frame / that of one",
                       deliveries(found, "server 0, burst", "server 100, burst"),
                       deliveries(found, "server 0", "server 100"), 1.2))
    rows.append(Row("  frames that they went out in", f"{frames:.1f} to each stream"))
    return rows, found
