"""What a test of floods has at hand: good callers, a flood, and the process."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
# Times below this say nothing on a machine with other things to do.
NOISE_SECONDS = 0.010


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(share * len(values)))]


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(") ")[1]
    return sum(int(x) for x in fields.split()[11:13]) / os.sysconf("SC_CLK_TCK")


class Helper:
    """A script of this folder that is told by lines and tells by lines."""

    def __init__(self, script, *arguments):
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / script), *map(str, arguments)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def hear(self):
        line = self.process.stdout.readline()
        assert line, f"{self.process.args[1:]} ended"
        return line

    def end(self):
        self.process.kill()
        self.process.wait(10)


class GoodCallers:
    def __init__(self, house):
        person = house.sign_up()
        self._helper = Helper("good_traffic.py", house.contract.path,
                              house.server.grpc, house.server.url)
        self._helper.tell(f"{person.username} {person.password}")
        assert self._helper.hear() == "ready\n"

    def during(self, seconds):
        """What became of the calls of the next seconds, by kind."""
        self._helper.tell("begin")
        time.sleep(seconds)
        self._helper.tell("end")
        return json.loads(self._helper.hear())

    def end(self):
        self._helper.end()


class Flood:
    """with Flood(name, port): it stands when the block begins."""

    def __init__(self, name, port):
        self.name, self.port, self.told = name, port, {}

    def __enter__(self):
        self._helper = Helper("floods.py", self.name, self.port)
        self.standing = json.loads(self._helper.hear())["standing"]
        return self

    def cpu_seconds(self):
        return cpu_seconds(self._helper.process.pid)

    def pause(self):
        """Its connections stand; it does nothing."""
        self._helper.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self._helper.process.send_signal(signal.SIGCONT)

    def __exit__(self, *_):
        try:
            self._helper.process.stdin.close()
            self.told = json.loads(self._helper.hear())
        finally:
            self._helper.end()


class Process:
    """What /proc says about the server."""

    def __init__(self, house):
        self.pid = house.server.process.pid

    def _status(self, name):
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1])
        raise AssertionError(name)

    @property
    def megabytes(self):
        return self._status("VmRSS") / 1024

    @property
    def descriptors(self):
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))

    @property
    def reads(self):
        """Calls of read and pread, as a store makes them."""
        for line in Path(f"/proc/{self.pid}/io").read_text().splitlines():
            if line.startswith("syscr:"):
                return int(line.split()[1])
        raise AssertionError("syscr")

    def cpu_seconds(self):
        return cpu_seconds(self.pid)


def share_answered(told):
    answered = sum(len(one["took"]) for one in told.values())
    return answered / max(1, answered + sum(
        len(one["errors"]) for one in told.values()))


def of_kinds(told, *kinds):
    return {kind: one for kind, one in told.items()
            if kind.startswith(kinds)}


def p99(told, kind):
    took = told[kind]["took"]
    return percentile(took, 0.99) if took else float("inf")


def table(told):
    """For people: answers, refusals, p50 and p99 of each kind."""
    return "; ".join(
        f"{kind}: {len(one['took'])}"
        + (f" (p50 {1000 * percentile(one['took'], 0.5):.1f}"
           f" p99 {1000 * percentile(one['took'], 0.99):.1f} ms)"
           if one["took"] else "")
        + (f" and {len(one['errors'])} not: {one['errors'][0]}"
           if one["errors"] else "") for kind, one in told.items())
