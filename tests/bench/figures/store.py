"""What a durable refresh and a look-up cost, beside raw SQLite and a no-op.

The store alone against SQLite with one commit for each refresh; then `Refresh`
over gRPC: server CPU a call, 64 in flight over 256 sessions.
"""

import statistics
import tempfile
from pathlib import Path

from figures.bench import STEADY, Noop, Row, Server, interleave, judged, program, say
from figures.verify import VERIFY, cpu

TARGETS = ["ostiaryd", "noop_server", "rpc_load", "refresh_load", "store_refresh", "store_lookup",
           "raw_work"]
PASSWORD = "of many a round\n"


def at_least(figure, values, base, target, unit):
    """A row about how many times `base` the interleaved `values` are."""
    ratios = [one / other for one, other in zip(values, base)]
    ratio = statistics.median(ratios)
    verdict = "no verdict: the baseline moved" if max(base) / min(base) > STEADY else (
        "met" if ratio >= target else "MISSED")
    return Row(figure,
               f"{statistics.median(values):,.0f} against {statistics.median(base):,.0f} {unit}",
               f"{ratio:.2f} ({min(ratios):.2f}..{max(ratios):.2f})", f"at least {target:g}",
               verdict)


def alone(quick):
    """The store without a server around it."""
    say("store: durable refreshes, one commit each and by many callers")
    with tempfile.TemporaryDirectory(prefix="ost-bench-") as folder:
        return program("store_refresh", "--folder", folder, "--rounds", 3 if quick else 7,
                       "--seconds", 0.4 if quick else 1, "--callers", "16,64")


def lookups(quick):
    say("store: look-ups by key")
    with tempfile.TemporaryDirectory(prefix="ost-bench-") as folder:
        return program("store_lookup", "--folder", folder, "--rounds", 3 if quick else 7,
                       "--rows", 10000 if quick else 100000)


def over_grpc(quick):
    """CPU of a Refresh, of a call that does nothing and of a signature."""
    rounds, seconds = (3, 1) if quick else (7, 2)
    say("store: Refresh over gRPC")
    with Server("--max-sessions-per-account=1000") as server, Noop("async") as noop:
        server.sign_up()
        tokens = Path(server.folder.name) / "tokens"

        def refresh():
            found = program("refresh_load", "--target", server.grpc, "--server-pid", server.pid,
                            "--tokens", tokens, "--seconds", seconds, stdin=PASSWORD)
            if found["errors"]:
                raise SystemExit(f"Refresh: {found['errors']} errors: {found['first_error']}")
            return found["cpu_us"]

        refresh()  # opens the sessions, fills the caches
        return interleave(rounds, {
            "noop": lambda: cpu(noop, [b""], seconds, VERIFY),
            "sign": lambda: program("raw_work", "sign")["cpu_us"],
            "refresh": refresh,
        })


def run(quick):
    store, look, grpc = alone(quick), lookups(quick), over_grpc(quick)
    raw = store["raw"]["per_second"]
    rows = [at_least(f"durable refreshes, store alone, {callers} callers / one commit each",
                     store[str(callers)]["per_second"], raw, target, "a second")
            for callers, target in ((16, 3.5), (64, 6))]

    limit = [noop + sign + 40 for noop, sign in zip(grpc["noop"], grpc["sign"])]
    rows.append(judged("Refresh / no-op + raw ES256 signature + 40 us", grpc["refresh"], limit, 1))
    # Of another program and not of the same second: the median of the store's.
    flow = statistics.median(store["flow"]["cpu_us"])
    issue = [refresh - flow for refresh in grpc["refresh"]]
    limit = [noop + 1.3 * sign + 10 for noop, sign in zip(grpc["noop"], grpc["sign"])]
    rows.append(judged("Refresh without the store / no-op + 1.3 x raw + 10 us", issue, limit, 1))
    rows.append(Row("  raw ES256 signature; the store's part of a Refresh",
                    f"{statistics.median(grpc['sign']):.1f} us; {flow:.1f} us"))

    for name in ("account", "session"):
        base = [1e9 / ns for ns in look[f"{name}_raw"]]
        for kind, words, target in (("cold", "", 0.9), ("kept", ", kept snapshot", 2)):
            rows.append(at_least(f"{name} by key{words} / raw statement",
                                 [1e9 / ns for ns in look[f"{name}_{kind}"]], base, target,
                                 "a CPU second"))
    # Two searches: the name's index, then the account.
    cold, kept, base = (statistics.median(look[f"username_{kind}"]) / 1000
                        for kind in ("cold", "kept", "raw"))
    rows.append(Row("  account by username: cold, kept, raw",
                    f"{cold:.1f}, {kept:.1f}, {base:.1f} us"))
    return rows, {"store": store, "lookups": look, "grpc": grpc}
