"""The mixed work of a small installation for a long time: does anything grow?

Sign-ins, refreshes, verifications, revocations and ten verifiers that watch, at
a steady rate. Time is cut into windows; the middle third of them is compared
with the last: the first still fills caches and tables. 1.1 or less is flat. The
cache of verified tokens has a size that is full in the first third: with its
default of 65,536 entries it grows for as long as there are new tokens, 1.1 KiB
with each.
"""

import statistics
import sys
import tempfile

from figures.bench import Row, Server, program, say
from figures.start import seeded

TARGETS = ["ostiaryd", "seed", "soak"]
MINUTES = 15
WINDOWS = 15
FLAT = 1.1
ACCOUNTS = 10_000


def thirds(windows, value):
    """Medians of the middle and of the last third."""
    values = [value(window) for window in windows]
    third = len(values) // 3
    return statistics.median(values[third:2 * third]), statistics.median(values[2 * third:])


def flat(what, pair, show):
    before, after = pair
    ratio = after / before if before else 0
    return Row(f"soak: {what}", f"{show(before)}, then {show(after)}", f"{ratio:.2f}",
               f"{FLAT:.2f}", "met" if ratio <= FLAT else "MISSED")


def run(quick):
    if quick:
        say("soak: LEFT OUT by --quick: it takes a quarter of an hour "
            "(--only soak, --soak-minutes)")
        return [Row("soak", "left out by --quick")], None
    say(f"soak: {MINUTES:g} minutes of mixed work")
    sys.stderr.flush()
    with tempfile.TemporaryDirectory(prefix="ost-bench-") as folder:
        data = seeded(folder, "data", accounts=ACCOUNTS, sessions=ACCOUNTS)
        with Server("--verify-cache-entries=4096", data=data) as server:
            found = program("soak", "--target", server.grpc, "--server-pid", server.pid,
                            "--accounts", ACCOUNTS, "--seconds", MINUTES * 60,
                            "--windows", WINDOWS, seconds=MINUTES * 60 + 120)
    windows = found["windows"]
    calls = {name: sum(window[name]["calls"] for window in windows)
             for name in ("sign_in", "refresh", "verify", "revoke")}
    failed = {name: sum(window[name]["errors"] for window in windows) for name in calls}
    errors = sum(failed.values())
    rows = [flat("memory, the server's own",
                 thirds(windows, lambda window: window["own_kib"] / 1024), "{:.1f} MiB".format)]
    for name, what in (("verify", "Verify"), ("refresh", "Refresh"), ("sign_in", "sign-in")):
        # Too few sign-ins in a window for a 99th percentile.
        share = "p50_us" if name == "sign_in" else "p99_us"
        rows.append(flat(f"{what}, {share[:3]}",
                         thirds(windows, lambda window, name=name, share=share:
                                window[name][share] / 1000), "{:.2f} ms".format))
    rows.append(Row("  calls", ", ".join(f"{count:,} {name.replace('_', '-')}"
                                         for name, count in calls.items())))
    rows.append(Row("  errors", "none" if errors == 0 else ", ".join(
        f"{count} {name}" for name, count in failed.items() if count), "", "0", "met" if errors == 0 else "MISSED"))
    return rows, found
