"""Sign-ins at saturation with the default parameters, beside the hash alone.

More callers than hash threads; libsodium on all cores is the limit. What
decides is CPU a sign-in: the load's own work takes wall time from the server's
hashes, which run at the lowest priority, and none from the raw ones.
"""

import statistics

from figures import bench
from figures.bench import Row, field, interleave, judged, program, say

TARGETS = ["ostiaryd", "rpc_load", "raw_work"]
SIGN_IN = "ostiary.v1.AuthService/SignInWithPassword"
PASSWORD = "of many a round"
ACCOUNTS = 64


class Server(bench.Server):
    """One with the default parameters of its hashes."""

    basics = bench.FLAGS[:2]


def sign_in_request(name):
    return field(1, name.encode()) + field(2, PASSWORD.encode())


def load(server, seconds):
    requests = [sign_in_request(f"bench{i}") for i in range(ACCOUNTS)]
    found = program("rpc_load", "--target", server.grpc, "--method", SIGN_IN, "--server-pid",
                    server.pid, "--seconds", seconds, "--in-flight", 16,
                    stdin="".join(request.hex() + "\n" for request in requests))
    if found["errors"]:
        raise SystemExit(f"sign-in: {found['errors']} errors: {found['first_error']}")
    return found


def run(quick):
    rounds, seconds = (3, 1.5) if quick else (7, 4)
    say("sign_in: default parameters, and libsodium alone")
    with Server() as server:
        for i in range(ACCOUNTS):
            server.call("AuthService/SignUp", username=f"bench{i}", password=PASSWORD)
        load(server, 0.5)
        found = interleave(rounds, {
            "raw": lambda: program("raw_work", "hash", "--seconds", seconds),
            "server": lambda: load(server, seconds),
        })
    raw_cpu = [one["cpu_ms"] for one in found["raw"]]
    cpu = [one["cpu_us"] / 1000 for one in found["server"]]
    wall = [one["per_second"] for one in found["server"]]
    raw_wall = [one["per_second"] for one in found["raw"]]
    return [
        # At least 0.95 times as many for the same CPU.
        judged("sign-in, CPU / libsodium alone, default parameters", cpu, raw_cpu, 1 / 0.95, "ms"),
        Row("  sign-ins a second, with the load on the same cores",
            f"{statistics.median(wall):.1f} against {statistics.median(raw_wall):.1f}",
            f"{statistics.median(a / b for a, b in zip(wall, raw_wall)):.2f}"),
    ], found
