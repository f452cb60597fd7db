"""What all figures share: programs, servers, and rounds that are fair."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
BUILD = ROOT / "build/release"
# Load from one account, and hashes that do not hide everything else.
FLAGS = ("--sign-in-limit-identifier-prefix=off", "--sign-in-limit-identifier=off",
         "--hash-memory-kib=8192", "--hash-iterations=1")
# A baseline that moved by more than this says that the machine was busy.
STEADY = 1.25


def say(text):
    print(text, file=sys.stderr, flush=True)


def build(targets):
    say(f"building {', '.join(targets)}")
    environment = {**os.environ, "CCACHE_BASEDIR": str(ROOT), "CCACHE_NOHASHDIR": "1"}
    for command in (["cmake", "--preset", "release"],
                    ["cmake", "--build", str(BUILD), "--parallel", "--target", *targets]):
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"{' '.join(command)} failed:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")


def program(name, *arguments, stdin="", seconds=900):
    """Runs a bench program; the JSON it prints last."""
    done = subprocess.run([str(BUILD / "bench" / name), *map(str, arguments)], input=stdin,
                          capture_output=True, text=True, timeout=seconds)
    if done.returncode != 0:
        sys.exit(f"{name} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


class Server:
    """An ostiaryd of the benches' own, until it is left.

    On the data directory `data`, or one of its own that goes with it.
    """

    issuer = "https://bench.example"
    basics = FLAGS

    def __init__(self, *flags, data=None):
        self.data = data
        named = {flag.split("=")[0] for flag in flags}
        self.flags = [flag for flag in self.basics if flag.split("=")[0] not in named] + list(flags)

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="ost-bench-")
        greeting = Path(self.folder.name) / "greeting"
        self.out = open(greeting, "w+")
        self.process = subprocess.Popen(
            [str(BUILD / "bin/ostiaryd"), f"--data-dir={self.data or self.folder.name + '/data'}",
             "--grpc-listen=127.0.0.1:0", "--http-listen=127.0.0.1:0",
             "--ops-listen=127.0.0.1:0", f"--issuer={self.issuer}", *self.flags],
            stdout=self.out, stderr=subprocess.DEVNULL, cwd=self.folder.name)
        self.pid = self.process.pid
        end = time.monotonic() + 30
        while time.monotonic() < end and self.process.poll() is None:
            text = greeting.read_text()
            if "\nTry:\n" in text:
                said = {line.strip().split("  ")[0]: line.split()[-1]
                        for line in text.splitlines() if "  " in line.strip()}
                self.grpc, self.http = said["gRPC"], said["HTTP"]
                self.ops = said["health, metrics"]
                self.socket = f"unix:{said['operator socket']}"
                return self
            time.sleep(0.02)
        sys.exit("the server did not start")

    def call(self, method, **fields):
        request = urllib.request.Request(
            f"http://{self.http}/ostiary.v1.{method}", json.dumps(fields).encode(),
            {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def sign_up(self):
        self.call("AuthService/SignUp", username="bench", password="of many a round")

    def token(self):
        answer = self.call("AuthService/SignInWithPassword", identifier="bench",
                           password="of many a round")
        return answer["tokens"]["accessToken"]

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.out.close()
        self.folder.cleanup()


class Noop:
    """A gRPC server that does nothing: `async` or `callback` API.

    `signature` checks one signature a call, `refuse` refuses those without a token; on the async API.
    """

    def __init__(self, kind, *arguments):
        self.kind = kind
        self.arguments = arguments

    def __enter__(self):
        self.process = subprocess.Popen([str(BUILD / "bench/noop_server"), self.kind, *self.arguments],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.pid = self.process.pid
        self.grpc = f"127.0.0.1:{self.process.stdout.readline().split()[1]}"
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def varint(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out + bytes([number]))


def field(number, data):
    """A length-delimited field of a protobuf message."""
    return varint(number << 3 | 2) + varint(len(data)) + data


def verify_request(token):
    return field(1, token.encode())


def interleave(rounds, measures):
    """Runs all measures once a round. Name -> its results, in order."""
    results = {name: [] for name in measures}
    for _ in range(rounds):
        for name, measure in measures.items():
            results[name].append(measure())
    return results


@dataclass
class Row:
    """A line of the table."""

    figure: str
    measured: str
    ratio: str = ""
    target: str = ""
    verdict: str = ""


def judged(figure, values, base, target, unit="us"):
    """A row about the ratio of two interleaved series; at most `target`."""
    ratios = [one / other for one, other in zip(values, base)]
    ratio = statistics.median(ratios)
    steady = max(base) / min(base) <= STEADY
    verdict = "no verdict: the baseline moved" if not steady else (
        "met" if ratio <= target else "MISSED")
    return Row(figure,
               f"{statistics.median(values):.1f} against {statistics.median(base):.1f} {unit}",
               f"{ratio:.2f} ({min(ratios):.2f}..{max(ratios):.2f})", f"{target:.2f}", verdict)
