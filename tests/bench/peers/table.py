"""The tables that a run ends with."""

import statistics

from contract import ISSUE, SIGN_IN, VERIFY, VERIFY_GRPC


def spread(values, digits=0):
    """Median and range."""
    return (f"{statistics.median(values):,.{digits}f} "
            f"({min(values):,.{digits}f}..{max(values):,.{digits}f})")


def per_cpu_second(rounds, what):
    return [1e6 / one["cpu_us"] for one in rounds[what]]


def lines(rows):
    """Columns; a row may end early."""
    columns = len(rows[0])
    rows = [row + [""] * (columns - len(row)) for row in rows]
    widths = [max(len(row[i]) for row in rows) for i in range(columns)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
    print()


def speed_cells(rounds, what, ours):
    """Calls for a second of CPU, and as a share of what Ostiary manages."""
    if what not in rounds:
        return ["", ""]
    values = per_cpu_second(rounds, what)
    return [spread(values), f"{statistics.median(values) / ours[what]:.3f}" if ours else ""]


def sign_in_cells(rounds):
    """Milliseconds of CPU: all, the hash alone, and what is not the hash."""
    if SIGN_IN not in rounds:
        return []
    raw = statistics.median(rounds["raw_hash_us"])
    whole = [call["cpu_us"] for call in rounds[SIGN_IN]]
    return [spread([value / 1000 for value in series], 1)
            for series in (whole, rounds["raw_hash_us"], [value - raw for value in whole])]


def verify_lines(found):
    """(label, peer, which verify): Ostiary over gRPC has a line of its own."""
    for name, one in found.items():
        yield name, one, VERIFY
        if VERIFY_GRPC in one["rounds"]:
            yield f"{name}, gRPC", one, VERIFY_GRPC


def speed_table(found):
    ours = found.get("ostiary", {}).get("rounds")
    if ours:
        ours = {what: statistics.median(per_cpu_second(ours, what)) for what in (VERIFY, ISSUE)}
        ours[VERIFY_GRPC] = ours[VERIFY]
    rows = [["", "verify / CPU s", "x ostiary", "issue / CPU s", "x ostiary",
             "sign-in, CPU ms", "its hash alone", "beyond it"]]
    for label, one, verify in verify_lines(found):
        rounds = one["rounds"]
        row = [label, *speed_cells(rounds, verify, ours)]
        if verify == VERIFY:
            row += [*speed_cells(rounds, ISSUE, ours), *sign_in_cells(rounds)]
        rows.append(row)
    return rows


def size_table(found):
    rows = [["", "verify p50 us", "p99 us", "/ s", "ready, s", "memory idle, MB", "after, MB"]]
    for label, one, verify in verify_lines(found):
        calls = one["rounds"][verify]
        row = [label, *(f"{statistics.median(call[key] for call in calls):,.0f}"
                        for key in ("p50_us", "p99_us", "per_second"))]
        if verify == VERIFY:
            row += [spread(one["rounds"]["ready_s"], 3), f"{one['idle_mb']:.1f}",
                    f"{one['after_mb']:.1f}"]
        rows.append(row)
    return rows


def show(found):
    measured = {name: one for name, one in found.items() if "unavailable" not in one}
    print()
    lines(speed_table(measured))
    lines(size_table(measured))
    for name, one in found.items():
        if name not in measured:
            print(f"*** {name} IS NOT IN THE TABLE: {one['unavailable']}")
            continue
        print(f"{name}: {one['version']}; {one['hash']}; {one['notes']}")
        for what, called in one["calls"].items():
            print(f"  {what}: {called}")
