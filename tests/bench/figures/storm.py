"""Verify, and those who can be served, while sign-ins arrive at 50 x capacity.

Sign-ins come on a schedule, whether or not those before have been answered;
Verify is asked 200 times a second beside them. The load runs on the same cores:
the storm at nice 10, between the server and its hash threads (nice 19), so it
takes from the hashing what it needs. How much that was is told, and what can be
hashed in the storm is reckoned by the cores that it left.

Control: the same storm on a gRPC server that does nothing, refuses the storm and
answers Verify, beside a thread for each core that spins at nice 19: what the
machine and the load do by themselves, and what of the cores it takes merely to
receive and refuse so many calls.
"""

import json
import os
import statistics
import subprocess
import sys

from figures.bench import (BUILD, STEADY, Noop, Row, Server, field, program, say, verify_request)

TARGETS = ["ostiaryd", "noop_server", "rpc_load", "paced_load"]
VERIFY = "ostiary.v1.TokenService/Verify"
SIGN_IN = "ostiary.v1.AuthService/SignInWithPassword"
TIMES_CAPACITY = 50
VERIFY_RATE = 200
# The server's defaults.
FLAGS = ("--hash-memory-kib=19456", "--hash-iterations=2", "--sign-in-limit-prefix=off")


class Paced:
    """A paced_load that runs beside others."""

    def __init__(self, target, method, request, rate, seconds, *more):
        self.process = subprocess.Popen(
            [str(BUILD / "bench/paced_load"), "--target", target, "--method", method, "--rate",
             str(rate), "--seconds", str(seconds), *map(str, more)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.process.stdin.write(request.hex() + "\n")
        self.process.stdin.close()

    def result(self):
        text = self.process.stdout.read()
        if self.process.wait(120) != 0:
            raise SystemExit("paced_load failed")
        return json.loads(text.strip().splitlines()[-1])


class Spinners:
    """A thread's worth of idle work for each core, at the lowest priority."""

    def __enter__(self):
        spin = "import os\nos.nice(19)\nwhile True: pass"
        self.processes = [subprocess.Popen([sys.executable, "-c", spin])
                          for _ in range(os.cpu_count())]
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.kill()
            process.wait()


def cpu_seconds(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def quiet(server, request, seconds):
    return Paced(server.grpc, VERIFY, request, VERIFY_RATE, seconds).result()


def stormy(server, request, seconds, method, storm_request, rate):
    """Verify, and the storm that blows half a second longer at both ends."""
    storm = Paced(server.grpc, method, storm_request, rate, seconds + 1, "--nice", 10,
                  "--connections", 16)
    try:
        storm.process.wait(0.5)
    except subprocess.TimeoutExpired:
        pass
    verify = Paced(server.grpc, VERIFY, request, VERIFY_RATE, seconds).result()
    return verify, storm.result()


def control(request, seconds, rate):
    with Noop("refuse") as noop:
        before = quiet(noop, request, seconds)
        with Spinners():
            used = cpu_seconds(noop.pid)
            without_token = field(2, b"api")
            verify, storm = stormy(noop, request, seconds, VERIFY, without_token, rate)
            used = cpu_seconds(noop.pid) - used
    return {"before": before, "verify": verify, "storm": storm,
            "cores": used / storm["seconds"]}


def measure(quick):
    seconds = 5 if quick else 30
    calm = 3 if quick else 10
    sign_in = field(1, b"bench") + field(2, b"of many a round")
    with Server(*FLAGS) as server:
        server.sign_up()
        request = verify_request(server.token())
        saturated = program("rpc_load", "--target", server.grpc, "--method", SIGN_IN,
                            "--server-pid", server.pid, "--seconds", 2 if quick else 8,
                            "--in-flight", 8, stdin=sign_in.hex() + "\n")
        capacity = saturated["per_second"]
        rate = TIMES_CAPACITY * capacity
        before = quiet(server, request, calm)
        verify, storm = stormy(server, request, seconds, SIGN_IN, sign_in, rate)
        after = quiet(server, request, calm)
    return {"capacity": capacity, "rate": rate, "before": before, "verify": verify,
            "storm": storm, "after": after, "control": control(request, calm, rate)}


def verdict(good):
    return "met" if good else "MISSED"


def run(quick):
    say("storm: Verify while sign-ins arrive at 50 x what can be hashed")
    found = measure(quick)
    storm, verify = found["storm"], found["verify"]
    calm = [found[name]["answered"]["p99_us"] for name in ("before", "after")]
    base = statistics.mean(calm)
    ratio = verify["answered"]["p99_us"] / base
    noop = found["control"]
    noop_ratio = noop["verify"]["answered"]["p99_us"] / noop["before"]["answered"]["p99_us"]
    goodput = storm["answered_meanwhile"] / storm["seconds"]
    load = storm["own_cores"] + verify["own_cores"]
    possible = found["capacity"] * (1 - (load + noop["cores"]) / os.cpu_count())
    errors = storm["errors"] + verify["errors"] + verify["refused"]["count"]
    refused = storm["refused"]
    steady = max(calm) / min(calm) <= STEADY
    judged_p99 = verdict(ratio <= 2) if steady else "no verdict: the baseline moved"
    return [
        Row(f"Verify p99, sign-ins at {found['rate']:,.0f} a second / unloaded",
            f"{verify['answered']['p99_us']:,.0f} against {base:,.0f} us", f"{ratio:.2f}", "2.00",
            judged_p99),
        Row("  control: a no-op, the same storm, spinning cores / unloaded",
            f"{noop['verify']['answered']['p99_us']:,.0f} against "
            f"{noop['before']['answered']['p99_us']:,.0f} us", f"{noop_ratio:.2f}"),
        Row("  errors", f"{errors} of {VERIFY_RATE * 5 if quick else VERIFY_RATE * 30:,} Verify "
            f"and {refused['count'] + storm['answered']['count'] + storm['errors']:,} sign-ins",
            "", "0", verdict(errors == 0)),
        Row("  sign-ins served / capacity",
            f"{goodput:.1f} of {found['capacity']:.1f} a second, {possible:.1f} on what is left: "
            f"the load took {load:.2f} cores, refusing alone {noop['cores']:.2f}",
            f"{goodput / possible:.2f}", "at least 0.90",
            verdict(goodput >= 0.9 * possible)),
        Row("  the rest refused, with RetryInfo",
            f"{refused['count'] / storm['seconds']:,.0f} a second, p50 "
            f"{refused['p50_us'] / 1000:.1f} ms, p99 {refused['p99_us'] / 1000:.1f} ms"),
    ], found
