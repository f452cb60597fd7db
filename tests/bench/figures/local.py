"""What a check costs in a service's own process (C++ SDK)."""

from figures.bench import STEADY, Row, program, say

TARGETS = ["local_verify"]


def run(quick):
    say("local: cold and warm checks")
    found = program("local_verify", "--rounds", 2 if quick else 7)
    steady = found["raw_spread"] <= STEADY

    def verdict(value, most):
        if not steady:
            return "no verdict: the baseline moved"
        return "met" if value <= most else "MISSED"

    most_cold = 1.05 * found["raw_ns"] + 3000
    rows = [Row("local verify, cold / raw ES256 verification",
                f"{found['cold_ns'] / 1000:.1f} against {found['raw_ns'] / 1000:.1f} us",
                f"{found['cold_ns'] / found['raw_ns']:.2f}", "1.05 x + 3 us",
                verdict(found["cold_ns"], most_cold))]
    for tokens, most in ((1000, 500), (100000, 1500)):
        warm = found[f"warm_{tokens}_ns"]
        rows.append(Row(f"local verify, warm, {tokens:,} tokens",
                        f"{warm:.0f} ns (a SHA-256 of the text alone takes "
                        f"{found['hash_ns']:.0f})", "", f"{most} ns", verdict(warm, most)))
    return rows, found
