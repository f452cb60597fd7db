"""How soon verifiers refuse what is revoked, and what telling them costs."""

from figures.bench import Row, Server, program, say

TARGETS = ["ostiaryd", "revocation_latency"]
# Verifiers -> (rounds, the most that the 99th percentile may be, in ms)
PLAN = {1: (50, None), 100: (30, 10), 1000: (20, 70)}


def run(quick):
    rows, results = [], []
    for verifiers, (rounds, aim) in PLAN.items():
        say(f"revocation: {verifiers} verifiers")
        with Server() as server:
            found = program("revocation_latency", "--target", server.grpc, "--issuer",
                            server.issuer, "--verifiers", verifiers, "--rounds",
                            rounds // (5 if quick else 1), "--server-pid", server.pid)
        results.append(found)
        p99 = found["p99_ms"]
        rows.append(Row(f"Revoke answered -> refused in each of {verifiers:,}",
                        f"p50 {found['p50_ms']:.1f} ms, p99 {p99:.1f} ms", "",
                        f"p99 {aim} ms" if aim else "",
                        "" if aim is None else "met" if p99 <= aim else "MISSED"))
        rows.append(Row(f"  server, {verifiers:,} verifiers",
                        f"{found['server_cpu_us_per_delivery']:.0f} us CPU a delivery, "
                        f"{found['server_kib_per_verifier']:.0f} KiB a verifier"))
    return rows, results
