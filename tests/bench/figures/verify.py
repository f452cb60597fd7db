"""What a Verify costs the server, beside a gRPC server that does nothing.

CPU of the server a call, from the operating system, 64 calls in flight.
"""

import statistics

from figures.bench import Noop, Row, Server, field, interleave, judged, program, say, verify_request

TARGETS = ["ostiaryd", "noop_server", "rpc_load", "stream_load", "local_verify"]
VERIFY = "ostiary.v1.TokenService/Verify"
BATCH = "ostiary.v1.TokenService/BatchVerify"
STREAM = "ostiary.v1.TokenService/VerifyStream"


def cpu(server, requests, seconds, method=VERIFY, target=None):
    found = program("rpc_load", "--target", target or server.grpc, "--method", method,
                    "--server-pid", server.pid, "--seconds", seconds,
                    stdin="".join(request.hex() + "\n" for request in requests))
    if found["errors"]:
        raise SystemExit(f"{method}: {found['errors']} errors: {found['first_error']}")
    return found["cpu_us"]


def stream_cpu(server, request, seconds):
    found = program("stream_load", "--target", server.grpc, "--method", STREAM,
                    "--server-pid", server.pid, "--seconds", seconds, stdin=request.hex())
    return found["cpu_us"]


def run(quick):
    rounds, seconds = (3, 1) if quick else (7, 2)
    say("verify: gRPC doing nothing, seen tokens, a Unix socket, batches, new tokens")
    raw = program("local_verify", "--rounds", 1)["raw_ns"] / 1000
    # Without a cache each check is that of a new token.
    with Server() as server, Server("--verify-cache-entries=0") as forgetful, \
            Noop("async") as noop, Noop("callback") as callback, Noop("signature") as checking:
        for one in (server, forgetful):
            one.sign_up()
        seen = verify_request(server.token())
        new = verify_request(forgetful.token())
        batch = b"".join(field(1, seen) for _ in range(64))
        found = interleave(rounds, {
            "noop": lambda: cpu(noop, [seen], seconds),
            "seen": lambda: cpu(server, [seen], seconds),
            "callback": lambda: cpu(callback, [seen], seconds),
            "socket": lambda: cpu(server, [seen], seconds, target=server.socket),
            "batch": lambda: cpu(server, [batch], seconds, BATCH) / 64,
            "stream": lambda: stream_cpu(server, batch, seconds) / 64,
            "checking": lambda: cpu(checking, [new], seconds),
            "new": lambda: cpu(forgetful, [new], seconds),
        })
    limit = [base + 1.1 * raw + 8 for base in found["noop"]]
    return [
        judged("Verify, token seen before / no-op, async API", found["seen"], found["noop"], 1.15),
        judged("Verify, token seen before / no-op, callback API", found["seen"],
               found["callback"], 0.8),
        judged("Verify, new token (ES256) / no-op + 1.1 x raw + 8 us", found["new"], limit, 1.0),
        judged("  the same / no-op that checks one signature + 8 us", found["new"],
               [one + 8 for one in found["checking"]], 1.0),
        judged("BatchVerify of 64, a token / Verify", found["batch"], found["seen"], 1 / 8),
        judged("VerifyStream of 64, a token / Verify", found["stream"], found["seen"], 1 / 8),
        judged("Verify over a Unix socket / over TCP", found["socket"], found["seen"], 0.85),
        Row("  raw ES256 verification", f"{raw:.1f} us"),
    ], {**{name: [round(value, 2) for value in values] for name, values in found.items()},
        "raw_us": raw, "median_seen_us": statistics.median(found["seen"])}
