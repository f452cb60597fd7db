"""What the runner asks of a peer, and what peers share."""

import base64
import json
import os
import shutil
import socket
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
CACHE = ROOT / "build/peers"

# One connection each, so that nobody's rows are fought over.
USERS = [f"ada{number}" for number in range(16)]
PASSWORD = "of many a round"
# The hash of a sign-in, for all who can: argon2id, one lane.
MEMORY_KIB, PASSES = 19456, 2
# Outlives every run.
TOKEN_SECONDS = 7200

VERIFY, VERIFY_GRPC, ISSUE, SIGN_IN = "verify", "verify-grpc", "issue", "sign-in"


class Unavailable(Exception):
    """A peer that cannot be installed, started or set up here."""


@dataclass
class Call:
    """A request of one connection; "%" in the body stands for `carry`."""

    path: str
    body: str = ""
    headers: dict = field(default_factory=dict)
    carry: str = ""

    def head(self, port):
        lines = [f"{'POST' if self.body else 'GET'} {self.path} HTTP/1.1",
                 f"Host: 127.0.0.1:{port}", *(f"{name}: {value}"
                                             for name, value in self.headers.items())]
        return "\r\n".join(lines) + "\r\n"


@dataclass
class Action:
    """What is loaded: a call for each connection, and what a good answer holds."""

    what: str
    calls: list
    mark: str
    member: str = ""  # of the answer, carried into the next call


def form(path, headers=None, carry="", **fields):
    """A call with a form. A field "%" is not encoded: it is carried."""
    body = "&".join(f"{name}={'%' if value == '%' else urllib.parse.quote_plus(value)}"
                    for name, value in fields.items())
    return Call(path, body, {"Content-Type": "application/x-www-form-urlencoded",
                             **(headers or {})}, carry)


def basic(name, secret):
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()}


def answer_to(port, call, method=None):
    """The JSON of one call's answer; Unavailable if there is none."""
    body = call.body.replace("%", call.carry, 1) if call.carry else call.body
    request = urllib.request.Request(f"http://127.0.0.1:{port}{call.path}",
                                     body.encode() if body else None, call.headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        text = error.read()[:300].decode(errors="replace")
        raise Unavailable(f"{call.path} answers {error.code}: {text}") from None
    except (OSError, ValueError) as error:
        raise Unavailable(f"{call.path}: {error}") from None


def run(*command, cwd=None, environment=None, seconds=900):
    """Runs a command; what it printed. Unavailable if it fails."""
    if not shutil.which(str(command[0])):
        raise Unavailable(f"{command[0]} is not installed (tests/bench/peers/install)")
    try:
        done = subprocess.run([str(word) for word in command], cwd=cwd, stdin=subprocess.DEVNULL,
                              env={**os.environ, **(environment or {})},
                              capture_output=True, text=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        raise Unavailable(f"{command[0]} took more than {seconds} seconds") from None
    if done.returncode != 0:
        raise Unavailable(f"{Path(str(command[0])).name} failed: "
                          f"{(done.stderr or done.stdout).strip()[-600:]}")
    return done.stdout


def cached(name, fill):
    """The folder `name` of the cache; `fill(folder)` makes it, once."""
    folder = CACHE / name
    if not (folder / ".complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        fill(folder)
        (folder / ".complete").touch()
    return folder


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Peer:
    """A server to be measured. Set once it runs: folder, port, process."""

    name = ""
    hash_name = f"argon2id {MEMORY_KIB} KiB x {PASSES}"
    # What is asked until it is answered with this status, or after the very
    # first start, before `fill`, with that one.
    ready = Call("/.well-known/openid-configuration")
    ready_status = 200
    first_status = 200
    notes = ""
    # How many times longer than the others it is warmed up.
    warm_times = 1

    def install(self):
        """Fetches what it needs into the cache."""

    def version(self):
        raise NotImplementedError

    def prepare(self, folder):
        """Lays out a new data folder. Nothing runs yet."""

    def command(self):
        """(command, environment) that serve `self.folder` on `self.port`."""
        raise NotImplementedError

    def fill(self):
        """Makes the users, once, in the running server."""

    def actions(self):
        """Name -> Action, in the running server."""
        raise NotImplementedError

    def raw_hash(self):
        """CPU microseconds of one hash in its own library, outside the server."""
        raise NotImplementedError
