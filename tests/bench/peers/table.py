"""The tables that a run ends with."""

import statistics


def spread(values, digits=0):
    """Median and range."""
    return (f"{statistics.median(values):,.{digits}f} "
            f"({min(values):,.{digits}f}..{max(values):,.{digits}f})")


def per_cpu_second(rounds, what):
    return [1e6 / one["cpu_us"] for one in rounds[what]]


def beyond_hash(rounds):
    """Of a sign-in, milliseconds of CPU that are not the hash."""
    raw = statistics.median(rounds["raw_hash_us"])
    return [(one["cpu_us"] - raw) / 1000 for one in rounds["sign-in"]]


def lines(rows):
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
    print()


def names(found):
    """Those measured; Ostiary over gRPC is a line of its own."""
    for name, one in found.items():
        if "unavailable" in one:
            continue
        yield name, one, "verify"
        if "verify-grpc" in one["rounds"]:
            yield f"{name}, gRPC", one, "verify-grpc"


def show(found):
    base = found.get("ostiary", {})
    base = None if "unavailable" in base else base.get("rounds")
    speed = [("", "verify / CPU s", "vs ostiary", "issue / CPU s", "vs ostiary",
              "sign-in, CPU ms", "its hash alone", "beyond it")]
    for label, one, verify in names(found):
        rounds = one["rounds"]
        cells = [label]
        for what in (verify, "issue"):
            if what == "issue" and verify != "verify":
                cells += ["", ""]
                continue
            values = per_cpu_second(rounds, what)
            ours = base and statistics.median(per_cpu_second(base, what.split("-")[0]))
            cells += [spread(values), f"{statistics.median(values) / ours:.3f}" if ours else ""]
        if verify == "verify":
            cells += [spread([call["cpu_us"] / 1000 for call in rounds["sign-in"]], 1),
                      spread([value / 1000 for value in rounds["raw_hash_us"]], 1),
                      spread(beyond_hash(rounds), 1)]
        else:
            cells += ["", "", ""]
        speed.append(tuple(cells))
    print()
    lines(speed)
    size = [("", "ready, s", "memory idle, MB", "after the load, MB", "verify p50 us", "p99 us",
             "/ s")]
    for label, one, verify in names(found):
        rounds = one["rounds"]
        first = verify == "verify"
        calls = rounds[verify]
        size.append((label, spread(rounds["ready_s"], 3) if first else "",
                     f"{one['idle_mb']:.1f}" if first else "",
                     f"{one['after_mb']:.1f}" if first else "",
                     *(f"{statistics.median(call[key] for call in calls):,.0f}"
                       for key in ("p50_us", "p99_us", "per_second"))))
    lines(size)
    for name, one in found.items():
        if "unavailable" in one:
            print(f"*** {name} IS NOT IN THE TABLE: {one['unavailable']}")
            continue
        print(f"{name}: {one['version']}; {one['hash']}; {one['notes']}")
        for what, called in one["calls"].items():
            print(f"  {what}: {called}")
